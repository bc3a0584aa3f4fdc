"""`resolvers.quart`, with a real Quart application."""

from __future__ import annotations

import asyncio
import functools
from hashlib import sha1
from types import SimpleNamespace

import pytest
import quart
from flask.json.tag import TaggedJSONSerializer
from itsdangerous import URLSafeTimedSerializer
from quart.sessions import SecureCookieSessionInterface
from werkzeug.local import LocalProxy

from browsing import JOE, PATH, asgi_browser, protect_asgi, visit
from clients import JANE, make_scope
from pooled import find
from signing_in import SigningIn
from sso_middleware import ConfigError, ResolverError
from sso_middleware.resolvers.quart import context_email

USERS = {
    "jane": {"email": JANE, "email_verified": True},
    "joe": {"email": JOE, "email_verified": False},
    "blank": {"email": "", "email_verified": True},
}


@pytest.fixture
def app():
    app = quart.Quart("shop")
    app.secret_key = "a session secret"

    @app.get("/login/<name>")
    async def log_in(name):
        quart.session["user"] = USERS[name]
        return ""

    @app.get("/logout")
    async def log_out():
        quart.session.clear()
        return ""

    return app


def getter():
    return quart.session.get("user")


async def async_getter():
    return getter()


each_getter = pytest.mark.parametrize("getter", [getter, async_getter])


def browse(app, getter, **options):
    resolver = context_email(app, getter, verified="email_verified")
    app.asgi_app = protect_asgi(app.asgi_app, resolver, **options)
    return asgi_browser(app)


@each_getter
class TestSigningIn(SigningIn):
    @pytest.fixture
    def browser(self, app, getter):
        return browse(app, getter)


def test_lazy_proxy(app):
    """What `getter` returns may be a proxy of nobody."""
    browser = browse(app, lambda: quart.current_app and quart.g.get("user"))
    assert visit(browser) == "login"


@pytest.mark.parametrize(
    "load",
    [lambda: JANE, lambda: {"email": JANE}, lambda: {"email": LocalProxy(lambda: quart.request and JANE)}],
    ids=["address", "user", "attribute"],
)
def test_lazy_proxy_of_somebody(app, load):
    """A proxy is forced while there is a request that it can ask."""
    resolver = context_email(app, lambda: LocalProxy(lambda: quart.request and load()), verified=True)
    assert visit(asgi_browser(protect_asgi(app.asgi_app, resolver))) == JANE


async def describe():
    request = quart.request
    async with asyncio.timeout(1):
        assert await request.get_data() == b""  # at once: nobody sends one
    await request.send_push_promise("/style.css")
    text = [request.method, request.path, request.root_path, request.headers["x-brand"], request.args["a"]]
    return {"email": f"{'.'.join(text).replace('/', '-')}@{request.host}"}


@pytest.mark.parametrize(
    ("path", "root_path"),
    [("/sso/helpdesk", ""), ("/shop/sso/helpdesk", "/shop"), ("/sso/helpdesk", "/shop")],
    ids=["root", "mounted", "mounted, not in path"],
)
def test_request_as_in_a_view(app, path, root_path):
    """`quart.request` is the visitor's, also under a mount prefix."""
    resolver = context_email(app, describe, verified=True)
    middleware = protect_asgi(app.asgi_app, resolver, paths="/sso/helpdesk")

    async def mount(scope, receive, send):
        await middleware({**scope, "path": path, "root_path": root_path}, receive, send)

    email = visit(asgi_browser(mount), headers={"X-Brand": "red"}, params={"a": "b"})
    assert email == f"GET.-sso-helpdesk.{root_path.replace('/', '-')}.red.b@app.example.com"


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({}, ("<local>", "http", "1.1", "")),
        (
            {"client": ["192.0.2.7", 5], "scheme": "https", "http_version": "2", "root_path": "/shop"},
            ("192.0.2.7", "https", "2", "/shop"),
        ),
    ],
    ids=["as little as a server may send", "everything"],
)
def test_connection_of_the_request(app, sent, expected):
    """`quart.request` knows the connection; the ASGI specification makes these keys optional."""
    seen = []

    def getter():
        request = quart.request
        seen.append((request.remote_addr, request.scheme, request.http_version, request.root_path))

    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}

    async def ask():
        return await context_email(app, getter, verified=True)(scope | sent)

    assert asyncio.run(ask()) is None
    assert seen == [expected]


