"""What importing the package takes beyond its dependencies, each time in a new process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile

from measuring import Series, ratio, spread
from report import Goal, Section, Table

#: Told what to hide, what to import first and what to time, prints the nanoseconds of `import jwt` and
#: of the statement, and the modules there are in the end.
CHILD = """
import json, sys, time
hidden, first, statement = json.loads(sys.argv[1])
sys.modules.update(dict.fromkeys(hidden))
start = time.process_time_ns()
import jwt
of_jwt = time.process_time_ns() - start
for name in first:
    __import__(name)
start = time.process_time_ns()
exec(statement)
print(json.dumps([of_jwt, time.process_time_ns() - start, [*sys.modules]]))
"""

#: What is used, and the packages it needs besides PyJWT: these are imported first, and not timed.
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
            first = {name: _dependencies(hidden, *use, environment) for name, use in USES.items()}
            of_jwt: dict[str, Series] = {name: [] for name in USES}
            ours: dict[str, Series] = {name: [] for name in USES}
            for _ in range(processes):
                for name, (statement, _packages) in USES.items():
                    jwt_time, our_time, _modules = _run(hidden, first[name], statement, environment)
                    of_jwt[name].append(jwt_time)
                    ours[name].append(our_time)
            _add(result, kind, ours, of_jwt)
    return result


def _add(result: Section, kind: str, ours: dict[str, Series], of_jwt: dict[str, Series]) -> None:
    rows = {}
    for name, times in ours.items():
        beyond = ratio(times, of_jwt[name])
        rows[name] = (spread(times).median / 1e6, spread(of_jwt[name]).median / 1e6, beyond.median)
        if kind == WITHOUT_CRYPTO:
            result.goals.append(Goal(f"beyond / import jwt: {name}", beyond, at_most=0.1))
    notes = (
        "beyond: after import jwt, and what the WSGI class needs of Werkzeug, the ASGI class of Starlette",
        f"the goals refer to PyJWT {WITHOUT_CRYPTO}, as this package requires it",
    )
    columns = ("beyond, ms", "import jwt, ms", "beyond / import jwt")
    result.tables.append(Table(f"Import, PyJWT {kind}", columns, rows, notes))


def _dependencies(
    hidden: list[str], statement: str, packages: tuple[str, ...], environment: dict[str, str]
) -> list[str]:
    """Return the modules of `packages` that `statement` imports; warms up the caches, too."""
    _, _, modules = _run(hidden, [], statement, environment)
    return [name for name in modules if name.partition(".")[0] in packages]


def _run(
    hidden: list[str], first: list[str], statement: str, environment: dict[str, str]
) -> tuple[int, int, list[str]]:
    command = [sys.executable, "-c", CHILD, json.dumps([hidden, first, statement])]
    return json.loads(subprocess.run(command, env=environment, check=True, capture_output=True).stdout)
