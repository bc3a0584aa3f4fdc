"""`end_session` of each ecosystem, with the real frameworks: nobody is signed in after a logout."""

from __future__ import annotations

import asyncio
from itertools import count

import flask
import httpx
import pytest
import quart
import quart_auth
from beaker.container import MemoryNamespaceManager
from beaker.middleware import SessionMiddleware as BeakerMiddleware
from bottle import Bottle, request
from cachelib import FileSystemCache
from fastapi import FastAPI
from flask.sessions import SessionInterface, SessionMixin
from flask_login import LoginManager, UserMixin, login_user, user_logged_out
from flask_session import Session
from pyramid.authentication import AuthTktCookieHelper
from pyramid.config import Configurator
from pyramid.response import Response
from pyramid.session import SignedCookieSessionFactory
from pyramid_beaker import BeakerSessionFactoryConfig
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request

from browsing import OPTIONS, asgi_browser, protect_asgi, protect_wsgi, visit, wsgi_browser
from clients import JANE, make_environ, make_scope
from sso_middleware import ConfigError, Logout, MiddlewareOrderError, ResolverError, asgi
from sso_middleware.resolvers import bottle as bottle_resolvers
from sso_middleware.resolvers import flask as flask_resolvers
from sso_middleware.resolvers import pyramid as pyramid_resolvers
from sso_middleware.resolvers import quart as quart_resolvers
from sso_middleware.resolvers import starlette as starlette_resolvers

pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utc:DeprecationWarning")  # Flask-Login's

LOGOUT = "/sso/logout"
USER = {"email": JANE, "email_verified": True}


def log_out(browser: httpx.Client) -> list[str]:
    """Open the Logout URL; return what it sets."""
    answer = browser.get(LOGOUT)
    assert answer.status_code == 303
    return answer.headers.get_list("set-cookie")


def attributes_of(cookie: str) -> set[str]:
    """The value and attributes of a Set-Cookie, without the time it is for."""
    parts = {part.strip().lower() for part in cookie.split(";")}
    return {part for part in parts if not part.startswith(("expires=", "max-age="))}


def visit_after_logout(browser: httpx.Client) -> tuple[str, str]:
    """Sign in and out; return who is handed off in this browser, and to somebody who kept its cookies."""
    browser.get("/login")
    kept = dict(browser.cookies)
    assert kept
    assert visit(browser) == JANE
    log_out(browser)
    here = visit(browser)
    browser.cookies.clear()
    return here, visit(browser, headers={"Cookie": "; ".join(f"{name}={kept[name]}" for name in kept)})


class Flask:
    """A Flask application whose session holds a user."""

    def __init__(self):
        self.app = flask.Flask("shop")
        self.app.secret_key = "a session secret"

        @self.app.get("/login")
        def log_in():
            flask.session["user"] = USER
            return ""

    def browse(self, resolver=None):
        resolver = resolver or flask_resolvers.session_email(
            self.app, "user", "email", verified="email_verified"
        )
        logout = Logout(flask_resolvers.end_session(self.app))
        self.app.wsgi_app = protect_wsgi(self.app.wsgi_app, resolver, logout=logout)
        return wsgi_browser(self.app)


class ServerSideSession(dict, SessionMixin):
    modified = accessed = False

    def __setitem__(self, key, value):
        super().__setitem__(key, value)
        self.modified = True


class ServerSideInterface(SessionInterface):
    """As pgAdmin's, which removes an empty session; with its cookie's path as Calibre-Web's."""

    def __init__(self):
        self.stored, self.ids = {}, count(1)

    def get_cookie_path(self, app):
        return flask.request.script_root or "/"

    def open_session(self, app, request):
        session_id = request.cookies.get(self.get_cookie_name(app))
        session = ServerSideSession(self.stored.get(session_id, {}))
        session.sid = session_id if session_id in self.stored else str(next(self.ids))
        return session

    def save_session(self, app, session, response):
        if not session.modified:
            return
        if not session:
            self.stored.pop(session.sid, None)
            return  # and leaves the cookie
        self.stored[session.sid] = dict(session)
        response.set_cookie(self.get_cookie_name(app), session.sid, path=self.get_cookie_path(app))


