"""The pages of the Help Desk. The demo's sample application also uses the functions and templates."""

from __future__ import annotations

import json
import re
import secrets
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import jinja2
from markupsafe import Markup, escape
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from sso_middleware._urls import with_query
from sso_middleware.sandbox.account import Account
from sso_middleware.sandbox.attempts import AttemptLog
from sso_middleware.sandbox.tickets import LONGEST_SUBJECT, LONGEST_TEXT, Ticket, Tickets
from sso_middleware.sandbox.verifier import HandoffVerifier

_OWN_PAGE = re.compile(r"/(?![/\\])[\w./-]*", re.ASCII)
_SESSIONS = 1000  # at most; the oldest ends first
_UNBROKEN = re.compile(r"(?<![^\s(])(?:\([^\s()<>]{1,30}\)|[A-Za-z]+(?:-[A-Za-z]+)+)(?![\w/:@.-]*[\w/@])")


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _indented(value: object) -> str:
    return json.dumps(value, indent=2)  # ASCII, because claims may hold text that UTF-8 cannot encode


def _marked(text: str) -> Markup:
    """Highlight "(assumed)", and prevent line breaks inside parentheses and at hyphens."""
    html = str(escape(text)).replace("(assumed)", '<span class="assumed">assumed</span>')
    return Markup(_UNBROKEN.sub(r'<span class="whole">\g<0></span>', html))  # noqa: S704 - it is escaped


