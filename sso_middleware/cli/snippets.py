"""The lines that `sso-middleware init` prints: whole, valid code for each framework.

A resolver is written out in each, so that what it trusts can be seen: an address counts only if
the application has verified it, because whoever may type in any address may be anybody.
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
from bottle import BaseRequest

from sso_middleware import HandoffRefused, HelpDesk, Logout, expire_cookies
from sso_middleware.wsgi import SSOMiddleware


def resolve_email(environ):
    # The names you use in response.set_cookie("session", {...}, secret=COOKIE_SECRET).
    session = BaseRequest(environ).get_cookie("session", secret=COOKIE_SECRET)
    if not session or "email" not in session:
        return None  # nobody is signed in
    if not session.get("email_verified"):
        raise HandoffRefused("email_not_verified")
    return session["email"]


# Serve `application`: bottle.run(app=application), or name it to your server.
application = SSOMiddleware(
    app,
    HelpDesk.from_env(),
    resolve_email,
    login_url="/login",  # your login page
    logout=Logout(expire_cookies("session")),
)
"""

_FLASK = """\
from sso_middleware import HandoffRefused, HelpDesk, Logout, expire_cookies
from sso_middleware.wsgi import SSOMiddleware


def resolve_email(environ):
    session = app.session_interface.open_session(app, app.request_class(environ))
    if not session or "email" not in session:  # the keys your login view sets
        return None  # nobody is signed in
    if not session.get("email_verified"):
        raise HandoffRefused("email_not_verified")
    return session["email"]


app.wsgi_app = SSOMiddleware(
    app.wsgi_app,
    HelpDesk.from_env(),
    resolve_email,
    login_url="/login",  # your login page
    logout=Logout(expire_cookies(app.config["SESSION_COOKIE_NAME"])),
)
"""

_PYRAMID = """\
from sso_middleware import HandoffRefused, HelpDesk, Logout, expire_cookies
from sso_middleware.wsgi import SSOMiddleware

router = config.make_wsgi_app()


def resolve_email(environ):
    with router.request_context(environ) as request:
        session = request.session
        if "email" not in session:  # the keys your login view sets
            return None  # nobody is signed in
        if not session.get("email_verified"):
            raise HandoffRefused("email_not_verified")
        return session["email"]


# Serve `application`; main(global_config, **settings) returns it.
application = SSOMiddleware(
    router,
    HelpDesk.from_env(),
    resolve_email,
    login_url="/login",  # your login page
    logout=Logout(expire_cookies("session")),  # the name of your session cookie
)
"""

_STARLETTE_RESOLVER = """\
async def resolve_email(scope):
    session = scope["session"]  # there, because SessionMiddleware is outside
    if "email" not in session:  # the keys your login route sets
        return None  # nobody is signed in
    if not session.get("email_verified"):
        raise HandoffRefused("email_not_verified")
    return session["email"]
"""

_STARLETTE = f"""\
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware

from sso_middleware import HandoffRefused, HelpDesk, Logout, expire_cookies
from sso_middleware.asgi import SSOMiddleware


{_STARLETTE_RESOLVER}

app = Starlette(
    routes=routes,
    middleware=[  # the first is outermost: the session before the one that reads it
        Middleware(SessionMiddleware, secret_key=SESSION_SECRET),
        Middleware(
            SSOMiddleware,
            helpdesk=HelpDesk.from_env(),
            resolve_email=resolve_email,
            login_url="/login",  # your login page
            logout=Logout(expire_cookies("session")),
        ),
    ],
)
"""

_FASTAPI = f"""\
from starlette.middleware.sessions import SessionMiddleware

from sso_middleware import HandoffRefused, HelpDesk, Logout, expire_cookies
from sso_middleware.asgi import SSOMiddleware


{_STARLETTE_RESOLVER}

app.add_middleware(
    SSOMiddleware,
    helpdesk=HelpDesk.from_env(),
    resolve_email=resolve_email,
    login_url="/login",  # your login page
    logout=Logout(expire_cookies("session")),
)
# Added last is outermost: the session must be outside of the one that reads it.
app.add_middleware(SessionMiddleware, secret_key=SESSION_SECRET)
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
    "fastapi": Snippet("Below `app = FastAPI(...)`:", "yourmodule:app", _FASTAPI),
    "flask": Snippet("Below `app = Flask(...)` and its configuration:", "yourmodule:app", _FLASK),
    "pyramid": Snippet("In place of `config.make_wsgi_app()`:", "yourmodule:application", _PYRAMID),
    "starlette": Snippet("Where you make the Starlette application:", "yourmodule:app", _STARLETTE),
    "wsgi": Snippet("Where `application` is your WSGI application:", "yourmodule:application", _WSGI),
}
