"""The judge of hand-offs: by the vendor's documentation, and by labelled assumptions where that is silent."""

from sso_middleware.sandbox.verifier.differences import alike, shown
from sso_middleware.sandbox.verifier.rules import Rules
from sso_middleware.sandbox.verifier.tokens import decoded
from sso_middleware.sandbox.verifier.verdicts import (
    ASSUMPTIONS,
    CODES,
    HandoffRejected,
    VerdictCode,
    VerifiedHandoff,
)
from sso_middleware.sandbox.verifier.verifier import HandoffVerifier

__all__ = [
    "ASSUMPTIONS",
    "CODES",
    "HandoffRejected",
    "HandoffVerifier",
    "Rules",
    "VerdictCode",
    "VerifiedHandoff",
    "alike",
    "decoded",
    "shown",
]