class TestFlask:
    def test_session_in_the_cookie(self):
        """The cookie is expired in this browser; a copy of it cannot be taken back."""
        assert visit_after_logout(Flask().browse()) == ("login", JANE)

    def test_flask_session(self, tmp_path):
        """A session of Flask-Session's is deleted: a copy of the cookie no longer works."""
        site = Flask()
        site.app.config.update(SESSION_TYPE="cachelib", SESSION_CACHELIB=FileSystemCache(tmp_path))
        Session(site.app)
        assert visit_after_logout(site.browse()) == ("login", "login")

    def test_interface_of_the_application(self):
        """A session of the application's own interface is deleted, even if it does not expire the cookie."""
        site = Flask()
        site.app.session_interface = ServerSideInterface()
        browser = site.browse()
        assert visit_after_logout(browser) == ("login", "login")
        assert site.app.session_interface.stored == {}

    def test_path_known_within_a_request(self):
        """The cookie is expired where the interface says within the request."""
        site = Flask()
        site.app.session_interface = ServerSideInterface()
        end = flask_resolvers.end_session(site.app)
        headers = end(make_environ("GET", LOGOUT, prefix="/shop"))
        assert "path=/shop" in attributes_of(headers[-1][1])

    def test_settings_of_the_moment(self):
        """The cookie is that of the configuration when the visitor logs out, Partitioned if that says so."""
        site = Flask()
        browser = site.browse()
        site.app.config.update(
            SESSION_COOKIE_NAME="__Secure-shop",
            SESSION_COOKIE_DOMAIN="example.com",
            SESSION_COOKIE_PATH="/",
            SESSION_COOKIE_SECURE=True,
            SESSION_COOKIE_SAMESITE="None",
            SESSION_COOKIE_PARTITIONED=True,
        )
        (cookie,) = log_out(browser)
        assert attributes_of(cookie) == {
            "__secure-shop=",
            "domain=example.com",
            "path=/",
            "secure",
            "httponly",
            "samesite=none",
            "partitioned",
        }

    def test_secure_cookie(self):
        """The cookie is Secure if the application's is, Partitioned or not."""
        site = Flask()
        site.app.config["SESSION_COOKIE_SECURE"] = True
        assert "secure" in attributes_of(*log_out(site.browse()))

    def test_partitioned_cookie_of_flask_session(self, tmp_path):
        """Flask-Session expires no Partitioned cookie, so that is done for it."""
        site = Flask()
        site.app.config.update(
            SESSION_TYPE="cachelib",
            SESSION_CACHELIB=FileSystemCache(tmp_path),
            SESSION_COOKIE_PARTITIONED=True,
        )
        Session(site.app)
        assert {"session=", "secure", "partitioned"} <= attributes_of(log_out(site.browse())[-1])

    def test_anonymous_visitor(self):
        """Somebody without a session is sent on as well."""
        assert attributes_of(*log_out(Flask().browse())) == {"session=", "path=/", "httponly"}

    def test_teardown(self):
        """The application's teardown functions run, for the connections that they give back."""
        site, torn = Flask(), []
        site.app.teardown_appcontext(torn.append)
        flask_resolvers.end_session(site.app)(make_environ("GET", LOGOUT))
        assert torn

    def test_no_session(self):
        """An application without a secret key has no session to end: an error that says so."""
        with pytest.raises(MiddlewareOrderError, match=r"set app\.secret_key first"):
            flask_resolvers.end_session(flask.Flask("shop"))(make_environ("GET", LOGOUT))

    def test_another_application(self):
        """Anything but the application itself is a ConfigError."""
        with pytest.raises(ConfigError, match=r"end_session\(app\): must be the Flask application itself"):
            flask_resolvers.end_session(flask.Flask("shop").wsgi_app)

    def test_under_asgi(self):
        """A scope is no environ."""
        with pytest.raises(ResolverError, match=r"flask\.end_session is for WSGI"):
            flask_resolvers.end_session(Flask().app)(make_scope("GET", LOGOUT))


class Person(UserMixin):
    id, email, email_verified = "jane", JANE, True


