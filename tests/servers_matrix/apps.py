"""The wrapped applications that each server of the matrix runs: `apps:wsgi` and `apps:asgi`.

They echo what reaches them. Who is signed in says a header of the proxy in front.
"""

from __future__ import annotations

import hashlib
import json
import os

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount
from werkzeug.exceptions import NotFound
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix

import sso_middleware.asgi
import sso_middleware.wsgi
from sso_middleware import HelpDesk
from sso_middleware.resolvers.proxy import OAUTH2_PROXY_AUTH_REQUEST, trusted_header

SETTINGS = {
    "helpdesk": HelpDesk.from_env(),
    "resolve_email": trusted_header(
        OAUTH2_PROXY_AUTH_REQUEST, secret=("X-Proxy-Secret", os.environ["PROXY_SECRET"])
    ),
    "login_url": os.environ["MATRIX_LOGIN_URL"],
}
MOUNT = os.environ["MATRIX_MOUNT"]
PREFIX = os.environ["MATRIX_PREFIX"]  # what the proxy strips, and the server cannot be told


def echo_wsgi(environ, start_response):
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    seen = {
        "method": environ["REQUEST_METHOD"],
        "path": environ["SCRIPT_NAME"] + environ["PATH_INFO"],
        "body": hashlib.sha256(body).hexdigest(),
    }
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(seen).encode()]


async def echo_asgi(scope, receive, send):
    assert scope["type"] == "http"
    request = Request(scope, receive)
    prefix, path = scope.get("root_path", ""), scope["path"]
    seen = {
        "method": request.method,
        "path": path if path.startswith(f"{prefix}/") else prefix + path,  # some servers leave it out
        "body": hashlib.sha256(await request.body()).hexdigest(),
    }
    await JSONResponse(seen)(scope, receive, send)


def with_prefix(app):
    """Do what uvicorn's --root-path does: put the prefix into the path, where Starlette's Mount wants it."""

    async def prefixed(scope, receive, send):
        if scope["type"] == "http":
            scope = {**scope, "root_path": PREFIX, "path": PREFIX + scope["path"]}
        await app(scope, receive, send)

    return prefixed


wsgi = sso_middleware.wsgi.SSOMiddleware(echo_wsgi, **SETTINGS)
asgi = sso_middleware.asgi.SSOMiddleware(echo_asgi, **SETTINGS)
if MOUNT:
    wsgi = DispatcherMiddleware(NotFound(), {MOUNT: wsgi})
    asgi = Starlette(routes=[Mount(MOUNT, asgi)])
if PREFIX:
    wsgi = ProxyFix(wsgi, x_for=0, x_proto=0, x_prefix=1)
    asgi = with_prefix(asgi)
