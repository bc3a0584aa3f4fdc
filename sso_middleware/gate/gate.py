"""Decide how to answer an intercepted path. All decisions are here and in `responder`; adapters translate.

An adapter passes a `Visit`, and the application's callables as coroutine functions: ASGI awaits them, and
under WSGI they never suspend. So both protocols share the same code.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Mapping
from threading import Lock
from typing import Any, TypeAlias, cast
from urllib.parse import quote

from sso_middleware._calls import Call, Check
from sso_middleware._secret import Secret
from sso_middleware._text import exact, text_problem
from sso_middleware._urls import encode_path, is_absolute, is_plain_prefix, origin_of, query_names, with_query
from sso_middleware.errors import ConfigError, HandoffRefused, ResolverUnavailable
from sso_middleware.events import EventHook, hook_problem, logger
from sso_middleware.gate.answers import Answer, page, redirect
from sso_middleware.gate.callables import address_or_none, header_list, helpdesk_only
from sso_middleware.gate.cookies import pending_cookie, read_pending
from sso_middleware.gate.interception import Interception, Purpose
from sso_middleware.gate.responder import Responder
from sso_middleware.gate.visit import Visit
from sso_middleware.helpdesk import HelpDesk
from sso_middleware.helpdesk.forwarding import encoded, read_query
from sso_middleware.logout import Logout

Handler: TypeAlias = Callable[[Visit], Coroutine[Any, Any, Answer | None]]
"""Takes a `Visit` and returns the `Answer`, or `None` if the application should answer."""


class Gate:
    """Decides, for one middleware, what to answer. The parameters are those of `SSOMiddleware`.

    Args:
        wrap: makes a `Call` from an application's callable and the check on its result.
        also_wrong: problems with settings that the adapter has found.
        find_login: returns a relative `login_url` as the browser sees it, for frameworks with their own
            rules; `None`: mount prefix and `login_url`.
        find_then: the same for the redirect after a logout.

    Attributes:
        helpdesk: the HelpDesk; `None` if a callable chooses one.
        interception: the intercepted paths.

    Raises:
        ConfigError: a setting is wrong; the error lists all of them.
    """

    def __init__(
        self,
        helpdesk: HelpDesk | Callable[..., Any],
        resolve_email: Callable[..., Any],
        *,
        paths: str | Iterable[str] | None,
        login_url: str | None,
        next_param: str,
        resume_at: str | Iterable[str] | None,
        logout: Logout | None,
        on_event: EventHook | None,
        wrap: Callable[[Callable[..., Any], Check], Call],
        also_wrong: Mapping[str, str],
        find_login: Callable[[], str] | None = None,
        find_then: Callable[[], str] | None = None,
    ) -> None:
        fixed = helpdesk if isinstance(helpdesk, HelpDesk) else None
        login_url = cast("str | None", exact(login_url))
        self.interception: Interception = Interception(
            fixed, paths=paths, login_url=login_url, resume_at=resume_at, logout=logout
        )
        checks = {
            "helpdesk": None if fixed else _chooser_problem(helpdesk),
            "resolve_email": None if callable(resolve_email) else "must be a callable",
            "next_param": text_problem(next_param),
            "on_event": hook_problem(on_event),
        }
        problems = self.interception.problems | {name: text for name, text in checks.items() if text}
        may_be_compared = find_login is None and problems.keys().isdisjoint({"login_url", "next_param"})
        if may_be_compared and next_param in query_names(login_url or ""):
            problems["login_url"] = f"already has {next_param!r} in its query, for the way back: remove it"
        if problems := problems | dict(also_wrong):
            raise ConfigError(problems)

        self._resolve_email = wrap(resolve_email, address_or_none)
        self.helpdesk: HelpDesk | None = fixed
        if callable(helpdesk):
            self._choose_helpdesk = wrap(helpdesk, helpdesk_only)
        self._respond = Responder(on_event, fixed)
        # With a callable, the forwarded names are only known once the visitor is.
        self._forward_params = fixed.forward_params if fixed else ()
        self._login_url = login_url
        self._login_is_inside = login_url is None or not is_absolute(login_url)
        self._find_login = find_login
        self._find_then = find_then
        self._origin = origin_of(fixed.auth_url) if fixed else ""
        self._next = quote(next_param, safe="") + "="
        self._unanswered = Lock()  # acquired by the first warning, and never released
        self._handlers: dict[Purpose, Handler] = {"handoff": self._hand_off, "resume": self._resume}
        self._resumes = "resume" in self.interception.relative.values()
        if logout:
            self._end_session = wrap(logout.end_session, header_list)
            self._then = logout.then
            self._handlers["logout"] = self._log_out

    def find(self, prefix: str, path: str) -> Handler | None:
        """Return the handler for app-relative `path` under mount `prefix`, or `None`."""
        purpose = self.interception.find(prefix, path)
        return self._handlers[purpose] if purpose else None

    async def _hand_off(self, visit: Visit) -> Answer | None:
        if visit.method not in ("GET", "HEAD"):
            return self._other_method(visit)
        if answer := self._respond.without_a_person(visit, own_frames=True):
            return answer
        email: Secret[str] | None = None
        try:
            address: Secret[str] | None = await self._resolve_email(Secret((visit.source,)))
            if address is None:
                return self._to_login(visit)
            if answer := self._respond.unacceptable(visit, address):
                return answer
            email = address
            helpdesk = self.helpdesk or await self._choose_helpdesk(Secret((visit.source, address())))
        except HandoffRefused as refusal:
            return self._respond.refused_by_callable(visit, refusal, email)
        except ResolverUnavailable as outage:
            self._respond.report("unavailable", "unavailable", visit, email=email)
            return page("unavailable", visit.prefix, ("Retry-After", str(outage.retry_after)))
        return self._respond.hand_off(visit, helpdesk, address)

    def _other_method(self, visit: Visit) -> Answer | None:
        """Answer other methods: a POST redirected here by the login with 307 continues as GET."""
        if self._login_url is None:
            return None
        if visit.method != "POST":
            return self._respond.ignore(visit, "method_not_allowed", ("Allow", "GET, HEAD, POST"))
        if not is_plain_prefix(visit.prefix):
            return self._respond.refuse(visit, "bad_prefix")
        self._respond.report("ignored", "post", visit)
        query = encoded(visit.read_parameters(self._forward_params))
        return redirect(_reference(visit.public_path, query))

    def _to_login(self, visit: Visit) -> Answer | None:
        if self._login_url is None:
            self._respond.report("anonymous", None, visit)
            self._warn_unanswered(visit.public_path)
            return None
        if not is_plain_prefix(visit.prefix):  # it is also part of the return URL
            return self._respond.refuse(visit, "bad_prefix")
        self._respond.report("anonymous", None, visit)
        query = encoded(visit.read_parameters(self._forward_params))
        here = _reference(visit.public_path, query)
        cookies = [self._pending_cookie(visit, query)] if self._resumes else []
        if self._login_is_inside:
            login_url = self._find_login() if self._find_login else _inside(visit, self._login_url)
            return redirect(with_query(login_url, self._next + quote(here)), *cookies)
        return redirect(
            with_query(self._login_url, self._next + quote(self._origin + here, safe="")), *cookies
        )

    def _pending_cookie(self, visit: Visit, query: str) -> tuple[str, str]:
        index = self.interception.handoffs.index(self.interception.registered(visit.prefix, visit.path))
        return pending_cookie(index, query, visit.prefix, secure=self._respond.is_secure)

    async def _resume(self, visit: Visit) -> Answer | None:
        """Send a newly signed-in visitor on to the Auth URL, if they came from there."""
        remembered = read_pending(visit.headers.get("Cookie", ""))
        if (
            visit.method != "GET"
            or remembered is None
            or not is_plain_prefix(visit.prefix)
            or visit.speculative_or_embedded(own_frames=True)
        ):
            return None
        email: Secret[str] | None = None
        try:
            address: Secret[str] | None = await self._resolve_email(Secret((visit.source,)))
            if address is None:
                return None
            email = address
        except HandoffRefused:
            pass  # signed in; the Auth URL explains the refusal
        except ResolverUnavailable:
            return None
        index, query = remembered
        handoffs = self.interception.handoffs
        target = self.interception.public_path(handoffs[index if index < len(handoffs) else 0], visit.prefix)
        self._respond.report("resumed", None, visit, email=email)
        query = encoded(read_query(query, self._forward_params).forwarded)
        return redirect(_reference(target, query), *self._respond.no_longer_pending(visit))

    async def _log_out(self, visit: Visit) -> Answer | None:
        if visit.method not in ("GET", "HEAD"):
            return self._respond.ignore(visit, "method_not_allowed", ("Allow", "GET, HEAD"))
        # No frames: a sibling origin counts as the same site, and could hide one.
        if answer := self._respond.without_a_person(visit, own_frames=False):
            return answer
        inside = not is_absolute(self._then)
        if inside and not is_plain_prefix(visit.prefix):
            return self._respond.refuse(visit, "bad_prefix")
        visit.read_parameters(())
        headers = await self._end_session(Secret((visit.source,)))
        self._respond.report("signed_out", None, visit)
        if not inside:
            return redirect(self._then, *headers)
        return redirect(self._find_then() if self._find_then else _inside(visit, self._then), *headers)

    def _warn_unanswered(self, path: str) -> None:
        """Warn, once, that the application itself answers anonymous visitors."""
        if self._unanswered.acquire(blocking=False):
            logger.warning(
                "login_url is not set: the application answers anonymous visitors at %a itself. If it has "
                "no route there, they see its 404. Logged once.",
                path,
            )


def _reference(path: str, query: str) -> str:
    return f"{encode_path(path)}?{query}" if query else encode_path(path)


def _inside(visit: Visit, target: str | None) -> str:
    return f"{encode_path(visit.prefix)}{target}"


def _chooser_problem(helpdesk: object) -> str | None:
    if helpdesk is HelpDesk or getattr(helpdesk, "__self__", None) is HelpDesk:
        return "is the class or its from_env, not a HelpDesk: call HelpDesk.from_env()"
    return None if callable(helpdesk) else "must be a HelpDesk, or a callable that returns one"