class TestFlaskLogin:
    @pytest.fixture
    def app(self):
        app = flask.Flask("shop")
        app.secret_key = "a session secret"
        LoginManager(app).user_loader({"jane": Person()}.get)

        @app.get("/login")
        def log_in():
            login_user(Person(), remember=True)
            return ""

        return app

    def browse(self, app):
        resolver = flask_resolvers.login_user_email(app, verified="email_verified")
        logout = Logout(flask_resolvers.end_session(app))
        app.wsgi_app = protect_wsgi(app.wsgi_app, resolver, logout=logout)
        return wsgi_browser(app)

    def test_remember_me(self, app):
        """The session and the remember-me cookie are expired in this browser, copies of them are not."""
        assert visit_after_logout(self.browse(app)) == ("login", JANE)

    def test_remember_me_alone(self, app):
        """A browser that has been closed in between is signed out as well."""
        browser = self.browse(app)
        browser.get("/login")
        browser.cookies.delete("session")
        assert visit(browser) == JANE
        log_out(browser)
        assert visit(browser) == "login"

    def test_server_side_session(self, app, tmp_path):
        """With Flask-Session, a session that somebody has kept is worth nothing."""
        app.config.update(SESSION_TYPE="cachelib", SESSION_CACHELIB=FileSystemCache(tmp_path))
        Session(app)
        browser = self.browse(app)
        browser.get("/login")
        kept = browser.cookies["session"]
        log_out(browser)
        browser.cookies.clear()
        assert visit(browser, headers={"Cookie": f"session={kept}"}) == "login"

    def test_settings(self, app):
        """The remember-me cookie is that of the configuration."""
        app.config.update(
            REMEMBER_COOKIE_NAME="me",
            REMEMBER_COOKIE_PATH="/shop",
            REMEMBER_COOKIE_DOMAIN="example.com",
            REMEMBER_COOKIE_SECURE=True,
        )
        cookies = log_out(self.browse(app))
        expected = {"me=", "path=/shop", "domain=example.com", "secure", "httponly"}
        assert attributes_of(cookies[0]) == expected

    def test_default_settings(self, app):
        """Without settings, the remember-me cookie is Flask-Login's own, and not Secure."""
        expected = {"remember_token=", "path=/", "httponly"}
        assert attributes_of(log_out(self.browse(app))[0]) == expected

    def test_signal(self, app):
        """Flask-Login tells the application who has logged out."""
        told = []
        with user_logged_out.connected_to(lambda app, user: told.append(user.email), app):
            browser = self.browse(app)
            browser.get("/login")
            log_out(browser)
        assert told == [JANE]

    def test_fork(self):
        """A manager of another package, such as Calibre-Web's, is left alone; its cookie is expired."""
        site = Flask()
        site.app.login_manager = object()
        assert "remember_token=" in attributes_of(log_out(site.browse())[0])


BEAKER = {"session.secret": "a session secret", "session.key": "sid"}
BEAKER_STORES = {
    "memory": {"session.type": "memory"},
    "file": {"session.type": "file"},
    "cookie": {"session.type": "cookie", "session.validate_key": "a session secret"},
}


@pytest.fixture(params=[False, True], ids=["", "auto"])
def beaker(request, tmp_path):
    """Options of Beaker's middleware for a store."""
    return lambda store: {
        **BEAKER,
        **BEAKER_STORES[store],
        "session.data_dir": str(tmp_path),
        "session.auto": request.param,
    }


def contents(directory):
    """What Beaker has stored, in files and in memory."""
    files = {str(path): path.read_bytes() for path in directory.rglob("*") if path.is_file()}
    return files | {name: {**stored} for name, stored in MemoryNamespaceManager.namespaces.dict.items()}


