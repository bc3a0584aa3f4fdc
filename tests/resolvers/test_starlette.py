"""`resolvers.starlette`, with real Starlette and FastAPI applications."""

from __future__ import annotations

import base64
import itertools
import json
import re
import threading
from types import SimpleNamespace

import fastapi
import itsdangerous
import pytest
from starlette.applications import Starlette
from starlette.authentication import AuthCredentials, AuthenticationBackend, BaseUser, SimpleUser
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.responses import Response
from starlette.routing import Mount, Route

from browsing import JOE, OPTIONS, asgi_browser, protect_asgi, visit
from clients import JANE, make_environ, make_scope
from signing_in import SigningIn
from sso_middleware import ConfigError, MiddlewareOrderError, ResolverError
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


def find_user(request):
    return request.session.get("user")


async def find_user_async(request):
    return find_user(request)


def by_request(getter=find_user):
    return starlette.request_email(getter, verified="email_verified")


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


def request_in_list():
    return Starlette(routes=ROUTES, middleware=[SESSIONS, SSO(by_request())])


def request_added_to_fastapi():
    return added(fastapi.FastAPI, SSO(by_request(find_user_async)), SESSIONS)


def session_added():
    return added(Starlette, SSO(by_session()), SESSIONS)


def session_added_to_fastapi():
    return added(fastapi.FastAPI, SSO(by_session()), SESSIONS)


def user_added_to_fastapi():
    return added(fastapi.FastAPI, SSO(by_user()), AUTHENTICATION, SESSIONS)


each_app = pytest.mark.parametrize(
    "build",
    [
        session_in_list,
        user_in_list,
        request_in_list,
        session_added,
        session_added_to_fastapi,
        user_added_to_fastapi,
        request_added_to_fastapi,
    ],
)


@each_app
class TestSigningIn(SigningIn):
    @pytest.fixture
    def browser(self, build):
        return asgi_browser(build())


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
    """A resolver that needs no thread is a coroutine function."""

    async def getter(request):
        return None

    assert is_async(by_session())
    assert is_async(by_user())
    assert is_async(starlette.request_email(getter, verified=True))


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
    """The wrong order is an error that names middleware and line, and following it fixes the order."""
    with pytest.raises(MiddlewareOrderError, match=middleware) as caught:
        run(source, resolver(), kind)
    fixed = follow(source, str(caught.value))
    assert fixed != source
    if resolver is by_user:  # its backend reads the session: Starlette itself asks for that order
        fixed = follow(fixed, MOVE_SESSIONS)
    assert run(fixed, resolver(), kind) == JANE


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
        MiddlewareOrderError, match="SessionMiddleware must be outside AuthenticationMiddleware"
    ):
        visit(browser)
    with pytest.raises(MiddlewareOrderError) as caught:
        visit(asgi_browser(Starlette(middleware=[SSO(by_session())])))
    assert "AuthenticationMiddleware" not in str(caught.value)


def test_in_a_mounted_application():
    """A session of an application inside, be it mounted there, is none outside: an error says so."""
    app = Starlette(routes=[Mount("/", added(Starlette, SESSIONS))], middleware=[SSO(by_session())])
    with pytest.raises(MiddlewareOrderError, match="add SessionMiddleware outside"):
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


def browse(getter, *outside, verified=True):
    """Return a browser in front of an application whose resolver asks `getter`."""
    sso = SSO(starlette.request_email(getter, verified=verified))
    return asgi_browser(Starlette(routes=ROUTES, middleware=[*outside, sso]))


def test_threads_of_getters():
    """A sync getter may block, so it runs in a worker thread; an async one runs on the event loop."""
    ran_in = []

    def note(request):
        ran_in.append(threading.current_thread())
        return JANE

    async def note_async(request):
        return note(request)

    assert [visit(browse(getter)) for getter in (note, note_async, note_async)] == [JANE] * 3
    assert [thread is threading.main_thread() for thread in ran_in] == [False, True, True]


def test_getter_that_returns_a_coroutine():
    """A lambda around a coroutine function is awaited, too, and understood alike."""

    async def find(request):
        if "X-Email" not in request.headers:
            raise HTTPException(401)
        return request.headers["X-Email"]

    browser = browse(lambda request: find(request))
    assert visit(browser) == "login"
    assert visit(browser, headers={"X-Email": JANE}) == JANE


def raising(error):
    def getter(request):
        raise error

    async def async_getter(request):
        raise error

    return getter, async_getter


