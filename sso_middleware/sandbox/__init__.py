"""A Help Desk on your own machine, to try, test and debug hand-offs with no account at the vendor.

`HandoffVerifier` judges a hand-off.
"""

from sso_middleware.sandbox.verdicts import HandoffRejected
from sso_middleware.sandbox.verifier import HandoffVerifier, VerifiedHandoff

__all__ = ["HandoffRejected", "HandoffVerifier", "VerifiedHandoff"]
