"""What a finding is, after the model of Django's system checks: an id, a severity and a hint."""

from __future__ import annotations

from collections.abc import Collection, Iterable
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
        hint: how to mend it.
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
    """A rule that is broken here, and how."""

    rule: Rule
    message: str

    def as_json(self) -> dict[str, str]:
        """Return what ``--json`` prints."""
        return {
            "id": self.rule.id,
            "severity": self.rule.severity,
            "message": self.message,
            "hint": self.rule.hint,
        }


def counts(findings: Iterable[Finding], ignored: Collection[str] = ()) -> bool:
    """Whether one of the findings is an error or a warning that is not ignored."""
    return any(finding.rule.severity != "info" and finding.rule.id not in ignored for finding in findings)
