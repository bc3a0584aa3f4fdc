"""`allauth_verified` against the real django-allauth."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import forks
from cli_apps.entry_point import environment

SITE = Path(__file__).parents[1] / "support" / "allauth_site.py"
NO = "email_not_verified"
OUTCOMES = {
    "signed up": NO,
    "confirmed": "ann@example.com",
    "edited": NO,
    "added": NO,
    "made by staff": NO,
    "made by staff, confirmed": "Boss@Example.com",
    "stored": "boss@example.com",
    "another letter": NO,
}


@pytest.fixture(scope="module")
def outcomes():
    done = forks.run(SITE, env=environment({}, PYTHONWARNINGS="ignore"), imports=forks.DJANGO)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("step", OUTCOMES)
def test_each_step(outcomes, step):
    """Only an address that allauth has verified for this user is handed off, with capitals or without."""
    assert outcomes[step] == OUTCOMES[step]
