"""The lines that `sso-middleware init` prints: whole, valid code for each framework.

They are the README's, with the ready-made resolver of each framework. Only a plain WSGI application
has none, as nobody knows its sessions.
"""

from __future__ import annotations

from typing import NamedTuple

SETTINGS = """\
# 1. In the environment of your server, never in the source:
#      HELPDESK_SSO_TOKEN      SSO Token     | from the vendor's panel,
#      HELPDESK_SSO_AUTH_URL   SSO Auth URL  | Settings -> Security -> Single sign-on
#      HELPDESK_ACCOUNT_ID     Account ID    |
#      HELPDESK_AUTH_URL       https://<your application>/sso/helpdesk  | enter the same two
#      HELPDESK_LOGOUT_URL     https://<your application>/sso/logout    | in the panel
# 2. {where}
# 3. sso-middleware check {example}
"""

_WSGI = """\
from werkzeug.http import parse_cookie

from sso_middleware import HandoffRefused, HelpDesk, Logout, expire_cookies
from sso_middleware.wsgi import SSOMiddleware


def resolve_email(environ):
    session_id = parse_cookie(environ).get("session")  # the name of your session cookie
    user = find_user(session_id) if session_id else None  # your own look-up of a session
    if user is None:
        return None  # nobody is signed in
    if not user.email_verified:
        raise HandoffRefused("email_not_verified")
    return user.email


application = SSOMiddleware(
    application,
    HelpDesk.from_env(),
    resolve_email,
    login_url="/login",  # your login page
    # Enough if the cookie is the whole session; else end the session on the server, too.
    logout=Logout(expire_cookies("session")),
)
"""

_BOTTLE = """\
from sso_middleware import HelpDesk, Logout, expire_cookies
from sso_middleware.resolvers.bottle import signed_cookie_email
from sso_middleware.wsgi import SSOMiddleware

# SECRET: that of your session cookie, 32 characters or more.
# Serve `application`: bottle.run(app=application), or name it to your server.
application = SSOMiddleware(
    app,
    HelpDesk.from_env(),
    # For response.set_cookie("session", json.dumps({"email": ..., "email_verified": ...}), secret=SECRET).
    signed_cookie_email("session", SECRET, verified="email_verified"),
    login_url="/login",  # your login page
    logout=Logout(expire_cookies("session")),
)
"""

_DJANGO = """\
from sso_middleware import HelpDesk

INSTALLED_APPS += ["sso_middleware.django"]
MIDDLEWARE += ["sso_middleware.django.SSOMiddleware"]
HELPDESK_SSO = {
    "helpdesk": HelpDesk.from_env(),
    "verified": True,  # if your sign-up verifies every address; else a predicate of the user
    "logout": True,
}
"""

_FLASK = """\
from sso_middleware import HelpDesk, Logout, expire_cookies
from sso_middleware.resolvers.flask import session_email
from sso_middleware.wsgi import SSOMiddleware

desk = HelpDesk.from_env()
app.config["SESSION_COOKIE_SAMESITE"] = "Lax"
app.config["SESSION_COOKIE_SECURE"] = desk.auth_url.startswith("https:")
app.wsgi_app = SSOMiddleware(
    app.wsgi_app,
    desk,
    # For session["user"] = {"email": ..., "email_verified": ...}.
    # With Flask-Login: login_user_email(app, verified="email_verified").
    session_email(app, "user", "email", verified="email_verified"),
    login_url="/login",  # your login page
    logout=Logout(expire_cookies(app.config["SESSION_COOKIE_NAME"])),
)
"""

_PYRAMID = """\
from pyramid.security import forget

from sso_middleware import HelpDesk, Logout
from sso_middleware.resolvers.pyramid import request_email
from sso_middleware.wsgi import SSOMiddleware

router = config.make_wsgi_app()


def end_session(environ):
    with router.request_context(environ) as request:
        return forget(request)


# Serve `application`; main(global_config, **settings) returns it.
application = SSOMiddleware(
    router,
    HelpDesk.from_env(),
    # For a security policy whose identity has "email" and "email_verified".
    request_email(router, lambda request: request.identity, verified="email_verified"),
    login_url="/login",  # your login page
    logout=Logout(end_session),
)
"""

