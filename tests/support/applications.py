"""One application for each framework: pages to sign in and out, a page that says who it is, and the hand-off.

Each has ``/in/<name>``, ``/out``, ``/as/<name>`` (impersonation) and ``/who``, which answers with address,
active and verified, or null.
"""

from __future__ import annotations

import json
import shutil
from datetime import timedelta

import bottle
import flask
import flask_login
import quart
from beaker.middleware import SessionMiddleware as BeakerSessions
from cachelib import FileSystemCache
from flask_session import Session
from pyramid.config import Configurator
from pyramid.response import Response as PyramidResponse
from pyramid.session import SignedCookieSessionFactory
from starlette.applications import Starlette
from starlette.authentication import AuthCredentials, AuthenticationBackend
from starlette.middleware import Middleware
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.responses import JSONResponse
from starlette.routing import Route

from browsing import OPTIONS, PATH, asgi_browser, protect_asgi, protect_wsgi, wsgi_browser
from sso_middleware.asgi import SSOMiddleware
from sso_middleware.resolvers import bottle as for_bottle
from sso_middleware.resolvers import flask as for_flask
from sso_middleware.resolvers import pyramid as for_pyramid
from sso_middleware.resolvers import quart as for_quart
from sso_middleware.resolvers import starlette as for_starlette

SECRET = "a session secret of thirty-two bytes"
VERIFIED = {"verified": "email_verified"}
LONG, OVER = timedelta(days=1), timedelta(seconds=-1)


class Application:
    """An application in front of a browser.

    Attributes:
        cookies: the names of those that say who is signed in.
        expire: makes every session that there is too old, in the way of the framework.
        revive: sets that back for new ones.
    """

    def __init__(self, browser, *cookies, expire=lambda: None, revive=lambda: None):
        self.browser = browser
        self.cookies = cookies
        self.expire = expire
        self.revive = revive


def _flask(people):
    app = flask.Flask("shop")
    app.secret_key = SECRET

    @app.get("/in/<name>")
    def log_in(name):
        people.sign_in(flask.session, name)
        flask.session.permanent = True
        flask.session["record"] = people.record(name)
        return ""

    @app.get("/out")
    def log_out():
        flask.session.clear()
        return ""

    @app.get("/as/<name>")
    def impersonate(name):
        flask.session["impersonated"] = name
        return ""

    return app


def _finish_flask(app, resolver, *cookies, clear=None):
    app.wsgi_app = protect_wsgi(app.wsgi_app, resolver)

    def expire(lifetime=OVER):
        app.permanent_session_lifetime = lifetime

    return Application(
        wsgi_browser(app),
        *(cookies or ["session"]),
        expire=clear or expire,
        revive=lambda: clear or expire(LONG),
    )


def flask_context(people, folder):
    """Flask, with a user that a function of the application finds."""
    app = _flask(people)
    app.add_url_rule("/who", view_func=lambda: [people.describe(people.find(flask.session))])
    return _finish_flask(app, for_flask.context_email(app, lambda: people.find(flask.session), **VERIFIED))


def flask_session(people, folder):
    """Flask, with the whole user in the session."""
    app = _flask(people)
    app.add_url_rule("/who", view_func=lambda: [[*flask.session.get("record", {}).values()] or None])
    return _finish_flask(app, for_flask.session_email(app, "record", "email", **VERIFIED))


def flask_server_side(people, folder):
    """Flask-Session, with a session on the server."""
    app = _flask(people)
    cache = FileSystemCache(str(folder))
    app.config.update(SESSION_TYPE="cachelib", SESSION_CACHELIB=cache)
    Session(app)
    app.add_url_rule("/who", view_func=lambda: [people.describe(people.find(flask.session))])
    resolver = for_flask.context_email(app, lambda: people.find(flask.session), **VERIFIED)
    return _finish_flask(app, resolver, clear=cache.clear)


def flask_login_users(people, folder):
    """Flask-Login, with remember-me cookies that carry a stamp of the password."""
    app = flask.Flask("shop")
    app.secret_key = SECRET
    manager = flask_login.LoginManager(app)

    @manager.user_loader
    def load(user_id):
        name, password = user_id.split("|")
        account = people.accounts[flask.session.get("impersonated", name)]
        return account if str(people.accounts[name].password) == password else None

    @manager.request_loader
    def decide(request):
        return people.accounts.get(people.decided)

    @app.get("/in/<name>")
    def log_in(name):
        flask.session.permanent = True
        flask.session.pop("impersonated", None)
        flask_login.login_user(people.accounts[name], remember="remember" in flask.request.args, force=True)
        return ""

    @app.get("/out")
    def log_out():
        flask.session.clear()
        flask_login.logout_user()
        return ""

    @app.get("/as/<name>")
    def impersonate(name):
        flask.session["impersonated"] = name
        return ""

    @app.get("/who")
    def who():
        user = flask_login.current_user
        return [people.describe(user) if user.is_authenticated else None]

    resolver = for_flask.login_user_email(app, **VERIFIED)
    return _finish_flask(app, resolver, "session", "remember_token")