class TestBeaker:
    def browse(self, options, between=lambda app: app):
        app = Bottle()

        @app.get("/login")
        def log_in():
            session = request.environ["beaker.session"]
            session["user"] = USER
            session.save()

        resolver = bottle_resolvers.beaker_session_email("user", "email", verified="email_verified")
        protected = protect_wsgi(app, resolver, logout=Logout(bottle_resolvers.end_beaker_session()))
        return wsgi_browser(BeakerMiddleware(between(protected), options))

    @pytest.mark.parametrize("store", ["memory", "file"])
    def test_session_on_the_server(self, beaker, store):
        """The session is deleted in the store: a cookie that somebody has kept is worth nothing."""
        assert visit_after_logout(self.browse(beaker(store))) == ("login", "login")

    def test_session_in_the_cookie(self, beaker):
        """The cookie is expired in this browser; a copy of it cannot be taken back."""
        assert visit_after_logout(self.browse(beaker("cookie"))) == ("login", JANE)

    def test_session_opened_in_between(self, beaker):
        """A session that a middleware in between has changed is the one that counts."""

        def impersonate(app):
            def wrapped(environ, start_response):
                if environ["PATH_INFO"] == "/sso/helpdesk":
                    session = environ["beaker.session"]
                    session["user"] = USER | {"email": "eve@example.com"}
                return app(environ, start_response)

            return wrapped

        browser = self.browse(beaker("memory"), impersonate)
        browser.get("/login")
        assert visit(browser) == "eve@example.com"

    def test_session_made_in_between(self, beaker):
        """One that a middleware in between has made is ended, too."""

        def sign_in(app):
            def wrapped(environ, start_response):
                environ["beaker.session"]["user"] = USER
                environ["beaker.session"].save()
                return app(environ, start_response)

            return wrapped

        browser = self.browse(beaker("memory"), sign_in)
        (cookie,) = log_out(browser)
        assert cookie.strip().startswith("sid=")
        assert "sid" not in browser.cookies

    @pytest.mark.parametrize("path", ["/sso/helpdesk", LOGOUT])
    @pytest.mark.parametrize("store", BEAKER_STORES)
    def test_anonymous_visitor(self, beaker, store, path, tmp_path):
        """A visitor without a session gets none, neither in the store nor in the browser."""
        before = contents(tmp_path)
        browser = self.browse(beaker(store))
        browser.get(path)
        assert "sid" not in browser.cookies
        assert contents(tmp_path) == before

    @pytest.mark.parametrize("store", BEAKER_STORES)
    def test_hand_off_only_reads(self, beaker, store, tmp_path):
        """A hand-off changes neither the session in the store nor the cookie in the browser."""
        browser = self.browse(beaker(store))
        browser.get("/login")
        before = contents(tmp_path)
        answer = browser.get("/sso/helpdesk")
        assert answer.headers["location"].startswith("https://")
        names = [cookie.partition("=")[0].strip() for cookie in answer.headers.get_list("set-cookie")]
        assert names == ["sso_handoffs"]
        assert contents(tmp_path) == before

    def test_wrong_order(self):
        """Beaker inside is an error that says how to wrap."""
        with pytest.raises(MiddlewareOrderError, match="Beaker's SessionMiddleware must be outside"):
            bottle_resolvers.end_beaker_session()(make_environ("GET", LOGOUT))

    def test_under_asgi(self):
        """A scope is no environ."""
        with pytest.raises(ResolverError, match=r"bottle\.end_beaker_session is for WSGI"):
            bottle_resolvers.end_beaker_session()(make_scope("GET", LOGOUT))


class InStore:
    """A session middleware that keeps its sessions on the server, as starsessions does."""

    def __init__(self, app):
        self.app, self.stored = app, {}

    async def __call__(self, scope, receive, send):
        scope["session"] = {**self.stored.get(Request(scope).cookies.get("id"), {})}

        async def save(message):
            if message["type"] == "http.response.start":
                self.stored["1"] = scope["session"]
                if scope["session"]:
                    message["headers"] = [*message["headers"], (b"set-cookie", b"id=1")]
            await send(message)

        await self.app(scope, receive, save)


class TestStarlette:
    def browse(self, session_middleware, **options):
        app = FastAPI()

        @app.get("/login")
        async def log_in(request: Request):
            request.session["user"] = USER

        resolver = starlette_resolvers.session_email("user", "email", verified="email_verified")
        logout = Logout(starlette_resolvers.end_session())
        app.add_middleware(asgi.SSOMiddleware, resolve_email=resolver, logout=logout, **OPTIONS)
        app.add_middleware(session_middleware, **options)
        return asgi_browser(app)

    def test_session_in_the_cookie(self):
        """The cookie is expired in this browser; a copy of it cannot be taken back."""
        assert visit_after_logout(self.browse(SessionMiddleware, secret_key="secret")) == ("login", JANE)

    def test_session_on_the_server(self):
        """A middleware that keeps its sessions itself finds this one empty."""
        assert visit_after_logout(self.browse(InStore)) == ("login", "login")

    def test_settings_of_the_middleware(self):
        """SessionMiddleware expires its own cookie, as it was set."""
        browser = self.browse(
            SessionMiddleware, secret_key="s", session_cookie="shop", path="/sso", https_only=True
        )
        browser.get("/login")
        (cookie,) = log_out(browser)
        assert {"shop=null", "path=/sso", "secure"} <= attributes_of(cookie)

    def test_anonymous_visitor(self):
        """Somebody without a session gets no cookie."""
        assert log_out(self.browse(SessionMiddleware, secret_key="secret")) == []

    def test_wrong_order(self):
        """Without a session middleware outside, it is an error that says how to add one."""
        with pytest.raises(MiddlewareOrderError, match="add SessionMiddleware outside"):
            asyncio.run(starlette_resolvers.end_session()(make_scope("GET", LOGOUT)))


