"""Judging hand-offs by the vendor's documentation, and by labelled assumptions where it is silent."""

from sso_middleware.sandbox.verifier.rules import Key
from sso_middleware.sandbox.verifier.verdicts import (
    ASSUMPTIONS,
    CODES,
    HandoffRejected,
    VerdictCode,
    VerifiedHandoff,
)
from sso_middleware.sandbox.verifier.verifier import HandoffVerifier, wall_clock

__all__ = [
    "ASSUMPTIONS",
    "CODES",
    "HandoffRejected",
    "HandoffVerifier",
    "Key",
    "VerdictCode",
    "VerifiedHandoff",
    "wall_clock",
]
