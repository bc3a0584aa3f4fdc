"""Visit the applications and write the table of them into examples/README.md, between its two comments::

    python tests/realapps/table.py

Exits with 1 if a test failed or was skipped, or if that file has no place for the table.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
GUIDE = HERE.parents[1] / "examples" / "README.md"

sys.path[:0] = [str(HERE), str(HERE.parent / "support")]
from public_applications import APPLICATIONS  # noqa: E402 - found there only now

from readme_tables import write_table  # noqa: E402

COLUMNS = {
    "test_way_back": "Way back",
    "test_logout": "Logout",
    "test_tampered_cookie": "Tampered cookie",
    "test_mount_prefix": "Mount prefix",
    "test_check": "`check`",
}


class Results:
    """Collects, while pytest runs, the worst outcome of each test, by its name and parameter."""

    def __init__(self) -> None:
        self.outcomes: dict[tuple[str, str], str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        test, _, parameter = report.nodeid.rpartition("::")[2].partition("[")
        cell = test, parameter.removesuffix("]")
        worst = ["passed", "skipped", "failed"]
        self.outcomes[cell] = max(self.outcomes.get(cell, "passed"), report.outcome, key=worst.index)


def render(results: Results) -> str:
    lines = [
        f"| Application | On | {' | '.join(COLUMNS.values())} |",
        f"|{'---|' * (len(COLUMNS) + 2)}",
    ]
    for application in APPLICATIONS:
        good = {
            "test_way_back": f"yes: {application.way_back}",
            "test_logout": f"yes{'' if application.ends_session else '; the session is all in its cookie'}",
        }
        cells = []
        for test in COLUMNS:
            outcome = results.outcomes[test, application.module]
            cells.append(
                good.get(test, "yes")
                if outcome == "passed"
                else {"skipped": "not run", "failed": "**no**"}[outcome]
            )
        name = f"{application.name} {application.version}"
        lines.append(f"| {' | '.join([name, application.framework, *cells])} |")
    return "\n".join([*lines, "", f"Python {sys.version.partition(' ')[0]}."])


def main() -> int:
    results = Results()
    exit_code = pytest.main(["-q", "--all", "-m", "realapps", str(HERE)], plugins=[results])
    table = render(results)
    print(table)  # noqa: T201 - this is a command
    if not write_table(GUIDE, "realapps", table):
        print(f"{GUIDE} has no place for the table", file=sys.stderr)  # noqa: T201
        return 1
    return 1 if exit_code or "not run" in table else 0


if __name__ == "__main__":
    sys.exit(main())