class Policy:
    def __init__(self):
        self.ticket = AuthTktCookieHelper("a session secret", hashalg="sha512", wild_domain=False)
        self.forgotten = []

    def identity(self, request):
        return USER if self.ticket.identify(request) or request.session.get("user") else None

    def forget(self, request):
        self.forgotten.append(request.session.get("user"))
        return self.ticket.forget(request)


class TestPyramid:
    def site(self, factory=None, policy=None, *includes):
        def log_in(request):
            if factory:
                request.session["user"] = USER
            return Response(headerlist=policy.ticket.remember(request, "jane") if not factory else [])

        with Configurator() as config:
            for name in includes:
                config.include(name)
            if factory:
                config.set_session_factory(factory)
            if policy:
                config.set_security_policy(policy)
            config.add_route("login", "/login")
            config.add_view(log_in, route_name="login")
            return config.make_wsgi_app()

    def browse(self, router, getter=lambda request: request.session.get("user")):
        resolver = pyramid_resolvers.request_email(router, getter, verified="email_verified")
        return wsgi_browser(
            protect_wsgi(router, resolver, logout=Logout(pyramid_resolvers.end_session(router)))
        )

    def test_session_in_the_cookie(self):
        """The session is emptied in this browser; a copy of its cookie cannot be taken back."""
        router = self.site(SignedCookieSessionFactory("a session secret"))
        assert visit_after_logout(self.browse(router)) == ("login", JANE)

    def test_session_on_the_server(self, tmp_path):
        """A session of Beaker's is deleted: a cookie that somebody has kept is worth nothing."""
        factory = BeakerSessionFactoryConfig(type="file", data_dir=str(tmp_path), secret="s", key="sid")
        browser = self.browse(self.site(factory))
        assert visit_after_logout(browser) == ("login", "login")

    def test_security_policy(self):
        """The security policy forgets the user while the session still says who that is."""
        policy = Policy()
        router = self.site(SignedCookieSessionFactory("a session secret"), policy)
        browser = self.browse(router, lambda request: request.identity)
        browser.get("/login")
        cookies = log_out(browser)
        assert policy.forgotten == [USER]
        assert {cookie.partition("=")[0] for cookie in cookies} == {"auth_tkt", "session"}
        assert visit(browser) == "login"

    def test_without_sessions(self):
        """An application whose policy has all in a cookie of its own needs no session."""

        class Ticket(Policy):
            def identity(self, request):
                return USER if self.ticket.identify(request) else None

            def forget(self, request):
                return self.ticket.forget(request)

        browser = self.browse(self.site(None, Ticket()), lambda request: request.identity)
        browser.get("/login")
        assert visit(browser) == JANE
        log_out(browser)
        assert visit(browser) == "login"

    def test_response_callbacks(self):
        """A response callback of the policy gets the request and may set a cookie."""

        class Forgetful(Policy):
            def forget(self, request):
                request.add_response_callback(
                    lambda request, response: response.delete_cookie("device", domain=request.host)
                )
                return []

        (cookie,) = log_out(self.browse(self.site(None, Forgetful()), lambda request: None))
        assert {"device=", "domain=app.example.com"} <= attributes_of(cookie)

    @pytest.mark.parametrize("fails", [False, True])
    def test_transaction(self, fails):
        """With pyramid_tm, what the policy does is committed, or aborted after an error."""
        ended = []

        class Recording(Policy):
            def forget(self, request):
                request.tm.get().addAfterCommitHook(lambda success: ended.append("committed"))
                request.tm.get().addAfterAbortHook(lambda: ended.append("aborted"))
                if fails:
                    raise ZeroDivisionError
                return []

        router = self.site(None, Recording(), "pyramid_tm")
        end = pyramid_resolvers.end_session(router)
        if fails:
            with pytest.raises(ZeroDivisionError):
                end(make_environ("GET", LOGOUT))
        else:
            end(make_environ("GET", LOGOUT))
        assert ended == ["aborted" if fails else "committed"]

    def test_not_the_router(self):
        """Anything but the router is a ConfigError."""
        with pytest.raises(ConfigError, match=r"end_session\(router\): must be the result of config"):
            pyramid_resolvers.end_session(lambda environ, start_response: [])

    def test_under_asgi(self):
        """A scope is no environ."""
        with pytest.raises(ResolverError, match=r"pyramid\.end_session is for WSGI"):
            pyramid_resolvers.end_session(self.site())(make_scope("GET", LOGOUT))


