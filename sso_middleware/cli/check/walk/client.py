"""Visiting an application in process as a browser would, without a server or network."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Callable, Generator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager, suppress
from contextvars import copy_context
from functools import partial
from threading import Thread
from typing import Any

import httpx
from anyio import Event, create_task_group, move_on_after
from anyio.from_thread import start_blocking_portal
from werkzeug.test import create_environ

from sso_middleware._calls import is_async, takes
from sso_middleware._environ import native
from sso_middleware._urls import split_mount
from sso_middleware.cli.check.walk.browser import Client, NoAnswer
from sso_middleware.cli.output import Failure, describe

_ENOUGH = 1_000_000  # bytes of a body to read
_PEER = "192.0.2.1"  # an address for documentation (RFC 5737), so never a trusted proxy


@contextmanager
def client_of(app: Any, timeout: float, root_path: str = "") -> Generator[Client, None, None]:
    """Yield a client for a WSGI or ASGI application, and run its lifespan.

    Args:
        app: the application.
        timeout: seconds for the start, for each visit, and for the stop.
        root_path: the mount prefix that the server announces.

    Raises:
        Failure: the application does not start, or ends the process.
    """
    if not is_async(app) and takes(app, 2) is not False:  # three: scope, receive and send
        yield lambda request: _within(timeout, partial(_visit_wsgi, app, root_path, request))
        return
    try:
        with (
            start_blocking_portal() as portal,
            portal.wrap_async_context_manager(_living(app, timeout)) as state,
        ):
            yield lambda request: portal.call(
                _visit_asgi, partial(_watched, app, state), root_path, timeout, request
            )
    except RuntimeError:  # from anyio: a SystemExit in one of the application's tasks ends the event loop
        raise Failure("the application ends the process: SystemExit in one of its tasks") from None


# ASGI.


async def _visit_asgi(
    app: Callable[..., Any], root_path: str, patience: float, request: httpx.Request
) -> httpx.Response:
    keep = partial(_keep, request)
    transport = httpx.ASGITransport(partial(app, keep), root_path=root_path, client=(_PEER, 50000))
    with move_on_after(patience):
        return await transport.handle_async_request(request)
    raise NoAnswer.within(patience)


async def _watched(app: Any, state: dict[str, Any], keep: Any, scope: Any, receive: Any, send: Any) -> None:
    missing = "http.response.start"

    async def send_head(message: dict[str, Any]) -> None:
        nonlocal missing
        missing = "the end of the body"
        if message["type"] == "http.response.body":
            missing = missing if message.get("more_body") else ""
            keep(message.get("body", b""))
            message = {**message, "body": b""}  # HTTPX would keep it all, and a stream may be endless
        await send(message)

    try:
        await app(scope | {"state": state.copy()}, receive, send_head)
    except SystemExit as error:  # would end the event loop and all later visits
        raise NoAnswer(f"raised {describe(error)}") from None
    if missing:
        raise NoAnswer(f"got no answer: {missing} was never sent")


@asynccontextmanager
async def _living(app: Any, patience: float) -> AsyncGenerator[dict[str, Any], None]:
    """Start `app`, yield the state that its requests share, and stop it (ASGI lifespan spec).

    Like servers, and unlike asgi-lifespan, it accepts an application without a lifespan, which returns at
    once or raises, and handles "lifespan.startup.failed".

    Raises:
        Failure: the application does not start.
    """
    state: dict[str, Any] = {}
    problems: list[str] = []
    failed: list[str] = []
    started, stopping, stopped = Event(), Event(), Event()
    messages = iter(("lifespan.startup", "lifespan.shutdown"))

    async def receive() -> dict[str, Any]:
        if (message := next(messages)) == "lifespan.shutdown":
            await stopping.wait()
        return {"type": message}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "lifespan.startup.failed":
            problems.append(message.get("message", "").strip().rpartition("\n")[2] or "it gives no reason")
        started.set()

    async def live() -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": state}
        try:
            with suppress(Exception):  # an application without a lifespan raises
                await app(scope, receive, send)
        except SystemExit as error:
            problems.append(describe(error))
        started.set()
        stopped.set()

    async with create_task_group() as tasks:
        tasks.start_soon(live)
        with move_on_after(patience):
            await started.wait()
        if not started.is_set():
            problems.append(f"it takes longer than {patience:g} seconds")
        failed += problems
        if not failed:
            yield state
            stopping.set()
            with move_on_after(patience):
                await stopped.wait()
        tasks.cancel_scope.cancel()
    if failed:  # raised here, because a task group would wrap it
        raise Failure(f"the application does not start: {failed[0]}")


# WSGI. HTTPX's transport only supports ASCII, and its PATH_INFO does not follow PEP 3333.


def _within(timeout: float, visit: Callable[[], httpx.Response]) -> httpx.Response:
    # A hanging thread cannot be ended. As a daemon, it does not keep the process alive.
    future: Future[httpx.Response] = Future()

    def run() -> None:
        try:
            future.set_result(visit())
        except BaseException as raised:  # noqa: BLE001 - the caller handles it, SystemExit too
            future.set_exception(raised)

    Thread(target=copy_context().run, args=(run,), daemon=True).start()
    try:
        return future.result(timeout)
    except TimeoutError:
        if future.done():  # the application's own
            raise
        raise NoAnswer.within(timeout) from None


def _visit_wsgi(app: Any, root_path: str, request: httpx.Request) -> httpx.Response:
    _, path = split_mount(root_path, request.url.path)
    environ = create_environ(
        base_url=str(request.url.copy_with(raw_path=b"/")),
        query_string=request.url.query.decode(),
        headers=[(name.decode(), value.decode("latin-1")) for name, value in request.headers.raw],
        errors_stream=sys.stderr,
        environ_base={"REMOTE_ADDR": _PEER},
        environ_overrides={"SCRIPT_NAME": native(root_path), "PATH_INFO": native(path)},
    )
    asked: set[str] | None = request.extensions.get("asked")
    if asked is not None:
        environ = _Recording(environ, asked)
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(
        status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], None]:
        del exc_info  # an error page is an answer too
        started.append((status, headers))
        return lambda _: None

    body = app(environ, start_response)
    if body is None:
        raise NoAnswer("got no answer: the application returned None instead of a body")
    try:
        size = 0
        for chunk in body:  # start_response may only be called during the iteration
            size += len(chunk)
            _keep(request, chunk)
            if size > _ENOUGH:
                break
    finally:
        if hasattr(body, "close"):
            body.close()
    if not started:
        raise NoAnswer("got no answer: start_response was never called")
    status, headers = started[-1]
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    return httpx.Response(int(status[:3]), headers=raw)


def _keep(request: httpx.Request, chunk: bytes) -> None:
    body: bytearray = request.extensions.get("body", bytearray())
    body += chunk[: _ENOUGH - len(body)]


class _Recording(dict[str, Any]):
    """An environ that records which headers are read; a copy of it does not."""

    def __init__(self, environ: dict[str, Any], asked: set[str]) -> None:
        super().__init__(environ)
        self._asked = asked

    def __getitem__(self, key: str) -> Any:
        return super().__getitem__(self._noted(key))

    def __contains__(self, key: object) -> bool:
        return super().__contains__(self._noted(key))

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of `key`, or `default`."""
        return super().get(self._noted(key), default)

    def _noted(self, key: Any) -> Any:
        if isinstance(key, str) and key.startswith("HTTP_"):
            self._asked.add(key.removeprefix("HTTP_").replace("_", "-").title())
        return key
