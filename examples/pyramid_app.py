# /// script
# requires-python = ">=3.11"
# dependencies = [
#   "sso-middleware",
#   "pyramid>=2.0.2",
#   "setuptools<82; python_version >= '3.12'",
#   "waitress>=3.0",
# ]
# ///
"""Pyramid with a security policy, which the middleware uses through `request.identity`.

To run it, take the first three values from the vendor's panel (Settings > Security > Single
sign-on), enter the next two there, and choose the last two::

    export HELPDESK_SSO_TOKEN=...                                # SSO Token
    export HELPDESK_SSO_AUTH_URL=...                             # SSO Auth URL
    export HELPDESK_ACCOUNT_ID=...                               # Account ID
    export HELPDESK_AUTH_URL=http://127.0.0.1:8000/sso/helpdesk  # Auth URL
    export HELPDESK_LOGOUT_URL=http://127.0.0.1:8000/sso/logout  # Logout URL
    export SESSION_SECRET=...                                    # 32 characters or more
    export DEMO_PASSWORD=...                                     # signs in jane and joe
    python examples/pyramid_app.py
"""

import logging
import os
import sys
from html import escape
from secrets import compare_digest
from typing import NamedTuple

from pyramid.authentication import AuthTktCookieHelper
from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response
from pyramid.security import remember
from waitress import serve

from sso_middleware import HandoffRefused, HelpDesk, Logout
from sso_middleware.resolvers.pyramid import end_session
from sso_middleware.wsgi import SSOMiddleware


class User(NamedTuple):
    email: str
    verified: bool


USERS = {
    "jane": User("jane@example.com", verified=True),
    "joe": User("joe@example.com", verified=False),
}


def required(variable: str) -> str:
    return os.environ.get(variable) or sys.exit(f"{variable} is not set")


desk = HelpDesk.from_env()
demo_password = required("DEMO_PASSWORD").encode()


class SecurityPolicy:
    def __init__(self, secret: str) -> None:
        self._cookie = AuthTktCookieHelper(
            secret,
            cookie_name="session",
            http_only=True,
            secure=desk.auth_url.startswith("https:"),
            wild_domain=False,
        )
        self.remember = self._cookie.remember
        self.forget = self._cookie.forget

    def authenticated_userid(self, request: Request) -> str | None:
        ticket = self._cookie.identify(request)
        return ticket["userid"] if ticket and ticket["userid"] in USERS else None

    def identity(self, request: Request) -> User | None:
        return USERS.get(request.authenticated_userid)


def start(request: Request) -> Response:
    return Response(f"""<!doctype html><html lang="en"><title>Demo</title>
<p>You are {escape(request.authenticated_userid or "not signed in")}.
<p><a href="/login">Sign in</a> <a href="{escape(desk.logout_url)}">Sign out</a>
<p><a href="{escape(desk.auth_url)}">Support</a>
""")


def login_form(request: Request) -> Response:
    return login_page(request.GET.get("next", "/"))


def login(request: Request) -> Response:
    name, password = request.POST.get("name", ""), request.POST.get("password", "")
    way_back = request.POST.get("next", "/")
    if name not in USERS or not compare_digest(password.encode(), demo_password):
        return login_page(way_back, "Name or password is wrong.", 403)
    return HTTPSeeOther(way_back if is_own_path(way_back) else "/", headers=remember(request, name))


def login_page(way_back: str, notice: str = "", status: int = 200) -> Response:
    return Response(
        f"""<!doctype html><html lang="en"><title>Sign in</title>
<p role="alert">{notice}
<form method="post" action="/login">
<input type="hidden" name="next" value="{escape(way_back)}">
<label>Name <input name="name" required></label>
<label>Password <input name="password" type="password" required></label>
<button>Sign in</button>
</form>
""",
        status,
    )


def is_own_path(target: str) -> bool:
    """Return whether `target` is a path that every browser resolves to this site."""
    plain = target.isascii() and target.isprintable() and "\\" not in target
    return plain and target.startswith("/") and not target.startswith("//")


with Configurator() as config:
    config.set_security_policy(SecurityPolicy(required("SESSION_SECRET")))
    config.add_route("start", "/")
    config.add_route("login", "/login")
    config.add_view(start, route_name="start")
    config.add_view(login_form, route_name="login", request_method="GET")
    config.add_view(login, route_name="login", request_method="POST")
    router = config.make_wsgi_app()


def email_of(environ: dict) -> str | None:
    # A new context: the router has not made its own for this request yet.
    with router.request_context(environ) as request:
        user = request.identity
    if user and not user.verified:
        raise HandoffRefused("email_not_verified")  # Joe may have typed in someone else's address
    return user.email if user else None


app = SSOMiddleware(router, desk, email_of, login_url="/login", logout=Logout(end_session(router)))


def main() -> None:
    logging.basicConfig(level=logging.INFO)  # logs each hand-off, without address or token
    serve(app, host="127.0.0.1", port=int(os.environ.get("PORT", "8000")))


if __name__ == "__main__":
    main()
