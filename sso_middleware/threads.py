"""Worker threads for an application's blocking callables, apart from the application's own threads."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar

_THREADS = 8  # per event loop; a limiter of our own, so that slow resolvers starve nobody else's threads
_limiter: RunVar[CapacityLimiter] = RunVar("sso_middleware_limiter")


async def in_thread(function: Callable[..., Any], *args: Any) -> Any:
    """Call `function` in a worker thread, context variables included, and return what it returns."""
    return await to_thread.run_sync(partial(function, *args), limiter=_own_limiter())


def _own_limiter() -> CapacityLimiter:
    try:
        return _limiter.get()
    except LookupError:
        limiter = CapacityLimiter(_THREADS)
        _limiter.set(limiter)
        return limiter
