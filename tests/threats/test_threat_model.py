"""That the threat model in .github/SECURITY.md holds: each claim has a test, which fails if it is not true.

The quick tests compare the document with `breakages.py`. The slow ones break a copy of the package, one
claim at a time, and run the test that is named for it.
"""

from __future__ import annotations

import ast
import compileall
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from threats.breakages import BREAKAGES

import sso_middleware

ROOT = Path(__file__).parents[2]
RUNNING = Path(__file__).with_name("running.py")
SECURITY = ROOT / ".github" / "SECURITY.md"
COPIED = ("tests", "pyproject.toml", ".github", ".ci")

NUMBERS = Counter()
IDS = []
for breakage in BREAKAGES:
    NUMBERS[breakage.threat] += 1
    IDS.append(f"{breakage.threat}.{NUMBERS[breakage.threat]}-{breakage.test.rpartition(':')[2]}")

pytestmark = pytest.mark.skipif(not SECURITY.exists(), reason="a source distribution has no SECURITY.md")


def rows():
    """The tests of each row of the threat model, by its number."""
    found = re.findall(r"^\| (T\d+) \|(.*)\|$", SECURITY.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(found) == len(dict(found))
    return {number: set(re.findall(r"`(tests/[\w/]+\.py::[\w:]+)`", row)) for number, row in found}


@cache
def ids_in(path):
    """The ids of the tests in a file."""
    module = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    ids = set()
    for node in module.body:
        if isinstance(node, ast.FunctionDef):
            ids.add(f"{path}::{node.name}")
        elif isinstance(node, ast.ClassDef):
            ids |= {f"{path}::{node.name}::{part.name}" for part in node.body if hasattr(part, "name")}
    return ids


def test_rows_are_numbered():
    """The rows are T1, T2 and so on, none left out."""
    assert list(rows()) == [f"T{number}" for number in range(1, len(rows()) + 1)]


def test_document_and_breakages_agree():
    """Each row names the tests that are seen to fail, and no other."""
    seen = {number: set() for number in rows()}
    for breakage in BREAKAGES:
        seen.setdefault(breakage.threat, set()).add(breakage.test)
    assert seen == rows()
    assert all(seen.values())


def test_each_named_test_exists():
    """A test that is renamed is renamed here and in the document, too."""
    named = {breakage.test for breakage in BREAKAGES}
    assert {test for test in named if test not in ids_in(test.partition("::")[0])} == set()


@pytest.mark.parametrize("breakage", BREAKAGES, ids=IDS)
def test_each_breakage_can_be_made(breakage):
    """What is to be replaced is there, exactly once."""
    source = path_of(breakage, ROOT, Path(sso_middleware.__file__).parent).read_text(encoding="utf-8")
    assert source.count(breakage.old) == 1
    assert breakage.new != breakage.old


def path_of(breakage, root, package):
    """The file to change: of the package, which may be installed elsewhere, or of the repository."""
    inside = breakage.path.partition("sso_middleware/")[2]
    return package / inside if inside else root / breakage.path


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of package and tests, compiled."""
    root = tmp_path_factory.mktemp("copy")
    ignored = shutil.ignore_patterns("__pycache__")
    for name in COPIED:
        source = ROOT / name
        (shutil.copy2 if source.is_file() else shutil.copytree)(source, root / name)
    shutil.copytree(Path(sso_middleware.__file__).parent, root / "sso_middleware", ignore=ignored)
    compileall.compile_dir(root / "sso_middleware", quiet=2)
    return root


def run(*pairs):
    """Run the test, or several, of each copy; return what came of them, by copy, and what was printed."""
    foreign = ("COV", "PYTEST", "HELPDESK_", "PYTHONDONTWRITEBYTECODE")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    command = [sys.executable, RUNNING, *(str(argument) for pair in pairs for argument in pair)]
    done = subprocess.run(command, check=False, env=environ, capture_output=True, text=True, timeout=300)
    printed = done.stdout + done.stderr
    outcomes = {}
    for copy, _ in pairs:
        assert (copy / "report.xml").exists(), printed
        cases = ET.parse(copy / "report.xml").iter("testcase")
        outcomes[copy] = Counter(case[0].tag if len(case) else "passed" for case in cases)
    return outcomes, printed


def broken(copy, place, breakage):
    """A copy of the copy, with one breakage made."""
    shutil.copytree(copy, place)
    path = path_of(breakage, place, place / "sso_middleware")
    source = path.read_text(encoding="utf-8")
    path.write_text(source.replace(breakage.old, breakage.new), encoding="utf-8")
    shutil.rmtree(path.parent / "__pycache__", ignore_errors=True)  # of the same second, it would count
    return place


@pytest.mark.threats
def test_the_unbroken_copy_passes(copy, tmp_path):
    """What the breakages below break is in order."""
    place = shutil.copytree(copy, tmp_path / "whole")
    outcomes, printed = run((place, " ".join(sorted({breakage.test for breakage in BREAKAGES}))))
    assert outcomes[place].keys() <= {"passed", "skipped"}, printed
    assert outcomes[place]["passed"] > len(BREAKAGES)


@pytest.mark.threats
@pytest.mark.parametrize("threat", sorted(NUMBERS))
def test_a_claim_that_is_not_true_is_noticed(copy, tmp_path, threat):
    """With one claim made false, its test fails; it is no error of another kind."""
    made = [breakage for breakage in BREAKAGES if breakage.threat == threat]
    places = [broken(copy, tmp_path / str(number), breakage) for number, breakage in enumerate(made)]
    outcomes, printed = run(*zip(places, (breakage.test for breakage in made), strict=True))
    skipped = []
    for place, breakage in zip(places, made, strict=True):
        outcome = outcomes[place]
        if outcome.keys() == {"skipped"}:
            skipped.append(breakage.test)
        else:
            assert (outcome["failure"], outcome["error"]) == (1, 0), f"{breakage.new}\n{printed}"
    shutil.rmtree(tmp_path)  # some hundred megabytes, over all threats
    if skipped:
        pytest.skip(f"skipped here: {' '.join(skipped)}")
