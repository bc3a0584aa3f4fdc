"""That the threat model in .github/SECURITY.md is whole: its rows are numbered, and name tests that exist."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SECURITY = ROOT / ".github" / "SECURITY.md"

pytestmark = pytest.mark.skipif(not SECURITY.exists(), reason="a source distribution has no SECURITY.md")


def rows():
    """The tests of each row of the threat model, by its number."""
    found = re.findall(r"^\| (T\d+) \|(.*)\|$", SECURITY.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(found) == len(dict(found))
    return {number: set(re.findall(r"`(tests/[\w/.]+::[\w:]+)`", row)) for number, row in found}


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


def test_each_row_names_a_test():
    """No row makes a claim without a test that shows it."""
    assert [number for number, tests in rows().items() if not tests] == []


def test_each_named_test_exists():
    """A test that is renamed is renamed in the document, too."""
    named = set().union(*rows().values())
    assert {test for test in named if test not in ids_in(test.partition("::")[0])} == set()
