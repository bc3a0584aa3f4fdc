"""The signature: checking it, and finding the mistake with the SSO Token that explains a wrong one."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from urllib.parse import quote_plus

from sso_middleware.helpdesk.tokens import HS256
from sso_middleware.sandbox.verifier.rules import Rules
from sso_middleware.sandbox.verifier.tokens import Token
from sso_middleware.sandbox.verifier.verdicts import HandoffRejected

# A truncated key is recognized if at most 8 bytes are missing and at least 16 are left. If shorter keys were
# recognized, an attacker could guess the SSO Token byte by byte.
_LONGEST_CUT = 8
_SHORTEST_LEFT = 16

_MD5 = (
    "The vendor's Knowledge Base product hashes its key with md5. For the Help Desk, it documents the SSO "
    "Token itself. Sign with the unchanged token, or start the sandbox with --key md5."
)
_NOT_MD5 = "Set it to the md5 of the SSO Token, 32 hexadecimal digits, or start the sandbox with --key raw."
_STRIP = "Remove it with .strip() where the token is read, or fix the file or variable."
_AS_TEXT = "Use the SSO Token as the key, exactly as the panel shows it."


def check(token: Token, rules: Rules, sso_token: str, account_id: str) -> None:
    """Reject a token that the SSO Token did not sign. PyJWT compares signatures in constant time."""
    if HS256.verify(token.message, rules.key_of(sso_token).encode(), token.signature):
        return
    for key, what, remedy in _wrong_keys(sso_token, account_id):
        if HS256.verify(token.message, key, token.signature):
            message = f"The JWT is signed with {what}."
            if remedy in (_MD5, _NOT_MD5):  # only wrong because of how the key is assumed to be derived
                rule = "the unchanged token" if rules.key == "raw" else "its md5"
                message += f" The key here is {rule} (assumed)."
            raise HandoffRejected("bad_signature", message, remedy)
    raise HandoffRejected(
        "bad_signature",
        "The JWT is not signed with this account's SSO Token or a common variation of it.",
        "Another key was used, or the JWT was changed after signing. Copy the SSO Token of this account "
        "from the vendor's panel again, and restart the application.",
    )


def _wrong_keys(sso_token: str, account_id: str) -> Iterator[tuple[bytes, str, str]]:
    """Yield the keys that are used by mistake: each with what it is, and how to fix it."""
    raw = sso_token.encode()
    yield raw, "your SSO Token unchanged", _NOT_MD5
    for name, ending in (
        ("newline", b"\n"),
        ("Windows line ending", b"\r\n"),
        ("space", b" "),
        ("tab", b"\t"),
    ):
        yield raw + ending, f"your SSO Token followed by a {name}", _STRIP
        yield ending + raw, f"your SSO Token with a {name} before it", _STRIP
    yield "\ufeff".encode() + raw, "your SSO Token with a byte order mark before it", _STRIP
    for mark in (b"'", b'"'):
        quoted = mark + raw + mark
        yield quoted, "your SSO Token with quotation marks around it", "Remove the quotation marks."
        yield b"b" + quoted, "the text of a bytes object holding your SSO Token", "Decode it: token.decode()."
    bare = sso_token.strip("\"'`<>[]{}() ")
    yield bare.encode(), "your SSO Token without its leading and trailing marks", _AS_TEXT
    for name in ("md5", "sha1", "sha256"):
        digest = hashlib.new(name, raw, usedforsecurity=False)
        remedy = _MD5 if name == "md5" else f"Do not hash it: {_AS_TEXT[0].lower()}{_AS_TEXT[1:]}"
        for key in (digest.hexdigest().encode(), digest.hexdigest().upper().encode(), digest.digest()):
            yield key, f"the {name} of your SSO Token", remedy
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for key in (encode(raw), encode(raw).rstrip(b"="), encode(raw) + b"\n"):
            yield key, "your SSO Token base64-encoded", f"Do not encode it. {_AS_TEXT}"
    padded = raw + b"=" * (-len(raw) % 4)
    decoders: tuple[tuple[str, Callable[[bytes], bytes], bytes], ...] = (
        ("base64", base64.b64decode, padded),
        ("base64", base64.urlsafe_b64decode, padded),
        ("hex", binascii.unhexlify, raw),
    )
    for name, decode, text in decoders:
        with suppress(ValueError):
            yield decode(text), f"your SSO Token {name}-decoded", f"Do not decode it. {_AS_TEXT}"
    yield sso_token.lower().encode(), "your SSO Token in lower case", _AS_TEXT
    yield sso_token.upper().encode(), "your SSO Token in upper case", _AS_TEXT
    yield quote_plus(sso_token).encode(), "your SSO Token percent-encoded", _AS_TEXT
    yield account_id.encode(), "the Account ID", "Copy the SSO Token from the vendor's panel."
    yield b"", "an empty key", "The SSO Token is not set where the JWT is signed."
    copy = "It is truncated: copy it from the vendor's panel again."
    for cut in range(1, min(_LONGEST_CUT, len(raw) - _SHORTEST_LEFT) + 1):
        left = len(raw) - cut
        yield raw[:left], f"the first {left} of your SSO Token's {len(raw)} bytes", copy
        yield raw[cut:], f"the last {left} of your SSO Token's {len(raw)} bytes", copy
