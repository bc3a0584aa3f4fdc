"""The demo's sample application: a small site with a login and a link to the Help Desk.

It is a plain Starlette application, except that it chooses its account for each request, so that you can
break a setting.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import jinja2
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from sso_middleware._urls import origin_of
from sso_middleware.asgi import SSOMiddleware
from sso_middleware.helpdesk import HelpDesk
from sso_middleware.logout import Logout
from sso_middleware.resolvers.starlette import session_email
from sso_middleware.sandbox.guard import PostGuard
from sso_middleware.sandbox.site import session_in, stylesheet, templates
from sso_middleware.sandbox.verifier import md5_of

AUTH_PATH, LOGOUT_PATH = "/sso/helpdesk", "/sso/logout"
FIX_PATH = "/#broken"
EMAIL = "jane@example.com"

_templates = templates.overlay(
    loader=jinja2.ChoiceLoader(
        [jinja2.PackageLoader("sso_middleware.cli.demo"), jinja2.PackageLoader("sso_middleware.sandbox")]
    )
)


class _Failure(NamedTuple):
    title: str
    text: str
    setting: str


_FAILURES = {
    "cut": _Failure("Truncated token", "The SSO Token was not copied completely.", "HELPDESK_SSO_TOKEN"),
    "md5": _Failure(
        "Hashed token", "The SSO Token is hashed with md5 before it signs.", "HELPDESK_SSO_TOKEN"
    ),
    "account": _Failure("Wrong account", "The Account ID belongs to another account.", "HELPDESK_ACCOUNT_ID"),
    "slash": _Failure("Extra slash", "The Auth URL ends with a slash.", "HELPDESK_AUTH_URL"),
    "strict": _Failure(
        "SameSite=Strict",
        "The session cookie is not sent when a user comes from the Help Desk.",
        "the session cookie's SameSite",
    ),
    "next": _Failure(
        "A login that forgets next",
        "After signing in, users do not return to the Auth URL.",
        "next_param, resume_at",
    ),
}


class SampleApplication:
    """The application (ASGI); `connect` it to a Help Desk before the first visit."""

    def __init__(self) -> None:
        self._environment: dict[str, str] = {}
        self._broken = ""
        self._app = Starlette(
            routes=[
                Route("/", self._start),
                Route("/login", self._login, methods=["GET", "POST"]),
                Route("/lost", self._lost),
                Route("/break", self._break, methods=["POST"]),
                Route("/style.css", stylesheet),
            ],
            middleware=[
                Middleware(PostGuard),
                session_in("sample_session"),
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
        """Use the account in the variables of `environment`."""
        self._environment = dict(environment)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request (ASGI HTTP spec)."""

        async def send_cookies(message: Message) -> None:
            if self._broken == "strict" and "headers" in message:
                message["headers"] = [
                    (name, value.replace(b"samesite=lax", b"samesite=strict"))
                    for name, value in message["headers"]
                ]
            await send(message)

        await self._app(scope, receive, send_cookies)

    async def _helpdesk(self, _: Scope, __: str) -> HelpDesk:
        right = self._environment
        wrong = {
            "cut": {"HELPDESK_SSO_TOKEN": right["HELPDESK_SSO_TOKEN"][:-4]},
            "md5": {"HELPDESK_SSO_TOKEN": md5_of(right["HELPDESK_SSO_TOKEN"])},
            "account": {"HELPDESK_ACCOUNT_ID": "4711"},
            "slash": {"HELPDESK_AUTH_URL": f"{right['HELPDESK_AUTH_URL']}/"},
        }
        return HelpDesk.from_env(right | wrong.get(self._broken, {}))

    async def _start(self, request: Request) -> Response:
        return self._page(request, "Start", failures=_FAILURES)

    async def _login(self, request: Request) -> Response:
        if request.method == "GET":
            return self._page(request, "Sign in", person=EMAIL)
        way_back = request.query_params.get("next", "/")
        if not way_back.startswith("/") or way_back.startswith(("//", "/\\")):
            way_back = "/"
        request.session["email"] = EMAIL
        return RedirectResponse("/lost" if self._broken == "next" and way_back != "/" else way_back, 303)

    async def _lost(self, request: Request) -> Response:
        return self._page(request, "Lost")

    async def _break(self, request: Request) -> Response:
        mistake = str((await request.form()).get("mistake"))
        if mistake not in _FAILURES:
            mistake = ""
        self._broken = mistake
        if mistake == "next":
            request.session.clear()  # so that Support requires a login
        elif "email" in request.session:
            request.session["email"] = EMAIL  # sends the cookie again, with its SameSite
        if mistake == "strict":  # only visits from another site show it
            return RedirectResponse(f"{origin_of(self._environment['HELPDESK_SSO_AUTH_URL'])}/sign-in", 303)
        return RedirectResponse(AUTH_PATH if mistake else "/#break", 303)

    def _page(self, request: Request, title: str, **context: Any) -> Response:
        html = _templates.get_template("sample.html").render(
            context,
            title=title,
            email=request.session.get("email"),
            broken=self._broken,
            support=AUTH_PATH,
            sign_out=LOGOUT_PATH,
        )
        return HTMLResponse(html, headers={"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})


async def _end_session(scope: Scope) -> list[tuple[str, str]]:
    scope["session"].clear()  # the outer SessionMiddleware then expires its cookie
    return []
