"""Rules, findings and steps of the walk. The rules are in `rules.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeAlias

Severity: TypeAlias = Literal["error", "warning", "info"]

_SEVERITIES: dict[str, Severity] = {"E": "error", "W": "warning", "I": "info"}


class Rule(NamedTuple):
    """Something that can be wrong.

    Attributes:
        id: ``SSO.``, a letter for the severity and a number; never reused. The ids of Django's system checks
            start with ``sso_middleware.`` instead.
        title: what is wrong, in a few words.
        why: the consequences.
        hint: how to fix it.
        hints: more specific hints, by case and framework: ``then``, ``django`` or ``then-django``.
    """

    id: str
    title: str
    why: str
    hint: str
    hints: Mapping[str, str] = MappingProxyType({})

    @property
    def severity(self) -> Severity:
        """The severity."""
        return _SEVERITIES[self.id.rpartition(".")[2][0]]

    @property
    def counts(self) -> bool:
        """Whether it makes `check` fail: errors and warnings do, info does not."""
        return self.severity != "info"


class Finding(NamedTuple):
    """A broken rule.

    Attributes:
        rule: the rule.
        message: how it is broken.
        hint: how to fix it.
        case: the key of that hint in the rule's `hints`; "" for the general one.
    """

    rule: Rule
    message: str
    hint: str
    case: str = ""

    def fitted(self, framework: str) -> Finding:
        """Return the finding with the rule's hint for `framework`, if there is one."""
        hint = self.rule.hints.get(f"{self.case}-{framework}" if self.case else framework)
        return self._replace(hint=hint) if hint else self


class Step(NamedTuple):
    """One step of the walk.

    Attributes:
        name: what was visited.
        said: what happened.
        finding: what is wrong or notable about it.
        walked: whether the visit was made.
    """

    name: str
    said: str
    finding: Finding | None = None
    walked: bool = True

    @property
    def is_wrong(self) -> bool:
        """Whether the walk fails here."""
        return self.finding is not None and self.finding.rule.counts


_texts = tomllib.loads((files("sso_middleware.cli.check") / "rules.toml").read_text(encoding="utf-8"))["SSO"]
RULES = {f"SSO.{code}": Rule(f"SSO.{code}", **texts) for code, texts in _texts.items()}


def rule_id_of(text: str) -> str:
    """Return the full id for `text`: ``w003`` means ``SSO.W003``."""
    prefix, _, code = text.rpartition(".")
    prefix = prefix.lower()
    return f"{'SSO' if prefix in ('', 'sso') else prefix}.{code.upper()}"


def found(rule_id: str, message: str, *, case: str = "", **words: str) -> Finding:
    """Return a finding for rule `rule_id`, with the hint for `case`, where `words` are filled in."""
    rule = RULES[rule_id]
    return Finding(rule, message, rule.hints[case].format(**words) if case else rule.hint, case)
