"""Fuzzing: one module a target, each with an oracle that goes another way than the package does.

A target takes a few texts, drives the public surface with them, and either returns a word for what
happened or fails an assertion. `corpus/` holds inputs worth keeping, with that word.

    python -m tests.fuzzing paths --seconds 60     guided by coverage (atheris)
    pytest tests/fuzzing                           the corpus, and a little Hypothesis
"""
