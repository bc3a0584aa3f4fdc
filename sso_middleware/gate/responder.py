"""The answers at an Auth URL that need no middleware settings, each with its event.

The middleware and `handoff_response` share them.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from sso_middleware._secret import Secret
from sso_middleware.errors import ConfigError, HandoffRefused, InvalidEmail, ResolverError
from sso_middleware.events import EventHook, Outcome, Reporter, hook_problem
from sso_middleware.gate.answers import Answer, empty, page, redirect
from sso_middleware.gate.callables import address_or_none
from sso_middleware.gate.cookies import count_cookie, count_handoff, is_pending, no_longer_pending
from sso_middleware.gate.pages import Reason
from sso_middleware.gate.visit import Visit
from sso_middleware.helpdesk import HelpDesk, check_email


class Responder:
    """Make answers and report them.

    Args:
        on_event: called with each event.
        helpdesk: the HelpDesk; `None` if a callable chooses one.
    """

    def __init__(self, on_event: EventHook | None, helpdesk: HelpDesk | None) -> None:
        self._reporter = Reporter(on_event)
        self._account_id = helpdesk.account_id if helpdesk else None
        self.is_secure: bool = helpdesk is not None and uses_https(helpdesk)

    def without_a_person(self, visit: Visit, *, own_frames: bool) -> Answer | None:
        """Answer a request that did not come from a person opening the page; `None`: it did."""
        if visit.method == "HEAD":
            self.report("ignored", "head", visit)
            return empty()
        reason = visit.speculative_or_embedded(own_frames=own_frames)
        return self.ignore(visit, reason) if reason else None

    def ignore(self, visit: Visit, reason: Reason, *headers: tuple[str, str]) -> Answer:
        """Answer a request that never makes a hand-off; the outcome is ``ignored``."""
        self.report("ignored", reason, visit)
        return page(reason, visit.prefix, *headers)

    def unacceptable(self, visit: Visit, address: Secret[str]) -> Answer | None:
        """Answer a visitor whose address may not be signed; `None`: it may."""
        try:
            check_email(address())
        except InvalidEmail as error:
            reason: Reason = "no_email" if error.reason == "empty" else "invalid_email"
            return self.refuse(visit, reason, error.reason)
        return None

    def refuse(self, visit: Visit, reason: Reason, detail: str | None = None) -> Answer:
        """Answer a visitor whom this package refuses to hand off."""
        self.report("refused", reason, visit, detail=detail)
        return page(reason, visit.prefix, *self.no_longer_pending(visit))

    def refused_by_callable(self, visit: Visit, refusal: HandoffRefused, email: Secret[str] | None) -> Answer:
        """Answer a visitor whom a resolver or the `helpdesk` callable refuses."""
        self.report("refused", refusal.reason, visit, email=email, detail=refusal.detail)
        return page(refusal.reason, visit.prefix, *self.no_longer_pending(visit), by_resolver=True)

    def hand_off(
        self,
        visit: Visit,
        helpdesk: HelpDesk,
        email: Secret[str],
        claims: Secret[Mapping[str, Any] | None] | None = None,
    ) -> Answer:
        """Answer with the signed redirect, or break a loop."""
        forward = visit.read_parameters(helpdesk.forward_params)
        count = count_handoff(visit.headers.get("Cookie", ""), int(time.time()))
        cookie = count_cookie(count, visit.public_path, secure=uses_https(helpdesk))
        done = self.no_longer_pending(visit)
        if count is None:
            self.report("refused", "loop", visit, helpdesk.account_id, email)
            return page("loop", visit.prefix, cookie, *done)
        handoff = helpdesk.handoff(email(), claims=claims() if claims else None, forward=forward)
        self.report("handed_off", None, visit, helpdesk.account_id, email, handoff.jti)
        return redirect(handoff.url, cookie, *done)

    def no_longer_pending(self, visit: Visit) -> list[tuple[str, str]]:
        """Return the header that deletes the `resume_at` cookie, if the request has it."""
        if not is_pending(visit.headers.get("Cookie", "")):
            return []
        return [no_longer_pending(visit.prefix, secure=self.is_secure)]

    def report(
        self,
        outcome: Outcome,
        reason: str | None,
        visit: Visit,
        account_id: str | None = None,
        email: Secret[str] | None = None,
        jti: str | None = None,
        detail: str | None = None,
    ) -> None:
        """Send an event to the log and to `on_event`."""
        self._reporter.report(
            outcome, reason, visit.public_path, account_id or self._account_id, email, jti, detail
        )


def uses_https(helpdesk: HelpDesk) -> bool:
    """Return whether cookies must be Secure, because the application is served over https."""
    return helpdesk.auth_url[:6].lower() == "https:"


def answer_in_route(
    visit: Visit,
    helpdesk: HelpDesk,
    email: Secret[Any],
    *,
    claims: Secret[Mapping[str, Any] | None],
    on_event: EventHook | None,
) -> Answer:
    """Answer a visitor identified by one of the application's routes: the adapters' `handoff_response`.

    Raises:
        ConfigError: a parameter is wrong.
        ResolverError: `email` is not a `str`, for example because no user is signed in.
    """
    problems = {
        "helpdesk": None if isinstance(helpdesk, HelpDesk) else "must be a HelpDesk",
        "on_event": hook_problem(on_event),
    }
    if found := {name: problem for name, problem in problems.items() if problem}:
        raise ConfigError(found)
    address = address_or_none(email)
    if address is None:
        raise ResolverError(
            "handoff_response got None instead of the signed-in user's address: send anonymous visitors to "
            "your login"
        )
    respond = Responder(on_event, helpdesk)
    if visit.method not in ("GET", "HEAD", "POST"):
        return respond.ignore(visit, "method_not_allowed", ("Allow", "GET, HEAD, POST"))
    if answer := respond.without_a_person(visit, own_frames=True):
        return answer
    return respond.unacceptable(visit, address) or respond.hand_off(visit, helpdesk, address, claims)
