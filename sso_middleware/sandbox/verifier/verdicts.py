"""The verdicts on a hand-off, and which of them rest on something the vendor does not document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from sso_middleware.errors import SSOError

VerdictCode: TypeAlias = Literal[
    "missing_token",
    "missing_account_id",
    "missing_auth_url",
    "duplicate_parameter",
    "unknown_account",
    "auth_url_mismatch",
    "token_too_long",
    "malformed_token",
    "bad_algorithm",
    "bad_signature",
    "missing_email",
    "missing_iat",
    "missing_jti",
    "invalid_email",
    "invalid_iat",
    "invalid_jti",
    "issued_in_future",
    "stale",
    "replayed",
]
"""Why a hand-off is rejected: stable codes, in the order in which they are looked for."""

CODES: tuple[VerdictCode, ...] = get_args(VerdictCode)

#: What the vendor's page leaves open, by the verdict that has to settle it in some way.
ASSUMPTIONS: dict[VerdictCode, str] = {
    "duplicate_parameter": "What the vendor does with a parameter sent twice is not documented.",
    "unknown_account": "The vendor asks for the Account ID of its panel; that it compares the two character "
    "by character is assumed.",
    "auth_url_mismatch": "The vendor asks for the same Auth URL as in its panel; that it compares the two "
    "character by character is assumed.",
    "token_too_long": "No limit is documented. The one here is below what web servers commonly accept "
    "for a whole address.",
    "malformed_token": "The vendor asks for a JWT. That its header is to hold alg and typ and nothing else "
    "is assumed from the vendor's Knowledge Base product.",
    "bad_algorithm": "The vendor names no algorithm. HS256 follows from “signed using your SSO Token” and "
    "from the vendor's Knowledge Base product.",
    "bad_signature": "The vendor says that the SSO Token signs the JWT, and not whether the token is the key "
    "unchanged. The vendor's Knowledge Base product hashes its key with md5 first.",
    "invalid_email": "Which addresses the vendor takes is not documented. Here it is what an HTML email "
    "field takes, in ASCII.",
    "invalid_iat": "The vendor calls iat an issued-at timestamp; that it is a whole number of seconds since "
    "1970 is assumed.",
    "invalid_jti": "The vendor calls jti a unique token ID; its shortest length is assumed from the "
    "vendor's Knowledge Base product, and that it is printable text is assumed.",
    "issued_in_future": "How far clocks may differ is not documented.",
    "stale": "How long a token is good for is not documented for the Help Desk. It is 180 seconds in the "
    "vendor's Knowledge Base product.",
    "replayed": "The vendor says jti is there for replay protection; that each is good for one use, and "
    "that only a successful sign-in uses it up, is assumed. "
    "So is refusing what cannot be told from a replay.",
}


#: The setting that a verdict is about, as `HelpDesk` calls it. `HelpDesk` gets the rest right by itself.
_SETTINGS: dict[VerdictCode, str] = {
    "missing_account_id": "account_id",
    "missing_auth_url": "auth_url",
    "duplicate_parameter": "sso_auth_url",
    "unknown_account": "account_id",
    "auth_url_mismatch": "auth_url",
    "bad_signature": "sso_token",
}


@dataclass(frozen=True, slots=True)
class VerifiedHandoff:
    """A hand-off that signs its visitor in.

    Attributes:
        email: the visitor's address.
        iat: issued at, in whole seconds since the epoch.
        jti: the token's unique identifier.
        account_id: the Account ID.
        auth_url: the Auth URL.
    """

    email: str
    iat: int
    jti: str
    account_id: str
    auth_url: str


class HandoffRejected(SSOError):
    """A hand-off that would not sign its visitor in.

    Neither message nor hint holds the token, the SSO Token or an address.

    Args:
        code: a stable verdict code.
        message: a sentence that says what is wrong.
        hint: a sentence or two that say how to fix it, naming the likely mistake.
    """

    def __init__(self, code: VerdictCode, message: str, hint: str) -> None:
        self.code: VerdictCode = code
        self.message = message
        self.hint = hint
        super().__init__(code, message, hint)

    @property
    def assumption(self) -> str | None:
        """What the vendor's page leaves open about this verdict; `None` if it rests on no assumption."""
        return ASSUMPTIONS.get(self.code) if "(assumed)" in self.message else None

    @property
    def setting(self) -> str | None:
        """The setting to change and its variable, as ``auth_url (HELPDESK_AUTH_URL)``; `None`: no setting."""
        name = _SETTINGS.get(self.code)
        return f"{name} (HELPDESK_{name.upper()})" if name else None

    def __str__(self) -> str:
        return f"{self.code}: {self.message} {self.hint}"
