"""Call an application's callables, sync or async, and detect which kind each one is.

Error trackers show the local variables of every frame an error passes through. So arguments and results
are kept inside a `Secret` in our frames.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Generic, Literal, ParamSpec, TypeAlias, TypeVar

from sso_middleware._secret import Secret
from sso_middleware._text import forced
from sso_middleware.errors import ResolverError

_T = TypeVar("_T")
_R = TypeVar("_R")
_P = ParamSpec("_P")

Arguments: TypeAlias = Secret[tuple[Any, ...]]

Check: TypeAlias = Callable[[Secret[Any]], Any]
"""Takes a callable's result and returns the plain value, or raises `ResolverError`. It runs where the
callable ran, so that a lazy proxy made in a worker thread is forced there."""

Call: TypeAlias = Callable[[Arguments], Awaitable[Any]]
"""An application's callable, bound to its `Check`: ``await call(Secret(arguments))``."""


class Reader(Generic[_P, _R]):
    """A plain function that only reads its argument, so that it needs no worker thread."""

    __slots__ = ("__dict__", "_function")

    def __init__(self, function: Callable[_P, _R]) -> None:
        self._function = function
        functools.update_wrapper(self, function)

    def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        """Call the function."""
        return self._function(*args, **kwargs)

    def __repr__(self) -> str:
        return repr(self._function)


def is_async(function: object) -> bool:
    """Return whether `function` is a coroutine function.

    So are an object whose ``__call__`` is one, and a `functools.partial` of either.
    """
    while isinstance(function, functools.partial):
        function = function.func
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(type(function), "__call__", None)  # noqa: B004 - inspected, not tested for
    )


def is_awaitable(value: object) -> bool:
    """Return whether `value` must be awaited.

    A lazy proxy counts as its target: Werkzeug's always defines ``__await__``, so that
    `inspect.isawaitable` would accept a proxy for a string.
    """
    # The first is the usual case, without a call.
    return type(value) is not str and issubclass(forced(value).__class__, Awaitable)


def close_coroutine(value: object) -> None:
    """Close a coroutine that is never awaited, or Python warns."""
    if inspect.iscoroutine(value):
        value.close()


def checked(function: Callable[..., Any], check: Check, arguments: Arguments) -> tuple[Any, bool]:
    """Call `function`. Return its result, checked unless it must be awaited, and whether it must be."""
    returned = Secret(function(*arguments()))
    return (returned(), True) if is_awaitable(returned()) else (check(returned), False)


def from_loop(
    function: Callable[..., Any],
    check: Check,
    in_thread: Callable[..., Awaitable[tuple[Any, bool]]],
    is_async: Callable[[object], bool] = is_async,
) -> Call:
    """Return the `Call` of `function` for an event loop.

    `in_thread` calls a function that may block. If it returns an awaitable, the event loop awaits that.
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


def without_loop(function: Callable[..., Any], check: Check, message: str) -> Call:
    """Return the `Call` of `function` where nothing can be awaited.

    If it returns an awaitable, the call raises `ResolverError(message)`.
    """

    async def call(arguments: Arguments) -> Any:
        value, to_be_awaited = checked(function, check, arguments)
        if to_be_awaited:
            close_coroutine(value)
            del value  # keep out of tracebacks
            raise ResolverError(message)
        return value

    return call


def run(coroutine: Coroutine[Any, Any, _T]) -> _T:
    """Run a coroutine that never suspends, without an event loop, and return its result."""
    try:
        coroutine.send(None)
    except StopIteration as finished:
        result: _T = finished.value
        return result
    raise AssertionError("it suspended")  # pragma: no cover - a mistake in this package


def app_problem(app: object, protocol: Literal["wsgi", "asgi"]) -> str | None:
    """Return why `app` cannot be an application for that protocol, or `None`.

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
    """Return whether `function` can be called with `count` positional arguments; `None`: unknown.

    Args:
        function: anything.
        count: the number of arguments.
        follow_wrapped: inspect the function that a decorator wraps, not the decorator's own.
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
