"""Frameworks' own test suites notice nothing of the middleware around every application they drive.

Their sources come from the package index at run time, in the version that is installed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import pytest

HERE = Path(__file__).parent

pytestmark = pytest.mark.transparency


class Suite(NamedTuple):
    """A framework's suite.

    Attributes:
        tests: where it is.
        needs: what it is run with, beside what is installed.
        options: of pytest.
        least: how often at least the middleware must have been called, by kind of request.
    """

    tests: str
    needs: list[str]
    options: list[str]
    least: dict[str, int]


SUITES = {
    "starlette": Suite(
        "tests",
        ["httpx2[zstd]", "pyyaml"],
        ["-p", "anyio.pytest_plugin"],
        {"http": 400, "websocket": 40, "lifespan": 10},
    ),
    "flask": Suite("tests", ["pytest<9"], [], {"wsgi": 300}),  # Flask 3.1's imports what pytest 9 has not
    "bottle": Suite("test", [], [], {"wsgi": 150}),
}


def pip(*arguments):
    """Run pip; skip what it cannot download."""
    result = subprocess.run(
        [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check", *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if result.returncode:
        pytest.skip(f"needs the package index: pip {arguments[0]} said {result.stderr.strip()[-300:]}")


@pytest.fixture(params=SUITES)
def name(request):
    return request.param


@pytest.fixture
def sources(name, tmp_path):
    """The unpacked source distribution; what its suite needs is in ``needs`` beside it."""
    pip("download", "--no-deps", "--no-binary", name, "--dest", str(tmp_path), f"{name}=={version(name)}")
    if SUITES[name].needs:
        pip("install", "--target", str(tmp_path / "needs"), *SUITES[name].needs)
    (archive,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        opened.extractall(tmp_path, filter="data")
    return tmp_path / archive.name.removesuffix(".tar.gz")


def run(sources, suite, wrap):
    """Run a suite, and return what became of each test and how often the middleware was called."""
    report = sources.parent / f"{wrap}.json"
    paths = [
        str(sources.parent / "needs"),
        str(HERE),
        str(HERE.parent.parent),
        os.environ.get("PYTHONPATH", ""),
    ]
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("COV", "PYTEST_"))}
    environment |= {
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONPATH": os.pathsep.join(paths),
        "SSO_TRANSPARENCY": json.dumps({"wrap": wrap, "report": str(report)}),
    }
    result = subprocess.run(
        [
            sys.executable, "-m", "pytest", "-q", "--continue-on-collection-errors",
            "-p", "no:cacheprovider", "-p", "wrapping", *suite.options, suite.tests,
        ],
        cwd=sources,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )  # fmt: skip
    assert report.exists(), result.stdout[-3000:] + result.stderr[-3000:]
    return json.loads(report.read_text(encoding="utf-8"))


def test_suite(name, sources):
    """Each test ends as it does without the middleware, and that is mostly well."""
    suite = SUITES[name]
    without, wrapped = (run(sources, suite, wrap) for wrap in (None, name))
    outcomes = without["outcomes"]
    different = {
        test: (outcomes.get(test), wrapped["outcomes"].get(test))
        for test in outcomes.keys() | wrapped["outcomes"].keys()
        if outcomes.get(test) != wrapped["outcomes"].get(test)
    }
    assert different == {}
    assert len(outcomes) > 300
    assert Counter(outcomes.values())["passed"] > 0.95 * len(outcomes)
    assert without["calls"] == {}
    assert {
        kind: min(wrapped["calls"].get(kind, 0), number) for kind, number in suite.least.items()
    } == suite.least
