"""`resolvers.flask`, with real Flask applications and Flask-Login."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha1

import flask
import pytest
from django.http import HttpRequest
from flask.json.tag import TaggedJSONSerializer
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionInterface
from flask_login import LoginManager, UserMixin, login_user, logout_user
from itsdangerous import URLSafeTimedSerializer

from browsing import JOE, PATH, protect_wsgi, tamper, visit, wsgi_browser
from clients import JANE, make_environ, make_scope
from pooled import find
from signing_in import SigningIn
from sso_middleware import ConfigError, HandoffRefused, MiddlewareOrderError, ResolverError
from sso_middleware.resolvers import flask as resolvers

pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utc:DeprecationWarning")  # Flask-Login's


class User(UserMixin):
    is_authenticated = True  # UserMixin's would say no of itself for somebody inactive

    def __init__(self, name, email, email_verified=True, active=True):
        self.id = name
        self.email = email
        self.email_verified = email_verified
        self.active = active

    @property
    def is_active(self):
        return self.active


@pytest.fixture
def users():
    return {
        user.id: user
        for user in (
            User("jane", JANE),
            User("joe", JOE, email_verified=False),
            User("blank", None),
        )
    }


@pytest.fixture
def app(users):
    app = flask.Flask("shop")
    app.secret_key = "a session secret"
    LoginManager(app).user_loader(users.get)
    app.extensions["find"] = users.get

    @app.get("/login/<name>")
    def log_in(name):
        login_user(users[name], remember="remember" in flask.request.args)
        flask.session["user_id"] = name
        flask.session["who"] = {"email": users[name].email, "email_verified": users[name].email_verified}
        return ""

    @app.get("/logout")
    def log_out():
        flask.session.clear()
        logout_user()  # leaves word in the session to take the remember-me cookie away
        return ""

    return app


def by_session(app):
    return resolvers.session_email(app, "who", "email", verified="email_verified")


def by_login(app):
    return resolvers.login_user_email(app, verified="email_verified")


def find_user():
    return flask.current_app.extensions["find"](flask.session.get("user_id"))


def by_context(app):
    return resolvers.context_email(app, find_user, verified="email_verified")


each_resolver = pytest.mark.parametrize("resolver", [by_session, by_login, by_context])
each_of_users = pytest.mark.parametrize("resolver", [by_login, by_context])


def browse(app, resolver):
    app.wsgi_app = protect_wsgi(app.wsgi_app, resolver(app))
    return wsgi_browser(app)


@each_resolver
class TestSigningIn(SigningIn):
    @pytest.fixture
    def browser(self, app, resolver):
        return browse(app, resolver)


def test_remember_me(app):
    """Flask-Login's remember-me cookie is enough, and no session is written for it."""
    browser = browse(app, by_login)
    browser.get("/login/jane?remember")
    browser.cookies.delete("session")
    assert visit(browser) == JANE
    assert "session" not in browser.cookies
    tamper(browser, "remember_token")
    assert visit(browser) == "login"


def test_remember_me_of_somebody_unverified(app):
    """The remember-me cookie proves no address."""
    browser = browse(app, by_login)
    browser.get("/login/joe?remember")
    browser.cookies.delete("session")
    assert visit(browser) == "email_not_verified"


@each_of_users
def test_inactive_user(app, users, resolver):
    """A user who was deactivated after the login is refused; one who was deleted is anonymous."""
    browser = browse(app, resolver)
    browser.get("/login/jane?remember")
    users["jane"].active = False
    assert visit(browser) == "inactive"
    del users["jane"]
    assert visit(browser) == "login"


@pytest.mark.parametrize(("is_active", "expected"), [(True, JANE), (False, "inactive")])
def test_inactive_user_in_the_session(app, is_active, expected):
    """A user whose session says that they are not active is refused."""
    app.add_url_rule("/keep", view_func=lambda: flask.session.update(who=record) or "")
    record = {"email": JANE, "email_verified": True, "is_active": is_active}
    browser = browse(app, by_session)
    browser.get("/keep")
    assert visit(browser) == expected


