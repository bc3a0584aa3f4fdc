"""Serving an ASGI application from a thread, without queries and tokens in the log."""

from __future__ import annotations

import logging
import re
import socket
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from sso_middleware.sandbox.verifier.tokens import JWT

# A query may hold tokens, or the SSO Token by mistake, percent-encoded in any way. Uvicorn logs it after a ?
# and in its trace of the ASGI scope.
_SECRETS = re.compile(rf"(\?|'query_string': b)\S+|{JWT.pattern}")
_LOGGERS = ("uvicorn.access", "uvicorn.error", "uvicorn.asgi")
_PATIENCE = 10  # seconds for the server to start


def _redact(text: str) -> str:
    """Return `text` without queries and JWTs."""
    return _SECRETS.sub(r"\1[hidden]", text)


def _redact_record(record: logging.LogRecord) -> bool:
    """Remove queries and tokens from a log record; uvicorn's access log has whole URLs."""
    message = record.getMessage()
    redacted = _redact(message)
    if redacted != message:
        if record.name == "uvicorn.access" and isinstance(record.args, tuple):
            # uvicorn's formatter unpacks the arguments, so their number must not change.
            record.args = tuple(_redact(arg) if isinstance(arg, str) else arg for arg in record.args)
        else:
            record.msg, record.args = redacted, ()
    return True


@contextmanager
def serve(app: ASGIApp, host: str, port: int) -> Generator[str]:
    """Serve `app` from a thread while the block runs, and yield the base URL, without a trailing slash.

    Port 0 picks a free one.

    Raises:
        OSError: the port cannot be used.
        RuntimeError: the server does not start.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listener:
        # Without it, the port of a stopped server stays in use for a minute.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        for name in _LOGGERS:
            logging.getLogger(name).addFilter(_redact_record)  # a logger adds the same filter only once
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                log_config=None,  # the program that runs this configures logging
                lifespan="off",
                ws="none",
                server_header=False,
                timeout_graceful_shutdown=1,
            )
        )
        thread = threading.Thread(
            target=server.run, kwargs={"sockets": [listener]}, name="helpdesk-sandbox", daemon=True
        )
        thread.start()
        try:
            _wait_for(server, thread)
            yield _base_url(host, listener.getsockname())
        finally:
            server.should_exit = True
            thread.join()


def _wait_for(server: uvicorn.Server, thread: threading.Thread) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise RuntimeError("the sandbox's server did not start; its log says why")
        time.sleep(0.005)


def _base_url(host: str, address: tuple[Any, ...]) -> str:
    name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - replaced, not bound
    return f"http://{f'[{name}]' if ':' in name else name}:{address[1]}"