@pytest.mark.parametrize(("status", "expected"), [(401, "login"), (403, "forbidden")])
@pytest.mark.parametrize("kind", [HTTPException, fastapi.HTTPException], ids=["starlette", "fastapi"])
def test_http_error_of_a_getter(status, expected, kind):
    """What was written as a dependency says by a status who is anonymous, and who may not go."""
    for getter in raising(kind(status)):
        assert visit(browse(getter)) == expected


@pytest.mark.parametrize("status", [303, 404, 503])
def test_other_http_error_of_a_getter(status):
    """Any other status is an error that says what a resolver does instead."""
    for getter in raising(HTTPException(status, "jane@example.com")):
        with pytest.raises(ResolverError, match="return None for an anonymous visitor") as caught:
            visit(browse(getter))
        assert "jane" not in str(caught.value)


@pytest.mark.parametrize(
    ("getter", "middleware"),
    [
        (lambda request: request.session["user"], "SessionMiddleware"),
        (lambda request: request.user, "AuthenticationMiddleware"),
        (lambda request: request.auth.scopes and JANE, "AuthenticationMiddleware"),
        (lambda request: request.state.user, "request.state has no 'user' yet"),
    ],
    ids=["session", "user", "auth", "state"],
)
def test_getter_before_its_middleware(getter, middleware):
    """What no middleware outside has put into the request is an error that says so."""
    with pytest.raises(MiddlewareOrderError, match=middleware):
        visit(browse(getter))


def test_getter_behind_its_middlewares():
    """With the middlewares outside, a getter reads all that a view can."""

    class SetState:
        def __init__(self, app):
            self.app = app

        async def __call__(self, scope, receive, send):
            scope.setdefault("state", {})["user"] = scope["user"]
            await self.app(scope, receive, send)

    def getter(request):
        assert request.app.routes
        assert request.auth.scopes == []
        return request.state.user if request.user.is_authenticated else None

    browser = browse(getter, SESSIONS, AUTHENTICATION, Middleware(SetState), verified="email_verified")
    assert visit(browser) == "login"
    browser.get("/login/jane")
    assert visit(browser) == JANE
    browser.get("/login/joe")
    assert visit(browser) == "email_not_verified"


def test_error_within_a_getter():
    """An AttributeError of anything else stays what it is."""
    with pytest.raises(AttributeError, match="nothing"):
        visit(browse(lambda request: SimpleNamespace().nothing))


def test_scope_of_a_getter():
    """What a request leaves in its scope does not reach the application."""
    scope = make_scope("GET", "/sso/helpdesk")
    before = set(scope)
    resolver = starlette.request_email(lambda request: setattr(request.state, "seen", 1), verified=True)
    assert resolver(scope) is None
    assert set(scope) == before


@pytest.mark.parametrize("source", [None, make_environ("GET", "/sso/helpdesk")])
def test_request_of_a_scope_alone(source):
    """A WSGI environ is an error that says so."""
    with pytest.raises(ResolverError, match="needs an ASGI scope"):
        starlette.request_email(lambda request: JANE, verified=True)(source)


@pytest.mark.parametrize(
    "getter", [None, "find_user", lambda: JANE, lambda request, db: JANE], ids=["none", "str", "no", "two"]
)
def test_no_getter(getter):
    """What cannot be called with the request is a ConfigError; FastAPI's `Depends` are not resolved."""
    with pytest.raises(ConfigError, match=r"getter: must be a callable \(request\) -> user"):
        starlette.request_email(getter, verified=True)


def test_user_without_an_address():
    """Starlette's own SimpleUser has none: the error says what else there is, and nothing of Django."""

    class Named(AuthenticationBackend):
        async def authenticate(self, conn):
            return AuthCredentials(), SimpleUser("jane")

    outside = Middleware(AuthenticationMiddleware, backend=Named())
    browser = asgi_browser(Starlette(middleware=[outside, SSO(starlette.user_email(verified=True))]))
    with pytest.raises(
        ResolverError, match=r"SimpleUser has no attribute 'email': set attr= .* request_email\("
    ) as caught:
        visit(browser)
    assert "Django" not in str(caught.value)


class Slow:
    """A user whose address is a method."""

    is_authenticated = True

    async def email(self):
        return JANE


class Asynchronous:
    """A user whose address must be awaited."""

    is_authenticated = True

    @property
    def email(self):
        return Slow().email()


@pytest.mark.parametrize(("user", "remedy"), [(Slow(), "called"), (Asynchronous(), "awaited")])
def test_address_that_is_not_there_yet(user, remedy):
    """An address that must be called or awaited is an error that says so."""
    with pytest.raises(
        ResolverError, match=f"'email' of {type(user).__name__} is a .*, which must be {remedy}"
    ):
        visit(browse(lambda request: user))