def test_strong_protection(app):
    """Flask-Login's session protection holds, and a hand-off does not take the session away."""
    app.config["SESSION_PROTECTION"] = "strong"
    browser = browse(app, by_login)
    browser.get("/login/jane")
    assert visit(browser, headers={"User-Agent": "a thief's"}) == "login"
    assert visit(browser) == JANE


def test_connections_are_returned(app):
    """The functions for the end of a request run, so that a database connection goes back."""
    ended = []
    app.teardown_appcontext(lambda error: ended.append(error))
    for resolver in (by_session, by_login, by_context):
        visit(wsgi_browser(protect_wsgi(app.wsgi_app, resolver(app))))
    assert ended == [None, None, None]


def test_session_in_a_database(app):
    """A session interface of another kind may use the application context, as Flask itself lets it."""

    class InDatabase(SessionInterface):
        def open_session(self, app, request):
            assert flask.current_app.name == "shop"
            return SecureCookieSession({"who": {"email": JANE, "email_verified": True}})

    app.session_interface = InDatabase()
    assert visit(wsgi_browser(protect_wsgi(app.wsgi_app, by_session(app)))) == JANE


@each_of_users
def test_blueprints_and_url_errors_play_no_part(app, resolver):
    """No route at the intercepted path is needed, and none is run."""
    app.before_request(lambda: flask.abort(500))
    browser = browse(app, resolver)
    assert visit(browser) == "login"


def test_no_secret_key(app):
    """An application without sessions is an error that says so, and no anonymous visitor."""
    app.secret_key = None
    with pytest.raises(MiddlewareOrderError, match=r"set app\.secret_key"):
        visit(browse(app, by_session))
    app.secret_key = "a session secret"
    assert visit(wsgi_browser(app)) == "login"


@each_of_users
def test_no_secret_key_and_a_user(app, resolver):
    """There the session is empty, and nobody signed in by it; Flask itself says so at the log-in."""
    app.secret_key = None
    browser = browse(app, resolver)
    assert visit(browser) == "login"
    app.testing = True
    with pytest.raises(RuntimeError, match="no secret key was set"):
        browser.get("/login/jane")


def test_request_as_in_a_view(app):
    """A getter may read the request, and need no session at all."""
    app.secret_key = None
    resolver = resolvers.context_email(app, lambda: flask.request.headers.get("X-Email"), verified=True)
    browser = wsgi_browser(protect_wsgi(app.wsgi_app, resolver))
    assert visit(browser, headers={"X-Email": JANE}) == JANE
    assert visit(browser) == "login"


@each_of_users
@pytest.mark.parametrize(("status", "expected"), [(401, "login"), (403, "forbidden")])
def test_abort(app, resolver, status, expected):
    """`abort(401)` makes an anonymous visitor, and `abort(403)` one who may not go."""
    browser = browse(app, resolver)
    browser.get("/login/jane")
    app.extensions["find"] = lambda name: flask.abort(status)
    app.login_manager.user_loader(app.extensions["find"])
    assert visit(browser) == expected


@pytest.mark.parametrize("status", [404, 503, flask.Response("jane@example.com", 302)])
def test_abort_with_anything_else(app, status):
    """Any other status, or a response, is an error that says what a resolver does instead."""
    with pytest.raises(ResolverError, match="return None for an anonymous visitor") as caught:
        visit(browse_getter(app, lambda: flask.abort(status)))
    assert "jane" not in str(caught.value)


def browse_getter(app, getter):
    return wsgi_browser(protect_wsgi(app.wsgi_app, resolvers.context_email(app, getter, verified=True)))


def set_user():
    flask.g.user = {"email": JANE}


def test_user_of_a_before_request_function(app):
    """What `before_request` sets is not there: an error names it and what to write, and that works."""
    app.before_request(set_user)
    with pytest.raises(
        ResolverError, match=r"flask\.g has no 'user' .* first call the function that sets it"
    ):
        visit(browse_getter(app, lambda: flask.g.user))
    assert visit(browse_getter(app, lambda: set_user() or flask.g.user)) == JANE


