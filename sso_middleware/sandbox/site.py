"""The Help Desk's pages for people."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import jinja2
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from sso_middleware.helpdesk import HelpDesk
from sso_middleware.sandbox import forms
from sso_middleware.sandbox.attempts import Attempt, AttemptLog
from sso_middleware.sandbox.sessions import COOKIE, Session, Sessions
from sso_middleware.sandbox.tickets import LONGEST_SUBJECT, LONGEST_TEXT, Ticket, Tickets

_LONGEST_NUMBER = 9  # digits of a ticket's number
_FIXED = {
    "Algorithm and key": "HS256, with the SSO Token as it stands",
    "account_id and auth_url are compared": "character by character",
    "An unknown address": "is let in and has tickets at once",
}


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _difference(seconds: int) -> str:
    if not seconds:
        return "none: iat is this Help Desk's time to the second"
    unit = "second" if abs(seconds) == 1 else "seconds"
    return f"iat is {abs(seconds):,} {unit} {'ahead of' if seconds > 0 else 'behind'} this Help Desk's clock"


def _indented(value: object) -> str:
    return json.dumps(value, indent=2)  # in ASCII, because claims may hold text that UTF-8 cannot carry


_templates = jinja2.Environment(
    loader=jinja2.PackageLoader("sso_middleware.sandbox"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
)
_templates.filters |= {"time": _time, "difference": _difference, "indented": _indented}


class Site:
    """Sign-in page, tickets, hand-off log, settings and sign-out.

    Args:
        helpdesk: gives the account as it is just now.
        environment: gives the settings to paste, by the name of the variable; an SSO Token that is not
            to be shown is not there.
        log: the hand-off log.
        rules: what is assumed and can be set, and how it is set here, for showing.
        clock: returns the time in seconds since the epoch.
    """

    def __init__(
        self,
        *,
        helpdesk: Callable[[], HelpDesk],
        environment: Callable[[], dict[str, str]],
        log: AttemptLog,
        rules: dict[str, str],
        clock: Callable[[], float],
    ) -> None:
        self._helpdesk = helpdesk
        self._environment = environment
        self._log = log
        self._rules = rules | _FIXED
        self._clock = clock
        self.reset()
        self.routes: list[Route] = [
            Route("/", self._start),
            Route("/tickets", self._tickets_page),
            Route("/tickets", self._create, methods=["POST"]),
            Route("/tickets/{number}", self._ticket_page),
            Route("/tickets/{number}", self._reply, methods=["POST"]),
            Route("/handoffs", self._handoffs),
            Route("/settings", self._settings),
            Route("/logout", self._log_out, methods=["POST"]),
            Route("/style.css", self._style),
        ]

    def reset(self) -> None:
        """Sign everybody out and forget their tickets."""
        self._sessions = Sessions()
        self._tickets = Tickets()

    def signed_in(self, request: Request, email: str) -> Response:
        """Answer an accepted hand-off: a session, and on to the tickets, away from the token."""
        response = RedirectResponse("/tickets", 303)
        response.set_cookie(COOKIE, self._sessions.start(email), httponly=True, samesite="lax")
        self._sessions.end(request.cookies.get(COOKIE, ""))
        return response

    def refused(self, request: Request, attempt: Attempt) -> Response:
        """Answer a rejected hand-off."""
        return self._page(request, "refused.html", 403, attempt=attempt)

    def error(self, request: Request, detail: str, status: int) -> Response:
        """Answer what went wrong otherwise."""
        return self._page(request, "error.html", status, detail=detail)

    async def _start(self, request: Request) -> Response:
        if self._session(request):
            return RedirectResponse("/tickets", 303)
        return self._page(request, "sign_in.html")

    async def _tickets_page(self, request: Request) -> Response:
        session = self._session(request)
        return self._list(request, session) if session else RedirectResponse("/", 303)

    async def _create(self, request: Request) -> Response:
        session, fields = await self._form(request)
        subject, text = fields.get("subject", ""), fields.get("text", "")
        problem = _problem("Subject", subject, LONGEST_SUBJECT) or _problem("Message", text, LONGEST_TEXT)
        if problem:
            return self._list(request, session, 422, problem=problem, subject=subject, text=text)
        ticket = self._tickets.create(session.email, subject, text, self._clock())
        return RedirectResponse(f"/tickets/{ticket.number}", 303)

    async def _ticket_page(self, request: Request) -> Response:
        session = self._session(request)
        if not session:
            return RedirectResponse("/", 303)
        return self._page(request, "ticket.html", ticket=self._ticket(request, session), problem="", text="")

    async def _reply(self, request: Request) -> Response:
        session, fields = await self._form(request)
        ticket = self._ticket(request, session)
        text = fields.get("text", "")
        if problem := _problem("Reply", text, LONGEST_TEXT):
            return self._page(request, "ticket.html", 422, ticket=ticket, problem=problem, text=text)
        self._tickets.reply(ticket, text, self._clock())
        return RedirectResponse(f"/tickets/{ticket.number}#latest", 303)

    async def _handoffs(self, request: Request) -> Response:
        return self._page(request, "handoffs.html", attempts=self._log.latest_first())

    async def _settings(self, request: Request) -> Response:
        return self._page(request, "settings.html", environment=self._environment(), rules=self._rules)

    async def _log_out(self, request: Request) -> Response:
        await self._form(request)
        self._sessions.end(request.cookies[COOKIE])
        response = RedirectResponse(self._helpdesk().logout_url or "/", 303)
        response.delete_cookie(COOKIE, httponly=True, samesite="lax")
        return response

    async def _style(self, request: Request) -> Response:  # noqa: ARG002 - a route's signature
        return Response(_templates.get_template("style.css").render(), media_type="text/css")

    def _session(self, request: Request) -> Session | None:
        return self._sessions.get(request.cookies.get(COOKIE, ""))

    async def _form(self, request: Request) -> tuple[Session, dict[str, str]]:
        session = self._session(request)
        if not session:
            raise HTTPException(
                403, "You are not signed in any more. Sign in again, then send the form anew."
            )
        return session, await forms.read_form(request, session.csrf)

    def _ticket(self, request: Request, session: Session) -> Ticket:
        digits: str = request.path_params["number"]
        number = int(digits) if digits.isdecimal() and len(digits) <= _LONGEST_NUMBER else 0
        ticket = self._tickets.get(session.email, number, self._clock())
        if not ticket:
            raise HTTPException(404, "You have no ticket with that number.")
        return ticket

    def _list(
        self,
        request: Request,
        session: Session,
        status: int = 200,
        *,
        problem: str = "",
        subject: str = "",
        text: str = "",
    ) -> Response:
        tickets = self._tickets.of(session.email, self._clock())
        return self._page(
            request, "tickets.html", status, tickets=tickets, problem=problem, subject=subject, text=text
        )

    def _page(self, request: Request, template: str, status: int = 200, **context: Any) -> Response:
        html = _templates.get_template(template).render(
            context,
            helpdesk=self._helpdesk(),
            session=self._session(request),
            path=request.url.path,
            longest_subject=LONGEST_SUBJECT,
            longest_text=LONGEST_TEXT,
        )
        return HTMLResponse(html, status)


def _problem(name: str, text: str, longest: int) -> str | None:
    if not text:
        return f"{name}: write something first."
    return f"{name}: {longest} characters at most." if len(text) > longest else None
