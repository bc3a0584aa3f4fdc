"""Writing tables into a Markdown file, between two comments, so that figures are never typed by hand."""

from __future__ import annotations

import re
from pathlib import Path


def _place(name: str) -> re.Pattern[str]:
    return re.compile(f"(<!-- {name}: begin -->\n)(.*?)(<!-- {name}: end -->\n)", re.DOTALL)


def read_table(file: Path, name: str) -> str:
    """Return the text between the two comments with this name."""
    return _place(name).search(file.read_text("utf-8"))[2].strip()


def write_table(file: Path, name: str, table: str) -> bool:
    """Write `table` between the two comments with this name; return whether the file has them."""
    text = file.read_text("utf-8")
    written, places = _place(name).subn(lambda found: f"{found[1]}{table}\n{found[3]}", text)
    file.write_text(written, "utf-8")
    return places > 0
