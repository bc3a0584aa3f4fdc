# /// script
# requires-python = ">=3.11"
# dependencies = ["sso-middleware", "bottle>=0.13", "waitress>=3.0"]
# ///
"""Bottle with a signed cookie, which the middleware reads as Bottle itself would.

To run it, take the first three values from the vendor's panel (Settings > Security > Single
sign-on), enter the next two there, and choose the last two::

    export HELPDESK_SSO_TOKEN=...                                # SSO Token
    export HELPDESK_SSO_AUTH_URL=...                             # SSO Auth URL
    export HELPDESK_ACCOUNT_ID=...                               # Account ID
    export HELPDESK_AUTH_URL=http://127.0.0.1:8000/sso/helpdesk  # Auth URL
    export HELPDESK_LOGOUT_URL=http://127.0.0.1:8000/sso/logout  # Logout URL
    export SESSION_SECRET=...                                    # 32 characters or more
    export DEMO_PASSWORD=...                                     # signs in jane and joe
    python examples/bottle_app.py
"""

import logging
import os
import sys
from secrets import compare_digest
from typing import NamedTuple

from bottle import BaseRequest, Bottle, redirect, request, response, template
from waitress import serve

from sso_middleware import HandoffRefused, HelpDesk, Logout, expire_cookies
from sso_middleware.wsgi import SSOMiddleware


class User(NamedTuple):
    email: str
    verified: bool


USERS = {
    "jane": User("jane@example.com", verified=True),
    "joe": User("joe@example.com", verified=False),
}

START = """<!doctype html><html lang="en"><title>Demo</title>
<p>You are {{name or "not signed in"}}.
<p><a href="/login">Sign in</a> <a href="{{desk.logout_url}}">Sign out</a>
<p><a href="{{desk.auth_url}}">Support</a>
"""
LOGIN = """<!doctype html><html lang="en"><title>Sign in</title>
<p role="alert">{{notice}}
<form method="post" action="/login">
<input type="hidden" name="next" value="{{next}}">
<label>Name <input name="name" required></label>
<label>Password <input name="password" type="password" required></label>
<button>Sign in</button>
</form>
"""


def required(variable: str) -> str:
    return os.environ.get(variable) or sys.exit(f"{variable} is not set")


desk = HelpDesk.from_env()
demo_password = required("DEMO_PASSWORD").encode()
session_secret = required("SESSION_SECRET")
app = Bottle()


def email_of(environ: dict) -> str | None:
    # Outside the application, `bottle.request` is not set.
    user = USERS.get(BaseRequest(environ).get_cookie("session", secret=session_secret))
    if user and not user.verified:
        raise HandoffRefused("email_not_verified")  # Joe may have typed in someone else's address
    return user.email if user else None


# The server gets the middleware; the routes still belong to `app`.
application = SSOMiddleware(app, desk, email_of, login_url="/login", logout=Logout(expire_cookies("session")))


@app.get("/")
def start():
    return template(START, name=request.get_cookie("session", secret=session_secret), desk=desk)


@app.get("/login")
def login_form():
    return template(LOGIN, next=request.query.next or "/", notice="")


@app.post("/login")
def login():
    name, password, way_back = request.forms.name, request.forms.password, request.forms.next
    if name not in USERS or not compare_digest(password.encode(), demo_password):
        response.status = 403
        return template(LOGIN, next=way_back, notice="Name or password is wrong.")
    response.set_cookie(
        "session",
        name,
        secret=session_secret,
        path="/",
        httponly=True,
        samesite="lax",
        secure=desk.auth_url.startswith("https:"),
    )
    return redirect(way_back if is_own_path(way_back) else "/", 303)


def is_own_path(target: str) -> bool:
    """Return whether `target` is a path that every browser resolves to this site."""
    plain = target.isascii() and target.isprintable() and "\\" not in target
    return plain and target.startswith("/") and not target.startswith("//")


def main() -> None:
    logging.basicConfig(level=logging.INFO)  # logs each hand-off, without address or token
    serve(application, host="127.0.0.1", port=int(os.environ.get("PORT", "8000")))


if __name__ == "__main__":
    main()
