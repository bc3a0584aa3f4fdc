# /// script
# requires-python = ">=3.11"
# dependencies = ["sso-middleware", "flask>=3.1", "waitress>=3.0"]
# ///
"""Flask with its own session, which the middleware opens from outside the application.

To run it, take the first three values from the vendor's panel (Settings > Security > Single
sign-on), enter the next two there, and choose the last two::

    export HELPDESK_SSO_TOKEN=...                                # SSO Token
    export HELPDESK_SSO_AUTH_URL=...                             # SSO Auth URL
    export HELPDESK_ACCOUNT_ID=...                               # Account ID
    export HELPDESK_AUTH_URL=http://127.0.0.1:8000/sso/helpdesk  # Auth URL
    export HELPDESK_LOGOUT_URL=http://127.0.0.1:8000/sso/logout  # Logout URL
    export SESSION_SECRET=...                                    # 32 characters or more
    export DEMO_PASSWORD=...                                     # signs in jane and joe
    python examples/flask_app.py
"""

import logging
import os
import sys
from secrets import compare_digest
from typing import NamedTuple

from flask import Flask, redirect, render_template_string, request, session
from waitress import serve

from sso_middleware import HandoffRefused, HelpDesk, Logout
from sso_middleware.resolvers.flask import end_session
from sso_middleware.wsgi import SSOMiddleware


class User(NamedTuple):
    email: str
    verified: bool


USERS = {
    "jane": User("jane@example.com", verified=True),
    "joe": User("joe@example.com", verified=False),
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

app = Flask(__name__)
app.config.update(
    SECRET_KEY=required("SESSION_SECRET"),
    SESSION_COOKIE_SAMESITE="Lax",
    SESSION_COOKIE_SECURE=desk.auth_url.startswith("https:"),
)


def email_of(environ: dict) -> str | None:
    # The middleware is outside the application, where `flask.session` is not open yet.
    visitors = app.session_interface.open_session(app, app.request_class(environ))
    user = USERS.get(visitors.get("name"))
    if user and not user.verified:
        raise HandoffRefused("email_not_verified")  # Joe may have typed in someone else's address
    return user.email if user else None


# Flask recommends wrapping `wsgi_app`, so that `app` is still the Flask application.
app.wsgi_app = SSOMiddleware(
    app.wsgi_app, desk, email_of, login_url="/login", logout=Logout(end_session(app))
)


@app.get("/")
def start():
    return render_template_string(START, desk=desk)


@app.get("/login")
def login_form():
    return render_template_string(LOGIN, next=request.args.get("next", "/"))


@app.post("/login")
def login():
    name, password = request.form.get("name", ""), request.form.get("password", "")
    way_back = request.form.get("next", "/")
    if name not in USERS or not compare_digest(password.encode(), demo_password):
        return render_template_string(LOGIN, next=way_back, failed=True), 403
    session["name"] = name
    return redirect(way_back if is_own_path(way_back) else "/", 303)


def is_own_path(target: str) -> bool:
    """Return whether `target` is a path that every browser resolves to this site."""
    plain = target.isascii() and target.isprintable() and "\\" not in target
    return plain and target.startswith("/") and not target.startswith("//")


def main() -> None:
    logging.basicConfig(level=logging.INFO)  # logs each hand-off, without address or token
    serve(app, host="127.0.0.1", port=int(os.environ.get("PORT", "8000")))


if __name__ == "__main__":
    main()
