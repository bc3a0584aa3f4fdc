"""What a rule is, and a finding: the model of Django's system checks, with an id, a severity and a hint."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

Severity: TypeAlias = Literal["error", "warning", "info"]

_SEVERITIES: dict[str, Severity] = {"E": "error", "W": "warning", "I": "info"}


class Rule(NamedTuple):
    """One thing that can be wrong.

    Attributes:
        id: ``SSO.`` and a letter for the severity and a number; never used for anything else. Django's
            system checks have ``sso_middleware.`` in front.
        title: what is wrong, in a few words.
        why: what comes of it.
        hint: how to fix it.
    """

    id: str
    title: str
    why: str
    hint: str

    @property
    def severity(self) -> Severity:
        """Error and warning make `check` fail; info does not."""
        return _SEVERITIES[self.id.rpartition(".")[2][0]]


class Finding(NamedTuple):
    """A rule that is broken here, and how.

    Attributes:
        rule: the rule.
        message: how it is broken.
        remedy: how to fix it here, if that is known better than the rule knows it.
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
