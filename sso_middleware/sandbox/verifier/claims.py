"""Checks of the three claims of a hand-off."""

from __future__ import annotations

from typing import Any

from sso_middleware.errors import InvalidEmail
from sso_middleware.helpdesk import check_email
from sso_middleware.sandbox.verifier.verdicts import HandoffRejected, VerdictCode

_LATEST_IAT = 10**20  # today, nanoseconds since 1970 have 19 digits; longer numbers are not a time

_REQUIRED: tuple[tuple[str, VerdictCode, str], ...] = (
    ("email", "missing_email", "the visitor's email address"),
    ("iat", "missing_iat", "the time of issue in whole seconds, int(time.time())"),
    ("jti", "missing_jti", "a new random identifier each time, secrets.token_hex(16)"),
)

_EMAIL_HINTS = {
    "not_a_string": "Send the address as a JSON string, not as null, a number, a list or an object.",
    "empty": "The application has no address for this visitor: treat them as not signed in, or refuse.",
    "not_ascii": "Send the ASCII form of the address, its domain in punycode.",
    "too_long": "An address has 254 characters at most (RFC 5321).",
    "local_part_too_long": "The part before the @ has 64 characters at most (RFC 5321).",
    "malformed": "Send one bare address like jane@example.com: no display name, no whitespace, no list.",
}


def check(claims: dict[str, Any], shortest_jti: int) -> tuple[str, int, str]:
    """Return ``email``, ``iat`` and ``jti`` of `claims`; ignore other claims (RFC 7519, section 4).

    Raises:
        HandoffRejected: a claim is missing or invalid.
    """
    for name, code, what in _REQUIRED:
        if name not in claims:
            raise HandoffRejected(code, f"The JWT has no claim {name}.", f"Add {name}: {what}.")
    return _email(claims["email"]), _iat(claims["iat"]), _jti(claims["jti"], shortest_jti)


def _email(value: object) -> str:
    try:
        return check_email(value)
    except InvalidEmail as error:
        raise HandoffRejected(
            "invalid_email",
            f"email is not an address that this Help Desk accepts (assumed): {error.reason}.",
            _EMAIL_HINTS[error.reason],
        ) from None


def _iat(value: object) -> int:
    if type(value) is int and 0 <= value < _LATEST_IAT:
        return value
    match value:
        case bool() | None | list() | dict():
            what = "not a number"
        case str():
            what = "a string, not a number"
        case float():
            what = "not a whole number"
        case _:
            what = "not a time since 1970"
    raise HandoffRejected(
        "invalid_iat",
        f"iat is {what}; it must be a whole number of seconds since 1970 (assumed).",
        "Send int(time.time()), without quotation marks, fraction or date format.",
    )


def _jti(value: object, shortest: int) -> str:
    if isinstance(value, str) and value.isprintable() and len(value) >= shortest:
        return value
    if not isinstance(value, str):
        what = "not a string"
    elif len(value) < shortest:
        what = f"{len(value)} characters long"
    else:
        what = "not printable text"
    raise HandoffRejected(
        "invalid_jti",
        f"jti is {what}; it must be printable text of at least {shortest} characters (assumed).",
        "Send secrets.token_hex(16): random, 32 characters, new for each token.",
    )