def test_teardown_after_a_before_request_function(app):
    """So it is with teardown functions, of whatever asks within a context; with `pop` they work."""

    @app.teardown_appcontext
    def close(error):
        close.take()

    close.take = lambda: flask.g.connection
    end = resolvers.end_session(app)
    for ask in (
        *(lambda make=make: visit(browse(app, make)) for make in (by_session, by_login)),
        end_it(end),
    ):
        with pytest.raises(ResolverError, match=r"use flask\.g\.pop\('connection', None\)"):
            ask()
    close.take = lambda: flask.g.pop("connection", None)
    assert visit(browse(app, by_login)) == "login"


def end_it(end):
    return lambda: end(make_environ("GET", "/sso/logout"))


def test_error_within_a_getter(app):
    """An AttributeError of anything else stays what it is."""
    with pytest.raises(AttributeError, match="nothing"):
        visit(browse_getter(app, lambda: object().nothing))


async def find_user_async():
    return find_user()


def test_async_getter(app):
    """Nobody awaits a getter: a ConfigError says so, or an error where that could not be seen before."""
    with pytest.raises(ConfigError, match="getter: must not be async"):
        resolvers.context_email(app, find_user_async, verified=True)
    resolver = resolvers.context_email(app, lambda: find_user_async(), verified=True)
    with pytest.raises(ResolverError, match="the getter returned a coroutine, which is not awaited"):
        resolver(make_environ("GET", PATH))


@pytest.mark.parametrize("getter", [None, "user", 7])
def test_no_getter(app, getter):
    """What cannot be called is a ConfigError."""
    with pytest.raises(ConfigError, match=r"getter: must be a callable \(\) -> user"):
        resolvers.context_email(app, getter, verified=True)


def test_error_in_getter(app):
    """An error of the getter's own reaches the application, and no context stays behind."""
    with pytest.raises(ZeroDivisionError):
        resolvers.context_email(app, lambda: 1 / 0, verified=True)(make_environ("GET", PATH))
    assert not flask.has_app_context()
    assert not flask.has_request_context()


def test_no_login_manager(users):
    """An application that Flask-Login does not know is an error that says which call is missing."""
    app = flask.Flask("shop")
    app.secret_key = "a session secret"
    browser = browse(app, by_login)
    with pytest.raises(MiddlewareOrderError, match=r"call login_manager\.init_app\(app\)"):
        visit(browser)
    manager = LoginManager()
    manager.user_loader(users.get)
    manager.init_app(app)
    assert visit(browser) == "login"


@each_resolver
def test_wsgi_app_instead_of_the_application(app, resolver):
    """What is no Flask application is a ConfigError."""
    with pytest.raises(ConfigError, match="app: must be the Flask application"):
        resolver(app.wsgi_app)


@pytest.fixture
def database(app, pool):
    """Let `app` find its users in a database, with a connection that a request keeps to its end."""

    def connection():
        if "connection" not in flask.g:
            flask.g.connection = pool.take()
        return flask.g.connection

    @app.teardown_appcontext
    def give_back(error):
        if flask.g.pop("connection", None):
            pool.give_back()

    def load(name):
        record = find(connection(), name)
        return record and User(name, record["email"], record["email_verified"])

    app.login_manager.user_loader(load)
    app.extensions["find"] = lambda name: name and load(name)

    class InDatabase(SecureCookieSessionInterface):
        def open_session(self, app, request):
            if request.headers.get("X-Outage"):
                connection().execute("SELECT * FROM sessions")  # there is no such table
            return super().open_session(app, request)

    app.session_interface = InDatabase()
    return pool


