"""What to answer on an intercepted path. Every decision is here; the adapters only translate.

Nothing in this module knows a framework, an environ or a scope. An adapter hands in what a
decision needs as a `Visit`, and the application's callables wrapped as coroutine functions: under
ASGI they are awaited, under WSGI they never suspend. So both protocols share one course of events.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any, TypeAlias, cast
from urllib.parse import quote

from sso_middleware._calls import Call, Check, is_async
from sso_middleware._lazy import exact, text_problem
from sso_middleware._secret import Secret
from sso_middleware._urls import (
    encode_path,
    is_absolute,
    is_plain_prefix,
    origin_of,
    with_query,
)
from sso_middleware.errors import (
    ConfigError,
    HandoffRefused,
    InvalidEmail,
    ResolverUnavailable,
)
from sso_middleware.events import EventHook, Outcome, Reporter
from sso_middleware.gate import loop_breaker
from sso_middleware.gate.answers import Answer, empty, page, redirect
from sso_middleware.gate.interception import Interception, Purpose
from sso_middleware.gate.pages import Reason
from sso_middleware.gate.results import address_or_none, header_list, helpdesk_only
from sso_middleware.gate.visit import Visit
from sso_middleware.helpdesk import HelpDesk
from sso_middleware.helpdesk.emails import check_email
from sso_middleware.logout import Logout

Handler: TypeAlias = Callable[[Visit], Coroutine[Any, Any, Answer | None]]
"""Takes a `Visit` and returns the `Answer`, or `None` if the application is to answer."""


class Gate:
    """Decides, for one middleware, what to answer. The parameters are those of `SSOMiddleware`.

    Args:
        wrap: makes a `Call` of an application's callable and the check on what it returns.
        also_wrong: problems of settings that the adapter has found.
        find_login: gives `login_url` as the browser sees it, for a framework that has rules of its own
            for that; `None`: mount prefix and `login_url`. An absolute one stays as it is.
        find_then: the same for where a logout leads.

    Raises:
        ConfigError: naming every wrong setting at once.
    """

    def __init__(
        self,
        helpdesk: HelpDesk | Callable[..., Any],
        resolve_email: Callable[..., Any],
        *,
        paths: str | Iterable[str] | None,
        login_url: str | None,
        next_param: str,
        logout: Logout | None,
        on_event: EventHook | None,
        wrap: Callable[[Callable[..., Any], Check], Call],
        also_wrong: Mapping[str, str],
        find_login: Callable[[], str] | None = None,
        find_then: Callable[[], str] | None = None,
    ) -> None:
        fixed = helpdesk if isinstance(helpdesk, HelpDesk) else None
        login_url = cast("str | None", exact(login_url))
        self.interception: Interception = Interception(fixed, paths, login_url, logout)
        checks = {
            "helpdesk": None if fixed else _chooser_problem(helpdesk),
            "resolve_email": None if callable(resolve_email) else "must be a callable",
            "next_param": text_problem(next_param),
            "on_event": None if on_event is None else _hook_problem(on_event),
        }
        problems = self.interception.problems | {name: text for name, text in checks.items() if text}
        if problems := problems | dict(also_wrong):
            raise ConfigError(problems)

        self._resolve_email = wrap(resolve_email, address_or_none)
        self._choose_helpdesk = wrap(helpdesk, helpdesk_only) if callable(helpdesk) else _always(helpdesk)
        self.helpdesk: HelpDesk | None = fixed  # for `sso-middleware check`
        self._account_id = fixed.account_id if fixed else None
        self._login_url = login_url
        self._login_is_inside = login_url is None or not is_absolute(login_url)
        self._find_login = find_login
        self._find_then = find_then
        self._origin = origin_of(fixed.auth_url) if fixed else ""
        self._next = quote(next_param, safe="") + "="
        self._reporter = Reporter(on_event)
        self._handlers: dict[Purpose, Handler] = {"handoff": self._hand_off}
        if logout:
            self._end_session = wrap(logout.end_session, header_list)
            self._then = logout.then
            self._handlers["logout"] = self._log_out

    def find(self, prefix: str, path: str) -> Handler | None:
        """Return what answers at app-relative `path` under mount `prefix`; `None`: the application."""
        purpose = self.interception.find(prefix, path)
        return self._handlers[purpose] if purpose else None

    async def _hand_off(self, visit: Visit) -> Answer | None:
        if visit.method not in ("GET", "HEAD"):
            if self._login_url is None:
                return None
            if visit.method != "POST":
                return self._ignore(visit, "method_not_allowed", ("Allow", "GET, HEAD, POST"))
            if not is_plain_prefix(visit.prefix):
                return self._refuse(visit, "bad_prefix")
            # A login form that is answered with 307 ends here: the same place again, by GET.
            self._report("ignored", "post", visit)
            return redirect(encode_path(visit.public_path))
        if answer := self._without_a_person(visit, own_frames=True):
            return answer
        email: Secret[str] | None = None
        try:
            answered = await self._resolve_email(Secret((visit.source,)))
            if answered is None:
                return self._to_login(visit)
            try:
                email = Secret(check_email(answered()))
            except InvalidEmail as error:
                return self._refuse(
                    visit, "no_email" if error.reason == "empty" else "invalid_email", error.reason
                )
            helpdesk = await self._choose_helpdesk(Secret((visit.source, email())))
        except HandoffRefused as refusal:
            self._report("refused", refusal.reason, visit, email=email, detail=refusal.detail)
            return page(refusal.reason, visit.prefix, by_resolver=True)
        except ResolverUnavailable as outage:
            self._report("unavailable", "unavailable", visit, email=email)
            return page("unavailable", visit.prefix, ("Retry-After", str(outage.retry_after)))
        return self._to_helpdesk(visit, helpdesk, email)

    async def _log_out(self, visit: Visit) -> Answer | None:
        if visit.method not in ("GET", "HEAD"):
            return self._ignore(visit, "method_not_allowed", ("Allow", "GET, HEAD"))
        # No frame: a sibling origin is of the same site, and could hide one.
        if answer := self._without_a_person(visit, own_frames=False):
            return answer
        inside = not is_absolute(self._then)
        if inside and not is_plain_prefix(visit.prefix):
            return self._refuse(visit, "bad_prefix")
        headers = await self._end_session(Secret((visit.source,)))
        self._report("signed_out", None, visit)
        if not inside:
            return redirect(self._then, *headers)
        return redirect(self._find_then() if self._find_then else visit.prefix + self._then, *headers)

    def _without_a_person(self, visit: Visit, *, own_frames: bool) -> Answer | None:
        if visit.method == "HEAD":
            self._report("ignored", "head", visit)
            return empty()
        reason = visit.speculative_or_embedded(own_frames=own_frames)
        return self._ignore(visit, reason) if reason else None

    def _to_login(self, visit: Visit) -> Answer | None:
        if self._login_url is None:
            self._report("anonymous", None, visit)
            self._reporter.warn_unanswered(visit.public_path)
            return None
        if not is_plain_prefix(visit.prefix):  # it is part of the way back, too
            return self._refuse(visit, "bad_prefix")
        self._report("anonymous", None, visit)
        here = encode_path(visit.public_path)
        if self._login_is_inside:
            login_url = self._find_login() if self._find_login else visit.prefix + self._login_url
            return redirect(with_query(login_url, self._next + quote(here)))
        return redirect(with_query(self._login_url, self._next + quote(self._origin + here, safe="")))

    def _to_helpdesk(self, visit: Visit, helpdesk: HelpDesk, email: Secret[str]) -> Answer:
        count = loop_breaker.count(visit.headers.get("Cookie", ""), int(time.time()))
        cookie = loop_breaker.set_cookie(
            count, visit.public_path, secure=helpdesk.auth_url.lower().startswith("https:")
        )
        if count is None:
            self._report("refused", "loop", visit, helpdesk.account_id, email)
            return page("loop", visit.prefix, cookie)
        handoff = helpdesk.handoff(email())
        self._report("handed_off", None, visit, helpdesk.account_id, email, handoff.jti)
        return redirect(handoff.url, cookie)

    def _ignore(self, visit: Visit, reason: Reason, *headers: tuple[str, str]) -> Answer:
        self._report("ignored", reason, visit)
        return page(reason, visit.prefix, *headers)

    def _refuse(self, visit: Visit, reason: Reason, detail: str | None = None) -> Answer:
        self._report("refused", reason, visit, detail=detail)
        return page(reason, visit.prefix)

    def _report(
        self,
        outcome: Outcome,
        reason: str | None,
        visit: Visit,
        account_id: str | None = None,
        email: Secret[str] | None = None,
        jti: str | None = None,
        detail: str | None = None,
    ) -> None:
        self._reporter.report(
            outcome, reason, visit.public_path, account_id or self._account_id, email, jti, detail
        )


def _always(helpdesk: HelpDesk) -> Call:
    async def choose(*_: object) -> HelpDesk:
        return helpdesk

    return choose


def _chooser_problem(helpdesk: object) -> str | None:
    if helpdesk is HelpDesk or getattr(helpdesk, "__self__", None) is HelpDesk:
        return "is the class or its from_env, not a HelpDesk: call it, as in HelpDesk.from_env()"
    return None if callable(helpdesk) else "must be a HelpDesk, or a callable that returns one"


def _hook_problem(on_event: object) -> str | None:
    if not callable(on_event):
        return "must be a callable, or None"
    return "must not be async: it is called, not awaited" if is_async(on_event) else None
