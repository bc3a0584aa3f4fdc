"""Writing tables into the README, between two comments, so that nobody types what a command finds out."""

from __future__ import annotations

import re
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"


def _place(name: str) -> re.Pattern[str]:
    return re.compile(f"(<!-- {name}: begin -->\n)(.*?)(<!-- {name}: end -->\n)", re.DOTALL)


def read_table(name: str) -> str:
    """Return what stands at the place `name`."""
    return _place(name).search(README.read_text("utf-8"))[2].strip()


def write_table(name: str, table: str) -> bool:
    """Put `table` where the README has the place `name`; return whether it has one."""
    readme = README.read_text("utf-8")
    written, places = _place(name).subn(lambda found: f"{found[1]}{table}\n{found[3]}", readme)
    README.write_text(written, "utf-8")
    return places > 0
