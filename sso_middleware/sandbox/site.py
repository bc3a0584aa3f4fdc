"""The pages of the Help Desk."""

from __future__ import annotations

import re
import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from sso_middleware._urls import with_query
from sso_middleware.sandbox.account import Account
from sso_middleware.sandbox.attempts import Attempt, AttemptLog
from sso_middleware.sandbox.pages import stylesheet, templates
from sso_middleware.sandbox.tickets import LONGEST_SUBJECT, LONGEST_TEXT, Ticket, Tickets

_LONGEST_NUMBER = 9  # digits of a ticket's number
_TICKETS = "/tickets"
_OWN_PAGE = re.compile(r"/(?![/\\])[\w./-]*", re.ASCII)
_SESSIONS = 1000  # at most; the oldest ends first

_FIXED = {
    "Algorithm": "HS256",
    "account_id and auth_url are compared": "character by character",
    "An unknown address": "is accepted and gets tickets at once",
}


class Site:
    """Sign-in page, tickets, hand-off log, settings and sign-out.

    Starlette's SessionMiddleware keeps the session in the cookie. Only sessions recorded here are valid, so
    that signing out and `reset` end them in every browser.

    Args:
        account: the account.
        log: the hand-off log.
        rules: the configurable assumptions and their values, for display.
        clock: returns the time in seconds since the epoch.
        settings_page: the application's page for changing its settings, or `None`.
    """

    def __init__(
        self,
        account: Account,
        log: AttemptLog,
        *,
        rules: dict[str, str],
        clock: Callable[[], float],
        settings_page: str | None,
    ) -> None:
        self._account = account
        self._log = log
        added = ", ".join(account.helpdesk.forward_params) or "nothing"
        self._rules = rules | {"The sign-in adds to the Auth URL": added} | _FIXED
        self._clock = clock
        self._settings_page = settings_page
        self.reset()
        self.routes: list[Route] = [
            Route("/", self._start),
            Route("/sign-in", self._sign_in),
            Route("/tickets", self._tickets_page),
            Route("/tickets", self._create, methods=["POST"]),
            Route("/tickets/{number}", self._ticket_page),
            Route("/tickets/{number}", self._reply, methods=["POST"]),
            Route("/handoffs", self._handoffs),
            Route("/settings", self._settings),
            Route("/logout", self._log_out, methods=["POST"]),
            Route("/style.css", stylesheet),
        ]

    def reset(self) -> None:
        """Sign everyone out and forget their tickets."""
        self._sessions: OrderedDict[str, None] = OrderedDict()  # by their CSRF secret
        self._tickets = Tickets()

    def signed_in(self, request: Request, email: str) -> Response:
        """Answer an accepted hand-off: start a session, and redirect to the requested page or the tickets."""
        self._end_session(request)
        csrf = secrets.token_urlsafe()
        request.session.update(email=email, csrf=csrf)
        self._sessions[csrf] = None
        if len(self._sessions) > _SESSIONS:
            self._sessions.popitem(last=False)
        return RedirectResponse(self._return_page(request) or _TICKETS, 303)

    def refused(self, request: Request, attempt: Attempt) -> Response:
        """Answer a rejected hand-off."""
        return self._page(request, "refused.html", 403, attempt=attempt, settings_page=self._settings_page)

    def error(self, request: Request, detail: str, status: int) -> Response:
        """Answer another error."""
        return self._page(request, "error.html", status, detail=detail)

    async def _start(self, request: Request) -> Response:
        if self._session(request):
            return RedirectResponse("/tickets", 303)
        return await self._sign_in(request)

    async def _sign_in(self, request: Request) -> Response:
        adds = self._asked_for(self._return_page(request) or _TICKETS)
        auth_url = self._account.helpdesk.auth_url
        button = with_query(auth_url, adds) if adds else auth_url
        return self._page(request, "sign_in.html", button=button, adds=adds)

    async def _tickets_page(self, request: Request) -> Response:
        session = self._session(request)
        return self._list(request, session) if session else self._asked_to_sign_in(request)

    def _asked_to_sign_in(self, request: Request) -> Response:
        adds = self._asked_for(request.url.path)
        return RedirectResponse(f"/sign-in?{adds}" if adds else "/", 303)

    def _asked_for(self, page: str) -> str:
        """Return the query that holds the requested page, or ""."""
        return urlencode(dict.fromkeys(self._account.helpdesk.forward_params, page))

    def _return_page(self, request: Request) -> str | None:
        """Return the page requested before the sign-in if it is one of ours."""
        asked_for = "".join(
            request.query_params.get(name, "") for name in self._account.helpdesk.forward_params
        )
        return asked_for if _OWN_PAGE.fullmatch(asked_for) else None

    async def _create(self, request: Request) -> Response:
        session, fields = await self._form(request)
        subject, text = fields.get("subject", ""), fields.get("text", "")
        problem = _problem("Subject", subject, LONGEST_SUBJECT) or _problem("Message", text, LONGEST_TEXT)
        if problem:
            return self._list(request, session, 422, problem=problem, subject=subject, text=text)
        ticket = self._tickets.create(session["email"], subject, text, self._clock())
        return RedirectResponse(f"/tickets/{ticket.number}", 303)

    async def _ticket_page(self, request: Request) -> Response:
        session = self._session(request)
        if not session:
            return self._asked_to_sign_in(request)
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
        return self._page(request, "handoffs.html", attempts=self._log.kept()[::-1])

    async def _settings(self, request: Request) -> Response:
        return self._page(request, "settings.html", environment=self._account.shown, rules=self._rules)

    async def _log_out(self, request: Request) -> Response:
        await self._form(request)
        self._end_session(request)
        return RedirectResponse(self._account.helpdesk.logout_url or "/", 303)

    def _session(self, request: Request) -> Mapping[str, str] | None:
        return request.session if request.session.get("csrf") in self._sessions else None

    def _end_session(self, request: Request) -> None:
        self._sessions.pop(request.session.get("csrf", ""), None)
        request.session.clear()

    async def _form(self, request: Request) -> tuple[Mapping[str, str], dict[str, str]]:
        session = self._session(request)
        if not session:
            raise HTTPException(403, "You are no longer signed in. Sign in, then send the form again.")
        form = await request.form()
        fields = {name: value.strip() for name, value in form.items() if isinstance(value, str)}
        # Only this session's pages know the secret. Compare it in constant time.
        if not secrets.compare_digest(fields.get("csrf", "").encode(), session["csrf"].encode()):
            raise HTTPException(403, "This form is out of date. Reload its page, and send it again.")
        return session, fields

    def _ticket(self, request: Request, session: Mapping[str, str]) -> Ticket:
        digits: str = request.path_params["number"]
        number = int(digits) if digits.isdecimal() and len(digits) <= _LONGEST_NUMBER else 0
        ticket = self._tickets.get(session["email"], number, self._clock())
        if not ticket:
            raise HTTPException(404, "You have no ticket with that number.")
        return ticket

    def _list(
        self, request: Request, session: Mapping[str, str], status: int = 200, **typed: str
    ) -> Response:
        tickets = self._tickets.of(session["email"], self._clock())
        context = {"problem": "", "subject": "", "text": ""} | typed
        return self._page(request, "tickets.html", status, tickets=tickets, **context)

    def _page(self, request: Request, template: str, status: int = 200, **context: Any) -> Response:
        html = templates.get_template(template).render(
            context,
            helpdesk=self._account.helpdesk,
            session=self._session(request),
            path=request.url.path,
            longest_subject=LONGEST_SUBJECT,
            longest_text=LONGEST_TEXT,
        )
        return HTMLResponse(html, status)


def _problem(name: str, text: str, longest: int) -> str | None:
    if not text:
        return f"{name}: this field is required."
    return f"{name}: at most {longest} characters." if len(text) > longest else None
