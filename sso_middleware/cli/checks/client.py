"""Visiting an application in process, as a browser that opens a page would: no server, no network."""

from __future__ import annotations

import inspect
import io
import sys
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import quote, urlsplit

from anyio import Event, create_task_group, fail_after, move_on_after
from anyio.from_thread import start_blocking_portal

from sso_middleware.callables import is_async
from sso_middleware.cli.output import Failure

_TIMEOUT = 30  # seconds
_PEER = "192.0.2.1"  # nobody's address (RFC 5737): no trusted proxy
_ENOUGH = 1_000_000  # bytes of a body, before a stream is left


class Request(NamedTuple):
    """A GET that opens a page.

    Attributes:
        origin: scheme and authority of the application.
        root_path: the mount prefix the server announces.
        path: the public path, as decoded text.
        query: the query string.
        headers: beside those that every visit has.
    """

    origin: str
    root_path: str
    path: str
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()

    def all_headers(self) -> list[tuple[str, str]]:
        """Return the headers a browser would send."""
        return [
            ("Host", urlsplit(self.origin).netloc),
            ("Accept", "text/html"),
            ("User-Agent", "sso-middleware check"),
            ("Sec-Fetch-Mode", "navigate"),
            ("Sec-Fetch-Dest", "document"),
            *self.headers,
        ]


class Reply(NamedTuple):
    """What the application answered."""

    status: int
    headers: list[tuple[str, str]]

    @property
    def location(self) -> str:
        """Where a redirect leads, or ""."""
        return next((value for name, value in self.headers if name.lower() == "location"), "")


Client: TypeAlias = Callable[[Request], Reply]
"""Makes one visit; what the application raises, it raises."""


@contextmanager
def client_of(app: Any) -> Generator[Client, None, None]:
    """Give a client for a WSGI or ASGI application, started and later stopped by its lifespan."""
    if _is_wsgi(app):
        yield partial(_visit_wsgi, app)
        return
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(_lifespan(app)) as state:
        yield lambda request: portal.call(_visit_asgi, app, state, request)


def _is_wsgi(app: Any) -> bool:
    if is_async(app):
        return False
    try:
        inspect.signature(app).bind("environ", "start_response")
    except TypeError:  # it wants scope, receive and send
        return False
    return True


def _visit_wsgi(app: Any, request: Request) -> Reply:
    parts = urlsplit(request.origin)
    path = request.path
    if request.root_path and path.startswith(request.root_path):
        path = path[len(request.root_path) :]
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": _native(request.root_path),
        "PATH_INFO": _native(path),
        "QUERY_STRING": request.query,
        "SERVER_NAME": parts.hostname,
        "SERVER_PORT": str(parts.port or (443 if parts.scheme == "https" else 80)),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": _PEER,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": parts.scheme,
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": True,
    }
    environ |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in request.all_headers()}
    started: list[Reply] = []

    def start_response(
        status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], None]:
        del exc_info  # an error page counts as what it is
        started.append(Reply(int(status[:3]), headers))
        return lambda _: None

    body = app(environ, start_response)
    try:
        size = 0
        for chunk in body:  # an application may call start_response while it is iterated
            size += len(chunk)
            if size > _ENOUGH:
                break
    finally:
        if hasattr(body, "close"):
            body.close()
    return started[-1]


def _native(text: str) -> str:
    return text.encode().decode("latin-1")


async def _visit_asgi(app: Any, state: dict[str, Any], request: Request) -> Reply:
    parts = urlsplit(request.origin)
    replies: list[Reply] = []
    asked = False
    finished = Event()

    async def receive() -> dict[str, Any]:
        nonlocal asked
        if asked:
            await finished.wait()
            return {"type": "http.disconnect"}
        asked = True
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            headers = [
                (name.decode("latin-1"), value.decode("latin-1")) for name, value in message["headers"]
            ]
            replies.append(Reply(message["status"], headers))
        elif not message.get("more_body"):
            finished.set()

    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": parts.scheme,
        "path": request.path,
        "raw_path": quote(request.path).encode(),
        "query_string": request.query.encode(),
        "root_path": request.root_path,
        "headers": [
            (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in request.all_headers()
        ],
        "client": (_PEER, 50000),
        "server": (parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)),
        "state": state.copy(),
    }
    with fail_after(_TIMEOUT):
        await app(scope, receive, send)
    return replies[-1]


@asynccontextmanager
async def _lifespan(app: Any) -> AsyncGenerator[dict[str, Any], None]:
    state: dict[str, Any] = {}
    problems: list[str] = []
    started, stopping, stopped = Event(), Event(), Event()
    asked = False

    async def receive() -> dict[str, Any]:
        nonlocal asked
        if asked:
            await stopping.wait()
            return {"type": "lifespan.shutdown"}
        asked = True
        return {"type": "lifespan.startup"}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "lifespan.startup.failed":
            lines = message.get("message", "").strip().splitlines()
            problems.append(lines[-1] if lines else "it does not say why")
        started.set()

    async def live() -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": state}
        try:
            await app(scope, receive, send)
        except Exception:  # noqa: BLE001, S110 - how an application says that it has no lifespan
            pass
        finally:
            started.set()
            stopped.set()

    async with create_task_group() as tasks:
        tasks.start_soon(live)
        await started.wait()
        if not problems:
            yield state
            stopping.set()
            with move_on_after(_TIMEOUT):
                await stopped.wait()
        tasks.cancel_scope.cancel()
    if problems:  # raised out here, where no task group wraps it
        raise Failure(f"the application does not start: {problems[0]}")
