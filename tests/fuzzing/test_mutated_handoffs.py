"""Hand-offs that are mutated, or made up and signed: never a crash, never an acceptance by accident.

Any text at all as URL, header or payload is the target "verifier".
"""

import json
from base64 import urlsafe_b64encode
from urllib.parse import parse_qs, urlencode

import jwt
from hypothesis import assume, given
from hypothesis import strategies as st

from sso_middleware.sandbox import HandoffRejected, HandoffVerifier
from sso_middleware.sandbox.verifier.verdicts import CODES

SSO_TOKEN = "an SSO Token of this account, long enough"
AUTH_URL = "https://app.example.com/sso?a=1&b=2"
NOW = 1_800_000_000
CLAIMS = {"email": "visitor@customer.example", "iat": NOW - 5, "jti": "0123456789abcdef" * 2}
TOKEN = jwt.encode(CLAIMS, SSO_TOKEN, "HS256")
PARAMETERS = {"token": TOKEN, "account_id": "4711", "auth_url": AUTH_URL}
URL = f"https://acme.example/sso?{urlencode(PARAMETERS)}"
HEADER = b'{"alg":"HS256","typ":"JWT"}'
HS256 = jwt.get_algorithm_by_name("HS256")

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
characters = st.characters(max_codepoint=0x2FF) | st.sampled_from("&=%#?+/.-_ \x00\ud800")


def judge(url):
    """Return the verdict code, or what was verified. Any other exception fails the test."""
    verifier = HandoffVerifier(
        sso_token=SSO_TOKEN, account_id="4711", auth_url=AUTH_URL, clock=lambda: NOW, longest_token=20_000
    )
    try:
        return verifier.verify(url)
    except HandoffRejected as caught:
        rejected = caught
    assert rejected.code in CODES
    for text in (rejected.message, rejected.hint):
        assert text.isprintable()
        assert SSO_TOKEN not in text
        assert TOKEN not in text
    return rejected.code


@st.composite
def mutated(draw, text):
    """`text` with a few characters replaced, inserted or taken out."""
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        end = start + draw(st.integers(0, 2))
        text = text[:start] + draw(st.text(characters, max_size=2)) + text[end:]
    return text


def test_the_unchanged_url_is_accepted():
    """What the others mutate is in order."""
    assert judge(URL).email == CLAIMS["email"]


@given(mutated(TOKEN))
def test_mutated_token(token):
    """A token of which anything was changed is never accepted."""
    assume(token != TOKEN)
    query = urlencode(PARAMETERS | {"token": token}, errors="surrogatepass")
    assert isinstance(judge(f"https://acme.example/sso?{query}"), str)


@given(mutated(URL.partition("?")[2]))
def test_mutated_query(query):
    """A query is accepted only if it still says the same."""
    outcome = judge(f"https://acme.example/sso?{query}")
    if not isinstance(outcome, str):
        said = parse_qs(query.partition("#")[0], keep_blank_values=True)
        assert {name: said[name] for name in PARAMETERS} == {k: [v] for k, v in PARAMETERS.items()}


def sign(header, payload):
    def segment(data):
        return urlsafe_b64encode(data).decode().rstrip("=")

    message = f"{segment(header)}.{segment(payload)}"
    return f"{message}.{segment(HS256.sign(message.encode(), SSO_TOKEN.encode()))}"


def url_of(token):
    return f"?{urlencode(PARAMETERS | {'token': token})}"


@given(st.binary(max_size=60) | anything.map(lambda value: json.dumps(value).encode()))
def test_any_header(header):
    """Only the one right header is accepted, whatever is signed."""
    assume(header != HEADER)  # Hypothesis finds it in this file
    token = sign(header, json.dumps(CLAIMS).encode())
    assert judge(url_of(token)) in ("malformed_token", "bad_algorithm")


@given(st.dictionaries(st.sampled_from(["alg", "typ", "kid", "crit", "b64", "cty"]) | st.text(), anything))
def test_any_member_of_the_header(members):
    """A header with anything more, or anything else, than the right one is refused."""
    header = {"alg": "HS256", "typ": "JWT"} | members
    assume(header != {"alg": "HS256", "typ": "JWT"})
    token = sign(json.dumps(header).encode(), json.dumps(CLAIMS).encode())
    assert judge(url_of(token)) in ("malformed_token", "bad_algorithm")


@given(st.binary(max_size=60) | anything.map(lambda value: json.dumps(value).encode()))
def test_any_payload(payload):
    """A payload that is not the claims is never accepted, however well it is signed."""
    assert isinstance(judge(url_of(sign(HEADER, payload))), str)


@given(st.sampled_from(["email", "iat", "jti"]), anything)
def test_any_claim(name, value):
    """A claim of any kind is accepted only if it is of the kind it has to be."""
    token = sign(HEADER, json.dumps(CLAIMS | {name: value}).encode())
    outcome = judge(url_of(token))
    if not isinstance(outcome, str):
        fine = {
            "email": lambda: isinstance(value, str) and "@" in value,
            "iat": lambda: type(value) is int and NOW - 180 <= value <= NOW,
            "jti": lambda: isinstance(value, str) and len(value) >= 32,
        }
        assert fine[name]()
