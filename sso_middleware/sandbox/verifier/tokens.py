"""Reading a JWT strictly: PyJWT accepts more. And decoding anything like a JWT for display."""

from __future__ import annotations

import json
import re
from math import isfinite
from typing import Any, NamedTuple, cast

from jwt.utils import base64url_decode, base64url_encode

from sso_middleware.sandbox.verifier.verdicts import HandoffRejected

JWT = re.compile(r"eyJ[\w%.=-]{8,}")  # what looks like one in any text
_COMPACT = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]*)")
_PARTS_OF_A_JWE = 5
_DEEPEST_SHOWN = 100
_LONGEST_NUMBER = 100  # characters; Python's limit is 4,300 digits, and a sum may exceed it
_MOST_NAMES = 8  # header names in a message

_ALGORITHM_HINTS = {
    "none": "The JWT is not signed. Sign it with HS256 and the SSO Token.",
    "HS384": "Sign with HS256.",
    "HS512": "Sign with HS256.",
}
_ALGORITHM_HINT = (
    "Sign with HS256, a keyed hash. RS256, ES256 and similar need a key pair; the SSO Token is not one."
)


class Token(NamedTuple):
    """The signed bytes, the signature and the JSON of the claims. Nothing is verified yet."""

    message: bytes
    signature: bytes
    payload: bytes


def read(token: str, longest: int) -> Token:
    """Split `token`, or reject its length, form or header."""
    if len(token) > longest:
        raise HandoffRejected(
            "token_too_long",
            f"The token has {len(token)} characters; {longest} are allowed (assumed).",
            "Send only the claims email, iat and jti, without a profile or permissions.",
        )
    match = _COMPACT.fullmatch(token)
    if not match:
        raise HandoffRejected("malformed_token", "The token is not a JWT in compact form.", _form_hint(token))
    header_bytes, payload, signature = map(_canonical, match.groups())
    header = _object(header_bytes, "header")
    algorithm = header.get("alg")
    if algorithm != "HS256":
        name = algorithm if isinstance(algorithm, str) else ""
        said = f"alg {name[:20]!a}" if name else "an alg that is not a string" if algorithm else "no alg"
        raise HandoffRejected(
            "bad_algorithm",
            f"The JWT's header says {said}, but HS256 is expected (assumed).",
            _ALGORITHM_HINTS.get(name, _ALGORITHM_HINT),
        )
    if header != {"alg": "HS256", "typ": "JWT"}:
        names = ", ".join(f"{name[:20]!a}" for name in [*header][:_MOST_NAMES])
        raise HandoffRejected(
            "malformed_token",
            f"The JWT's header holds {names}; only alg HS256 and typ JWT are allowed (assumed).",
            'The header must be exactly {"alg": "HS256", "typ": "JWT"}: leave out others such as kid, and '
            "set typ if the library does not.",
        )
    return Token(f"{match[1]}.{match[2]}".encode(), signature, payload)


def claims_of(token: Token) -> dict[str, Any]:
    """Return the claims of `token`, or reject it."""
    return _object(token.payload, "payload")


def decoded(token: str) -> tuple[object, object]:
    """Return the decoded header and claims of anything like a JWT, without verifying them.

    Each is `None` if it cannot be read. Numbers that JSON cannot represent or with more than 100 digits are
    returned as text.
    """
    header, claims, *_ = [*token.split("."), "", ""]
    return _decoded(header), _decoded(claims)


def iat_of(claims: object) -> int | None:
    """Return the ``iat`` of decoded claims if it is a whole number."""
    match claims:
        case {"iat": int(iat)} if type(iat) is int:
            return iat
        case _:
            return None


def _decoded(segment: str) -> object:
    try:
        text = base64url_decode(segment).decode()
        if text.count("[") + text.count("{") > _DEEPEST_SHOWN:
            return None  # no real claim nests so deep, and it may be too deep to show
        return json.loads(text, parse_constant=str, parse_float=_finite, parse_int=_short)
    except ValueError:
        return None


def _finite(text: str) -> float | str:
    number = float(text)
    return number if isfinite(number) else text  # 1e999


def _short(text: str) -> int | str:
    return int(text) if len(text) <= _LONGEST_NUMBER else text


def _canonical(segment: str) -> bytes:
    """Decode a part of the JWT, whose last character must have no unused bits set."""
    try:
        data = base64url_decode(segment)
    except ValueError:
        data = b""
    if base64url_encode(data).decode() == segment:
        return data
    raise HandoffRejected(
        "malformed_token",
        "A part of the JWT is not valid base64url.",
        "It was truncated or changed. Put it into the URL exactly as the JWT library returned it.",
    )


def _object(data: bytes, part: str) -> dict[str, Any]:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in pairs:
            if name in found:
                raise HandoffRejected(
                    "malformed_token",
                    f"The JWT's {part} has {name[:20]!a} more than once.",
                    "Libraries differ in which one they use, so neither counts: send each name once.",
                )
            found[name] = value
        return found

    try:
        # Decoded here because json.loads also accepts UTF-16 and UTF-32.
        value: object = json.loads(data.decode(), object_pairs_hook=unique, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise HandoffRejected(
            "malformed_token",
            f"The JWT's {part} is not a JSON object in UTF-8.",
            "Let a JWT library create it from a dict instead of assembling it by hand.",
        )
    return cast("dict[str, Any]", value)


def _no_constant(name: str) -> None:
    raise ValueError(name)  # NaN and Infinity are not JSON (RFC 8259, section 6)


def _form_hint(token: str) -> str:
    if token.count(".") == _PARTS_OF_A_JWE - 1:
        return "It has five parts, so it is encrypted (a JWE). Send a signed JWT, which has three."
    if token.lower().startswith("bearer "):
        return "Remove the word Bearer: the parameter holds only the JWT."
    if token.startswith(("b'", 'b"')):
        return "It is the text of a bytes object: call token.decode() before putting it into the URL."
    if "=" in token:
        return "It has base64 padding (=), which a JWT does not have: let a JWT library create it."
    if "+" in token or "/" in token or " " in token:
        return (
            "It has characters of standard base64. A JWT uses the URL-safe alphabet, with - and _ instead of "
            "+ and /: let a JWT library create it."
        )
    if token.startswith("{"):
        return "These are the claims themselves. Sign them as a JWT with HS256 and the SSO Token."
    return (
        "A JWT has three parts of A-Z a-z 0-9 - _, separated by dots. Put it into the URL exactly as the JWT "
        "library returned it; it may be truncated."
    )
