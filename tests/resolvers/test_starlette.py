"""`resolvers.starlette`, with real Starlette and FastAPI applications."""

from __future__ import annotations

import base64
import itertools
import json
import re

import fastapi
import itsdangerous
import pytest
from starlette.applications import Starlette
from starlette.authentication import AuthCredentials, AuthenticationBackend, BaseUser
from starlette.middleware import Middleware
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.responses import Response
from starlette.routing import Mount, Route

from browsing import JOE, OPTIONS, asgi_browser, protect_asgi, tamper, visit
from clients import JANE
from sso_middleware import MiddlewareOrderError
from sso_middleware._calls import is_async
from sso_middleware.asgi import SSOMiddleware
from sso_middleware.resolvers import starlette

SESSION = {"secret_key": "a session secret"}
USERS = {
    "jane": {"email": JANE, "email_verified": True},
    "joe": {"email": JOE, "email_verified": False},
    "blank": {"email": "", "email_verified": True},
}


async def log_in(request):
    request.session["user"] = USERS[request.path_params["name"]]
    return Response()


async def log_out(request):
    request.session.clear()
    return Response()


ROUTES = [Route("/login/{name}", log_in), Route("/logout", log_out)]


class User(BaseUser):
    is_authenticated = True

    def __init__(self, record):
        self.email = record["email"]
        self.email_verified = record["email_verified"]


class Backend(AuthenticationBackend):
    async def authenticate(self, conn):
        record = conn.session.get("user")
        return (AuthCredentials(), User(record)) if record else None


def by_session():
    return starlette.session_email("user", "email", verified="email_verified")


def by_user():
    return starlette.user_email(verified="email_verified")


SSO, SESSIONS, AUTHENTICATION = (
    lambda resolver: Middleware(SSOMiddleware, resolve_email=resolver, **OPTIONS),
    Middleware(SessionMiddleware, **SESSION),
    Middleware(AuthenticationMiddleware, backend=Backend()),
)


def session_in_list():
    return Starlette(routes=ROUTES, middleware=[SESSIONS, SSO(by_session())])


def user_in_list():
    return Starlette(routes=ROUTES, middleware=[SESSIONS, AUTHENTICATION, SSO(by_user())])


def added(kind, *middlewares):
    """Add middlewares in the order of the source, so the last one is outermost."""
    app = kind()
    for path, route in (("/login/{name}", log_in), ("/logout", log_out)):
        app.router.add_route(path, route)
    for middleware in middlewares:
        app.add_middleware(middleware.cls, **middleware.kwargs)
    return app


def session_added():
    return added(Starlette, SSO(by_session()), SESSIONS)


def session_added_to_fastapi():
    return added(fastapi.FastAPI, SSO(by_session()), SESSIONS)


def user_added_to_fastapi():
    return added(fastapi.FastAPI, SSO(by_user()), AUTHENTICATION, SESSIONS)


each_app = pytest.mark.parametrize(
    "build", [session_in_list, user_in_list, session_added, session_added_to_fastapi, user_added_to_fastapi]
)


@each_app
def test_signed_in(build):
    """Whoever has logged in is handed off, until they log out."""
    browser = asgi_browser(build())
    assert visit(browser) == "login"
    browser.get("/login/jane")
    assert visit(browser) == JANE
    browser.get("/logout")
    assert visit(browser) == "login"


@each_app
def test_unverified(build):
    """An address that is not verified is refused."""
    browser = asgi_browser(build())
    browser.get("/login/joe")
    assert visit(browser) == "email_not_verified"


@each_app
def test_no_address(build):
    """A signed-in user without an address is not sent to log in again."""
    browser = asgi_browser(build())
    browser.get("/login/blank")
    assert visit(browser) == "no_email"


@each_app
def test_tampered_cookie(build):
    """A changed cookie is an anonymous visitor's."""
    browser = asgi_browser(build())
    browser.get("/login/jane")
    tamper(browser, "session")
    assert visit(browser) == "login"


