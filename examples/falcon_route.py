# /// script
# requires-python = ">=3.11"
# dependencies = ["sso-middleware", "falcon>=4.0", "itsdangerous>=2.2", "waitress>=3.0"]
# ///
"""Falcon: only ``req.context`` has the signed-in user, so one of the app's routes hands off.

To run it, take the first three values from the vendor's panel (Settings > Security > Single
sign-on), enter the next two there, and choose the last two::

    export HELPDESK_SSO_TOKEN=...                                # SSO Token
    export HELPDESK_SSO_AUTH_URL=...                             # SSO Auth URL
    export HELPDESK_ACCOUNT_ID=...                               # Account ID
    export HELPDESK_AUTH_URL=http://127.0.0.1:8000/sso/helpdesk  # Auth URL
    export HELPDESK_LOGOUT_URL=http://127.0.0.1:8000/sso/logout  # Logout URL
    export SESSION_SECRET=...                                    # 32 characters or more
    export DEMO_PASSWORD=...                                     # signs in jane and joe
    python examples/falcon_route.py
"""

import logging
import os
import sys
from html import escape
from secrets import compare_digest
from typing import NamedTuple
from urllib.parse import urlsplit

import falcon
from itsdangerous import BadSignature, URLSafeTimedSerializer
from waitress import serve

from sso_middleware import HelpDesk
from sso_middleware.wsgi import handoff_response


class User(NamedTuple):
    name: str
    email: str
    verified: bool


USERS = {
    "jane": User("jane", "jane@example.com", verified=True),
    "joe": User("joe", "joe@example.com", verified=False),
}


def required(variable: str) -> str:
    return os.environ.get(variable) or sys.exit(f"{variable} is not set")


desk = HelpDesk.from_env()
demo_password = required("DEMO_PASSWORD").encode()
sessions = URLSafeTimedSerializer(required("SESSION_SECRET"))


class SignedIn:
    """The app's own middleware: finds the user of each request."""

    def process_request(self, req: falcon.Request, _resp: falcon.Response) -> None:
        try:
            name = sessions.loads(req.cookies.get("session", ""), max_age=3600)
        except BadSignature:
            name = None
        req.context.user = USERS.get(name)


class Support:
    """The Auth URL."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        user = req.context.user
        if user is None:
            raise falcon.HTTPSeeOther(f"/login?next={req.path}")
        if not user.verified:  # Joe may have typed in someone else's address
            raise falcon.HTTPForbidden(description="email_not_verified")
        answer = handoff_response(req.env, desk, user.email)
        resp.status = answer.status
        resp.data = answer.get_data()
        for name, value in answer.headers:
            resp.append_header(name, value)


class SignOut:
    """The Logout URL."""

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        resp.unset_cookie("session", path="/", samesite="Lax")
        raise falcon.HTTPSeeOther("/")


class Start:
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.content_type = falcon.MEDIA_HTML
        resp.text = start_page(req.context.user and req.context.user.name)


class Login:
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.content_type = falcon.MEDIA_HTML
        resp.text = login_page(req.get_param("next", default="/"))

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        form = req.get_media()
        name, way_back = form.get("name", ""), form.get("next", "/")
        if name not in USERS or not compare_digest(form.get("password", "").encode(), demo_password):
            resp.status = falcon.HTTP_FORBIDDEN
            resp.content_type = falcon.MEDIA_HTML
            resp.text = login_page(way_back, "Name or password is wrong.")
            return
        resp.set_cookie(
            "session",
            sessions.dumps(name),
            path="/",
            http_only=True,
            same_site="Lax",
            secure=desk.auth_url.startswith("https:"),
        )
        resp.status = falcon.HTTP_SEE_OTHER
        resp.set_header("Location", way_back if is_own_path(way_back) else "/")


def start_page(name: str | None) -> str:
    return f"""<!doctype html><html lang="en"><title>Demo</title>
<p>You are {escape(name or "not signed in")}.
<p><a href="/login">Sign in</a> <a href="{escape(desk.logout_url)}">Sign out</a>
<p><a href="{escape(desk.auth_url)}">Support</a>
"""


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


application = falcon.App(middleware=[SignedIn()])
application.add_route("/", Start())
application.add_route("/login", Login())
application.add_route(urlsplit(desk.auth_url).path, Support())
application.add_route(urlsplit(desk.logout_url or required("HELPDESK_LOGOUT_URL")).path, SignOut())


def main() -> None:
    logging.basicConfig(level=logging.INFO)  # logs each hand-off, without address or token
    serve(application, host="127.0.0.1", port=int(os.environ.get("PORT", "8000")))


if __name__ == "__main__":
    main()
