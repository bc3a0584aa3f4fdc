"""The sandbox's verifier: any text gets a verdict, and nothing is accepted that is not signed and in order.

The oracle judges an accepted hand-off again, with the standard library alone.
"""

from __future__ import annotations

import hmac
import json
import re
from base64 import urlsafe_b64encode
from urllib.parse import parse_qsl, quote

from sso_middleware.sandbox import HandoffRejected, HandoffVerifier
from sso_middleware.sandbox.verifier.verdicts import CODES

#: In `url`, $t stands for `header` and `payload`, signed, $x for the same with another key, $m for them
#: alone, $u for the Auth URL.
FIELDS = ("url", "header", "payload")
TOKENS = (
    "$t",
    "$x",
    "$m.",
    "$u",
    "?token=",
    "&account_id=4711",
    "&auth_url=",
    "#",
    "&",
    "%00",
    "%ff",
    ".",
    "=",
    "eyJ",
)
TOKENS += (
    '{"alg":"HS256","typ":"JWT"}',
    '"alg":"none"',
    '"kid":"1"',
    '"email":"a@b.example"',
    '"iat":1799999990',
)
TOKENS += (
    '"jti":"00000000000000000000000000000000"',
    "{",
    "}",
    ",",
    "null",
    "true",
    "1e400",
    "NaN",
    '"',
    "\\u0000",
)
TOKENS += ("\ud800", "\udcff", "\ufeff", "[" * 50)

_SSO_TOKEN = "an SSO Token of this account, long enough"
_AUTH_URL = "https://app.example.com/sso?a=1&b=2"
_NOW = 1_800_000_000


def check(url: str, header: str, payload: str) -> str:
    """Return ``accepted``, or the verdict's code."""
    url = url.replace("$t", _signed(header, payload, _SSO_TOKEN)).replace("$u", quote(_AUTH_URL, safe=""))
    url = url.replace("$x", _signed(header, payload, "another key, which is long enough, too"))
    url = url.replace("$m", _message(header, payload))
    verifier = HandoffVerifier(
        sso_token=_SSO_TOKEN, account_id="4711", auth_url=_AUTH_URL, clock=lambda: _NOW, longest_token=100_000
    )
    try:
        verified = verifier.verify(url)
    except HandoffRejected as rejected:
        assert rejected.code in CODES
        assert rejected.message.isprintable()
        assert rejected.hint.isprintable()
        assert _SSO_TOKEN not in str(rejected)
        assert not re.search(r"eyJ[\w-]{8,}", str(rejected))
        return rejected.code
    _expect_accepted(url, verified)
    return "accepted"


def _segment(data):
    return urlsafe_b64encode(data).decode().rstrip("=")


def _message(header, payload):
    return ".".join(_segment(text.encode("utf-8", "surrogatepass")) for text in (header, payload))


def _signed(header, payload, key):
    message = _message(header, payload)
    return f"{message}.{_segment(hmac.digest(key.encode(), message.encode(), 'sha256'))}"


def _expect_accepted(url, verified):
    query = url.split("#")[0].split("?", 1)[1]
    pairs = [pair for pair in parse_qsl(query, True) if pair[0] in ("token", "account_id", "auth_url")]
    assert len(pairs) == 3
    assert dict(pairs).keys() == {"token", "account_id", "auth_url"}
    assert dict(pairs)["account_id"] == "4711"
    assert dict(pairs)["auth_url"] == _AUTH_URL
    message, signature = dict(pairs)["token"].rsplit(".", 1)
    assert signature == _segment(hmac.digest(_SSO_TOKEN.encode(), message.encode(), "sha256"))
    header, payload = (_json(segment) for segment in message.split("."))
    assert header == {"alg": "HS256", "typ": "JWT"}
    assert (payload["email"], payload["iat"], payload["jti"]) == (verified.email, verified.iat, verified.jti)
    assert re.fullmatch(r"[!-?A-~]+@[A-Za-z0-9.-]+", verified.email)
    assert type(verified.iat) is int
    assert _NOW - 180 <= verified.iat <= _NOW
    assert len(verified.jti) >= 32


def _json(segment):
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    bits = "".join(f"{alphabet.index(character):06b}" for character in segment)
    assert "1" not in bits[len(bits) // 8 * 8 :]  # one spelling only
    return json.loads(bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits) // 8 * 8, 8)))