class TestDatabase:
    """A getter that queries a database returns its connection, whether it fails or not."""

    @each_of_users
    @pytest.mark.parametrize(("name", "expected"), [("jane", JANE), ("joe", "email_not_verified")])
    def test_user(self, app, database, resolver, name, expected):
        """A user who is handed off, and one who is refused, each twice."""
        browser = browse(app, resolver)
        browser.get(f"/login/{name}")
        for _ in range(2):
            taken = database.taken
            assert visit(browser) == expected
            assert database.taken == taken + 1
            assert not database.is_out

    def test_nobody(self, app, database):
        """For an anonymous visitor no connection is taken."""
        for resolver in (by_session, by_login, by_context):
            assert visit(wsgi_browser(protect_wsgi(app.wsgi_app, resolver(app)))) == "login"
        assert database.taken == 0

    @pytest.mark.parametrize("verified", ["no_such_attribute", lambda user: 1 / 0])
    def test_error_in_verified(self, app, database, verified):
        """An error of the application's own reaches it, and no connection stays behind."""
        browser = wsgi_browser(protect_wsgi(app.wsgi_app, resolvers.login_user_email(app, verified=verified)))
        wsgi_browser(app).get("/login/jane")
        browser.get("/login/jane")
        with pytest.raises((ResolverError, ZeroDivisionError)):
            visit(browser)
        assert not database.is_out

    @each_resolver
    def test_outage(self, app, database, resolver):
        """Nor after an outage while the session is opened."""
        browser = browse(app, resolver)
        browser.get("/login/jane")
        with pytest.raises(sqlite3.OperationalError):
            visit(browser, headers={"X-Outage": "now"})
        assert not database.is_out
        assert not flask.has_app_context()
        assert not flask.has_request_context()


class TestNobodyElse:
    """Nobody is handed off as the visitor before them in the same thread."""

    @pytest.fixture(params=[by_login, by_context])
    def browsers(self, app, users, request):
        self.failing = []

        @app.teardown_request
        def fail(error):
            if self.failing:
                raise KeyError(self.failing.pop())

        def remembered(name):  # by the application itself, as Flask-Login does
            if "somebody" not in flask.g:
                flask.g.somebody = users.get(name)
            return flask.g.somebody

        app.extensions["find"] = remembered
        users["max"] = User("max", "max@example.com")
        app.wsgi_app = protect_wsgi(app.wsgi_app, request.param(app))
        jane, somebody_else, nobody = (wsgi_browser(app) for _ in range(3))
        jane.get("/login/jane")
        somebody_else.get("/login/max")
        return jane, somebody_else, nobody

    def test_after_an_outage(self, app, database, browsers):
        """Not after the session could not be opened, where Flask's own `with` leaves a context behind."""
        app.login_manager.user_loader(lambda name: User(name, f"{name}@example.com"))
        app.extensions["find"] = lambda name: name and User(name, f"{name}@example.com")
        with pytest.raises(sqlite3.OperationalError):
            visit(browsers[0], headers={"X-Outage": "now"})
        assert [visit(browser) for browser in browsers] == [JANE, "max@example.com", "login"]

    def test_context_pushed_already(self, app, browsers):
        """Nor where an application context was pushed for good, as scripts do."""
        with app.app_context():
            assert [visit(browser) for browser in browsers] == [JANE, "max@example.com", "login"]
            assert not [*flask.g]

    def test_error_at_the_end_of_a_request(self, app, browsers):
        """Nor after a function for the end of a request has failed."""
        self.failing.append(True)
        with pytest.raises(KeyError):
            visit(browsers[0])
        assert not flask.has_app_context()
        assert [visit(browser) for browser in browsers] == [JANE, "max@example.com", "login"]

    def test_threads(self, app, browsers):
        """Nor in 8 threads at once that share a resolver."""
        cookies = [dict(browser.cookies) for browser in browsers]

        def look(number):
            with wsgi_browser(app) as browser:
                browser.cookies.update(cookies[number % 3])
                return visit(browser)

        with ThreadPoolExecutor(8) as threads:
            found = [*threads.map(look, range(90))]
        assert found == [JANE, "max@example.com", "login"] * 30


