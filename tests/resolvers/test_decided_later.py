"""What an application decides in hooks of its own, which no resolver from outside sees run.

Each application here ends the session before its view runs. The resolvers say in their documentation that
they do not see this; a getter that runs the hooks itself does, and a hand-off from a view, too.
"""

from __future__ import annotations

import json
from importlib.metadata import version

import bottle
import flask
import pytest
import quart
from beaker.middleware import SessionMiddleware as BeakerSessions
from packaging.version import Version
from pyramid.config import Configurator
from pyramid.response import Response as PyramidResponse
from pyramid.session import SignedCookieSessionFactory
from quart.globals import app_ctx
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.responses import JSONResponse
from starlette.routing import Route

from applications import SECRET, VERIFIED
from browsing import OPTIONS, PATH, asgi_browser, protect_asgi, protect_wsgi, visit, wsgi_browser
from clients import JANE
from sso_middleware.asgi import SSOMiddleware
from sso_middleware.resolvers import bottle as for_bottle
from sso_middleware.resolvers import flask as for_flask
from sso_middleware.resolvers import pyramid as for_pyramid
from sso_middleware.resolvers import quart as for_quart
from sso_middleware.resolvers import starlette as for_starlette

RECORD = {"email": JANE, "email_verified": True}
HOOKED = ("/who", PATH)


def by_before_request_of_flask(*, run_hooks=False):
    app = flask.Flask("shop")
    app.secret_key = SECRET
    app.before_request(lambda: flask.session.clear() if flask.request.path in HOOKED else None)
    app.add_url_rule("/in", "in", lambda: flask.session.update(user=RECORD) or "")
    app.add_url_rule("/who", "who", lambda: [flask.session.get("user")])

    def find():
        return None if run_hooks and app.preprocess_request() else flask.session.get("user")

    app.wsgi_app = protect_wsgi(app.wsgi_app, for_flask.context_email(app, find, **VERIFIED))
    return wsgi_browser(app)


def by_before_request_of_quart(*, run_hooks=False):
    app = quart.Quart("shop")
    app.secret_key = SECRET

    @app.before_request
    async def end_session():
        if quart.request.path in HOOKED:
            quart.session.clear()

    @app.get("/in")
    async def log_in():
        quart.session["user"] = RECORD
        return ""

    @app.get("/who")
    async def who():
        return [quart.session.get("user")]

    async def find():
        context = [app_ctx] if Version(version("quart")) >= Version("0.23") else []
        if run_hooks and await app.preprocess_request(*context):
            return None
        return quart.session.get("user")

    app.asgi_app = protect_asgi(app.asgi_app, for_quart.context_email(app, find, **VERIFIED))
    return asgi_browser(app)


def end_session_in_pyramid(handler, registry):
    """Make a tween, which Pyramid takes by its name alone."""

    def end_session(request):
        if request.path in HOOKED:
            request.session.invalidate()
        return handler(request)

    return end_session


def by_tween_of_pyramid():
    def log_in(request):
        request.session["user"] = RECORD
        return PyramidResponse()

    with Configurator() as config:
        config.set_session_factory(SignedCookieSessionFactory(SECRET))
        config.add_tween(f"{__name__}.end_session_in_pyramid")
        config.add_route("in", "/in")
        config.add_view(log_in, route_name="in")
        config.add_route("who", "/who")
        config.add_view(
            lambda request: PyramidResponse(json_body=[request.session.get("user")]), route_name="who"
        )
        router = config.make_wsgi_app()
    resolver = for_pyramid.request_email(router, lambda request: request.session.get("user"), **VERIFIED)
    return wsgi_browser(protect_wsgi(router, resolver))


def by_hook_of_bottle():
    app = bottle.Bottle()

    def session():
        return bottle.request.environ["beaker.session"]

    @app.hook("before_request")
    def end_session():
        if bottle.request.path in HOOKED:
            session().pop("user", None)

    @app.get("/in")
    def log_in():
        session()["user"] = RECORD
        session().save()

    app.get("/who")(lambda: json.dumps([session().get("user")]))
    protected = protect_wsgi(app, for_bottle.beaker_session_email("user", "email", **VERIFIED))
    return wsgi_browser(BeakerSessions(protected, {"session.type": "memory"}))


def by_inner_middleware_of_starlette():
    class EndSession:
        def __init__(self, app):
            self.app = app

        async def __call__(self, scope, receive, send):
            if scope["path"] in HOOKED:
                scope["session"].clear()
            await self.app(scope, receive, send)

    async def log_in(request):
        request.session["user"] = RECORD
        return JSONResponse(None)

    async def who(request):
        return JSONResponse([request.session.get("user")])

    resolver = for_starlette.session_email("user", "email", **VERIFIED)
    middleware = [
        Middleware(SessionMiddleware, secret_key=SECRET),
        Middleware(SSOMiddleware, resolve_email=resolver, **OPTIONS),
        Middleware(EndSession),
    ]
    return asgi_browser(Starlette(routes=[Route("/in", log_in), Route("/who", who)], middleware=middleware))


@pytest.mark.parametrize(
    "browse",
    [
        by_before_request_of_flask,
        by_before_request_of_quart,
        by_tween_of_pyramid,
        by_hook_of_bottle,
        by_inner_middleware_of_starlette,
    ],
)
def test_what_is_decided_later_is_not_seen(browse):
    """The hand-off names whom the session names, though the view knows nobody: documented, and a limit."""
    browser = browse()
    browser.get("/in")
    assert visit(browser) == JANE
    assert browser.get("/who").json() == [None]


@pytest.mark.parametrize("browse", [by_before_request_of_flask, by_before_request_of_quart])
def test_a_getter_that_runs_the_hooks(browse):
    """It sees what they decide."""
    browser = browse(run_hooks=True)
    browser.get("/in")
    assert visit(browser) == "login"
    assert browser.get("/who").json() == [None]
