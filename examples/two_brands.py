# /// script
# requires-python = ">=3.11"
# dependencies = ["sso-middleware", "flask>=3.1", "waitress>=3.0"]
# ///
"""Two brands in one application, each with its own Help Desk account.

The signed-in user determines the account: `USERS` says which brand each one belongs to. It is never
chosen by the Host header, which a visitor can set to anything.

To run it, take the first three values from the vendor's panel (Settings > Security > Single
sign-on), enter the next two there, and choose the last two::

    export HELPDESK_SSO_TOKEN=...                                # SSO Token
    export HELPDESK_SSO_AUTH_URL=...                             # SSO Auth URL
    export HELPDESK_ACCOUNT_ID=...                               # Account ID
    export HELPDESK_AUTH_URL=http://127.0.0.1:8000/sso/helpdesk  # Auth URL
    export HELPDESK_LOGOUT_URL=http://127.0.0.1:8000/sso/logout  # Logout URL
    export SESSION_SECRET=...                                    # 32 characters or more
    export DEMO_PASSWORD=...                                     # signs in jane and joe
    python examples/two_brands.py

These are the account of the brand Acme. The account of Globex has the same variables, with `GLOBEX_`
instead of `HELPDESK_`. Enter the same Auth URL and Logout URL in its panel.
"""

import logging
import os
import sys
from secrets import compare_digest
from typing import NamedTuple

from flask import Flask, redirect, render_template_string, request, session
from waitress import serve

from sso_middleware import HelpDesk, Logout, expire_cookies
from sso_middleware.resolvers.flask import session_email
from sso_middleware.wsgi import SSOMiddleware


class User(NamedTuple):
    email: str
    verified: bool
    brand: str


USERS = {
    "jane": User("jane@example.com", verified=True, brand="acme"),
    "joe": User("joe@example.com", verified=False, brand="acme"),
    "hank": User("hank@globex.example", verified=True, brand="globex"),
}
BRAND_OF = {user.email: user.brand for user in USERS.values()}

START = """<!doctype html><html lang="en"><title>Demo</title>
<p>You are {{ (session.user or {}).name or "not signed in" }}.
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


desks = {"acme": HelpDesk.from_env(), "globex": HelpDesk.from_env(prefix="GLOBEX_")}
desk = desks["acme"]
demo_password = required("DEMO_PASSWORD").encode()

app = Flask(__name__)
app.config.update(
    SECRET_KEY=required("SESSION_SECRET"),
    SESSION_COOKIE_SAMESITE="Lax",
    SESSION_COOKIE_SECURE=desk.auth_url.startswith("https:"),
)


def desk_of(_environ: dict, email: str) -> HelpDesk:
    return desks[BRAND_OF[email]]


# With several accounts there is no single Auth URL, so the paths are set.
app.wsgi_app = SSOMiddleware(
    app.wsgi_app,
    desk_of,
    session_email(app, "user", "email", verified="verified"),
    paths="/sso/helpdesk",
    login_url="/login",
    logout=Logout(expire_cookies("session"), path="/sso/logout"),
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
    user = USERS[name]
    session["user"] = {"name": name, "email": user.email, "verified": user.verified}
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
