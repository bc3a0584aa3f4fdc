"""How anything is timed here: contenders take turns in one process, and processor time is compared.

In each round every contender runs once for the same short while, with the garbage collector off, so
that whatever else the machine does meets them alike. Ratios are taken within a round; what is reported
is their median over the rounds, and their quartiles.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

Sampler = Callable[[int], float]
"""Given how many times to go through its arguments; returns the nanoseconds a call has taken."""

Series = list[float]
"""One figure a round."""

LOOP = asyncio.new_event_loop()


@dataclass(frozen=True)
class Effort:
    """How long a measurement takes."""

    rounds: int
    sample: float  # seconds


@dataclass(frozen=True)
class Spread:
    """A median with its quartiles."""

    low: float
    median: float
    high: float


def calls(function: Callable[[Any], object], arguments: Sequence[Any]) -> Sampler:
    """Time `function(argument)`."""

    def sample(count: int) -> float:
        start = time.process_time_ns()
        for _ in repeat(None, count):
            for argument in arguments:
                function(argument)
        return (time.process_time_ns() - start) / (count * len(arguments))

    return sample


def wsgi_calls(app: Callable[..., Iterable[bytes]], environs: Sequence[dict[str, Any]]) -> Sampler:
    """Time a WSGI application as a server calls it, less the server."""

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> None:
        pass

    def sample(count: int) -> float:
        start = time.process_time_ns()
        for _ in repeat(None, count):
            for environ in environs:
                for _body in app(environ, start_response):
                    pass
        return (time.process_time_ns() - start) / (count * len(environs))

    return sample


def asgi_calls(app: Callable[..., Any], scopes: Sequence[dict[str, Any]]) -> Sampler:
    """Time an ASGI application as a server calls it, less the server; in a running event loop."""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: object) -> None:
        pass

    async def sample(count: int) -> float:
        start = time.process_time_ns()
        for _ in repeat(None, count):
            for scope in scopes:
                await app(scope, receive, send)
        return (time.process_time_ns() - start) / (count * len(scopes))

    return lambda count: LOOP.run_until_complete(sample(count))


def take_turns(contenders: Mapping[str, Sampler], effort: Effort) -> dict[str, Series]:
    """Return, of each contender, the nanoseconds of a call in each round."""
    counts = {name: _count(sampler, effort.sample) for name, sampler in contenders.items()}
    series: dict[str, Series] = {name: [] for name in contenders}
    names = list(contenders)
    gc.collect()
    gc.freeze()  # so that collecting what a sample has left behind takes no time
    for number in range(effort.rounds):
        first = number % len(names)  # nobody is always the first
        for name in names[first:] + names[:first]:
            gc.collect()
            gc.disable()
            series[name].append(contenders[name](counts[name]))
            gc.enable()
    gc.unfreeze()
    return series


def _count(sampler: Sampler, seconds: float) -> int:
    """Return how many times make a sample of that length; warms up the contender, too."""
    count = 1
    while True:
        start = time.process_time()
        sampler(count)
        taken = time.process_time() - start
        if taken >= seconds / 4:
            return max(1, round(count * seconds / taken))
        count *= 2


def less(series: Series, base: Series) -> Series:
    """Return the differences, round by round."""
    return [one - other for one, other in zip(series, base, strict=True)]


def ratio(series: Series, base: Series) -> Spread:
    """Return the spread of the ratios, round by round."""
    return spread([one / other for one, other in zip(series, base, strict=True)])


def spread(series: Series) -> Spread:
    if len(series) == 1:
        return Spread(series[0], series[0], series[0])
    low, median, high = statistics.quantiles(series, n=4, method="inclusive")
    return Spread(low, median, high)
