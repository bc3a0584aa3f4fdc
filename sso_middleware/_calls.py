"""Calling an application's callables, sync or async, and telling from outside what kind each one is.

What an application's code raises is shown by error trackers with the local variables of every frame it
passes. So arguments and results travel through our frames inside a `Secret`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Generic, Literal, ParamSpec, TypeAlias, TypeVar

from sso_middleware._lazy import forced
from sso_middleware._secret import Secret

_T = TypeVar("_T")
_R = TypeVar("_R")
_P = ParamSpec("_P")

Arguments: TypeAlias = Secret[tuple[Any, ...]]

Check: TypeAlias = Callable[[Secret[Any]], Any]
"""Takes what a callable returned and gives the plain value, or raises `ResolverError`. It runs where the
callable ran, so that a lazy proxy is forced in the worker thread, if that is where it was made."""

Call: TypeAlias = Callable[[Arguments], Awaitable[Any]]
"""An application's callable, bound to its `Check`: ``await call(Secret(arguments))``."""


class Reader(Generic[_P, _R]):
    """A plain function that only reads its argument, and so needs no worker thread on an event loop."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[_P, _R]) -> None:
        self._function = function

    def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        """Call the function."""
        return self._function(*args, **kwargs)


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
    """Whether `value` must be awaited.

    A lazy proxy counts as the value it stands for: Werkzeug's defines ``__await__`` whatever it holds, so
    `inspect.isawaitable` would say yes to a string.
    """
    return issubclass(forced(value).__class__, Awaitable)


def checked(function: Callable[..., Any], check: Check, arguments: Arguments) -> tuple[Any, bool]:
    """Call `function`. Return what it returned and whether that must be awaited; if not, it is checked."""
    returned = Secret(function(*arguments()))
    return (returned(), True) if is_awaitable(returned()) else (check(returned), False)


def from_loop(
    function: Callable[..., Any],
    check: Check,
    in_thread: Callable[..., Awaitable[tuple[Any, bool]]],
    is_async: Callable[[object], bool] = is_async,
) -> Call:
    """Return the `Call` of `function` for an event loop.

    A function that may block is called in a thread, by `in_thread`. If it returns an awaitable, that is
    awaited on the event loop.
    """

    async def call_async(arguments: Arguments) -> Any:
        return check(Secret(await function(*arguments())))

    async def call_directly(arguments: Arguments) -> Any:
        return check(Secret(function(*arguments())))

    async def call_in_thread(arguments: Arguments) -> Any:
        value, to_be_awaited = await in_thread(checked, function, check, arguments)
        return check(Secret(await value)) if to_be_awaited else value

    if is_async(function):
        return call_async
    return call_directly if isinstance(function, Reader) else call_in_thread


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
