# /// script
# requires-python = ">=3.11"
# dependencies = ["sso-middleware", "beaker>=1.13", "bottle>=0.13", "waitress>=3.0"]
# ///
"""Bottle with Beaker's sessions on the server: Beaker's middleware is outside.

To run it, take the first three values from the vendor's panel (Settings > Security > Single
sign-on), enter the next two there, and choose the last two::

    export HELPDESK_SSO_TOKEN=...                                # SSO Token
    export HELPDESK_SSO_AUTH_URL=...                             # SSO Auth URL
    export HELPDESK_ACCOUNT_ID=...                               # Account ID
    export HELPDESK_AUTH_URL=http://127.0.0.1:8000/sso/helpdesk  # Auth URL
    export HELPDESK_LOGOUT_URL=http://127.0.0.1:8000/sso/logout  # Logout URL
    export SESSION_SECRET=...                                    # 32 characters or more
    export DEMO_PASSWORD=...                                     # signs in jane and joe
    python examples/bottle_beaker.py
"""

import logging
import os
import sys
from secrets import compare_digest

from beaker.middleware import SessionMiddleware
from bottle import Bottle, redirect, request, response, template
from waitress import serve

from sso_middleware import HelpDesk, Logout
from sso_middleware.resolvers.bottle import beaker_session_email, end_beaker_session
from sso_middleware.wsgi import SSOMiddleware

USERS = {
    "jane": {"name": "jane", "email": "jane@example.com", "email_verified": True},
    "joe": {"name": "joe", "email": "joe@example.com", "email_verified": False},
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

application = SSOMiddleware(
    app,
    desk,
    # Joe may have typed in someone else's address, so it is not trusted.
    beaker_session_email("user", "email", verified="email_verified"),
    login_url="/login",
    logout=Logout(end_beaker_session()),
)
# The last one wrapped is outermost, so the session is open when the address is read.
application = SessionMiddleware(
    application,
    {
        "session.type": "memory",
        "session.key": "session",
        "session.secret": session_secret,
        "session.httponly": True,
        "session.samesite": "Lax",
        "session.secure": desk.auth_url.startswith("https:"),
    },
)


@app.get("/")
def start():
    return template(START, name=request.environ["beaker.session"].get("user", {}).get("name"), desk=desk)


@app.get("/login")
def login_form():
    return template(LOGIN, next=request.query.next or "/", notice="")


@app.post("/login")
def login():
    name, password, way_back = request.forms.name, request.forms.password, request.forms.next
    if name not in USERS or not compare_digest(password.encode(), demo_password):
        response.status = 403
        return template(LOGIN, next=way_back, notice="Name or password is wrong.")
    visitors = request.environ["beaker.session"]
    visitors.regenerate_id()  # against session fixation
    visitors["user"] = USERS[name]
    visitors.save()
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
