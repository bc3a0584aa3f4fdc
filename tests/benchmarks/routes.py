"""Applications that hand a visitor off: by three lines in a route, and by the middleware.

All of them believe a header about who is signed in, and look for it in the same way, so that the
hand-off alone differs. Nobody has a middleware that the framework does not put there itself.
"""

from __future__ import annotations

from collections.abc import Callable
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
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import Route
from traffic import USER_HEADER, bare_asgi, bare_wsgi

import sso_middleware.asgi
import sso_middleware.wsgi

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


def starlette_with_ours() -> Any:
    app = Starlette()
    app.add_middleware(sso_middleware.asgi.SSOMiddleware, helpdesk=help_desk(), resolve_email=asgi_user)
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


def flask_with_ours() -> Any:
    app = flask.Flask(__name__)
    app.wsgi_app = sso_middleware.wsgi.SSOMiddleware(app.wsgi_app, help_desk(), wsgi_user)
    return app


def wsgi_with_ours() -> Any:
    return sso_middleware.wsgi.SSOMiddleware(bare_wsgi, help_desk(), wsgi_user)


def django_view(request: Any) -> HttpResponse:
    return HttpResponseRedirect(url_by_hand(wsgi_user(request.META)))


urlpatterns = [path(PATH[1:], django_view)]


def _django(*middleware: str) -> WSGIHandler:
    if not settings.configured:
        settings.configure(
            ALLOWED_HOSTS=["*"],
            ROOT_URLCONF=__name__,
            SECRET_KEY="a secret of Django's own",
            HELPDESK_SSO={
                "sso_token": SSO_TOKEN,
                "sso_auth_url": SSO_AUTH_URL,
                "account_id": ACCOUNT_ID,
                "auth_url": AUTH_URL,
                "resolve_email": lambda request: wsgi_user(request.META),
            },
        )
        django.setup(set_prefix=False)
    settings.MIDDLEWARE = middleware
    return WSGIHandler()


def django_by_hand() -> Any:
    return _django()


def django_with_ours() -> Any:
    return sso_middleware.wsgi.SSOMiddleware(_django(), help_desk(), wsgi_user)


def django_with_ours_in_setting() -> Any:
    return _django("sso_middleware.django.SSOMiddleware")


@dataclass(frozen=True)
class Application:
    """An application that hands off; `rival` names the one that does the same by hand."""

    protocol: Literal["ASGI", "WSGI"]
    make: Callable[[], Any]
    rival: str | None = None


STARLETTE, FASTAPI = "Starlette route, by hand", "FastAPI route, by hand"
FLASK, DJANGO = "Flask view, by hand", "Django view, by hand"
APPLICATIONS = {
    STARLETTE: Application("ASGI", starlette_by_hand),
    "ours in Starlette (add_middleware)": Application("ASGI", starlette_with_ours, STARLETTE),
    FASTAPI: Application("ASGI", fastapi_by_hand),
    "ours in FastAPI (add_middleware)": Application("ASGI", fastapi_with_ours, FASTAPI),
    "ours around any ASGI application": Application("ASGI", asgi_with_ours),
    FLASK: Application("WSGI", flask_by_hand),
    "ours in Flask (wsgi_app)": Application("WSGI", flask_with_ours, FLASK),
    DJANGO: Application("WSGI", django_by_hand),
    "ours around Django": Application("WSGI", django_with_ours, DJANGO),
    "ours in Django (MIDDLEWARE)": Application("WSGI", django_with_ours_in_setting),
}


def pairs(protocol: str) -> list[tuple[str, str]]:
    """Return who is to be ahead of whom on `protocol`."""
    return [
        (name, application.rival)
        for name, application in APPLICATIONS.items()
        if application.protocol == protocol and application.rival
    ]