_QUART = """\
from quart import session

from sso_middleware import HelpDesk, Logout, expire_cookies
from sso_middleware.asgi import SSOMiddleware
from sso_middleware.resolvers.quart import context_email

desk = HelpDesk.from_env()
app.config["SESSION_COOKIE_SAMESITE"] = "Lax"
app.config["SESSION_COOKIE_SECURE"] = desk.auth_url.startswith("https:")
app.asgi_app = SSOMiddleware(
    app.asgi_app,
    desk,
    # For session["user"] = {"email": ..., "email_verified": ...}.
    context_email(app, lambda: session.get("user"), verified="email_verified"),
    login_url="/login",  # your login page
    logout=Logout(expire_cookies(app.config["SESSION_COOKIE_NAME"])),
)
"""

_WITH_STARLETTE_SESSION = """\
from starlette.middleware.sessions import SessionMiddleware

from sso_middleware import HelpDesk, Logout
from sso_middleware.asgi import SSOMiddleware
from sso_middleware.resolvers.starlette import session_email

desk = HelpDesk.from_env()


async def end_session(scope):
    scope["session"].clear()
    return []

"""

_STARLETTE = f"""\
from starlette.applications import Starlette
from starlette.middleware import Middleware
{_WITH_STARLETTE_SESSION}
# routes: yours.
# SECRET: that of your sessions, 32 characters or more.
app = Starlette(
    routes=routes,
    middleware=[
        # The first of the list is outermost; yours, if you have one already.
        Middleware(SessionMiddleware, secret_key=SECRET, https_only=desk.auth_url.startswith("https:")),
        Middleware(
            SSOMiddleware,
            helpdesk=desk,
            # For session["user"] = {{"email": ..., "email_verified": ...}}.
            resolve_email=session_email("user", "email", verified="email_verified"),
            login_url="/login",  # your login page
            logout=Logout(end_session),
        ),
    ],
)
"""

_FASTAPI = f"""\
{_WITH_STARLETTE_SESSION}
app.add_middleware(
    SSOMiddleware,
    helpdesk=desk,
    # For session["user"] = {{"email": ..., "email_verified": ...}}.
    resolve_email=session_email("user", "email", verified="email_verified"),
    login_url="/login",  # your login page
    logout=Logout(end_session),
)
# Added last is outermost: move yours here, if you have one already.
# SECRET: that of your sessions, 32 characters or more.
app.add_middleware(SessionMiddleware, secret_key=SECRET, https_only=desk.auth_url.startswith("https:"))
"""


class Snippet(NamedTuple):
    """The lines for one framework.

    Attributes:
        where: a sentence saying where they go.
        example: what to hand to `check`.
        code: the lines.
    """

    where: str
    example: str
    code: str

    def __str__(self) -> str:
        settings = SETTINGS.format(where=self.where, example=self.example)
        return f"{settings}\n{self.code}"


SNIPPETS = {
    "bottle": Snippet("Where `app` is your Bottle application:", "yourmodule:application", _BOTTLE),
    "django": Snippet("At the end of your settings:", "yourproject.wsgi:application", _DJANGO),
    "fastapi": Snippet(
        "Below `app = FastAPI(...)`; its sessions need `pip install itsdangerous`:",
        "yourmodule:app",
        _FASTAPI,
    ),
    "flask": Snippet("Below `app = Flask(...)` and its configuration:", "yourmodule:app", _FLASK),
    "pyramid": Snippet("In place of `config.make_wsgi_app()`:", "yourmodule:application", _PYRAMID),
    "quart": Snippet("Below `app = Quart(...)` and its configuration:", "yourmodule:app", _QUART),
    "starlette": Snippet(
        "Where you make the Starlette application; its sessions need `pip install itsdangerous`:",
        "yourmodule:app",
        _STARLETTE,
    ),
    "wsgi": Snippet("Where `application` is your WSGI application:", "yourmodule:application", _WSGI),
}