def test_scope_is_only_read():
    """Reading the session adds neither Vary nor Set-Cookie to the answer, and nothing to the session.

    Starlette of old sends the cookie of every session that is not empty, read or not.
    """
    browser = asgi_browser(session_in_list())
    browser.get("/login/jane")
    session = browser.cookies["session"].partition(".")[0]  # what follows is time and signature
    unread, read = browser.get("/nowhere"), browser.get("/sso/helpdesk")
    assert (unread.status_code, read.status_code) == (404, 303)
    assert "vary" not in read.headers
    assert session_cookies(read) == session_cookies(unread)
    assert browser.cookies["session"].partition(".")[0] == session


def session_cookies(response):
    return sum(value.startswith("session=") for value in response.headers.get_list("set-cookie"))


def test_on_the_event_loop():
    """Both are coroutine functions, and so cost no thread."""
    assert is_async(by_session())
    assert is_async(by_user())


ADDED = """
app = kind()
app.router.add_route("/login/{name}", log_in)
app.add_middleware(AuthenticationMiddleware, backend=Backend())
app.add_middleware(SessionMiddleware, secret_key="a session secret")
app.add_middleware(SSOMiddleware, resolve_email=resolver, **OPTIONS)
"""
LISTED = """
app = Starlette(routes=ROUTES, middleware=[
Middleware(SSOMiddleware, resolve_email=resolver, **OPTIONS),
Middleware(SessionMiddleware, secret_key="a session secret"),
Middleware(AuthenticationMiddleware, backend=Backend()),
])
"""


def run(source, resolver, kind):
    """Run the lines of an application, log in and open the Help Desk."""
    names = {**globals(), "resolver": resolver, "kind": kind}
    exec(source, names)
    browser = asgi_browser(names["app"])
    browser.get("/login/jane")
    return visit(browser)


def follow(source, message):
    """Do what the message says: move the line that it names below or above the other one."""
    lines = source.splitlines()
    for moved, where, other in re.findall(
        r"move (\S+\(\w+, )\.\.\.\) (below|above) (\S+\(\w+, )\.\.\.\)", message
    ):
        found = [line for line in lines if line.startswith(moved)]
        if found:
            lines.remove(found[0])
            (place,) = [number for number, line in enumerate(lines) if line.startswith(other)]
            lines.insert(place + (where == "below"), found[0])
    return "\n".join(lines)


@pytest.mark.parametrize("kind", [Starlette, fastapi.FastAPI])
@pytest.mark.parametrize("source", [ADDED, LISTED], ids=["added", "listed"])
@pytest.mark.parametrize(
    ("resolver", "middleware"),
    [(by_session, "SessionMiddleware"), (by_user, "AuthenticationMiddleware")],
    ids=["session", "user"],
)
def test_wrong_order(source, resolver, middleware, kind):
    """The wrong order is an error that names middleware and line; followed to the letter, it mends it."""
    with pytest.raises(MiddlewareOrderError, match=middleware) as caught:
        run(source, resolver(), kind)
    mended = follow(source, str(caught.value))
    assert mended != source
    if resolver is by_user:  # its backend reads the session: Starlette itself asks for that order
        mended = follow(mended, MOVE_SESSIONS)
    assert run(mended, resolver(), kind) == JANE


MOVE_SESSIONS = (
    "move app.add_middleware(SessionMiddleware, ...) below app.add_middleware(AuthenticationMiddleware, ...) "
    "or move Middleware(SessionMiddleware, ...) above Middleware(AuthenticationMiddleware, ...)"
)


def test_around_the_whole_application():
    """Wrapped by hand, SSOMiddleware is too far out; the error says how to add it instead."""
    app = added(Starlette, SESSIONS)
    browser = asgi_browser(protect_asgi(app, by_session()))
    browser.get("/login/jane")
    with pytest.raises(MiddlewareOrderError, match="around the whole application is too far out"):
        visit(browser)
    browser = asgi_browser(session_added())
    browser.get("/login/jane")
    assert visit(browser) == JANE


