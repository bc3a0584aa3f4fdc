"""Run the matrix and write its two tables into README.md, each between two comments::

    python tests/servers_matrix/table.py

Exits with 1 if a test failed or was skipped, or if README.md has no place for a table.
"""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
README = HERE / "README.md"

sys.path[:0] = [str(HERE), str(HERE.parent / "support")]
from cells import SERVERS, WAYS, ServerKind, Way, table_of_forged_headers  # noqa: E402 - found there only now

from processes import NGINX  # noqa: E402
from readme_tables import write_table  # noqa: E402

MARKS = {"passed": "yes", "failed": "**no**", "skipped": "not run"}


class Results:
    """Collects, while pytest runs, the worst outcome of each cell."""

    def __init__(self) -> None:
        self.outcomes: dict[tuple[ServerKind, Way], str] = {}
        self._cells: dict[str, tuple[ServerKind, Way]] = {}

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self._cells = {item.nodeid: item.callspec.params["cell"] for item in session.items}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        cell = self._cells[report.nodeid]
        worst = ["passed", "skipped", "failed"]
        self.outcomes[cell] = max(self.outcomes.get(cell, "passed"), report.outcome, key=worst.index)


def render(results: Results) -> str:
    head = ["Server", "Protocol", *(way.name for way in WAYS)]
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for server in SERVERS:
        version = version_of(server.module) if server.is_installed else ""
        cells = [MARKS[results.outcomes[server, way]] for way in WAYS]
        lines.append(f"| {' | '.join([f'{server.name} {version}'.strip(), server.protocol, *cells])} |")
    return "\n".join([*lines, "", f"Python {sys.version.partition(' ')[0]}, {nginx_version()}."])


def version_of(module: str) -> str:
    """Return the version of what is installed; what comes with Python has its version."""
    return "" if module in sys.stdlib_module_names else importlib.metadata.version(module)


def nginx_version() -> str:
    if NGINX is None:
        return "without nginx"
    said = subprocess.run([NGINX, "-v"], capture_output=True, text=True, check=True).stderr
    return f"nginx {said.partition('nginx/')[2].split()[0]}"


def main() -> int:
    results = Results()
    exit_code = pytest.main(
        ["-q", "-n", "0", "--all", "-m", "matrix", "-p", "no:cacheprovider", str(HERE)], plugins=[results]
    )
    table = render(results)
    print(table)  # noqa: T201 - this is a command
    # The second one says what the tests assert, so it holds only if they pass.
    tables = {"servers": table, "forged headers": table_of_forged_headers()}
    if not all(write_table(README, name, text) for name, text in tables.items()):
        print(f"{README} has no place for a table", file=sys.stderr)  # noqa: T201
        return 1
    return 1 if exit_code or "not run" in table else 0


if __name__ == "__main__":
    sys.exit(main())
