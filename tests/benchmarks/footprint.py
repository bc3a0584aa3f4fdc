"""How much memory is held after many hand-offs: as much as after few, or something piles up."""

from __future__ import annotations

import gc
import tracemalloc
from pathlib import Path

from account import PATH
from measuring import LOOP, Spread
from report import Goal, Section, Table
from routes import asgi_with_ours, wsgi_with_ours
from traffic import asgi_answer, environ, scope, wsgi_answer

MANY = 100_000
FLAT = 16  # KiB: what interned strings and free lists come to


def section(scale: float) -> Section:
    """Measure after 1, 10, 50 and 100 per cent of `scale` times 100,000 hand-offs, each of another visitor."""
    result = Section("memory")
    counts = [int(MANY * scale * part) for part in (0.01, 0.1, 0.5, 1)]
    for protocol, hand_off in (("ASGI", _asgi()), ("WSGI", _wsgi())):
        rows, done = {}, 0
        tracemalloc.start()
        for count in counts:
            for number in range(done, count):
                hand_off(f"visitor.{number}@example.com")
            done = count
            gc.collect()
            rows[f"after {count:,}"] = (tracemalloc.get_traced_memory()[0] / 1024, _resident())
        tracemalloc.stop()
        columns = ("Python's own, KiB", "resident, KiB")
        result.tables.append(Table(f"Memory, {protocol} hand-offs", columns, rows))
        first, *_, last = rows.values()
        growth = last[0] - first[0]
        text = f"{protocol}: KiB held after {counts[-1]:,} that were not after {counts[0]:,}"
        result.goals.append(Goal(text, Spread(growth, growth, growth), at_most=FLAT))
    return result


def _asgi():
    app = asgi_with_ours()
    return lambda email: asgi_answer(app, scope(PATH, X_User=email))


def _wsgi():
    app = wsgi_with_ours()
    return lambda email: wsgi_answer(app, environ(PATH, X_User=email))


def _resident() -> float | None:
    """Return the resident set in KiB, where there is a /proc (proc(5))."""
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    return float(next(line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmRSS")))
