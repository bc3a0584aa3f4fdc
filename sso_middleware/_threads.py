"""Worker threads for an application's blocking callables, separate from the application's own threads."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from anyio import CapacityLimiter, Event, to_thread
from anyio.lowlevel import RunVar, current_token

_THREADS = 8  # per event loop; our own, so that slow resolvers do not starve the application's threads


async def in_thread(function: Callable[..., Any], *args: Any) -> Any:
    """Call `function` in a worker thread, with the context variables, and return its result.

    A place is freed when its thread ends, not when the visit does: asyncio can cancel a visit whose thread
    is still running. The later of the two frees it: the visit can do so without waking the event loop.
    """
    places = _places_of_this_loop()
    call_soon = _call_soon()
    await places.take()
    started = threading.Lock()  # acquired once: by the thread, or by a visit cancelled before it
    ended = threading.Lock()  # acquired by the first to end

    def run() -> Any:
        if not started.acquire(blocking=False):  # pragma: no cover - cancelled as the thread began
            return None
        try:
            return function(*args)
        finally:
            if not ended.acquire(blocking=False):
                with suppress(RuntimeError):  # the event loop and its places are gone
                    call_soon(places.give_back)

    try:
        return await to_thread.run_sync(run, limiter=CapacityLimiter(1))  # it already has its place
    finally:
        if started.acquire(blocking=False) or not ended.acquire(blocking=False):
            places.give_back()


class _Places:
    """Limit the threads of one event loop; only used on that loop.

    anyio's CapacityLimiter, at least up to 4.12, loses a place if asyncio cancels a task waiting for it.
    """

    def __init__(self) -> None:
        self._free = _THREADS
        self._waiting = deque[Event]()

    async def take(self) -> None:
        if self._free:
            self._free -= 1
            return
        given = Event()
        self._waiting.append(given)
        try:
            await given.wait()
        except BaseException:
            if given.is_set():
                self.give_back()
            else:
                self._waiting.remove(given)
            raise

    def give_back(self) -> None:
        if self._waiting:
            self._waiting.popleft().set()
        else:
            self._free += 1


_places: RunVar[_Places] = RunVar("sso_middleware_places")


def _places_of_this_loop() -> _Places:
    try:
        return _places.get()
    except LookupError:
        places = _Places()
        _places.set(places)
        return places


def _call_soon() -> Callable[[Callable[[], Any]], Any]:
    """Return a function for other threads to schedule a call on the running event loop."""
    token: Any = current_token()
    native = getattr(token, "native_token", token)  # since anyio 4.11 the token is wrapped
    call_soon: Callable[[Callable[[], Any]], Any]
    call_soon = getattr(native, "run_sync_soon", None) or native.call_soon_threadsafe  # trio's, asyncio's
    return call_soon
