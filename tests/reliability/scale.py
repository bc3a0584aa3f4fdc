"""How much the tests of this folder do: all of it with SSO_RELIABILITY=full, else as much as fits in CI."""

from __future__ import annotations

import os
import sys

import pytest

FULL = os.environ.get("SSO_RELIABILITY") == "full"


on_linux = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc, fork and SIGHUP")


def scaled(ordinary: int, full: int) -> int:
    return full if FULL else ordinary
