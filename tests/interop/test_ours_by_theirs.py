"""JWT libraries of other people, in other languages, take our hand-offs and refuse what was tampered with."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from base64 import urlsafe_b64decode, urlsafe_b64encode
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt as joserfc_jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from clients import make_desk

NODE_MODULES = os.environ.get("SSO_TEST_NODE_MODULES")
VERIFIERS = Path(__file__).with_name("verifiers")

TOKENS = {
    "plain": "an SSO Token of this account, long enough",
    "beyond ASCII": "ein Schl\u00fcssel f\u00fcr uns, \u20ac und \U0001f511, lang genug",
    "like base64": "c2VjcmV0IHRoYXQgaXMgbG9uZyBlbm91Z2gsIHJlYWxseQ==",
    "like hex": "5f4dcc3b5aa765d61d8327deb882cf995f4dcc3b5aa765d61d8327deb882cf99",
    "longer than a block": "x" * 100,
}
EMAILS = ["jane@example.com", "o'hara+a/b&c=d?{x}~@sub.example.com", f"{'a' * 64}@example.com"]


def by_joserfc(pairs):
    def verdict(token, key):
        try:
            return {"claims": joserfc_jwt.decode(token, OctKey.import_key(key), algorithms=["HS256"]).claims}
        except (JoseError, ValueError) as error:
            return {"refused": type(error).__name__}

    return [verdict(token, key) for token, key in pairs]


def by_process(probe, command, why, **options):
    """Return what asks a verifier in a process of its own about all pairs at once."""

    def ask(pairs):
        if not shutil.which(command[0]) or subprocess.run(probe, capture_output=True, check=False).returncode:
            pytest.skip(f"needs {why}")
        result = subprocess.run(
            command,
            input=json.dumps(pairs),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            **options,
        )
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    return ask


def by_node(package):
    # Node resolves a bare import from the working directory's node_modules.
    module = Path(NODE_MODULES or "nowhere", package)
    script = VERIFIERS.joinpath(f"{package}.mjs").read_text(encoding="utf-8")
    return by_process(
        ["node", "--eval", f"process.exit(+!fs.existsSync({json.dumps(str(module))}))"],
        ["node", "--input-type=module", "--eval", script],
        f"Node.js, and the npm package {package} in the node_modules that SSO_TEST_NODE_MODULES names",
        cwd=module.parent.parent if module.exists() else None,
    )


LIBRARIES = {
    "joserfc": by_joserfc,
    "jose": by_node("jose"),
    "jsonwebtoken": by_node("jsonwebtoken"),
    "ruby-jwt": by_process(
        ["ruby", "-rjwt", "-e", ""], ["ruby", VERIFIERS / "ruby_jwt.rb"], "Debian's ruby and ruby-jwt"
    ),
    "Crypt::JWT": by_process(
        ["perl", "-MCrypt::JWT", "-e", ""], ["perl", VERIFIERS / "crypt_jwt.pl"], "Debian's libcrypt-jwt-perl"
    ),
}
MARKS = {"jose": pytest.mark.node, "jsonwebtoken": pytest.mark.node}
MARKS |= {"ruby-jwt": pytest.mark.interop, "Crypt::JWT": pytest.mark.interop}
MARKS = {name: [mark, pytest.mark.slow] for name, mark in MARKS.items()}


@pytest.fixture(params=[pytest.param(name, marks=MARKS.get(name, ())) for name in LIBRARIES])
def verdicts(request):
    """Asks one library: takes (token, key) pairs, returns what it says to each."""
    return LIBRARIES[request.param]


def handed_off(desk, email):
    """The token as it arrives at the Help Desk, and what it should say."""
    handoff = desk.handoff(email)
    (token,) = parse_qs(urlsplit(handoff.url).query, strict_parsing=True)["token"]
    return token, {"email": email, "iat": handoff.iat, "jti": handoff.jti}


def test_ours_are_accepted(verdicts):
    """Every address and every kind of SSO Token: the claims arrive as they were signed."""
    pairs, expected = [], []
    for sso_token in TOKENS.values():
        for email in EMAILS:
            token, claims = handed_off(make_desk(sso_token=sso_token, backdate=2), email)
            pairs.append((token, sso_token))
            expected.append({"claims": claims})
    assert verdicts(pairs) == expected


def segment(value):
    data = value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()
    return urlsafe_b64encode(data).decode().rstrip("=")


def flipped(part, position):
    data = bytearray(urlsafe_b64decode(part + "=="))
    data[position] ^= 1
    return segment(bytes(data))


def tampered(token, claims, another):
    """Every way in which a token can be another than the one that was signed, and the unchanged one."""
    header, payload, signature = token.split(".")
    stranger = segment(claims | {"email": "mallory@evil.example"})
    return {
        "unchanged": token,
        "payload changed": f"{header}.{stranger}.{signature}",
        "one bit of the payload": f"{header}.{flipped(payload, 12)}.{signature}",
        "signature of another token": f"{header}.{payload}.{another.split('.')[2]}",
        "first bit of the signature": f"{header}.{payload}.{flipped(signature, 0)}",
        "last bit of the signature": f"{header}.{payload}.{flipped(signature, -1)}",
        "half a signature": f"{header}.{payload}.{segment(urlsafe_b64decode(signature + '=')[:16])}",
        "no signature": f"{header}.{payload}.",
        "two parts": f"{header}.{payload}",
        "alg none": f"{segment({'alg': 'none', 'typ': 'JWT'})}.{payload}.",
        "alg none, signature kept": f"{segment({'alg': 'none', 'typ': 'JWT'})}.{payload}.{signature}",
        "alg nOnE": f"{segment({'alg': 'nOnE', 'typ': 'JWT'})}.{stranger}.",
        "alg HS512": f"{segment({'alg': 'HS512', 'typ': 'JWT'})}.{payload}.{signature}",
        "alg RS256": f"{segment({'alg': 'RS256', 'typ': 'JWT'})}.{payload}.{signature}",
        "kid added": f"{segment({'alg': 'HS256', 'typ': 'JWT', 'kid': '1'})}.{payload}.{signature}",
    }


def test_tampered_ones_are_refused(verdicts):
    """Of all these, the library takes the unchanged one alone."""
    sso_token = TOKENS["plain"]
    token, claims = handed_off(make_desk(sso_token=sso_token), EMAILS[0])
    another, _ = handed_off(make_desk(sso_token=sso_token), EMAILS[0])
    cases = tampered(token, claims, another)
    given = dict(zip(cases, verdicts([(case, sso_token) for case in cases.values()]), strict=True))
    assert given.pop("unchanged") == {"claims": claims}
    assert [name for name, verdict in given.items() if [*verdict] != ["refused"]] == []


def test_another_key_is_refused(verdicts):
    """A token holds under its own SSO Token alone, to the letter."""
    sso_token = TOKENS["plain"]
    token, claims = handed_off(make_desk(sso_token=sso_token), EMAILS[0])
    keys = [sso_token, sso_token + " ", sso_token[:-1], sso_token.upper(), *[*TOKENS.values()][1:]]
    right, *wrong = verdicts([(token, key) for key in keys])
    assert right == {"claims": claims}
    assert [[*verdict] for verdict in wrong] == [["refused"]] * len(wrong)
