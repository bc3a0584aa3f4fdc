"""Sign the hand-off's token, a JWT (RFC 7519): the only module that signs anything.

The vendor's page names no algorithm: this package infers HS256 from "signed using your SSO Token".
"""

from __future__ import annotations

import hmac
import json
from binascii import b2a_base64
from collections.abc import Callable, Mapping
from typing import Any

import jwt

from sso_middleware._secret import Secret
from sso_middleware.errors import ConfigError

HS256 = jwt.get_algorithm_by_name("HS256")
SHORTEST_TOKEN = 32  # bytes; RFC 7518, section 3.2

#: The claims of the token, in order. Extra claims come after these.
CLAIMS = ("email", "iat", "jti")

_URL_SAFE = bytes.maketrans(b"+/", b"-_")


def _base64url(data: bytes) -> bytes:
    """Encode as RFC 7515, section 2, specifies; PyJWT's function takes a third longer."""
    return b2a_base64(data, newline=False).translate(_URL_SAFE).rstrip(b"=")


_HEADER = _base64url(b'{"alg":"HS256","typ":"JWT"}') + b"."


def signing_key(sso_token: Secret[str]) -> Any:
    """Return the SSO Token as a key for PyJWT's HS256.

    Raises:
        ValueError: the token cannot be a shared secret; the message does not show it.
        UnicodeEncodeError: the token holds a surrogate.
    """
    try:
        return HS256.prepare_key(sso_token())
    except jwt.InvalidKeyError:
        raise ValueError(
            "looks like a PEM, SSH or JWK key, which PyJWT refuses as a shared secret: "
            "copy the SSO Token from the vendor's panel"
        ) from None


def signer(sso_token: Secret[str]) -> tuple[Callable[[str], str], bool]:
    """Return a function that makes a token of ASCII claims, and whether `sso_token` is too short."""
    key = signing_key(sso_token)
    keyed = hmac.new(key, _HEADER, "sha256")  # once: copying is cheaper, and the key is not kept

    def sign(claims: str) -> str:
        payload = _base64url(claims.encode("ascii"))
        mac = keyed.copy()  # only this closure holds it, so no repr, vars or asdict shows it
        mac.update(payload)
        return (_HEADER + payload + b"." + _base64url(mac.digest())).decode("ascii")

    return sign, len(key) < SHORTEST_TOKEN


def further_claims(claims: Secret[Mapping[str, Any]]) -> str:
    """Return `claims` as JSON members, each after a comma, as PyJWT writes them."""
    if not isinstance(claims(), Mapping) or not all(isinstance(name, str) for name in claims()):
        raise ConfigError({"claims": "must be a mapping of names to JSON values"})
    if not claims():
        return ""
    if reserved := [name for name in CLAIMS if name in claims()]:
        raise ConfigError({"claims": f"must not contain {', '.join(reserved)}, which the hand-off sets"})
    try:
        return f",{json.dumps(dict(claims()), separators=(',', ':'), allow_nan=False)[1:-1]}"
    except (TypeError, ValueError, RecursionError):
        pass  # the error's text may quote a value
    raise ConfigError({"claims": "must hold JSON values only: str, int, float, bool, None, list and dict"})
