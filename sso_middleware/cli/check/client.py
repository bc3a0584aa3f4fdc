"""Visiting an application in process, as a browser that opens a page would: no server, no network."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeAlias
from urllib.parse import quote

from anyio import Event, move_on_after
from anyio.from_thread import start_blocking_portal

from sso_middleware._calls import is_async, takes
from sso_middleware.cli.check.exchange import PEER, NoAnswer, Reply, Request
from sso_middleware.cli.check.lifespan import living
from sso_middleware.cli.check.loading import describe
from sso_middleware.cli.check.recording import RecordingName
from sso_middleware.cli.check.wsgi_client import visit_in_thread
from sso_middleware.cli.output import Failure

_TIMEOUT = 30  # seconds


Client: TypeAlias = Callable[[Request], Reply]
"""Makes one visit; raises NoAnswer, and what the application raises."""


@contextmanager
def client_of(app: Any, timeout: float = _TIMEOUT) -> Generator[Client, None, None]:
    """Give a client for a WSGI or ASGI application, started and later stopped by its lifespan.

    Args:
        app: the application.
        timeout: seconds that it has to start, to answer a visit, and to stop.

    Raises:
        Failure: it does not start, or ends the process.
    """
    if not is_async(app) and takes(app, 2) is not False:  # three: scope, receive and send
        yield partial(visit_in_thread, app, timeout)
        return
    try:
        with (
            start_blocking_portal() as portal,
            portal.wrap_async_context_manager(living(app, timeout)) as state,
        ):
            yield lambda request: portal.call(_visit_asgi, app, timeout, state, request)
    except RuntimeError:  # from anyio: a SystemExit in a task of the application's own ends the event loop
        raise Failure("the application ends the process: SystemExit in a task of its own") from None


async def _visit_asgi(app: Any, patience: float, state: dict[str, Any], request: Request) -> Reply:
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
        "client": (PEER, 50000),
        "server": request.server,
        "state": state.copy(),
    }
    try:
        with move_on_after(patience) as cancellation:
            await app(scope, receive, send)
    except SystemExit as error:  # would end the event loop, and every later visit with it
        raise NoAnswer(f"raised {describe(error)}") from None
    if cancellation.cancelled_caught:
        raise NoAnswer.within(patience)
    if not replies:
        raise NoAnswer("brought no answer: http.response.start was never sent")
    return replies[-1]


def _encoded(headers: list[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
