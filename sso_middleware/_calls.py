"""Telling from outside what kind of callable one has been given, and calling it, sync or async."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Literal, TypeVar

from sso_middleware._lazy import forced
from sso_middleware._secret import Secret

_T = TypeVar("_T")
_Function = TypeVar("_Function", bound=Callable[..., Any])

_MARK = "_sso_middleware_only_reads"


def is_async(function: object) -> bool:
    """Whether calling `function` gives an awaitable, as far as can be seen without calling it.

    That is so for a coroutine function, an object whose ``__call__`` is one, and a
    `functools.partial` of either.
    """
    while isinstance(function, functools.partial):
        function = function.func
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(type(function), "__call__", None)  # noqa: B004 - looked at, not asked whether it is there
    )


def only_reads(function: _Function) -> _Function:
    """Mark a plain function that only reads what it is given, and so needs no thread on an event loop."""
    setattr(function, _MARK, function)  # by name, for `functools.wraps` copies it onto what does more
    return function


def is_known_to_only_read(function: object) -> bool:
    """Whether `function` is marked by `only_reads`."""
    return getattr(function, _MARK, None) is function


def is_awaitable(value: object) -> bool:
    """Whether `value` is to be awaited.

    A lazy proxy counts as what it stands for: Werkzeug's defines ``__await__`` for whatever it
    holds, so `inspect.isawaitable` would say yes to a string.
    """
    return issubclass(forced(value).__class__, Awaitable)


def settled(
    function: Callable[..., Any], settle: Callable[[Secret[Any]], Any], args: Secret[tuple[Any, ...]]
) -> tuple[Any, bool]:
    """Call `function`; return what it returned and whether that is to be awaited. If not, it is settled."""
    returned = Secret(function(*args()))
    return (returned(), True) if is_awaitable(returned()) else (settle(returned), False)


def from_loop(
    function: Callable[..., Any],
    in_thread: Callable[..., Awaitable[tuple[Any, bool]]],
    is_async: Callable[[object], bool] = is_async,
) -> Callable[..., Coroutine[Any, Any, Any]]:
    """Return how `function` is called from an event loop: ``await call(settle, Secret(args))``.

    What may block is called in a thread, by `in_thread`, and what it returns is settled there; if that is
    to be awaited, this happens on the event loop.
    """

    async def call_async(settle: Callable[[Secret[Any]], Any], args: Secret[tuple[Any, ...]]) -> Any:
        return settle(Secret(await function(*args())))

    async def call_directly(settle: Callable[[Secret[Any]], Any], args: Secret[tuple[Any, ...]]) -> Any:
        return settle(Secret(function(*args())))

    async def call_in_thread(settle: Callable[[Secret[Any]], Any], args: Secret[tuple[Any, ...]]) -> Any:
        value, to_be_awaited = await in_thread(settled, function, settle, args)
        return settle(Secret(await value)) if to_be_awaited else value

    if is_async(function):
        return call_async
    return call_directly if is_known_to_only_read(function) else call_in_thread


def run(coroutine: Coroutine[Any, Any, _T]) -> _T:
    """Run a coroutine that never suspends, without an event loop, and return what it returns."""
    try:
        coroutine.send(None)
    except StopIteration as finished:
        result: _T = finished.value
        return result
    raise AssertionError("it suspended")  # pragma: no cover - a mistake in this package


def app_problem(app: object, protocol: Literal["wsgi", "asgi"]) -> str | None:
    """Say why `app` cannot be an application of that protocol, as far as can be seen, or return `None`.

    A WSGI application takes two arguments, an ASGI application three.
    """
    if not callable(app):
        return "must be a callable: the application"
    if protocol == "wsgi" and (is_async(app) or (takes(app, 2) is False and takes(app, 3))):
        return "is an ASGI application: use sso_middleware.asgi.SSOMiddleware"
    if protocol == "asgi" and takes(app, 3) is False and takes(app, 2):
        return "is a WSGI application: use sso_middleware.wsgi.SSOMiddleware"
    return None


def takes(function: object, count: int, *, follow_wrapped: bool = True) -> bool | None:
    """Whether `function` can be called with `count` positional arguments; `None`: cannot be seen.

    Args:
        function: anything.
        count: of arguments.
        follow_wrapped: look at what a decorator says that it wraps, and not at its own function.
    """
    try:
        signature = inspect.signature(function, follow_wrapped=follow_wrapped)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    try:
        signature.bind(*[None] * count)
    except TypeError:
        return False
    return True
