"""Drive a middleware by raw environ and raw scope, so that each behaviour is tested on both protocols."""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit
from wsgiref.validate import WSGIWarning, check_environ, validator

import jwt

from sso_middleware import HelpDesk, asgi, wsgi

SSO_TOKEN = "an SSO Token of at least thirty-two bytes"
AUTH_URL = "https://app.example.com/sso/helpdesk"
LOGOUT_URL = "https://app.example.com/sso/logout"
JANE = "jane@example.com"


def make_desk(**changes: Any) -> HelpDesk:
    settings = {
        "sso_token": SSO_TOKEN,
        "sso_auth_url": "https://acme.example/sso",
        "account_id": "4711",
        "auth_url": AUTH_URL,
        "logout_url": LOGOUT_URL,
    }
    return HelpDesk(**settings | changes)


DESK = make_desk()


def jane(source: Any) -> str:
    return JANE


def nobody(source: Any) -> None:
    return None


def never(source: Any) -> None:
    raise AssertionError("the resolver was asked")


def raising(error: Exception) -> Any:
    def resolve_email(source: Any) -> None:
        raise error

    return resolve_email


@dataclass
class Reply:
    """A response; `by_app` says whether the wrapped application gave it."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    by_app: bool

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def __getitem__(self, name: str) -> str:
        (value,) = self.all(name)
        return value

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self["location"]).query, strict_parsing=True)

    @property
    def claims(self) -> dict[str, Any]:
        return jwt.decode(self.query["token"][0], SSO_TOKEN, algorithms=["HS256"])

    @property
    def is_handoff(self) -> bool:
        return self.status == 303 and [name for name, _ in parse_qsl(urlsplit(self["location"]).query)][
            -3:
        ] == [
            "token",
            "account_id",
            "auth_url",
        ]


@dataclass
class Site:
    """An application wrapped in the middleware. Subclasses speak one protocol each."""

    resolve_email: Any = jane
    helpdesk: Any = DESK
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.calls = 0
        self.build()

    def build(self) -> None:
        raise NotImplementedError

    def get(self, path: str, **request: Any) -> Reply:
        return self.request("GET", path, **request)

    def request(
        self, method: str, path: str, *, prefix: str = "", headers: Iterable = (), query: str = ""
    ) -> Reply:
        raise NotImplementedError


class WSGISite(Site):
    protocol = "wsgi"
    module = wsgi

    def build(self) -> None:
        # PEP 3333's own validator stands on both sides: between server and middleware, and between
        # middleware and application.
        self.middleware = wsgi.SSOMiddleware(
            validated(self.app), self.helpdesk, self.resolve_email, **self.options
        )
        self.server_side = validated(self.middleware)

    def app(self, environ, start_response):
        self.calls += 1
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [b"the application's"]

    def request(self, method, path, *, prefix="", headers=(), query=""):
        environ = make_environ(method, path, prefix=prefix, headers=headers, query=query)
        started = []

        def start_response(status, response_headers, exc_info=None):
            started[:] = [status, response_headers]
            return lambda data: None

        calls = self.calls
        iterable = self.server_side(environ, start_response)
        try:
            body = b"".join(iterable)
        finally:
            getattr(iterable, "close", bool)()
        status, response_headers = started
        return Reply(int(status.split()[0]), response_headers, body, self.calls > calls)


def validated(app):
    checked = validator(app)

    def choose(environ, start_response):
        # What a broken or attacked server hands over is no valid environ to begin with.
        try:
            check_environ(environ)
        except (AssertionError, WSGIWarning):
            return app(environ, start_response)
        return checked(environ, start_response)

    return choose


def make_environ(method, path, *, prefix="", headers=(), query="", body=None) -> dict[str, Any]:
    def native(text):
        return text.encode().decode("latin-1")

    environ = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": native(prefix),
        "PATH_INFO": native(path),
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": body if body is not None else io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in headers:
        key = "HTTP_" + name.upper().replace("-", "_")
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    return environ


class ASGISite(Site):
    protocol = "asgi"
    module = asgi

    def build(self) -> None:
        self.middleware = asgi.SSOMiddleware(self.app, self.helpdesk, self.resolve_email, **self.options)

    async def app(self, scope, receive, send):
        self.calls += 1
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]}
        )
        await send({"type": "http.response.body", "body": b"the application's"})

    def scope(self, method, path, *, prefix="", headers=(), query="") -> dict[str, Any]:
        return make_scope(method, prefix + path, root_path=prefix, headers=headers, query=query)

    def request(self, method, path, *, prefix="", headers=(), query=""):
        return asyncio.run(self.arequest(method, path, prefix=prefix, headers=headers, query=query))

    async def arequest(self, method, path, *, prefix="", headers=(), query=""):
        sent: list[dict[str, Any]] = []

        async def receive():
            raise AssertionError("nothing here may read the body")

        async def send(message):
            sent.append(message)

        calls = self.calls
        scope = self.scope(method, path, prefix=prefix, headers=headers, query=query)
        await self.middleware(scope, receive, send)
        start, *bodies = sent
        assert all(name == name.lower() for name, _ in start["headers"]), "ASGI wants lower-case names"
        return Reply(
            start["status"],
            [(name.decode("latin-1"), value.decode("latin-1")) for name, value in start["headers"]],
            b"".join(message["body"] for message in bodies),
            self.calls > calls,
        )


class UnprefixedASGISite(ASGISite):
    """A server, or FastAPI's root_path, that leaves the mount prefix out of the path."""

    protocol = "asgi, prefix not in path"

    def scope(self, method, path, *, prefix="", headers=(), query=""):
        return make_scope(method, path, root_path=prefix, headers=headers, query=query)


def make_scope(method, path, *, root_path="", headers=(), query="", kind="http") -> dict[str, Any]:
    return {
        "type": kind,
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(errors="replace"),
        "query_string": query.encode(),
        "root_path": root_path,
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 80),
    }
