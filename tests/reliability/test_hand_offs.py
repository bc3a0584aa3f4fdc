"""Many hand-offs over forked and spawned workers: each identifier once, each visitor as themselves."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import visitors
from scale import on_linux
from workers import FORKED_AND_SPAWNED, each, running

pytestmark = [pytest.mark.reliability, pytest.mark.server, pytest.mark.slow, on_linux]

COUNT = 40_000  # for each of five kinds of server
PROCESSES = 2


@pytest.fixture(scope="module")
def seen() -> set[str]:
    """The identifiers that any server has given so far: they use one SSO Token, and may share none."""
    return set()


@each(FORKED_AND_SPAWNED)
def test_hand_offs(kind, seen, tmp_path):
    """No identifier comes twice, all tokens verify, each address is that of the visitor who asked."""
    with running(kind, tmp_path, workers=2) as server:
        crowds = [
            subprocess.Popen(
                [sys.executable, visitors.__file__, str(server.port), str(COUNT // PROCESSES), f"{number}"],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            for number in range(PROCESSES)
        ]
        written = [crowd.communicate(timeout=600) for crowd in crowds]
    assert [errors.decode() for _, errors in written] == [""] * PROCESSES
    assert [crowd.returncode for crowd in crowds] == [0] * PROCESSES
    results = [json.loads(output) for output, _ in written]
    jtis = [jti for result in results for jti in result["jtis"]]
    assert len(jtis) == COUNT
    assert len(set(jtis)) == COUNT, f"{COUNT - len(set(jtis))} identifiers came twice"
    assert seen.isdisjoint(jtis)
    seen.update(jtis)
    assert len({worker for result in results for worker in result["workers"]}) == 2
