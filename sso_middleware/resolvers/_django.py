"""Requests, sessions and database connections outside Django's own handlers."""

# Django comes without type information.
# mypy: disable-error-code="import-untyped"
# pyright: reportMissingTypeStubs=false, reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from importlib import import_module
from io import BytesIO
from typing import Any, TypeVar

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.wsgi import WSGIRequest
from django.db import connections

_T = TypeVar("_T")

_WRITES = ("save", "create", "delete", "flush", "cycle_key")


def call(function: Callable[[Any], _T], environ: Mapping[str, Any]) -> _T:
    """Call `function` with the request of `environ`, in this thread."""
    with _connections():
        return function(WSGIRequest({**environ}))  # a copy: Django rewrites SCRIPT_NAME and PATH_INFO in it


async def call_in_thread(function: Callable[[Any], _T], scope: Mapping[str, Any]) -> _T:
    """Call `function` with the request of `scope`, in a new thread."""

    def run() -> _T:
        with _connections(leave=True):
            return function(ASGIRequest(scope, BytesIO()))

    async with ThreadSensitiveContext():
        return await sync_to_async(run)()


def session_to_read(session_key: str | None) -> Any:
    """Open a session that cannot be written or ended.

    Django's `get_user` changes the key of a session signed with one of SECRET_KEY_FALLBACKS, and ends an
    invalid one. The browser would not get the new key from here, and would be signed out. The methods
    are replaced on the instance, because a subclass would have another signing salt. Nothing here calls
    their async variants.
    """
    session: Any = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    for name in _WRITES:
        setattr(session, name, _do_nothing)
    return session


def _do_nothing(*_: object, **__: object) -> None:
    pass


@contextmanager
def _connections(*, leave: bool = False) -> Generator[None]:
    """Close this thread's stale connections, as Django's handler does before and after a request.

    Args:
        leave: close them all at the end, because the thread ends and would leak them.
    """
    for connection in _own_connections():
        connection.close_if_unusable_or_obsolete()
    try:
        yield
    finally:
        for connection in _own_connections():
            if leave:
                connection.close()
            else:
                connection.close_if_unusable_or_obsolete()


def _own_connections() -> list[Any]:
    # Keep connections with an open transaction, such as TestCase's; close_old_connections does not check.
    opened = connections.all(initialized_only=True)
    return [connection for connection in opened if not connection.in_atomic_block]
