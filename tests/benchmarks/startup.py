"""What importing the package takes, with its dependencies and without, each time in a new process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile

from measuring import ratio, spread
from report import Goal, Section, Table

#: Told what to hide, which dependencies there are and what to import, prints the nanoseconds of `import
#: jwt`, of the other dependencies and of the statement after them, and the modules there are in the end.
CHILD = """
import json, sys, time
hidden, others, statement = json.loads(sys.argv[1])
sys.modules.update(dict.fromkeys(hidden))
times = [time.process_time_ns()]
import jwt
times.append(time.process_time_ns())
for name in others:
    __import__(name)
times.append(time.process_time_ns())
exec(statement)
times.append(time.process_time_ns())
print(json.dumps([*(end - start for start, end in zip(times, times[1:])), [*sys.modules]]))
"""

#: What is used, and the packages it needs besides PyJWT.
DESK = "from sso_middleware import HelpDesk"
USES = {
    "import sso_middleware": ("import sso_middleware", ()),
    DESK: (DESK, ()),
    f"{DESK}; the WSGI class": (f"{DESK}; from sso_middleware.wsgi import SSOMiddleware", ("werkzeug",)),
    f"{DESK}; the ASGI class": (
        f"{DESK}; from sso_middleware.asgi import SSOMiddleware",
        ("starlette", "anyio"),
    ),
}

#: PyJWT imports cryptography where it is installed, which takes longer than all the rest.
WITHOUT_CRYPTO, WITH_CRYPTO = "without cryptography", "with cryptography"
HIDDEN = {WITHOUT_CRYPTO: ["cryptography"], WITH_CRYPTO: []}


def section(processes: int) -> Section:
    result = Section("import")
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": cache}  # compiled code for all alike
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        for kind, hidden in HIDDEN.items():
            others = {name: _dependencies(hidden, *use, environment) for name, use in USES.items()}
            times: dict[str, list[tuple[int, int, int]]] = {name: [] for name in USES}
            for _ in range(processes):
                for name, (statement, _packages) in USES.items():
                    *taken, _modules = _run(hidden, others[name], statement, environment)
                    times[name].append(tuple(taken))
            _add(result, kind, times)
    return result


def _add(result: Section, kind: str, times: dict[str, list[tuple[int, int, int]]]) -> None:
    rows = {}
    for name, taken in times.items():
        of_jwt, _, ours = ([*part] for part in zip(*taken, strict=True))
        share = ratio(ours, of_jwt)
        figures = (spread(series).median / 1e6 for series in (ours, of_jwt, [sum(parts) for parts in taken]))
        rows[name] = (*figures, share.median)
        if kind == WITHOUT_CRYPTO:
            result.goals.append(Goal(f"our own modules / import jwt: {name}", share, at_most=0.1))
    notes = (
        "our own modules: after import jwt, and after what the WSGI class needs of Werkzeug, the ASGI class "
        "of Starlette and anyio; with what only they import of the standard library",
        "with its dependencies: our own modules, import jwt, and these",
        f"the goals refer to PyJWT {WITHOUT_CRYPTO}, as this package requires it",
    )
    columns = ("our own modules, ms", "import jwt, ms", "with its dependencies, ms", "our own / import jwt")
    result.tables.append(Table(f"Import, PyJWT {kind}", columns, rows, notes))


def _dependencies(
    hidden: list[str], statement: str, packages: tuple[str, ...], environment: dict[str, str]
) -> list[str]:
    """Return the modules of `packages` that `statement` imports; warms up the caches, too."""
    *_, modules = _run(hidden, [], statement, environment)
    return [name for name in modules if name.partition(".")[0] in packages]


def _run(
    hidden: list[str], others: list[str], statement: str, environment: dict[str, str]
) -> tuple[int, int, int, list[str]]:
    command = [sys.executable, "-c", CHILD, json.dumps([hidden, others, statement])]
    return json.loads(subprocess.run(command, env=environment, check=True, capture_output=True).stdout)