def test_connections_are_returned(app):
    """The functions for the end of a request run, so that a database connection goes back."""
    ended = []

    @app.teardown_request
    async def end(error):
        ended.append(error)

    visit(browse(app, getter))
    assert ended == [None]


def test_error_of_the_getter(app):
    """Those functions get its error, so that they do not commit."""
    ended = []

    @app.teardown_request
    async def end(error):
        ended.append(error)

    with pytest.raises(ZeroDivisionError) as caught:
        visit(browse(app, lambda: 1 / 0))
    assert ended == [caught.value]


class Person:
    """What Quart-Auth's `current_user` is like: whether anybody is there is to be awaited."""

    email = JANE

    @property
    async def is_authenticated(self):
        return True


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        (SimpleNamespace(is_authenticated=False, is_active=True, email=JANE), "login"),
        (SimpleNamespace(is_authenticated=False), "login"),
        ({"is_authenticated": False}, "login"),
        (SimpleNamespace(is_authenticated=True, email=JANE), JANE),
        (Person(), JANE),
    ],
    ids=["anonymous", "without an address", "mapping", "signed in", "awaitable"],
)
def test_anonymous_user(app, user, expected):
    """A user whose `is_authenticated` is false is anonymous, and needs no address."""
    resolver = context_email(app, lambda: user, verified=True)
    assert visit(asgi_browser(protect_asgi(app.asgi_app, resolver))) == expected


def test_user_without_an_address(app):
    """What is no user at all is an error that says what the getter has to return."""
    resolver = context_email(app, SimpleNamespace, verified=True)
    with pytest.raises(ResolverError, match="has no attribute 'email': return the address from the getter"):
        visit(asgi_browser(protect_asgi(app.asgi_app, resolver)))


def test_asgi_app_instead_of_the_application(app):
    """What is no Quart application is a ConfigError."""
    with pytest.raises(ConfigError, match="app: must be the Quart application"):
        context_email(app.asgi_app, getter, verified=True)


@pytest.fixture
def database(app, pool):
    """Let `app` have a connection that a request keeps to its end, and take it for each user."""

    @app.teardown_appcontext
    async def give_back(error):
        if quart.g.pop("connection", None):
            pool.give_back()

    class InDatabase(SecureCookieSessionInterface):
        async def open_session(self, app, request):
            if request.headers.get("X-Outage"):
                await find_user()
                raise ConnectionError
            return await super().open_session(app, request)

    async def find_user(name="nobody"):
        quart.g.connection = pool.take()
        return find(quart.g.connection, name)

    async def getter():
        name = quart.request.args.get("name")
        return await find_user(name) if name else None

    app.session_interface = InDatabase()
    app.asgi_app = protect_asgi(app.asgi_app, context_email(app, getter, verified="email_verified"))
    return pool


class TestDatabase:
    """A getter that queries a database returns its connection, whether it fails or not."""

    @pytest.mark.parametrize(("name", "expected"), [("jane", JANE), ("joe", "email_not_verified")])
    @pytest.mark.parametrize("preserve", [False, True], ids=["", "preserve"])
    def test_user(self, app, database, name, expected, preserve):
        """A user who is handed off, and one who is refused, also if Quart would keep the latter's context."""
        app.config["PRESERVE_CONTEXT_ON_EXCEPTION"] = preserve
        browser = asgi_browser(app)
        for number in (1, 2):
            assert visit(browser, params={"name": name}) == expected
            assert database.taken == number
            assert not database.is_out

    def test_nobody(self, app, database):
        """For an anonymous visitor no connection is taken."""
        assert visit(asgi_browser(app)) == "login"
        assert database.taken == 0

    def test_outage(self, app, database):
        """Nor does one stay behind after an outage while the session is opened."""
        with pytest.raises(ConnectionError):
            visit(asgi_browser(app), headers={"X-Outage": "now"})
        assert database.taken == 1
        assert not database.is_out


