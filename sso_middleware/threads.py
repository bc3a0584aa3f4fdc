"""Worker threads for an application's blocking callables, apart from the application's own threads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar, current_token

_THREADS = 8  # per event loop; a limiter of our own, so that slow resolvers starve nobody else's threads
_places: RunVar[CapacityLimiter] = RunVar("sso_middleware_places")


async def in_thread(function: Callable[..., Any], *args: Any) -> Any:
    """Call `function` in a worker thread, context variables included, and return what it returns.

    A place is free when its thread has ended, not when the visit has: asyncio can cancel a visit whose
    thread still runs.
    """
    places = _places_of_this_loop()
    me = object()
    await places.acquire_on_behalf_of(me)
    call_soon = _call_soon()
    started = threading.Lock()  # acquired once: by the thread, or by a visit that leaves before

    def run() -> Any:
        if not started.acquire(blocking=False):
            return None
        try:
            return function(*args)
        finally:
            with suppress(RuntimeError):  # the event loop has ended, and its places with it
                call_soon(partial(places.release_on_behalf_of, me))

    try:
        return await to_thread.run_sync(run, limiter=CapacityLimiter(1))  # it has its place already
    finally:
        if started.acquire(blocking=False):
            places.release_on_behalf_of(me)


def _places_of_this_loop() -> CapacityLimiter:
    try:
        return _places.get()
    except LookupError:
        places = CapacityLimiter(_THREADS)
        _places.set(places)
        return places


def _call_soon() -> Callable[[Callable[[], Any]], Any]:
    """Return how another thread has a function called on the running event loop, without waiting for it."""
    token: Any = current_token()
    native = getattr(token, "native_token", token)  # since anyio 4.11 the token is wrapped
    call_soon: Callable[[Callable[[], Any]], Any]
    call_soon = getattr(native, "run_sync_soon", None) or native.call_soon_threadsafe  # trio's, asyncio's
    return call_soon
