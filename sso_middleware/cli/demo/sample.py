"""The demo's sample application: a small site that people sign in to, with a link to the Help Desk.

It is written with Starlette alone, and wired up as any application would be, except that its account is
chosen at each visit, so that a setting can be broken on purpose.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from html import escape

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from sso_middleware.asgi import SSOMiddleware
from sso_middleware.helpdesk import HelpDesk
from sso_middleware.logout import Logout
from sso_middleware.resolvers.starlette import session_email
from sso_middleware.sandbox.guard import PostGuard

AUTH_PATH, LOGOUT_PATH = "/sso/helpdesk", "/sso/logout"
EMAIL = "jane@example.com"
RIGHT = "nothing"

_MISTAKES = {
    RIGHT: "Nothing: every setting is right",
    "cut": "The SSO Token was not copied whole",
    "md5": "The SSO Token is md5'd first",
    "account": "The Account ID is another one",
    "slash": "The Auth URL has a slash at its end",
}

_STYLE = """
:root { color-scheme: light dark; font: 1.1rem/1.6 system-ui, sans-serif }
body { max-width: 34rem; margin: 10vh auto; padding: 0 1rem; color: #1c1e21; background: #fff }
a { color: #0b57d0 }
@media (prefers-color-scheme: dark) { body { color: #e6e6e6; background: #17191c } a { color: #8ab4f8 } }
button { font: inherit; padding: .5em 1em; cursor: pointer }
fieldset { border: 1px solid; border-radius: .5em; margin: 2em 0 }
label { display: block; padding: .15em 0 }
"""


class SampleApplication:
    """The application (ASGI); `connect` it to a Help Desk before the first visit."""

    def __init__(self) -> None:
        self._helpdesks: dict[str, HelpDesk] = {}
        self._mistake = RIGHT
        self._app = Starlette(
            routes=[
                Route("/", self._start),
                Route("/login", self._login, methods=["GET", "POST"]),
                Route("/break", self._break, methods=["POST"]),
            ],
            middleware=[
                Middleware(PostGuard),
                Middleware(
                    SessionMiddleware,
                    secret_key=secrets.token_hex(32),
                    session_cookie="sample_session",
                    max_age=None,
                ),
                Middleware(
                    SSOMiddleware,
                    helpdesk=self._helpdesk,
                    resolve_email=session_email("email", verified=True),
                    paths=AUTH_PATH,
                    login_url="/login",
                    logout=Logout(_end_session, path=LOGOUT_PATH),
                ),
            ],
        )

    def connect(self, environment: Mapping[str, str]) -> None:
        """Use the account that the variables in `environment` describe."""
        token, auth_url = environment["HELPDESK_SSO_TOKEN"], environment["HELPDESK_AUTH_URL"]
        changes = {
            RIGHT: {},
            "cut": {"SSO_TOKEN": token[:-4]},
            "md5": {"SSO_TOKEN": hashlib.md5(token.encode(), usedforsecurity=False).hexdigest()},
            "account": {"ACCOUNT_ID": "4711"},
            "slash": {"AUTH_URL": f"{auth_url}/"},
        }
        self._helpdesks = {
            mistake: HelpDesk.from_env(
                dict(environment) | {f"HELPDESK_{name}": value for name, value in changed.items()}
            )
            for mistake, changed in changes.items()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request (ASGI HTTP spec)."""
        await self._app(scope, receive, send)

    async def _helpdesk(self, _: Scope, __: str) -> HelpDesk:
        return self._helpdesks[self._mistake]

    async def _start(self, request: Request) -> Response:
        if "email" not in request.session:
            return _page("Sample application", '<p>You are not signed in. <a href="/login">Sign in</a></p>')
        choices = "".join(
            f'<label><input type="radio" name="mistake" value="{name}"'
            f"{' checked' if name == self._mistake else ''}> {escape(text)}</label>"
            for name, text in _MISTAKES.items()
        )
        return _page(
            "Sample application",
            f"<p>Signed in as <b>{EMAIL}</b>.</p>"
            f'<p><a href="{AUTH_PATH}">Support</a>: the link that takes you to the Help Desk, signed in.</p>'
            f'<p><a href="{LOGOUT_PATH}">Sign out</a></p>'
            f'<form method="post" action="/break"><fieldset><legend>Break a setting</legend>{choices}'
            "<p><button>Apply</button>, then open Support.</p></fieldset></form>",
        )

    async def _login(self, request: Request) -> Response:
        if request.method == "GET":
            return _page("Sign in", f'<form method="post"><button>Sign in as {EMAIL}</button></form>')
        way_back = request.query_params.get("next", "/")
        if not way_back.startswith("/") or way_back.startswith(("//", "/\\")):
            way_back = "/"
        request.session["email"] = EMAIL
        return RedirectResponse(way_back, 303)

    async def _break(self, request: Request) -> Response:
        mistake = str((await request.form()).get("mistake"))
        if mistake in self._helpdesks:
            self._mistake = mistake
        return RedirectResponse("/", 303)


async def _end_session(scope: Scope) -> list[tuple[str, str]]:
    scope["session"].clear()  # the SessionMiddleware outside then expires its cookie
    return []


def _page(title: str, body: str) -> HTMLResponse:
    return HTMLResponse(
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body><main><h1>{title}</h1>{body}</main></body></html>",
        headers={"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"},
    )
