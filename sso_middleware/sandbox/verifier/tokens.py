"""Strict parsing of a JWT: PyJWT decodes it, and this module checks what PyJWT does not."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from math import isfinite
from typing import Any, NamedTuple, cast
from urllib.parse import parse_qsl

import jwt
from jwt.utils import base64url_decode, base64url_encode

from sso_middleware.helpdesk.settings import HANDOFF_PARAMETERS
from sso_middleware.sandbox.verifier.verdicts import HandoffRejected, VerdictCode

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


_MISSING: dict[str, VerdictCode] = {
    "token": "missing_token",
    "account_id": "missing_account_id",
    "auth_url": "missing_auth_url",
}
_WHAT = {
    "token": "the JWT",
    "account_id": "the Account ID from the vendor's panel",
    "auth_url": "the Auth URL registered in the vendor's panel",
}


class Token(NamedTuple):
    """A JWT with a valid header. Nothing is verified yet.

    Attributes:
        message: the signed bytes.
        signature: the signature, decoded.
        payload: the claims, as JSON bytes.
    """

    message: bytes
    signature: bytes
    payload: bytes


def parameters_of(url: str) -> tuple[str, str, str]:
    """Return ``token``, ``account_id`` and ``auth_url`` of a hand-off URL; ignore other parameters.

    Raises:
        HandoffRejected: ``missing_...`` or ``duplicate_parameter``.
    """
    query = url.partition("#")[0].partition("?")[2]
    pairs = parse_qsl(query, keep_blank_values=True)
    values = {name: [value for key, value in pairs if key == name] for name in HANDOFF_PARAMETERS}
    for name, code in _MISSING.items():
        if values[name] in ([], [""]):
            where = "is empty" if values[name] else "is missing"
            hint = (
                "It is after a #, where browsers do not send it: move it to the query, after a ?."
                if f"{name}=" in url.partition("#")[2]
                else f"Add {name}={_WHAT[name]} to the query, percent-encoded."
            )
            raise HandoffRejected(code, f"The parameter {name} {where}.", hint)
    for name in HANDOFF_PARAMETERS:
        if len(values[name]) > 1:
            raise HandoffRejected(
                "duplicate_parameter",
                f"The parameter {name} is sent {len(values[name])} times; once is allowed (assumed).",
                "Send each parameter once. The SSO Auth URL in your settings may already contain it.",
            )
    return values["token"][0], values["account_id"][0], values["auth_url"][0]


def read(token: str) -> Token:
    """Split `token` and check its form and header.

    Raises:
        HandoffRejected: ``malformed_token`` or ``bad_algorithm``.
    """
    match = _COMPACT.fullmatch(token)
    if not match:
        raise HandoffRejected("malformed_token", "The token is not a JWT in compact form.", _form_hint(token))
    # PyJWT skips characters that are not base64url, and ignores unused bits at the end.
    for segment in match.groups():
        if not _is_canonical(segment):
            raise HandoffRejected(
                "malformed_token",
                "A part of the JWT is not valid base64url.",
                "It was truncated or changed. Put it into the URL exactly as the JWT library returned it.",
            )
    header = _object(base64url_decode(match[1]), "header")
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
    parts = jwt.PyJWS().decode_complete(token, options={"verify_signature": False})
    return Token(f"{match[1]}.{match[2]}".encode(), parts["signature"], parts["payload"])


def claims_of(token: Token) -> dict[str, Any]:
    """Return the claims of `token`.

    Raises:
        HandoffRejected: ``malformed_token``.
    """
    return _object(token.payload, "payload")


def decoded(token: str) -> tuple[object, object]:
    """Return the decoded header and claims of anything like a JWT, without verifying them.

    Each is `None` if it cannot be read. Numbers that JSON cannot represent or with more than 100 digits are
    returned as text.
    """
    header, claims, *_ = [*token.split("."), "", ""]
    return _decoded(header), _decoded(claims)


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


def _is_canonical(segment: str) -> bool:
    try:
        return base64url_encode(base64url_decode(segment)).decode() == segment
    except ValueError:
        return False


def _object(data: bytes, part: str) -> dict[str, Any]:
    try:
        # Decoded here because json.loads also accepts UTF-16 and UTF-32.
        value: object = json.loads(data.decode(), object_pairs_hook=_unique, parse_constant=_no_constant)
    except _NamedTwice as twice:
        raise HandoffRejected(
            "malformed_token",
            f"The JWT's {part} has {str(twice)[:20]!a} more than once.",
            "Libraries differ in which one they use, so neither counts: send each name once.",
        ) from None
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise HandoffRejected(
            "malformed_token",
            f"The JWT's {part} is not a JSON object in UTF-8.",
            "Let a JWT library create it from a dict instead of assembling it by hand.",
        )
    return cast("dict[str, Any]", value)


class _NamedTwice(Exception):
    pass


def _unique(pairs: list[tuple[str, Any]]) -> Mapping[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _NamedTwice(name)
        found[name] = value
    return found


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
