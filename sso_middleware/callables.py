"""Telling from outside what kind of callable one has been given, and calling it, sync or async."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Literal, TypeVar

_T = TypeVar("_T")


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


def is_awaitable(value: object) -> bool:
    """Whether `value` is to be awaited.

    A lazy proxy counts as what it stands for: Werkzeug's defines ``__await__`` for whatever it
    holds, so `inspect.isawaitable` would say yes to a string.
    """
    return issubclass(value.__class__, Awaitable)


def settled(function: Callable[..., Any], settle: Callable[[Any], Any], *args: Any) -> tuple[Any, bool]:
    """Call `function`; return what it returned and whether that is to be awaited. If not, it is settled."""
    returned = function(*args)
    return (returned, True) if is_awaitable(returned) else (settle(returned), False)


async def settled_in_thread(
    in_thread: Callable[..., Awaitable[tuple[Any, bool]]],
    function: Callable[..., Any],
    settle: Callable[[Any], Any],
    *args: Any,
) -> Any:
    """Call a `function` that may block in a thread, by `in_thread`, and settle there what it returns.

    If that is to be awaited, this happens on the event loop.
    """
    value, to_be_awaited = await in_thread(settled, function, settle, *args)
    return settle(await value) if to_be_awaited else value


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


def takes(function: object, count: int) -> bool | None:
    """Whether `function` can be called with `count` positional arguments; `None`: cannot be seen."""
    try:
        signature = inspect.signature(function)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    try:
        signature.bind(*[None] * count)
    except TypeError:
        return False
    return True
