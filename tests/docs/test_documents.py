"""The documents hold together: their links lead somewhere, and contents and written tables are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from servers_matrix.cells import table_of_forged_headers

from documents import DOCUMENTS, GUIDE, README, ROOT, pairs
from readme_tables import read_table
from sso_middleware.cli.check.findings import RULES

GITHUB = ROOT / ".github"
BENCHMARKS = ROOT / "tests" / "benchmarks" / "README.md"
SERVERS = ROOT / "tests" / "servers_matrix" / "README.md"
WITH_CONTENTS = [
    GUIDE,
    BENCHMARKS,
    SERVERS,
    *(GITHUB / f"{name}.md" for name in ("TROUBLESHOOTING", "SECURITY", "CONTRIBUTING")),
]

in_repository = pytest.mark.skipif(not GITHUB.exists(), reason="a source distribution has no .github")


def anchor_of(heading: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def headings(document: Path, tags: tuple[str, ...] = ("h1", "h2", "h3", "h4")) -> list[str]:
    return [
        following.content
        for token, following in pairs(document)
        if token.type == "heading_open" and token.tag in tags
    ]


def links(document: Path) -> list[str]:
    return [
        target
        for token, _ in pairs(document)
        for child in token.children or ()
        for name in ("href", "src")
        if (target := child.attrGet(name))
    ]


@in_repository
@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links(document):
    """Each link inside the repository leads to a file and to a heading that are there."""
    for link in links(document):
        if not re.match(r"https?:", link):
            path, _, anchor = link.partition("#")
            target = (document.parent / path).resolve() if path else document
            assert target.exists(), link
            if anchor:
                assert anchor in map(anchor_of, headings(target)), link


@in_repository
@pytest.mark.parametrize("document", WITH_CONTENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_contents(document):
    """The table of contents has every section."""
    contents = {link.removeprefix("#") for link in links(document) if link.startswith("#")}
    assert [each for each in headings(document, ("h2",)) if anchor_of(each) not in contents] == []


@pytest.mark.parametrize(
    ("document", "name"), [(BENCHMARKS, "benchmarks"), (SERVERS, "servers"), (SERVERS, "forged headers")]
)
def test_written_tables(document, name):
    """The tables that a command writes are there."""
    assert read_table(document, name).startswith("|")


def test_table_of_forged_headers():
    """The table says of each server what the matrix asserts."""
    assert read_table(SERVERS, "forged headers") == table_of_forged_headers()


def test_place_of_the_real_applications():
    """The guide has the place where the recipes of real applications are written."""
    read_table(GUIDE, "realapps")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_ids_of_findings(document):
    """The findings of `check` that a document names exist."""
    assert set(re.findall(r"SSO\.[EWI]\d+", document.read_text("utf-8"))) <= RULES.keys()


def test_readme_leads_to_everything():
    """Each document is one link away from the README."""
    targets = {(README.parent / link.partition("#")[0]).resolve() for link in links(README)}
    assert {*WITH_CONTENTS, ROOT / "CHANGELOG.md"} <= targets
