"""How much the tests of this folder do: all of it with SSO_RELIABILITY=full, else as much as fits in CI."""

from __future__ import annotations

import os

FULL = os.environ.get("SSO_RELIABILITY") == "full"


def scaled(ordinary: int, full: int) -> int:
    return full if FULL else ordinary
