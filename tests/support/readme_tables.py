"""Writing tables into the README, between two comments, so that nobody types what a command finds out."""

from __future__ import annotations

import re
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"


def write_table(name: str, table: str) -> bool:
    """Put `table` where the README has the place `name`; return whether it has one."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    place = re.compile(f"{begin}\n.*?{end}\n", re.DOTALL)
    readme = README.read_text("utf-8")
    if not place.search(readme):
        return False
    README.write_text(place.sub(lambda _: f"{begin}\n{table}\n{end}\n", readme), "utf-8")
    return True
