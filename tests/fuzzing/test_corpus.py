"""The targets hold for what is kept of the fuzzers' inputs, and for what Hypothesis makes up."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzzing.targets import TARGETS, as_bytes, as_line, as_texts, corpus

ROOT = Path(__file__).parent.parent.parent

every_target = pytest.mark.parametrize("name", TARGETS)


@every_target
def test_corpus(name):
    """What happens with each kept input is what has always happened."""
    kept = corpus(name)
    now = [as_line(TARGETS[name].check(*texts), texts) for _, texts in kept]
    assert now == [as_line(outcome, texts) for outcome, texts in kept]
    assert len(now) == len(set(now))


@every_target
def test_corpus_reaches_good_and_bad(name):
    """The corpus is no heap of inputs that are all turned away at the door."""
    good = {
        "accounts": {"works", "works but not as an address", "refused"},
        "logins": {"inside inside", "inside outside", "outside inside", "outside outside", "refused"},
        "paths": {"relative", "public", "relative public", "none", "refused"},
        "prefixes": {"redirects", "refused"},
        "verifier": {"accepted", "bad_signature", "bad_algorithm", "malformed_token", "stale"},
    }
    assert good[name] <= {outcome for outcome, _ in corpus(name)}


@every_target
def test_bytes_and_back(name):
    """The fuzzer starts from the very inputs of the corpus."""
    for _, texts in corpus(name):
        if not re.search("[\ud800-\udfff]", "".join(texts)):
            assert as_texts(name, as_bytes(texts)) == texts


def texts_for(name):
    """Pieces of the target's own words and of any text, and kept inputs with one text changed."""
    target = TARGETS[name]
    pieces = st.sampled_from(target.TOKENS) | st.text(max_size=4)
    text = st.lists(pieces, max_size=5).map("".join)
    kept = st.sampled_from([texts for _, texts in corpus(name)])
    changed = st.tuples(kept, st.integers(0, len(target.FIELDS) - 1), text, st.booleans()).map(
        lambda drawn: [
            (old + drawn[2] if drawn[3] else drawn[2]) if number == drawn[1] else old
            for number, old in enumerate(drawn[0])
        ]
    )
    return changed | st.tuples(*[text] * len(target.FIELDS))


@pytest.mark.slow
@every_target
def test_made_up(name):
    """The target holds for what Hypothesis makes up, too."""
    outcomes = set()

    @settings(max_examples=150, suppress_health_check=[*HealthCheck])
    @given(texts_for(name))
    def hold(texts):
        outcomes.add(TARGETS[name].check(*texts))

    hold()
    assert len(outcomes) > 1


def run(*command):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.fuzz
@pytest.mark.slow
@pytest.mark.skipif(not importlib.util.find_spec("atheris"), reason="needs atheris: pip install --group fuzz")
@every_target
def test_guided_by_coverage(name):
    """The fuzzer runs, sees the package's branches, and finds nothing within a moment."""
    result = run("-m", "tests.fuzzing", name, "--seconds", "1")
    assert result.returncode == 0, result.stdout + result.stderr[-2000:]
    assert "Instrumenting sso_middleware.helpdesk.settings" in result.stderr
    assert int(re.search(r"number_of_executed_units: (\d+)", result.stderr)[1]) > len(corpus(name))


WITHOUT_ATHERIS = """
import runpy, sys
sys.modules["atheris"] = None
sys.argv[1:] = ["paths"]
runpy.run_module("tests.fuzzing", run_name="__main__")
"""


def test_without_atheris():
    """The command says what it lacks."""
    result = run("-c", WITHOUT_ATHERIS)
    assert result.returncode == 2
    assert "atheris is not installed" in result.stderr
