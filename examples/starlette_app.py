# /// script
# requires-python = ">=3.11"
# dependencies = [
#   "sso-middleware",
#   "itsdangerous>=2.2",
#   "python-multipart>=0.0.31",
#   "starlette>=1.3.1",
#   "uvicorn>=0.30",
# ]
# ///
"""Starlette with SessionMiddleware, outside the middleware that reads the session.

To run it, take the first three values from the vendor's panel (Settings > Security > Single
sign-on), enter the next two there, and choose the last two::

    export HELPDESK_SSO_TOKEN=...                                # SSO Token
    export HELPDESK_SSO_AUTH_URL=...                             # SSO Auth URL
    export HELPDESK_ACCOUNT_ID=...                               # Account ID
    export HELPDESK_AUTH_URL=http://127.0.0.1:8000/sso/helpdesk  # Auth URL
    export HELPDESK_LOGOUT_URL=http://127.0.0.1:8000/sso/logout  # Logout URL
    export SESSION_SECRET=...                                    # 32 characters or more
    export DEMO_PASSWORD=...                                     # signs in jane and joe
    python examples/starlette_app.py
"""

import logging
import os
import sys
from html import escape
from secrets import compare_digest
from typing import NamedTuple

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Scope

from sso_middleware import HandoffRefused, HelpDesk, Logout
from sso_middleware.asgi import SSOMiddleware
from sso_middleware.resolvers.starlette import end_session


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


async def email_of(scope: Scope) -> str | None:
    user = USERS.get(scope["session"].get("name"))
    if user and not user.verified:
        raise HandoffRefused("email_not_verified")  # Joe may have typed in someone else's address
    return user.email if user else None


async def start(request: Request) -> Response:
    return HTMLResponse(f"""<!doctype html><html lang="en"><title>Demo</title>
<p>You are {escape(request.session.get("name", "not signed in"))}.
<p><a href="/login">Sign in</a> <a href="{escape(desk.logout_url)}">Sign out</a>
<p><a href="{escape(desk.auth_url)}">Support</a>
""")


async def login_form(request: Request) -> Response:
    return HTMLResponse(login_page(request.query_params.get("next", "/")))


async def login(request: Request) -> Response:
    async with request.form() as form:
        name, password = str(form.get("name", "")), str(form.get("password", ""))
        way_back = str(form.get("next", "/"))
    if name not in USERS or not compare_digest(password.encode(), demo_password):
        return HTMLResponse(login_page(way_back, "Name or password is wrong."), 403)
    request.session["name"] = name
    return RedirectResponse(way_back if is_own_path(way_back) else "/", 303)


def login_page(way_back: str, notice: str = "") -> str:
    return f"""<!doctype html><html lang="en"><title>Sign in</title>
<p role="alert">{notice}
<form method="post" action="/login">
<input type="hidden" name="next" value="{escape(way_back)}">
<label>Name <input name="name" required></label>
<label>Password <input name="password" type="password" required></label>
<button>Sign in</button>
</form>
"""


def is_own_path(target: str) -> bool:
    """Return whether `target` is a path that every browser resolves to this site."""
    plain = target.isascii() and target.isprintable() and "\\" not in target
    return plain and target.startswith("/") and not target.startswith("//")


app = Starlette(
    routes=[
        Route("/", start),
        Route("/login", login_form),
        Route("/login", login, methods=["POST"]),
    ],
    middleware=[
        # The first in the list is outermost, so the session is open when `email_of` reads it.
        Middleware(
            SessionMiddleware,
            secret_key=required("SESSION_SECRET"),
            https_only=desk.auth_url.startswith("https:"),
        ),
        Middleware(
            SSOMiddleware,
            helpdesk=desk,
            resolve_email=email_of,
            login_url="/login",
            logout=Logout(end_session()),
        ),
    ],
)


def main() -> None:
    logging.basicConfig(level=logging.INFO)  # logs each hand-off, without address or token
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ.get("PORT", "8000")))


if __name__ == "__main__":
    main()
