"""Applications that hand a visitor off: by three lines in a route, and by the middleware.

Most of them believe a header about who is signed in, and look for it in the same way: the middleware
answers before the framework has done anything. Where it says *session*, both sides open the framework's
own. Nobody has another middleware that the framework does not put there itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

import django
import fastapi
import flask
from account import ACCOUNT_ID, AUTH_URL, PATH, SSO_AUTH_URL, SSO_TOKEN, help_desk, url_by_hand
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import path
from fastapi import FastAPI
from fastapi.responses import RedirectResponse as FastAPIRedirect
from starlette.applications import Starlette
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import Route
from traffic import (
    SECRET,
    USER_HEADER,
    bare_asgi,
    bare_wsgi,
    by_django_session,
    by_flask_session,
    by_header,
    by_starlette_session,
)

import sso_middleware.asgi
import sso_middleware.wsgi
from sso_middleware.resolvers.flask import session_email as flask_session_email
from sso_middleware.resolvers.starlette import session_email as starlette_session_email

_SCOPE_NAME = USER_HEADER.lower().encode()
_ENVIRON_NAME = f"HTTP_{USER_HEADER.upper().replace('-', '_')}"


def scope_user(scope: Any) -> str | None:
    for name, value in scope["headers"]:
        if name == _SCOPE_NAME:
            return value.decode()
    return None


async def asgi_user(scope: Any) -> str | None:
    """Resolve on the event loop."""
    return scope_user(scope)


def wsgi_user(environ: Any) -> str | None:
    return environ.get(_ENVIRON_NAME)


def starlette_by_hand() -> Any:
    async def sso(request: Request) -> RedirectResponse:
        return RedirectResponse(url_by_hand(scope_user(request.scope)), 303)

    return Starlette(routes=[Route(PATH, sso)])


def starlette_by_hand_sync() -> Any:
    def sso(request: Request) -> RedirectResponse:
        return RedirectResponse(url_by_hand(scope_user(request.scope)), 303)

    return Starlette(routes=[Route(PATH, sso)])


def starlette_by_hand_session() -> Any:
    async def sso(request: Request) -> RedirectResponse:
        return RedirectResponse(url_by_hand(request.session["user"]["email"]), 303)

    app = Starlette(routes=[Route(PATH, sso)])
    app.add_middleware(SessionMiddleware, secret_key=SECRET)
    return app


def starlette_with_ours(resolve_email: Callable[[Any], Any] = asgi_user) -> Any:
    app = Starlette()
    app.add_middleware(sso_middleware.asgi.SSOMiddleware, helpdesk=help_desk(), resolve_email=resolve_email)
    return app


def starlette_with_ours_sync() -> Any:
    return starlette_with_ours(scope_user)


def starlette_with_ours_session() -> Any:
    app = starlette_with_ours(starlette_session_email("user", "email", verified="email_verified"))
    app.add_middleware(SessionMiddleware, secret_key=SECRET)
    return app


def fastapi_by_hand() -> Any:
    app = FastAPI()

    @app.get(PATH)
    async def sso(request: fastapi.Request) -> FastAPIRedirect:
        return FastAPIRedirect(url_by_hand(scope_user(request.scope)), 303)

    return app


def fastapi_with_ours() -> Any:
    app = FastAPI()
    app.add_middleware(sso_middleware.asgi.SSOMiddleware, helpdesk=help_desk(), resolve_email=asgi_user)
    return app


def asgi_with_ours() -> Any:
    return sso_middleware.asgi.SSOMiddleware(bare_asgi, help_desk(), asgi_user)


def flask_by_hand() -> Any:
    app = flask.Flask(__name__)

    @app.get(PATH)
    def sso() -> Any:
        return flask.redirect(url_by_hand(wsgi_user(flask.request.environ)), 303)

    return app


def flask_by_hand_session() -> Any:
    app = flask.Flask(__name__)
    app.secret_key = SECRET

    @app.get(PATH)
    def sso() -> Any:
        return flask.redirect(url_by_hand(flask.session["user"]["email"]), 303)

    return app


def flask_with_ours() -> Any:
    app = flask.Flask(__name__)
    app.wsgi_app = sso_middleware.wsgi.SSOMiddleware(app.wsgi_app, help_desk(), wsgi_user)
    return app


def flask_with_ours_session() -> Any:
    app = flask.Flask(__name__)
    app.secret_key = SECRET
    resolver = flask_session_email(app, "user", "email", verified="email_verified")
    app.wsgi_app = sso_middleware.wsgi.SSOMiddleware(app.wsgi_app, help_desk(), resolver)
    return app


def wsgi_with_ours() -> Any:
    return sso_middleware.wsgi.SSOMiddleware(bare_wsgi, help_desk(), wsgi_user)


def django_user(request: Any) -> str | None:
    if hasattr(request, "session"):  # the settings are the same for all
        return request.session["user"]["email"]
    return wsgi_user(request.META)


def django_view(request: Any) -> HttpResponse:
    return HttpResponseRedirect(url_by_hand(django_user(request)))


urlpatterns = [path(PATH[1:], django_view)]
DJANGO_SESSIONS = "django.contrib.sessions.middleware.SessionMiddleware"
OURS_IN_DJANGO = "sso_middleware.django.SSOMiddleware"


def _django(*middleware: str) -> WSGIHandler:
    if not settings.configured:
        settings.configure(
            ALLOWED_HOSTS=["*"],
            ROOT_URLCONF=__name__,
            SECRET_KEY=SECRET,
            SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
            HELPDESK_SSO={
                "sso_token": SSO_TOKEN,
                "sso_auth_url": SSO_AUTH_URL,
                "account_id": ACCOUNT_ID,
                "auth_url": AUTH_URL,
                "resolve_email": django_user,
            },
        )
        django.setup(set_prefix=False)
    settings.MIDDLEWARE = middleware
    return WSGIHandler()


def django_by_hand() -> Any:
    return _django()


def django_by_hand_session() -> Any:
    return _django(DJANGO_SESSIONS)


def django_with_ours() -> Any:
    return sso_middleware.wsgi.SSOMiddleware(_django(), help_desk(), wsgi_user)


def django_with_ours_in_setting() -> Any:
    return _django(OURS_IN_DJANGO)


def django_with_ours_session() -> Any:
    return _django(DJANGO_SESSIONS, OURS_IN_DJANGO)


@dataclass(frozen=True)
class Application:
    """An application that hands off.

    Attributes:
        rival: the name of the one that does the same by hand.
        headers: given an address, returns what a request of that visitor has.
        is_served: whether it is measured through servers, too.
        aim: how many times as fast as its rival it is to be through granian; elsewhere, to be ahead will do.
    """

    protocol: Literal["ASGI", "WSGI"]
    make: Callable[[], Any]
    rival: str | None = None
    headers: Callable[[str], dict[str, str]] = by_header
    is_served: bool = True
    aim: float = 1


STARLETTE, FASTAPI = "Starlette route, by hand", "FastAPI route, by hand"
FLASK, DJANGO = "Flask view, by hand", "Django view, by hand"
STARLETTE_SYNC = "Starlette route, by hand, sync def"
STARLETTE_SESSION, FLASK_SESSION, DJANGO_SESSION = (f"{name}, session" for name in (STARLETTE, FLASK, DJANGO))
APPLICATIONS = {
    STARLETTE: Application("ASGI", starlette_by_hand),
    "ours in Starlette (add_middleware)": Application("ASGI", starlette_with_ours, STARLETTE, aim=1.5),
    FASTAPI: Application("ASGI", fastapi_by_hand),
    "ours in FastAPI (add_middleware)": Application("ASGI", fastapi_with_ours, FASTAPI, aim=2),
    "ours around any ASGI application": Application("ASGI", asgi_with_ours),
    STARLETTE_SYNC: Application("ASGI", starlette_by_hand_sync, is_served=False),
    "ours in Starlette, sync def": Application(
        "ASGI", starlette_with_ours_sync, STARLETTE_SYNC, is_served=False
    ),
    STARLETTE_SESSION: Application("ASGI", starlette_by_hand_session, headers=by_starlette_session),
    "ours in Starlette (starlette.session_email)": Application(
        "ASGI", starlette_with_ours_session, STARLETTE_SESSION, by_starlette_session
    ),
    FLASK: Application("WSGI", flask_by_hand),
    "ours in Flask (wsgi_app)": Application("WSGI", flask_with_ours, FLASK, aim=3.5),
    DJANGO: Application("WSGI", django_by_hand),
    "ours around Django": Application("WSGI", django_with_ours, DJANGO, aim=3),
    "ours in Django (MIDDLEWARE)": Application("WSGI", django_with_ours_in_setting, DJANGO),
    FLASK_SESSION: Application("WSGI", flask_by_hand_session, headers=by_flask_session),
    "ours in Flask (flask.session_email)": Application(
        "WSGI", flask_with_ours_session, FLASK_SESSION, by_flask_session
    ),
    DJANGO_SESSION: Application("WSGI", django_by_hand_session, headers=by_django_session),
    "ours in Django (MIDDLEWARE), session": Application(
        "WSGI", django_with_ours_session, DJANGO_SESSION, by_django_session
    ),
}


def pairs(names: Iterable[str]) -> list[tuple[str, str]]:
    """Return who is to be ahead of whom among `names`."""
    return [(name, rival) for name in names if (rival := APPLICATIONS[name].rival)]