class TestQuart:
    @pytest.fixture
    def app(self):
        app = quart.Quart("shop")
        app.secret_key = "a session secret"

        @app.get("/login")
        async def log_in():
            quart.session["user"] = USER
            if "QUART_AUTH" in app.extensions:
                quart_auth.login_user(quart_auth.AuthUser("jane"))
            return ""

        return app

    def browse(self, app, getter=lambda: quart.session.get("user")):
        resolver = quart_resolvers.context_email(app, getter, verified="email_verified")
        logout = Logout(quart_resolvers.end_session(app))
        app.asgi_app = protect_asgi(app.asgi_app, resolver, logout=logout)
        return asgi_browser(app)

    def test_session_in_the_cookie(self, app):
        """The cookie is expired in this browser; a copy of it cannot be taken back."""
        assert visit_after_logout(self.browse(app)) == ("login", JANE)

    @pytest.mark.parametrize("is_async", [True, False])
    def test_session_on_the_server(self, app, is_async):
        """A session that the application's own interface keeps is deleted, also if that is not async."""
        stored = {}

        class Interface(quart.sessions.SessionInterface):
            async def open_session(self, app, request):
                return ServerSideSession(stored.get(request.cookies.get("session"), {}))

            def save(self, app, session, response):
                if session.modified:
                    stored["1"] = dict(session)
                if session:
                    response.set_cookie("session", "1")
                else:
                    response.delete_cookie("device")

            async def save_async(self, app, session, response):
                self.save(app, session, response)

            save_session = save_async if is_async else save

        app.session_interface = Interface()
        browser = self.browse(app)
        assert visit_after_logout(browser) == ("login", "login")
        names = [cookie.partition("=")[0] for cookie in log_out(browser)]
        assert names == ["device", "session"]

    def test_settings_of_the_moment(self, app):
        """The cookie is that of the configuration when the visitor logs out, Partitioned if that says so."""
        browser = self.browse(app)
        app.config.update(
            SESSION_COOKIE_NAME="shop",
            SESSION_COOKIE_DOMAIN="example.com",
            SESSION_COOKIE_PATH="/",
            SESSION_COOKIE_PARTITIONED=True,
        )
        cookie = log_out(browser)[-1]  # an older Quart expires one that is not Partitioned, too
        expected = {"shop=", "domain=example.com", "path=/", "secure", "httponly", "partitioned"}
        assert attributes_of(cookie) == expected

    def test_secure_cookie(self, app):
        """Path, Secure and SameSite are those of the application's own cookie."""
        app.config.update(
            SESSION_COOKIE_PATH="/shop", SESSION_COOKIE_SECURE=True, SESSION_COOKIE_SAMESITE="Strict"
        )
        (cookie,) = log_out(self.browse(app))
        assert attributes_of(cookie) == {"session=", "path=/shop", "secure", "httponly", "samesite=strict"}

    def test_quart_auth(self, app):
        """Quart-Auth's cookie is expired, too."""
        quart_auth.QuartAuth(app)

        async def current_user():
            return USER if await quart_auth.current_user.is_authenticated else None

        assert visit_after_logout(self.browse(app, current_user)) == ("login", JANE)

    def test_quart_auth_with_bearer_tokens(self, app):
        """With tokens in a header there is no cookie of Quart-Auth's to expire."""
        quart_auth.QuartAuth(app, mode="bearer")
        assert [cookie.partition("=")[0] for cookie in log_out(self.browse(app))] == ["session"]

    def test_no_session(self):
        """An application without a secret key has no session to end: an error that says so."""
        app = quart.Quart("shop")
        with pytest.raises(MiddlewareOrderError, match=r"set app\.secret_key first"):
            asyncio.run(quart_resolvers.end_session(app)(make_scope("GET", LOGOUT)))

    def test_another_application(self):
        """Anything but the application itself is a ConfigError."""
        with pytest.raises(ConfigError, match=r"end_session\(app\): must be the Quart application itself"):
            quart_resolvers.end_session(quart.Quart("shop").asgi_app)
