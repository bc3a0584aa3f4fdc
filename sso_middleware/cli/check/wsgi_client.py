"""Visiting a WSGI application in process."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from threading import Thread
from typing import Any

from sso_middleware.cli.check.exchange import PEER, NoAnswer, Reply, Request, is_below
from sso_middleware.cli.check.recording import RecordingEnviron

_ENOUGH = 1_000_000  # bytes of a body, before a stream is left


def visit_in_thread(app: Any, timeout: float, request: Request) -> Reply:
    """Visit a WSGI application in a thread of its own.

    Raises:
        NoAnswer: the application does not answer within `timeout` seconds, or not at all.
    """
    # A thread that hangs cannot be ended: it is left behind, and does not keep the process from ending.
    future: Future[Reply] = Future()

    def visit() -> None:
        try:
            future.set_result(_visit(app, request))
        except BaseException as raised:  # noqa: BLE001 - SystemExit, too, is raised where it is looked for
            future.set_exception(raised)

    Thread(target=copy_context().run, args=(visit,), daemon=True).start()
    try:
        return future.result(timeout)
    except TimeoutError:
        if future.done():  # the application's own
            raise
        raise NoAnswer.within(timeout) from None


def _visit(app: Any, request: Request) -> Reply:
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
        "REMOTE_ADDR": PEER,
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