def quart_context(people, folder):
    """Quart, with a user that a function of the application finds."""
    app = quart.Quart("shop")
    app.secret_key = SECRET

    @app.get("/in/<name>")
    async def log_in(name):
        people.sign_in(quart.session, name)
        quart.session.permanent = True
        return ""

    @app.get("/out")
    async def log_out():
        quart.session.clear()
        return ""

    @app.get("/as/<name>")
    async def impersonate(name):
        quart.session["impersonated"] = name
        return ""

    @app.get("/who")
    async def who():
        return [people.describe(people.find(quart.session))]

    def expire(lifetime=OVER):
        app.permanent_session_lifetime = lifetime

    resolver = for_quart.context_email(app, lambda: people.find(quart.session), **VERIFIED)
    app.asgi_app = protect_asgi(app.asgi_app, resolver)
    return Application(asgi_browser(app), "session", expire=expire, revive=lambda: expire(LONG))


def _starlette(people, who, resolver, *between):
    async def log_in(request):
        people.sign_in(request.session, request.path_params["name"])
        request.session["record"] = people.record(request.path_params["name"])
        return JSONResponse(None)

    async def log_out(request):
        request.session.clear()
        return JSONResponse(None)

    async def impersonate(request):
        request.session["impersonated"] = request.path_params["name"]
        return JSONResponse(None)

    routes = [
        Route("/in/{name}", log_in),
        Route("/out", log_out),
        Route("/as/{name}", impersonate),
        Route("/who", who),
    ]
    app = Starlette(
        routes=routes,
        middleware=[
            Middleware(SessionMiddleware, secret_key=SECRET),
            *between,
            Middleware(SSOMiddleware, resolve_email=resolver, **OPTIONS),
        ],
    )
    app.middleware_stack = app.build_middleware_stack()
    sessions = app.middleware_stack.app

    def expire(max_age=-1):
        sessions.max_age = max_age

    return Application(asgi_browser(app), "session", expire=expire, revive=lambda: expire(1000))


def starlette_user(people, folder):
    """Starlette's AuthenticationMiddleware, and a middleware inside of it that may set another user."""

    class Backend(AuthenticationBackend):
        async def authenticate(self, conn):
            account = people.find(conn.session) if people.decided is None else None
            return account and (AuthCredentials(), account)

    class Decide:
        def __init__(self, app):
            self.app = app

        async def __call__(self, scope, receive, send):
            if people.decided:
                scope["user"] = people.accounts[people.decided]
            await self.app(scope, receive, send)

    async def who(request):
        user = request.user
        return JSONResponse([people.describe(user) if user.is_authenticated else None])

    between = Middleware(AuthenticationMiddleware, backend=Backend()), Middleware(Decide)
    return _starlette(people, who, for_starlette.user_email(**VERIFIED), *between)


def starlette_session(people, folder):
    """Starlette's SessionMiddleware, with the whole user in the session."""

    async def who(request):
        return JSONResponse([[*request.session.get("record", {}).values()] or None])

    return _starlette(people, who, for_starlette.session_email("record", "email", **VERIFIED))


def pyramid_identity(people, folder):
    """Pyramid, with a security policy."""

    class Policy:
        def identity(self, request):
            return people.find(request.session)

    def log_in(request):
        people.sign_in(request.session, request.matchdict["name"])
        return PyramidResponse()

    def log_out(request):
        request.session.invalidate()
        return PyramidResponse()

    def impersonate(request):
        request.session["impersonated"] = request.matchdict["name"]
        return PyramidResponse()

    def who(request):
        return PyramidResponse(json.dumps([people.describe(request.identity)]))

    with Configurator() as config:
        config.set_security_policy(Policy())
        config.set_session_factory(SignedCookieSessionFactory(SECRET))
        for path, view in (("/in/{name}", log_in), ("/out", log_out), ("/as/{name}", impersonate)):
            config.add_route(path, path)
            config.add_view(view, route_name=path)
        config.add_route("who", "/who")
        config.add_view(who, route_name="who")
        router = config.make_wsgi_app()
    resolver = for_pyramid.request_email(router, lambda request: request.identity, **VERIFIED)
    return Application(wsgi_browser(protect_wsgi(router, resolver)), "session")


def bottle_beaker(people, folder):
    """Bottle with Beaker's sessions in files, and a middleware inside of Beaker's that may set the user."""
    app = bottle.Bottle()

    def session():
        return bottle.request.environ["beaker.session"]

    @app.get("/in/<name>")
    def log_in(name):
        session()["user"] = people.record(name)
        session().save()

    @app.get("/out")
    def log_out():
        session().delete()

    @app.get("/as/<name>")
    def impersonate(name):
        if "user" in session():
            session()["user"] = people.record(name)
            session().save()

    @app.get("/who")
    def who():
        return json.dumps([[*session().get("user", {}).values()] or None])

    def decide(environ, start_response):
        if people.decided is not None and environ["PATH_INFO"] in ("/who", PATH):
            record = {"user": people.record(people.decided)} if people.decided else {}
            environ["beaker.session"] = record
        return protected(environ, start_response)

    protected = protect_wsgi(app, for_bottle.beaker_session_email("user", "email", **VERIFIED))
    options = {"session.type": "file", "session.data_dir": str(folder), "session.key": "session"}
    return Application(
        wsgi_browser(BeakerSessions(decide, options)),
        "session",
        expire=lambda: shutil.rmtree(folder, ignore_errors=True),
    )


APPLICATIONS = (
    flask_context,
    flask_session,
    flask_server_side,
    flask_login_users,
    quart_context,
    starlette_user,
    starlette_session,
    pyramid_identity,
    bottle_beaker,
)
