"""The targets by name, and how their inputs are kept: as JSON lines, and as the bytes a fuzzer mutates."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

from fuzzing import accounts, logins, paths, prefixes, verifier

TARGETS: dict[str, ModuleType] = {
    "accounts": accounts,
    "logins": logins,
    "paths": paths,
    "prefixes": prefixes,
    "verifier": verifier,
}
_BETWEEN = b"\xff"  # never part of UTF-8


def corpus(name: str) -> list[tuple[str, list[str]]]:
    """Return what is kept for a target: what happens, and the texts it happens with."""
    lines = (
        Path(__file__).with_name("corpus").joinpath(f"{name}.jsonl").read_text(encoding="ascii").splitlines()
    )
    return [(outcome, texts) for outcome, *texts in map(json.loads, lines)]


def as_line(outcome: str, texts: list[str]) -> str:
    """Spell an input as a line of the corpus."""
    return json.dumps([outcome, *texts])


def as_bytes(texts: list[str]) -> bytes:
    """Spell an input for the fuzzer; what only JSON can say is lost."""
    return _BETWEEN.join(text.encode("utf-8", "surrogatepass") for text in texts)


def as_texts(name: str, data: bytes) -> list[str]:
    """Return the input a fuzzer means; bytes that are no UTF-8 become escaped surrogates."""
    fields = len(TARGETS[name].FIELDS)
    texts = [part.decode("utf-8", "surrogateescape") for part in data.split(_BETWEEN, fields - 1)]
    return texts + [""] * (fields - len(texts))