@each_of_users
def test_each_end_function_once(app, resolver):
    """The functions for the end run once, in Flask's order, with the refusal as the error if it is one."""
    ended = []
    app.teardown_request(lambda error: ended.append(("request", type(error))))
    app.teardown_appcontext(lambda error: ended.append(("application", type(error))))
    browser = browse(app, resolver)
    browser.get("/login/joe")
    ended.clear()
    assert visit(browser) == "email_not_verified"
    assert ended == [("request", HandoffRefused), ("application", HandoffRefused)]


@each_resolver
def test_environ_is_only_read(app, resolver):
    """Flask's notes on the request do not end up in the environ that the application may get."""
    environ = make_environ("GET", PATH)
    before = {**environ}
    assert resolver(app)(environ) is None
    assert environ == before


@each_resolver
def test_no_cookie_is_set(app, resolver):
    """A hand-off neither renews the session's cookie nor ends it, whatever was changed in the copy."""
    app.config["SESSION_REFRESH_EACH_REQUEST"] = True
    app.config["REMEMBER_COOKIE_REFRESH_EACH_REQUEST"] = True
    browser = browse(app, resolver)
    browser.get("/login/jane?remember")
    answer = browser.get(PATH)
    assert [value.partition("=")[0] for value in answer.headers.get_list("set-cookie")] == ["sso_handoffs"]


class TestForgedCookies:
    def cookie(self, app, salt="cookie-session", key="a session secret"):
        serializer = URLSafeTimedSerializer(
            key, salt, TaggedJSONSerializer(), signer_kwargs={"key_derivation": "hmac", "digest_method": sha1}
        )
        user = {"email": JANE, "email_verified": True}
        return serializer.dumps({"_user_id": "jane", "_fresh": True, "user_id": "jane", "who": user})

    @each_resolver
    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({}, JANE),
            ({"salt": "reset-password"}, "login"),
            ({"key": "another"}, "login"),
            ({"key": "old"}, JANE),
        ],
        ids=["genuine", "another salt", "another key", "a key of before"],
    )
    def test_session(self, app, resolver, changes, expected):
        """A session's cookie is good with the application's key, also a former one, and its salt alone."""
        app.config["SECRET_KEY_FALLBACKS"] = ["old"]
        browser = browse(app, resolver)
        assert visit(browser, headers={"Cookie": f"session={self.cookie(app, **changes)}"}) == expected

    @each_resolver
    def test_expired(self, app, resolver):
        """An expired session is nobody's."""
        app.config["PERMANENT_SESSION_LIFETIME"] = -1
        assert visit(browse(app, resolver), headers={"Cookie": f"session={self.cookie(app)}"}) == "login"

    @pytest.mark.parametrize("value", ["jane", "jane|", "jane|0", "jane|" + "0" * 128, "|", ""])
    def test_remember_me(self, app, value):
        """A remember-me cookie that nobody has signed is nobody's."""
        headers = {"Cookie": f"remember_token={value}"}
        assert visit(browse(app, by_login), headers=headers) == "login"

    def test_remember_me_that_was_logged_out(self, app):
        """Logging out takes the remember-me cookie away as well."""
        browser = browse(app, by_login)
        browser.get("/login/jane?remember")
        assert visit(browser) == JANE
        browser.get("/logout")
        assert "remember_token" not in browser.cookies
        assert visit(browser) == "login"


@each_resolver
def test_proxy_instead_of_the_application(app, resolver):
    """`current_app` stands for an application only as long as there is a request: a ConfigError."""
    with app.app_context(), pytest.raises(ConfigError, match="or current_app"):
        resolver(flask.current_app)


@each_resolver
def test_under_asgi(app, resolver):
    """In a scope, or inside Django, Flask would find no cookie: an error, and no anonymous visitor."""
    for source in (make_scope("GET", PATH), HttpRequest.__new__(HttpRequest)):
        with pytest.raises(
            ResolverError, match=r"^resolvers\.flask\.[a-z_]+_email is for WSGI: wrap the WSGI"
        ):
            resolver(app)(source)
