"""The benchmark runs, checks its contenders and reports on each. Their speed is not tested."""

from __future__ import annotations

import importlib.util
import json
import math
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from load import KINDS, goals

from readme_tables import read_table

COMMAND = Path(__file__).parent
FIGURES = COMMAND / "README.md"
NEEDED = ["asgi_correlation_id", "authlib", "whitenoise"]

pytestmark = [
    pytest.mark.benchmark,
    pytest.mark.slow,
    pytest.mark.skipif(
        not all(map(importlib.util.find_spec, NEEDED)), reason="needs pip install --group benchmarks"
    ),
]

OURS = ["bare application", "SSOMiddleware", "SSOMiddleware, path that ends alike", "one set look-up"]
STARLETTE = [f"Starlette {name}" for name in ("CORS", "TrustedHost", "GZip", "Session", "BaseHTTP")]
ASGI_PEERS = [*STARLETTE, "asgi-correlation-id"]
WSGI_PEERS = ["Werkzeug ProxyFix", "Werkzeug Dispatcher", "WhiteNoise"]
IMPORTS = ["import sso_middleware", "from sso_middleware import HelpDesk"]
IMPORTS += [f"{IMPORTS[1]}; the {protocol} class" for protocol in ("WSGI", "ASGI")]
HANDOFFS = [f"after {count}" for count in ("50", "500", "2,500", "5,000")]
ROWS = {
    "passthrough": {
        "Pass-through, ASGI": {*OURS, *ASGI_PEERS},
        "Pass-through, ASGI under a root_path": {*OURS, "one set look-up, root_path off", *ASGI_PEERS},
        "Pass-through, WSGI": {*OURS, *WSGI_PEERS},
    },
    "signing": {
        "Signing": {
            "desk.handoff_url",
            "by hand: jwt.encode, uuid4, urlencode",
            "by hand: joserfc",
            "by hand: Authlib",
            "floor",
        }
    },
    "handoff": {
        "Hand-off, called directly, ASGI": {
            "Starlette route, by hand",
            "FastAPI route, by hand",
            "ours in Starlette (add_middleware)",
            "ours in FastAPI (add_middleware)",
            "ours around any ASGI application",
            "Starlette route, by hand, sync def",
            "ours in Starlette, sync def",
            "Starlette route, by hand, session",
            "ours in Starlette (starlette.session_email)",
        },
        "Hand-off, called directly, WSGI": {
            "Flask view, by hand",
            "Django view, by hand",
            "ours in Flask (wsgi_app)",
            "ours around Django",
            "ours in Django (MIDDLEWARE)",
            "Flask view, by hand, session",
            "ours in Flask (flask.session_email)",
            "Django view, by hand, session",
            "ours in Django (MIDDLEWARE), session",
        },
    },
    "import": {f"Import, PyJWT {kind} cryptography": {*IMPORTS} for kind in ("with", "without")},
    "memory": {f"Memory, {protocol} hand-offs": {*HANDOFFS} for protocol in ("ASGI", "WSGI")},
}


def run(*options: str, command=COMMAND, **variables: str) -> subprocess.CompletedProcess:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    return subprocess.run(
        [sys.executable, command, *options],
        check=False,
        env=environment | variables,
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    """What the quick run prints, and what it writes as JSON."""
    file = tmp_path_factory.mktemp("benchmarks") / "figures.json"
    finished = run("--quick", "--json", str(file))
    assert finished.returncode == 0, finished.stderr
    return finished.stdout, json.loads(file.read_text("utf-8"))


def test_every_row(outcome):
    """The JSON has a row for everybody in every table, and the text names them all."""
    text, figures = outcome
    sections = figures["sections"]
    assert {
        name: {table["title"]: {*table["rows"]} for table in section["tables"]}
        for name, section in sections.items()
    } == ROWS
    for tables in ROWS.values():
        for title, rows in tables.items():
            shown = text.partition(f"## {title}\n")[2].partition("##")[0]
            assert rows <= {line.partition("  ")[0] for line in shown.splitlines()}


def test_every_figure(outcome):
    """Each row begins with a figure, and all of them are finite numbers."""
    tables = [table for section in outcome[1]["sections"].values() for table in section["tables"]]
    for table in tables:
        for row in table["rows"].values():
            first, *others = row.values()
            assert first > 0
            assert all(math.isfinite(figure) for figure in others if figure is not None)


def test_goals(outcome):
    """Every section has goals, each of which is judged by its median."""
    text, figures = outcome
    goals = [goal for section in figures["sections"].values() for goal in section["goals"]]
    assert all(section["goals"] for section in figures["sections"].values())
    for goal in goals:
        median = goal["measured"]["median"]
        assert goal["measured"]["low"] <= median <= goal["measured"]["high"]
        assert goal["is_met"] is (
            median <= goal["at_most"] if goal["at_least"] is None else median >= goal["at_least"]
        )
        assert goal["text"] in text
    assert f"{sum(goal['is_met'] for goal in goals)} of {len(goals)} goals met" in text


def test_without_wrk(tmp_path):
    """Where wrk is missing the command says so, and what can be measured without, before it measures."""
    finished = run(PATH=str(tmp_path))
    assert (finished.returncode, finished.stdout) == (2, "")
    assert "wrk is not installed" in finished.stderr
    assert "--only signing" in finished.stderr


def test_table_of_the_readme(outcome):
    """README.md has a row for each goal of a full run, in that order, and no other."""
    of_all_but_servers = [goal["text"] for part in outcome[1]["sections"].values() for goal in part["goals"]]
    of_servers = [text for kind in KINDS for text in goals(kind).values()]
    _head, _line, *rows = read_table(FIGURES, "benchmarks").partition("\n\n")[0].splitlines()
    written = [row.split(" | ")[0].removeprefix("| ") for row in rows]
    assert [*map(name, written)] == [*map(name, of_all_but_servers + of_servers)]


def name(goal):
    """What it is called whatever the best peer is, and however many hand-offs it takes."""
    return re.sub(r"(?<=best peer ).*|(?<=more after ).*", "...", goal)


@pytest.mark.parametrize("options", [["--quick"], ["--only", "signing"]], ids=" ".join)
def test_part_of_the_table(tmp_path, options):
    """A part of the table, or a coarse one, is never written over the whole."""
    shutil.copytree(COMMAND.parent, tmp_path / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    figures = tmp_path / "tests" / "benchmarks" / "README.md"
    before = figures.read_bytes()
    finished = run("--readme", *options, command=tmp_path / "tests" / "benchmarks")
    assert (finished.returncode, finished.stdout) == (2, "")
    assert "--readme writes the whole table" in finished.stderr
    assert figures.read_bytes() == before
