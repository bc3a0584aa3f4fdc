"""Tokens made by other JWT libraries than PyJWT are judged alike."""

import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from urllib.parse import urlencode

import pytest
from joserfc import jwt as joserfc_jwt
from joserfc.jwk import OctKey

from sso_middleware.sandbox import HandoffRejected, HandoffVerifier

SSO_TOKEN = "an SSO Token of this account, long enough"
NODE_MODULES = os.environ.get("SSO_TEST_NODE_MODULES")

JOSE = """
import { SignJWT } from "jose";
const { header, claims, key } = JSON.parse(process.argv[1]);
const signed = new SignJWT(claims).setProtectedHeader(header);
console.log(await signed.sign(new TextEncoder().encode(key)));
"""


def sign_with_joserfc(header, claims, key):
    algorithms = [header["alg"]]
    return joserfc_jwt.encode(header, claims, OctKey.import_key(key), algorithms=algorithms)


def sign_with_jose(header, claims, key):
    # Node resolves a bare import from the working directory's node_modules.
    result = subprocess.run(
        [
            "node", "--input-type=module", "--eval", JOSE,
            json.dumps({"header": header, "claims": claims, "key": key}),
        ],
        cwd=Path(NODE_MODULES).parent,
        capture_output=True,
        text=True,
        check=True,
    )  # fmt: skip
    return result.stdout.strip()


@pytest.fixture(
    params=[
        "joserfc",
        pytest.param(
            "jose",
            marks=[
                pytest.mark.node,
                pytest.mark.skipif(not shutil.which("node"), reason="needs Node.js"),
                pytest.mark.skipif(
                    not NODE_MODULES,
                    reason="needs the npm package jose: name its node_modules in SSO_TEST_NODE_MODULES",
                ),
            ],
        ),
    ]
)
def sign(request):
    return {"joserfc": sign_with_joserfc, "jose": sign_with_jose}[request.param]


def judge(token):
    query = urlencode({"token": token, "account_id": "1", "auth_url": "https://app.example.com/sso"})
    verifier = HandoffVerifier(
        sso_token=SSO_TOKEN, account_id="1", auth_url="https://app.example.com/sso", leeway=30
    )
    try:
        verifier.verify(f"https://acme.example/sso?{query}")
    except HandoffRejected as rejected:
        return rejected.code
    return "accepted"


@pytest.mark.parametrize(
    ("header", "claims", "key", "verdict"),
    [
        ({}, {}, SSO_TOKEN, "accepted"),
        ({"alg": "HS512"}, {}, SSO_TOKEN + SSO_TOKEN, "bad_algorithm"),
        ({"kid": "1"}, {}, SSO_TOKEN, "malformed_token"),
        ({}, {}, SSO_TOKEN + "x", "bad_signature"),
        ({}, {"email": "nobody"}, SSO_TOKEN, "invalid_email"),
        ({}, {"iat": 1}, SSO_TOKEN, "stale"),
        ({}, {"jti": "short"}, SSO_TOKEN, "invalid_jti"),
    ],
)
def test_other_libraries(sign, header, claims, key, verdict):
    """Whichever library signs a token, the verdict is the same."""
    claims = {"email": "visitor@customer.example", "iat": int(time.time()), "jti": "0" * 32} | claims
    assert judge(sign({"alg": "HS256", "typ": "JWT"} | header, claims, key)) == verdict