@pytest.mark.parametrize("preserve", [False, True], ids=["", "preserve"])
def test_no_context_stays_behind(app, preserve):
    """After an error, too, request and application context are gone."""
    app.config["PRESERVE_CONTEXT_ON_EXCEPTION"] = preserve

    async def ask():
        with pytest.raises(ZeroDivisionError):
            await context_email(app, lambda: 1 / 0, verified=True)(make_scope("GET", PATH))
        return quart.has_request_context(), quart.has_app_context()

    assert asyncio.run(ask()) == (False, False)


@pytest.mark.parametrize(
    ("salt", "key", "expected"),
    [
        ("cookie-session", "a session secret", JANE),
        ("reset-password", "a session secret", "login"),
        ("cookie-session", "another", "login"),
    ],
    ids=["genuine", "another salt", "another key"],
)
def test_forged_cookie(app, salt, key, expected):
    """A session's cookie is good with the application's key and its salt alone."""
    serializer = URLSafeTimedSerializer(
        key, salt, TaggedJSONSerializer(), signer_kwargs={"key_derivation": "hmac", "digest_method": sha1}
    )
    headers = {"Cookie": f"session={serializer.dumps({'user': USERS['jane']})}"}
    assert visit(browse(app, getter), headers=headers) == expected


def test_inactive_user(app):
    """A user who is not active is refused."""
    user = SimpleNamespace(email=JANE, email_verified=True, is_active=True)
    browser = browse(app, lambda: user)
    assert visit(browser) == JANE
    user.is_active = False
    assert visit(browser) == "inactive"


@pytest.mark.parametrize(("status", "expected"), [(401, "login"), (403, "forbidden")])
def test_abort(app, status, expected):
    """`abort(401)` makes an anonymous visitor, and `abort(403)` one who may not go."""
    assert visit(browse(app, lambda: quart.abort(status))) == expected


def test_abort_with_anything_else(app):
    """Any other status is an error that says what a resolver does instead."""
    with pytest.raises(ResolverError, match="return None for an anonymous visitor"):
        visit(browse(app, lambda: quart.abort(404)))


def test_user_of_a_before_request_function(app):
    """What `before_request` sets is not there: an error names it and what to write."""
    with pytest.raises(
        ResolverError, match=r"quart\.g has no 'user' .* first call the function that sets it"
    ):
        visit(browse(app, lambda: quart.g.user))


def test_user_of_a_before_request_function_in_a_task(app):
    """So it is in a task group, and the group's other errors stay as they are."""

    async def ask(*questions):
        async with asyncio.TaskGroup() as group:
            for question in questions:
                group.create_task(question())

    async def user():
        return quart.g.user

    async def fail():
        raise ZeroDivisionError

    with pytest.raises(ResolverError, match=r"quart\.g has no 'user'"):
        visit(browse(app, lambda: ask(user)))
    for questions in ([fail], [user, fail]):
        with pytest.raises(ExceptionGroup) as caught:
            visit(browse(app, functools.partial(ask, *questions)))
        assert caught.value.subgroup(ZeroDivisionError)


def test_teardown_after_a_before_request_function(app):
    """So it is with teardown functions."""

    @app.teardown_request
    async def close(error):
        quart.g.connection.close()

    with pytest.raises(ResolverError, match=r"use quart\.g\.pop\('connection', None\)"):
        visit(browse(app, getter))
