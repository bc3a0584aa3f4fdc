"""A Help Desk on your own machine, to try, test and debug hand-offs without a vendor account.

`HandoffVerifier` judges a hand-off; `Sandbox` is the whole Help Desk as an ASGI application. Both follow the
vendor's documentation, and labelled assumptions where it is silent.
"""

from sso_middleware.sandbox.app import Sandbox
from sso_middleware.sandbox.attempts import Attempt
from sso_middleware.sandbox.verifier import HandoffRejected, HandoffVerifier, VerdictCode, VerifiedHandoff

__all__ = ["Attempt", "HandoffRejected", "HandoffVerifier", "Sandbox", "VerdictCode", "VerifiedHandoff"]
