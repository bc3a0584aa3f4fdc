"""The verdicts on a hand-off, and what they assume where the vendor's documentation is silent."""

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
"""Why a hand-off is rejected: stable codes, in the order of the checks."""

CODES: tuple[VerdictCode, ...] = get_args(VerdictCode)

#: What the vendor does not document, by the verdict that assumes it.
ASSUMPTIONS: dict[VerdictCode, str] = {
    "duplicate_parameter": "What the vendor does with a parameter sent twice is not documented.",
    "unknown_account": "The vendor requires the Account ID of its panel. It is assumed to compare the two "
    "character by character.",
    "auth_url_mismatch": "The vendor requires the same Auth URL as in its panel. It is assumed to compare "
    "the two character by character.",
    "token_too_long": "No limit is documented. This one is below what web servers commonly accept for a "
    "whole URL.",
    "malformed_token": "The vendor requires a JWT. Its header is assumed to hold only alg and typ, as in the "
    "vendor's Knowledge Base product.",
    "bad_algorithm": "The vendor names no algorithm. HS256 follows from “signed using your SSO Token” and "
    "from the vendor's Knowledge Base product.",
    "bad_signature": "The vendor says that the SSO Token signs the JWT, but not whether it is the unchanged "
    "key. The vendor's Knowledge Base product hashes its key with md5 first.",
    "invalid_email": "The vendor does not document which addresses it accepts. The sandbox accepts what an "
    "HTML email field accepts, in ASCII.",
    "invalid_iat": "The vendor calls iat an issued-at timestamp. It is assumed to be a whole number of "
    "seconds since 1970.",
    "invalid_jti": "The vendor calls jti a unique token ID. It is assumed to be printable text with "
    "the minimum length of the vendor's Knowledge Base product.",
    "issued_in_future": "How much clocks may differ is not documented.",
    "stale": "How long a token is valid is not documented for the Help Desk. It is 180 seconds in the "
    "vendor's Knowledge Base product.",
    "replayed": "The vendor says that jti is for replay protection. It is assumed that a jti is valid once, "
    "that only a successful sign-in uses it up, and that a possible replay is refused.",
}


#: The setting of `HelpDesk` behind a verdict. `HelpDesk` gets the rest right.
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
    """An accepted hand-off.

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
    """A rejected hand-off.

    Its message and hint hold no token, SSO Token or email address.

    Args:
        code: a stable verdict code.
        message: a sentence that says what is wrong.
        hint: how to fix it, with the likely mistake.
    """

    def __init__(self, code: VerdictCode, message: str, hint: str) -> None:
        self.code: VerdictCode = code
        self.message = message
        self.hint = hint
        super().__init__(code, message, hint)

    @property
    def assumption(self) -> str | None:
        """What the vendor does not document about this verdict; `None` if nothing is assumed."""
        return ASSUMPTIONS.get(self.code) if "(assumed)" in self.message else None

    @property
    def setting(self) -> str | None:
        """The setting to change and its variable, such as ``auth_url (HELPDESK_AUTH_URL)``, or `None`."""
        name = _SETTINGS.get(self.code)
        return f"{name} (HELPDESK_{name.upper()})" if name else None

    def __str__(self) -> str:
        return f"{self.code}: {self.message} {self.hint}"
