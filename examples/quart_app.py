# /// script
# requires-python = ">=3.11"
# dependencies = ["sso-middleware", "hypercorn>=0.17", "quart>=0.20"]
# ///
"""Quart with its own session, which the middleware reads in a request context.

To run it, take the first three values from the vendor's panel (Settings > Security > Single
sign-on), enter the next two there, and choose the last two::

    export HELPDESK_SSO_TOKEN=...                                # SSO Token
    export HELPDESK_SSO_AUTH_URL=...                             # SSO Auth URL
    export HELPDESK_ACCOUNT_ID=...                               # Account ID
    export HELPDESK_AUTH_URL=http://127.0.0.1:8000/sso/helpdesk  # Auth URL
    export HELPDESK_LOGOUT_URL=http://127.0.0.1:8000/sso/logout  # Logout URL
    export SESSION_SECRET=...                                    # 32 characters or more
    export DEMO_PASSWORD=...                                     # signs in jane and joe
    python examples/quart_app.py
"""

import asyncio
import logging
import os
import sys
from secrets import compare_digest
from typing import NamedTuple

from hypercorn.asyncio import serve
from hypercorn.config import Config
from quart import Quart, redirect, render_template_string, request, session

from sso_middleware import HelpDesk, Logout
from sso_middleware.asgi import SSOMiddleware
from sso_middleware.resolvers.quart import context_email, end_session


class User(NamedTuple):
    email: str
    email_verified: bool


USERS = {
    "jane": User("jane@example.com", email_verified=True),
    "joe": User("joe@example.com", email_verified=False),
}

START = """<!doctype html><html lang="en"><title>Demo</title>
<p>You are {{ session.name or "not signed in" }}.
<p><a href="/login">Sign in</a> <a href="{{ desk.logout_url }}">Sign out</a>
<p><a href="{{ desk.auth_url }}">Support</a>
"""
LOGIN = """<!doctype html><html lang="en"><title>Sign in</title>
{% if failed %}<p role="alert">Name or password is wrong.</p>{% endif %}
<form method="post" action="/login">
<input type="hidden" name="next" value="{{ next }}">
<label>Name <input name="name" required></label>
<label>Password <input name="password" type="password" required></label>
<button>Sign in</button>
</form>
"""


def required(variable: str) -> str:
    return os.environ.get(variable) or sys.exit(f"{variable} is not set")


desk = HelpDesk.from_env()
demo_password = required("DEMO_PASSWORD").encode()

app = Quart(__name__)
app.config.update(
    SECRET_KEY=required("SESSION_SECRET"),
    SESSION_COOKIE_SAMESITE="Lax",
    SESSION_COOKIE_SECURE=desk.auth_url.startswith("https:"),
)


def current_user() -> User | None:  # may also be async
    return USERS.get(session.get("name"))


# Quart recommends wrapping `asgi_app`, so that `app` is still the Quart application.
app.asgi_app = SSOMiddleware(
    app.asgi_app,
    desk,
    # Joe may have typed in someone else's address, so it is not trusted.
    context_email(app, current_user, verified="email_verified"),
    login_url="/login",
    logout=Logout(end_session(app)),
)


@app.get("/")
async def start():
    return await render_template_string(START, desk=desk)


@app.get("/login")
async def login_form():
    return await render_template_string(LOGIN, next=request.args.get("next", "/"))


@app.post("/login")
async def login():
    form = await request.form
    name, password, way_back = form.get("name", ""), form.get("password", ""), form.get("next", "/")
    if name not in USERS or not compare_digest(password.encode(), demo_password):
        return await render_template_string(LOGIN, next=way_back, failed=True), 403
    session["name"] = name
    return redirect(way_back if is_own_path(way_back) else "/", 303)


def is_own_path(target: str) -> bool:
    """Return whether `target` is a path that every browser resolves to this site."""
    plain = target.isascii() and target.isprintable() and "\\" not in target
    return plain and target.startswith("/") and not target.startswith("//")


def main() -> None:
    logging.basicConfig(level=logging.INFO)  # logs each hand-off, without address or token
    config = Config()
    config.bind = [f"127.0.0.1:{os.environ.get('PORT', '8000')}"]
    asyncio.run(serve(app, config))


if __name__ == "__main__":
    main()
