"""Visiting an application in process, as a browser that opens a page would: no server, no network."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import quote, urlsplit

from anyio import Event, fail_after
from anyio.from_thread import start_blocking_portal

from sso_middleware.callables import is_async, takes
from sso_middleware.cli.checks.lifespan import living
from sso_middleware.cli.checks.loading import describe
from sso_middleware.cli.checks.recording import RecordingEnviron, RecordingName
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
        asked: collects the names of the headers that the application looks for, as far as that can be seen.
    """

    origin: str
    root_path: str
    path: str
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    asked: set[str] | None = None

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

    @property
    def server(self) -> tuple[str | None, int]:
        """Host and port of the application."""
        parts = urlsplit(self.origin)
        return parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)

    @property
    def scheme(self) -> str:
        """``http`` or ``https``."""
        return urlsplit(self.origin).scheme


class Reply(NamedTuple):
    """What the application answered."""

    status: int
    headers: list[tuple[str, str]]

    @property
    def location(self) -> str:
        """Where a redirect leads, or ""."""
        return next((value for name, value in self.headers if name.lower() == "location"), "")


class NoAnswer(Exception):
    """The application did not answer a visit; the text says what it did instead."""


Client: TypeAlias = Callable[[Request], Reply]
"""Makes one visit; raises NoAnswer, and what the application raises."""


@contextmanager
def client_of(app: Any, timeout: float = _TIMEOUT) -> Generator[Client, None, None]:
    """Give a client for a WSGI or ASGI application, started and later stopped by its lifespan.

    Args:
        app: the application.
        timeout: seconds that it has to start, and to stop.

    Raises:
        Failure: it does not start, or ends the process.
    """
    if not is_async(app) and takes(app, 2) is not False:  # three: scope, receive and send
        yield partial(_visit_wsgi, app)
        return
    try:
        with (
            start_blocking_portal() as portal,
            portal.wrap_async_context_manager(living(app, timeout)) as state,
        ):
            yield lambda request: portal.call(_visit_asgi, app, state, request)
    except RuntimeError:  # from anyio: a SystemExit in a task of the application's own ends the event loop
        raise Failure("the application ends the process: SystemExit in a task of its own") from None


def is_below(prefix: str, path: str) -> bool:
    """Whether `path` is that of the mount `prefix`, or one under it."""
    return path == prefix or path.startswith(f"{prefix}/")


def _visit_wsgi(app: Any, request: Request) -> Reply:
    host, port = request.server
    path = request.path
    if is_below(request.root_path, path):
        path = path[len(request.root_path) :]
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": _native(request.root_path),
        "PATH_INFO": _native(path),
        "QUERY_STRING": request.query,
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": _PEER,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": request.scheme,
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": True,
    }
    environ |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in request.all_headers()}
    if request.asked is not None:
        environ = RecordingEnviron(environ, request.asked)
    started: list[Reply] = []

    def start_response(
        status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], None]:
        del exc_info  # an error page counts as what it is
        started.append(Reply(int(status[:3]), headers))
        return lambda _: None

    body = app(environ, start_response)
    if body is None:
        raise NoAnswer("brought no answer: the application returned None in place of a body")
    try:
        size = 0
        for chunk in body:  # an application may call start_response while it is iterated
            size += len(chunk)
            if size > _ENOUGH:
                break
    finally:
        if hasattr(body, "close"):
            body.close()
    if not started:
        raise NoAnswer("brought no answer: start_response was never called")
    return started[-1]


def _native(text: str) -> str:
    return text.encode().decode("latin-1")


async def _visit_asgi(app: Any, state: dict[str, Any], request: Request) -> Reply:
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
        "scheme": request.scheme,
        "path": request.path,
        "raw_path": quote(request.path).encode(),
        "query_string": request.query.encode(),
        "root_path": request.root_path,
        "headers": [
            (name if request.asked is None else RecordingName.of(name, request.asked), value)
            for name, value in _encoded(request.all_headers())
        ],
        "client": (_PEER, 50000),
        "server": request.server,
        "state": state.copy(),
    }
    try:
        with fail_after(_TIMEOUT):
            await app(scope, receive, send)
    except SystemExit as error:  # would end the event loop, and every later visit with it
        raise NoAnswer(f"raised {describe(error)}") from None
    if not replies:
        raise NoAnswer("brought no answer: http.response.start was never sent")
    return replies[-1]


def _encoded(headers: list[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
