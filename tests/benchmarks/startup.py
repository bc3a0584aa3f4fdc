"""What importing the package takes beyond its dependencies, each time in a new process."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile

from measuring import Spread, ratio, spread
from report import Goal, Section, Table

#: Imports `before`, then times `PyJWT`'s successor in line: what is ours.
CHILD = """
import json, sys, time
before, statement = json.loads(sys.argv[1])
start = time.process_time_ns()
import jwt
after_jwt = time.process_time_ns()
for name in before:
    __import__(name)
start_ours = time.process_time_ns()
exec(statement)
end = time.process_time_ns()
print(json.dumps([after_jwt - start, end - start_ours, sorted(sys.modules)]))
"""

#: What is used, and the dependency that it brings along besides PyJWT.
USES = {
    "import sso_middleware": ("import sso_middleware", None),
    "from sso_middleware import HelpDesk": ("from sso_middleware import HelpDesk", None),
    "HelpDesk and the WSGI class": (
        "from sso_middleware import HelpDesk; from sso_middleware.wsgi import SSOMiddleware",
        ("werkzeug",),
    ),
    "HelpDesk and the ASGI class": (
        "from sso_middleware import HelpDesk; from sso_middleware.asgi import SSOMiddleware",
        ("starlette", "anyio"),
    ),
}


def section(processes: int) -> Section:
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": cache}  # compiled code for all alike
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        before = {name: _dependencies(statement, of, environment) for name, (statement, of) in USES.items()}
        of_jwt: dict[str, list[float]] = {name: [] for name in USES}
        ours: dict[str, list[float]] = {name: [] for name in USES}
        for _ in range(processes):
            for name, (statement, _of) in USES.items():
                jwt_time, our_time, _modules = _run(before[name], statement, environment)
                of_jwt[name].append(jwt_time)
                ours[name].append(our_time)
    rows = {}
    for name, times in ours.items():
        rows[name] = (
            spread(times).median / 1e6,
            spread(of_jwt[name]).median / 1e6,
            ratio(times, of_jwt[name]).median,
        )
    notes = (
        "beyond: what PyJWT, Werkzeug (WSGI), Starlette and anyio (ASGI) import is imported before",
    )
    columns = ("beyond, ms", "import jwt, ms", "beyond / import jwt")
    goals = [Goal(f"{name}, beyond / import jwt", _middle(ours[name], of_jwt[name]), at_most=0.1) for name in USES]
    return Section("import", [Table("Import", columns, rows, notes)], goals)


def _middle(times: list[float], base: list[float]) -> Spread:
    """Return the ratio to the median of `base`: a process of its own shares no round with another."""
    return spread([one / statistics.median(base) for one in times])


def _dependencies(statement: str, of: tuple[str, ...] | None, environment: dict[str, str]) -> list[str]:
    """Return the modules of the packages `of` that `statement` imports; fills the cache, too."""
    _, _, modules = _run([], statement, environment)
    return [name for name in modules if of and name.partition(".")[0] in of]


def _run(before: list[str], statement: str, environment: dict[str, str]) -> tuple[int, int, list[str]]:
    command = [sys.executable, "-c", CHILD, json.dumps([before, statement])]
    return json.loads(subprocess.run(command, env=environment, check=True, capture_output=True).stdout)
