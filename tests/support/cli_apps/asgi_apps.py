"""ASGI applications for `sso-middleware check`: one as it should be, and ones with a mistake each."""

import sys
import threading
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Mount, Route

from sso_middleware import HelpDesk, Logout, expire_cookies
from sso_middleware.asgi import SSOMiddleware
from sso_middleware.resolvers.proxy import trusted_header
from sso_middleware.resolvers.starlette import session_email

EMAIL = "jane@example.com"


async def hello(request):
    return PlainTextResponse("hello")


def by_cookie(scope):
    return EMAIL if (b"cookie", b"signed_in=1") in scope["headers"] else None


async def by_session(scope):
    return scope["session"].get("email")


def sso(resolve_email=by_cookie, **options):
    options.setdefault("login_url", "/login")
    return Middleware(SSOMiddleware, helpdesk=HelpDesk.from_env(), resolve_email=resolve_email, **options)


SESSIONS = Middleware(SessionMiddleware, secret_key="a secret of the application")
ROUTES = [Route("/", hello), Route("/login", hello)]


def starlette_app(**options):
    @asynccontextmanager
    async def lifespan(app):
        yield {"started": True}

    def resolve_email(scope):
        assert scope["state"]["started"]
        return by_cookie(scope)

    middleware = [sso(resolve_email, logout=Logout(expire_cookies("signed_in"), path="/sso/logout"))]
    return Starlette(routes=ROUTES, middleware=middleware, lifespan=lifespan, **options)


app = starlette_app()


def fastapi_app():
    from fastapi import FastAPI  # noqa: PLC0415 - slow, and the others do without

    app = FastAPI()
    app.add_middleware(SSOMiddleware, helpdesk=HelpDesk.from_env(), resolve_email=by_session)
    app.add_middleware(SessionMiddleware, secret_key="a secret of the application")
    app.add_api_route("/sso/helpdesk", lambda: "please sign in")
    return app


def quart_app(wrap=None):
    from quart import Quart, request  # noqa: PLC0415 - slow, and the others do without

    from sso_middleware.resolvers.quart import context_email  # noqa: PLC0415

    app = Quart(__name__)
    app.add_url_rule("/", "start", lambda: "hello")
    app.add_url_rule("/login", "login", lambda: "hello")
    resolver = context_email(app, lambda: EMAIL if "signed_in" in request.cookies else None, verified=True)
    logout = Logout(expire_cookies("signed_in"))

    def wrapped(inner):
        return SSOMiddleware(inner, HelpDesk.from_env(), resolver, login_url="/login", logout=logout)

    if wrap == "outside":
        return wrapped(app)
    app.asgi_app = wrapped(app.asgi_app)
    return app


def quart_app_from_outside():
    return quart_app("outside")


def plain_quart():
    from quart import Quart  # noqa: PLC0415

    return Quart(__name__)


def trusting_a_secret():
    secret = ("X-Proxy-Secret", "known-to-the-proxy-alone")
    return Starlette(routes=ROUTES, middleware=[sso(trusted_header("X-Forwarded-Email", secret=secret))])


def session_inside():
    return Starlette(routes=ROUTES, middleware=[sso(by_session), SESSIONS])


def session_inside_of_a_ready_made_resolver():
    return Starlette(routes=ROUTES, middleware=[sso(session_email("email", verified=True)), SESSIONS])


def around():
    return SSOMiddleware(
        Starlette(routes=ROUTES, middleware=[SESSIONS]), HelpDesk.from_env(), by_session, login_url="/login"
    )


def mounted():
    """Under /portal, where the Auth URL does not lead."""
    return Starlette(
        routes=[Route("/", hello), Mount("/portal", app=Starlette(routes=ROUTES, middleware=[sso()]))]
    )


def mounted_right():
    return Starlette(
        routes=[Mount("/sso", app=Starlette(routes=ROUTES, middleware=[sso(paths="/helpdesk")]))]
    )


def no_lifespan():
    async def app(scope, receive, send):
        assert scope["type"] == "http"
        while (await receive())["more_body"]:
            pass
        await PlainTextResponse("hello")(scope, receive, send)
        assert (await receive())["type"] == "http.disconnect"

    return SSOMiddleware(app, HelpDesk.from_env(), by_cookie, login_url="/login")


def believing_the_proxy():
    async def resolve_email(scope):
        headers = dict(scope["headers"])
        by_proxy = scope["client"][0] == "127.0.0.1"
        return (
            headers[b"x-forwarded-email"].decode() if by_proxy and b"x-forwarded-email" in headers else None
        )

    return Starlette(routes=ROUTES, middleware=[sso(resolve_email)])


def believing_a_common_header():
    async def resolve_email(scope):
        return HTTPConnection(scope).headers.get("X-Email")

    return Starlette(routes=ROUTES, middleware=[sso(resolve_email)])


def exiting():
    async def resolve_email(scope):
        sys.exit(7)

    return Starlette(routes=ROUTES, middleware=[sso(resolve_email)])


def exiting_in_a_task():
    async def login(request):
        sys.exit(7)

    async def passing_on(request, call_next):
        return await call_next(request)

    middleware = [sso(), Middleware(BaseHTTPMiddleware, dispatch=passing_on)]
    return Starlette(routes=[Route("/login", login)], middleware=middleware)


def exiting_at_the_start():
    @asynccontextmanager
    async def lifespan(app):
        sys.exit(7)
        yield

    return Starlette(routes=ROUTES, middleware=[sso()], lifespan=lifespan)


def silent():
    async def app(scope, receive, send):
        pass

    return SSOMiddleware(app, HelpDesk.from_env(), by_cookie)


def breaking_off():
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"hel", "more_body": True})

    return SSOMiddleware(app, HelpDesk.from_env(), by_cookie)


def streaming_login_page():
    async def login(request):
        return StreamingResponse(iter(["hel", "lo"]))

    return Starlette(routes=[Route("/login", login)], middleware=[sso()])


def blocking_its_event_loop():
    async def login(request):
        threading.Event().wait()

    return Starlette(routes=[Route("/login", login)], middleware=[sso()])


class Plain:
    """An ASGI middleware that is no coroutine function."""

    def __init__(self, app):
        self.app = app

    def __call__(self, scope, receive, send):
        return self.app(scope, receive, send)


def called_without_await():
    return Plain(Starlette(routes=ROUTES, middleware=[sso()]))


def does_not_start():
    @asynccontextmanager
    async def lifespan(app):
        raise RuntimeError("no database")
        yield

    return Starlette(routes=ROUTES, middleware=[sso()], lifespan=lifespan)


def refuses_to_start():
    async def app(scope, receive, send):
        await receive()
        await send({"type": "lifespan.startup.failed"})

    return SSOMiddleware(app, HelpDesk.from_env(), by_cookie)


def wrong_setting():
    return Starlette(routes=ROUTES, middleware=[sso(next_param="")])


def broken_middleware():
    return Starlette(routes=ROUTES, middleware=[Middleware(SessionMiddleware), sso()])


def strict_starlette():
    strict = Middleware(SessionMiddleware, secret_key="a secret of the application", same_site="strict")
    return Starlette(routes=ROUTES, middleware=[strict, sso()])


def hooked_quart():
    app = quart_app()
    app.before_request(end_idle_session)
    return app


async def end_idle_session():
    """What no resolver sees run."""


def strict_quart():
    app = quart_app()
    app.config["SESSION_COOKIE_SAMESITE"] = "strict"
    return app
