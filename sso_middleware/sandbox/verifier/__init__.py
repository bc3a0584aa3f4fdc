"""Judging hand-offs by the vendor's documentation, and by labelled assumptions where it is silent."""

from sso_middleware.sandbox.verifier.parameters import alike, hide, query_of, shown
from sso_middleware.sandbox.verifier.rules import Key, Rules, md5_of
from sso_middleware.sandbox.verifier.tokens import decoded, iat_of
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
    "Rules",
    "VerdictCode",
    "VerifiedHandoff",
    "alike",
    "decoded",
    "hide",
    "iat_of",
    "md5_of",
    "query_of",
    "shown",
    "wall_clock",
]
