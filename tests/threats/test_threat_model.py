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

import sso_middleware
from threats.breakages import BREAKAGES

ROOT = Path(__file__).parents[2]
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


def run(root, *tests):
    """Run tests in a copy; return how many passed, failed, broke and were skipped, and what was printed."""
    foreign = ("COV", "PYTEST", "HELPDESK_", "PYTHONDONTWRITEBYTECODE")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    environ |= {"PYTHONPATH": str(root), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    report = root / "report.xml"
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", f"--junitxml={report}"]
    done = subprocess.run(
        [*command, *tests], check=False, cwd=root, env=environ, capture_output=True, text=True, timeout=120
    )
    assert report.exists(), done.stdout + done.stderr
    cases = ET.parse(report).iter("testcase")
    outcomes = Counter(case[0].tag if len(case) else "passed" for case in cases)
    return outcomes, done.stdout


@pytest.mark.slow
def test_the_unbroken_copy_passes(copy):
    """What the breakages below break is in order."""
    outcomes, printed = run(copy, *sorted({breakage.test for breakage in BREAKAGES}))
    assert outcomes.keys() <= {"passed", "skipped"}, printed
    assert outcomes["passed"] > len(BREAKAGES)


@pytest.mark.slow
@pytest.mark.parametrize("breakage", BREAKAGES, ids=IDS)
def test_a_claim_that_is_not_true_is_noticed(copy, tmp_path, breakage):
    """With one claim made false, its test fails; it is no error of another kind."""
    root = tmp_path / "broken"
    shutil.copytree(copy, root)
    assert Path(sso_middleware.__file__).parent not in root.parents
    path = path_of(breakage, root, root / "sso_middleware")
    source = path.read_text(encoding="utf-8")
    path.write_text(source.replace(breakage.old, breakage.new), encoding="utf-8")
    shutil.rmtree(path.parent / "__pycache__", ignore_errors=True)  # of the same second, it would count
    outcomes, printed = run(root, breakage.test)
    if outcomes.keys() == {"skipped"}:
        pytest.skip(f"{breakage.test} is skipped here")
    assert (outcomes["failure"], outcomes["error"]) == (1, 0), printed
