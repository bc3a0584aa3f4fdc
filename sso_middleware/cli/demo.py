"""`sso-middleware demo`: a sample application, signed in to something that stands for the Help Desk."""

from __future__ import annotations

import secrets
import socket
from html import escape
from urllib.parse import parse_qs

import click
import jwt
import uvicorn
from rich.console import Console
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Scope

from sso_middleware.asgi import SSOMiddleware
from sso_middleware.helpdesk import HelpDesk
from sso_middleware.logout import Logout, expire_cookies

_COOKIE = "demo_session"
_EMAIL = "jane@example.com"


class DemoApp:
    """A Starlette application wired to a made-up account, whose Help Desk is a page of its own.

    Args:
        base_url: where it is served, without a trailing slash.
    """

    def __init__(self, base_url: str) -> None:
        self._sso_token = secrets.token_hex(32)
        self._sessions: set[str] = set()
        self.helpdesk = HelpDesk(
            sso_token=self._sso_token,
            sso_auth_url=f"{base_url}/stand-in-for-the-help-desk",
            account_id="demo",
            auth_url=f"{base_url}/sso/helpdesk",
            logout_url=f"{base_url}/sso/logout",
        )
        self.app = Starlette(
            routes=[
                Route("/", self._start),
                Route("/login", self._login, methods=["GET", "POST"]),
                Route("/stand-in-for-the-help-desk", self._helpdesk),
            ],
            middleware=[
                Middleware(
                    SSOMiddleware,
                    helpdesk=self.helpdesk,
                    resolve_email=self._resolve_email,
                    login_url="/login",
                    logout=Logout(expire_cookies(_COOKIE)),
                )
            ],
        )

    async def _resolve_email(self, scope: Scope) -> str | None:
        return _EMAIL if HTTPConnection(scope).cookies.get(_COOKIE) in self._sessions else None

    async def _start(self, request: Request) -> Response:
        email = await self._resolve_email(request.scope)
        if email is None:
            return _page("Sample application", 'You are not signed in. <a href="/login">Sign in</a>')
        return _page(
            "Sample application",
            f"Signed in as <b>{email}</b>.",
            '<a href="/sso/helpdesk">Support</a> &mdash; the link that this package answers',
            '<a href="/sso/logout">Sign out</a>',
        )

    async def _login(self, request: Request) -> Response:
        fields = parse_qs(request.url.query)
        way_back = fields.get("next", ["/"])[0]
        if not way_back.startswith("/") or way_back.startswith(("//", "/\\")):
            way_back = "/"
        if request.method == "GET":
            return _page("Sign in", f'<form method="post"><button>Sign in as {_EMAIL}</button></form>')
        session = secrets.token_urlsafe()
        self._sessions.add(session)
        response = RedirectResponse(way_back, 303)
        response.set_cookie(_COOKIE, session, httponly=True)
        return response

    async def _helpdesk(self, request: Request) -> Response:
        try:
            claims = jwt.decode(request.query_params.get("token", ""), self._sso_token, algorithms=["HS256"])
        except jwt.InvalidTokenError:
            return _page("Help Desk (stand-in)", "This is no valid token.", status=403)
        facts = [f"{escape(name)}: <b>{escape(str(value))}</b>" for name, value in claims.items()]
        return _page(
            "Help Desk (stand-in)",
            "The real Help Desk would sign you in with this token, whose signature is valid:",
            *facts,
            '<a href="/">Back to the sample application</a>',
        )


def _page(title: str, *paragraphs: str, status: int = 200) -> HTMLResponse:
    body = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    return HTMLResponse(
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="color-scheme" content="light dark">'
        '<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">'
        f'<title>{title}</title><body style="font:1.1rem/1.6 system-ui;max-width:34rem;margin:12vh auto">'
        f"<h1>{title}</h1>{body}",
        status,
        {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"},
    )


@click.command()
@click.option("--port", default=8000, show_default=True, help="0 takes any free port.")
def demo(port: int) -> None:
    """Serve a sample application whose Support link is a hand-off, on 127.0.0.1."""
    console = Console()
    listener = socket.socket()
    # Without it the port of a demo just stopped stays taken for a minute.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        raise click.ClickException(f"port {port} cannot be used ({error.strerror}): try --port 0") from None
    base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    demo_app = DemoApp(base_url)
    console.print(f"Open [bold]{base_url}/[/bold], sign in and follow [bold]Support[/bold].", soft_wrap=True)
    console.print(
        f"Or: curl -sSiL -b '' -d '' '{base_url}/login?next=/sso/helpdesk'", soft_wrap=True, highlight=False
    )
    console.print(
        "The account is made up, and the Help Desk is a stand-in page. Ctrl-C stops.", soft_wrap=True
    )
    # No access log: it would hold the hand-off URL, token and all.
    server = uvicorn.Server(
        uvicorn.Config(demo_app.app, log_level="warning", access_log=False, lifespan="off")
    )
    server.run(sockets=[listener])