ORDERS = [
    order
    for count in (2, 3)
    for order in itertools.permutations(["SSO", "SESSIONS", "AUTHENTICATION"], count)
    if "SSO" in order
]


@pytest.mark.parametrize("order", ORDERS, ids=", ".join)
@pytest.mark.parametrize("resolver", [by_session, by_user])
@pytest.mark.parametrize("build", ["listed", "added"])
def test_every_order(order, resolver, build):
    """In each order a visitor who has signed in is handed off or there is an error, and no anonymous visitor.

    Where AuthenticationMiddleware's backend finds no session, the error is Starlette's own.
    """
    middlewares = {"SSO": SSO(resolver()), "SESSIONS": SESSIONS, "AUTHENTICATION": AUTHENTICATION}
    chosen = [middlewares[name] for name in order]
    app = (
        Starlette(routes=ROUTES, middleware=chosen) if build == "listed" else added(Starlette, *chosen[::-1])
    )
    browser = asgi_browser(app)

    def is_outside(one, other):
        return one in order and order.index(one) < order.index(other)

    def sign_in_and_visit():
        browser.get("/login/jane")
        return visit(browser)

    needed = "SESSIONS" if resolver is by_session else "AUTHENTICATION"
    if "AUTHENTICATION" in order and not is_outside("SESSIONS", "AUTHENTICATION"):
        with pytest.raises(AssertionError, match="SessionMiddleware must be installed"):
            sign_in_and_visit()
    elif is_outside(needed, "SSO"):
        assert sign_in_and_visit() == JANE
    else:
        with pytest.raises(MiddlewareOrderError):
            sign_in_and_visit()


def test_outer_session():
    """The error for the user says where the session has to be, if the backend reads it."""
    browser = asgi_browser(Starlette(middleware=[SSO(by_user())]))
    with pytest.raises(
        MiddlewareOrderError, match="SessionMiddleware has to stand outside AuthenticationMiddleware"
    ):
        visit(browser)
    with pytest.raises(MiddlewareOrderError) as caught:
        visit(asgi_browser(Starlette(middleware=[SSO(by_session())])))
    assert "AuthenticationMiddleware" not in str(caught.value)


def test_in_a_mounted_application():
    """A session of an application inside, be it mounted there, is none outside: an error says so."""
    app = Starlette(routes=[Mount("/", added(Starlette, SESSIONS))], middleware=[SSO(by_session())])
    with pytest.raises(MiddlewareOrderError, match="SessionMiddleware has to be there"):
        visit(asgi_browser(app))


def session_cookie(key=SESSION["secret_key"], **changes):
    data = base64.b64encode(json.dumps({"user": USERS["jane"] | changes}).encode())
    return itsdangerous.TimestampSigner(key).sign(data).decode()


@each_app
@pytest.mark.parametrize(
    ("cookie", "expected"),
    [
        (session_cookie(), JANE),
        (session_cookie("another"), "login"),
        (session_cookie().rpartition(".")[0], "login"),
        (base64.b64encode(json.dumps({"user": USERS["jane"]}).encode()).decode(), "login"),
        ("x", "login"),
        (".".join(["", *session_cookie().split(".")[1:]]), "login"),
        (session_cookie(email_verified="false"), "email_not_verified"),
    ],
    ids=[
        "genuine",
        "another key",
        "without signature",
        "unsigned",
        "rubbish",
        "without data",
        "not verified",
    ],
)
def test_forged_cookie(build, cookie, expected):
    """A session is believed if it is signed with the application's key."""
    assert visit(asgi_browser(build()), headers={"Cookie": f"session={cookie}"}) == expected


def test_inactive_user(monkeypatch):
    """A user whose `is_active` says no is refused."""
    browser = asgi_browser(user_in_list())
    browser.get("/login/jane")
    monkeypatch.setattr(User, "is_active", False, raising=False)
    assert visit(browser) == "inactive"
    monkeypatch.setattr(User, "is_active", True)
    assert visit(browser) == JANE