templates: jinja2.Environment = jinja2.Environment(
    loader=jinja2.PackageLoader("sso_middleware.sandbox"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
)
templates.filters |= {"time": _time, "indented": _indented, "marked": _marked}


async def stylesheet(_: Request) -> Response:
    """Return the stylesheet."""
    return Response(templates.get_template("style.css").render(), media_type="text/css")


def session_in(cookie: str) -> Middleware:
    """Return the middleware that keeps the session in `cookie` until the browser closes.

    Browsers share cookies between ports, so each application has its own name and key.
    """
    return Middleware(
        SessionMiddleware, secret_key=secrets.token_hex(32), session_cookie=cookie, max_age=None
    )


class Site:
    """Sign-in page, tickets, hand-off log, settings and sign-out.

    Starlette's SessionMiddleware keeps the session in the cookie. Only sessions recorded here are valid, so
    that signing out and `reset` end them in every browser.
    """

    def __init__(
        self, account: Account, log: AttemptLog, verifier: HandoffVerifier, clock: Callable[[], float]
    ) -> None:
        self._account = account
        self._log = log
        self._verifier = verifier
        self._clock = clock
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
        self._sessions: deque[str] = deque(maxlen=_SESSIONS)  # their CSRF secrets
        self._tickets = Tickets(self._clock)

    def signed_in(self, request: Request, email: str) -> Response:
        """Answer an accepted hand-off: start a session, and redirect to the requested page or the tickets."""
        self._end_session(request)
        csrf = secrets.token_urlsafe()
        request.session.update(email=email, csrf=csrf)
        self._sessions.append(csrf)
        return RedirectResponse(self._requested_page(request), 303)

    def page(self, request: Request, template: str, status: int = 200, **context: Any) -> Response:
        """Return a page made from `template` with `context`."""
        html = templates.get_template(template).render(
            context,
            helpdesk=self._account.helpdesk,
            session=request.session if self._is_signed_in(request) else None,
            path=request.url.path,
            longest_subject=LONGEST_SUBJECT,
            longest_text=LONGEST_TEXT,
        )
        return HTMLResponse(html, status)

    async def _start(self, request: Request) -> Response:
        if self._is_signed_in(request):
            return RedirectResponse("/tickets", 303)
        return await self._sign_in(request)

    async def _sign_in(self, request: Request) -> Response:
        adds = self._query_for(self._requested_page(request))
        auth_url = self._account.helpdesk.auth_url
        button = with_query(auth_url, adds) if adds else auth_url
        return self.page(request, "sign_in.html", button=button, adds=adds)

    async def _tickets_page(self, request: Request) -> Response:
        return self._list(request) if self._is_signed_in(request) else self._asked_to_sign_in(request)

    async def _create(self, request: Request) -> Response:
        fields = await self._form(request)
        subject, text = fields.get("subject", ""), fields.get("text", "")
        problem = _problem("Subject", subject, LONGEST_SUBJECT) or _problem("Message", text, LONGEST_TEXT)
        if problem:
            return self._list(request, 422, problem=problem, subject=subject, text=text)
        ticket = self._tickets.create(request.session["email"], subject, text)
        return RedirectResponse(f"/tickets/{ticket.number}", 303)

    async def _ticket_page(self, request: Request) -> Response:
        if not self._is_signed_in(request):
            return self._asked_to_sign_in(request)
        return self.page(request, "ticket.html", ticket=self._ticket(request), problem="", text="")

    async def _reply(self, request: Request) -> Response:
        fields = await self._form(request)
        ticket = self._ticket(request)
        text = fields.get("text", "")
        if problem := _problem("Reply", text, LONGEST_TEXT):
            return self.page(request, "ticket.html", 422, ticket=ticket, problem=problem, text=text)
        self._tickets.reply(ticket, text)
        return RedirectResponse(f"/tickets/{ticket.number}#latest", 303)

    async def _handoffs(self, request: Request) -> Response:
        return self.page(request, "handoffs.html", attempts=self._log.kept()[::-1])

    async def _settings(self, request: Request) -> Response:
        return self.page(
            request, "settings.html", environment=self._account.shown, rules=self._verifier.rules
        )

    async def _log_out(self, request: Request) -> Response:
        await self._form(request)
        self._end_session(request)
        return RedirectResponse(self._account.helpdesk.logout_url or "/", 303)

    def _asked_to_sign_in(self, request: Request) -> Response:
        adds = self._query_for(request.url.path)
        return RedirectResponse(f"/sign-in?{adds}" if adds else "/", 303)

    def _query_for(self, page: str) -> str:
        """Return the query that holds the requested page, or ""."""
        return urlencode(dict.fromkeys(self._account.helpdesk.forward_params, page))

    def _requested_page(self, request: Request) -> str:
        """Return the page requested before the sign-in if it is one of ours, or the tickets."""
        names = self._account.helpdesk.forward_params
        page = "".join(request.query_params.get(name, "") for name in names)
        return page if _OWN_PAGE.fullmatch(page) else "/tickets"

    def _is_signed_in(self, request: Request) -> bool:
        return request.session.get("csrf") in self._sessions

    def _end_session(self, request: Request) -> None:
        with suppress(ValueError):  # it has ended, maybe by a reset from another thread
            self._sessions.remove(request.session.get("csrf", ""))
        request.session.clear()

    async def _form(self, request: Request) -> dict[str, str]:
        if not self._is_signed_in(request):
            raise HTTPException(403, "You are no longer signed in. Sign in, then send the form again.")
        form = await request.form()
        fields = {name: value.strip() for name, value in form.items() if isinstance(value, str)}
        # Only this session's pages know the secret. Compare it in constant time.
        if not secrets.compare_digest(fields.get("csrf", "").encode(), request.session["csrf"].encode()):
            raise HTTPException(403, "This form is out of date. Reload its page, and send it again.")
        return fields

    def _ticket(self, request: Request) -> Ticket:
        ticket = self._tickets.get(request.session["email"], request.path_params["number"])
        if not ticket:
            raise HTTPException(404, "You have no ticket with that number.")
        return ticket

    def _list(self, request: Request, status: int = 200, **typed: str) -> Response:
        tickets = list(reversed(self._tickets.of(request.session["email"])))
        context = {"problem": "", "subject": "", "text": ""} | typed
        return self.page(request, "tickets.html", status, tickets=tickets, **context)


def _problem(name: str, text: str, longest: int) -> str | None:
    if not text:
        return f"{name}: this field is required."
    return f"{name}: at most {longest} characters." if len(text) > longest else None
