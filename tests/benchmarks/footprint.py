"""How much memory is held after many hand-offs: as much as after few, or something piles up."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from pathlib import Path

from account import PATH
from measuring import Spread
from report import Goal, Section, Table
from routes import asgi_with_ours, wsgi_with_ours
from traffic import asgi_answer, environ, scope, wsgi_answer

MANY = 100_000
#: What free lists and arenas come to; an object kept from each hand-off would be many times that.
FLAT_BLOCKS, FLAT_KIB = 200, 1024


def section(scale: float) -> Section:
    """Measure on the way to `scale` times 100,000 hand-offs, each of a visitor of their own."""
    result = Section("memory")
    counts = [int(MANY * scale * part) for part in (0.01, 0.1, 0.5, 1)]
    for protocol, hand_off in (("ASGI", _asgi()), ("WSGI", _wsgi())):
        rows: dict[str, tuple[float | None, ...]] = {}
        done = 0
        for count in counts:
            for number in range(done, count):
                hand_off(f"visitor.{number}@example.com")
            done = count
            gc.collect()
            rows[f"after {count:,}"] = (sys.getallocatedblocks(), _resident())
        columns = ("allocated blocks", "resident, KiB")
        result.tables.append(Table(f"Memory, {protocol} hand-offs", columns, rows))
        first, *_, last = rows.values()
        limits = zip(columns, (FLAT_BLOCKS, FLAT_KIB), first, last, strict=True)
        for what, limit, before, after in limits:
            if before is not None and after is not None:
                growth = after - before
                text = f"{protocol}: {what}, more after {counts[-1]:,} hand-offs than after {counts[0]:,}"
                result.goals.append(Goal(text, Spread(growth, growth, growth), at_most=limit))
    return result


def _asgi() -> Callable[[str], object]:
    app = asgi_with_ours()
    return lambda email: asgi_answer(app, scope(PATH, X_User=email))


def _wsgi() -> Callable[[str], object]:
    app = wsgi_with_ours()
    return lambda email: wsgi_answer(app, environ(PATH, X_User=email))


def _resident() -> float | None:
    """Return the resident set in KiB, where there is a /proc (proc(5))."""
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    return float(
        next(line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmRSS"))
    )
