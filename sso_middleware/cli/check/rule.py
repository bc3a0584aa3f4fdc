"""Rules and findings with an id, a severity and a hint, as in Django's system checks."""

from __future__ import annotations

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
    """

    id: str
    title: str
    why: str
    hint: str

    @property
    def severity(self) -> Severity:
        """The severity; errors and warnings make `check` fail, info does not."""
        return _SEVERITIES[self.id.rpartition(".")[2][0]]


class Finding(NamedTuple):
    """A broken rule.

    Attributes:
        rule: the rule.
        message: how it is broken.
        remedy: a more specific hint than the rule's, or "".
    """

    rule: Rule
    message: str
    remedy: str = ""

    @property
    def hint(self) -> str:
        """How to fix it."""
        return self.remedy or self.rule.hint

    def as_json(self) -> dict[str, str]:
        """Return what ``--json`` prints."""
        return {
            "id": self.rule.id,
            "severity": self.rule.severity,
            "message": self.message,
            "hint": self.hint,
        }
