# /// script
# requires-python = ">=3.11"
# dependencies = ["sso-middleware"]
# ///
"""Plain WSGI with sessions on the server: the cookie is a random number, and signing out ends it.

To run it, take the first three values from the vendor's panel (Settings > Security > Single
sign-on), enter the next two there, and choose the last two::

    export HELPDESK_SSO_TOKEN=...                                # SSO Token
    export HELPDESK_SSO_AUTH_URL=...                             # SSO Auth URL
    export HELPDESK_ACCOUNT_ID=...                               # Account ID
    export HELPDESK_AUTH_URL=http://127.0.0.1:8000/sso/helpdesk  # Auth URL
    export HELPDESK_LOGOUT_URL=http://127.0.0.1:8000/sso/logout  # Logout URL
    export DEMO_PASSWORD=...                                     # signs in jane and joe
    python examples/plain_wsgi.py
"""

import logging
import os
import sys
from html import escape
from http.cookies import SimpleCookie
from secrets import compare_digest, token_urlsafe
from typing import NamedTuple
from urllib.parse import parse_qs
from wsgiref.simple_server import make_server
from wsgiref.types import StartResponse, WSGIEnvironment

from sso_middleware import HandoffRefused, HelpDesk, Logout, expire_cookies
from sso_middleware.wsgi import SSOMiddleware


class User(NamedTuple):
    email: str
    verified: bool


USERS = {
    "jane": User("jane@example.com", verified=True),
    "joe": User("joe@example.com", verified=False),
}
SESSIONS: dict[str, str] = {}  # session id -> name; several processes need a shared store


def required(variable: str) -> str:
    return os.environ.get(variable) or sys.exit(f"{variable} is not set")


desk = HelpDesk.from_env()
demo_password = required("DEMO_PASSWORD").encode()
secure = "; Secure" if desk.auth_url.startswith("https:") else ""


def app(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    views = {("GET", "/"): start, ("GET", "/login"): login_form, ("POST", "/login"): login}
    view = views.get((environ["REQUEST_METHOD"], environ["PATH_INFO"]), not_found)
    status, body, *headers = view(environ)
    start_response(status, [("Content-Type", "text/html; charset=utf-8"), *headers])
    return [f'<!doctype html><html lang="en"><title>Demo</title>{body}'.encode()]


def start(environ):
    return (
        "200 OK",
        f"""<p>You are {escape(SESSIONS.get(session_id(environ), "not signed in"))}.
<p><a href="/login">Sign in</a> <a href="{escape(desk.logout_url)}">Sign out</a>
<p><a href="{escape(desk.auth_url)}">Support</a>
""",
    )


def login_form(environ):
    return "200 OK", login_page(first_values(environ["QUERY_STRING"]).get("next", "/"))


def login(environ):
    form = first_values(
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)).decode("ascii", "replace")
    )
    name, password, way_back = form.get("name", ""), form.get("password", ""), form.get("next", "/")
    if name not in USERS or not compare_digest(password.encode(), demo_password):
        return "403 Forbidden", login_page(way_back, "Name or password is wrong.")
    new_id = token_urlsafe()
    SESSIONS[new_id] = name
    return (
        "303 See Other",
        "",
        ("Location", way_back if is_own_path(way_back) else "/"),
        ("Set-Cookie", f"session={new_id}; Path=/; HttpOnly; SameSite=Lax{secure}"),
    )


def not_found(_environ):
    return "404 Not Found", "<p>There is nothing here."


def login_page(way_back: str, notice: str = "") -> str:
    return f"""<p role="alert">{notice}
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


def first_values(encoded: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(encoded).items()}


def session_id(environ: WSGIEnvironment) -> str:
    cookie = SimpleCookie(environ.get("HTTP_COOKIE", "")).get("session")
    return cookie.value if cookie else ""


def email_of(environ: WSGIEnvironment) -> str | None:
    user = USERS.get(SESSIONS.get(session_id(environ), ""))
    if user and not user.verified:
        raise HandoffRefused("email_not_verified")  # Joe may have typed in someone else's address
    return user.email if user else None


expire_cookie = expire_cookies("session")


def end_session(environ: WSGIEnvironment) -> list[tuple[str, str]]:
    SESSIONS.pop(session_id(environ), None)
    return expire_cookie(environ)


app = SSOMiddleware(app, desk, email_of, login_url="/login", logout=Logout(end_session))


def main() -> None:
    logging.basicConfig(level=logging.INFO)  # logs each hand-off, without address or token
    with make_server("127.0.0.1", int(os.environ.get("PORT", "8000")), app) as server:
        print(f"http://127.0.0.1:{server.server_port}/")
        server.serve_forever()


if __name__ == "__main__":
    main()
