"""Judging hand-offs by the vendor's documentation, and by labelled assumptions where it is silent."""

from sso_middleware.sandbox.verifier.parameters import query_of
from sso_middleware.sandbox.verifier.rules import Key, md5_of
from sso_middleware.sandbox.verifier.verdicts import CODES, HandoffRejected, VerdictCode, VerifiedHandoff
from sso_middleware.sandbox.verifier.verifier import HandoffVerifier, wall_clock

__all__ = [
    "CODES",
    "HandoffRejected",
    "HandoffVerifier",
    "Key",
    "VerdictCode",
    "VerifiedHandoff",
    "md5_of",
    "query_of",
    "wall_clock",
]
