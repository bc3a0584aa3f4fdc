"""Signed assertions of identity-aware proxies, against a real key server with RSA and EC keys."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import itertools
import json
import re
import ssl
import subprocess
import sys
import threading
import time
import traceback
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import anyio
import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from clients import JANE, ASGISite, WSGISite, make_environ, make_scope
from key_server import AUDIENCE, ISSUER, DrippingServer, Issuer, ec_key, public_jwk, rsa_key
from servers import free_port
from sso_middleware import ConfigError, HandoffRefused, ResolverUnavailable
from sso_middleware.resolvers._key_server import KeyServer
from sso_middleware.resolvers.assertion import cloudflare_access, google_iap, signed_assertion

PATH = "/sso/helpdesk"
HEADER = "X-Signed-Assertion"
KEYS = {"rsa": rsa_key(), "ec": ec_key()}
ANOTHER = rsa_key()
P384 = ec_key(ec.SECP384R1)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    """The key server is asked directly, whatever proxy this machine has to use."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def issuer():
    return Issuer(**KEYS)


@pytest.fixture
def url(issuer):
    with issuer.serving() as url:
        yield url


def make(url, **changes):
    settings = {
        "jwks_url": url,
        "audience": AUDIENCE,
        "issuer": ISSUER,
        "algorithms": ["RS256", "ES256"],
    }
    return signed_assertion(HEADER, **settings | changes)


@pytest.fixture
def resolve(url):
    return make(url)


@pytest.fixture
def visit(site, resolve):
    """Visit the intercepted path with an assertion, on each protocol."""
    wrapped = site(resolve, options={"login_url": "/login"})

    def visit(*assertions, name=HEADER):
        return wrapped.get(PATH, headers=[(name, assertion) for assertion in assertions])

    return visit


def environ(*assertions, name=HEADER):
    return make_environ("GET", PATH, headers=[(name, assertion) for assertion in assertions])


def reason(resolve, *assertions):
    with pytest.raises(HandoffRefused) as refusal:
        resolve(environ(*assertions))
    return refusal.value.reason


def part(value):
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class TestGenuine:
    @pytest.mark.parametrize("key_id", KEYS)
    def test_address(self, visit, issuer, key_id):
        """The address in a genuine assertion is handed off, signed with RSA or EC."""
        reply = visit(issuer.sign(key_id))
        assert reply.is_handoff
        assert reply.claims["email"] == JANE

    @pytest.mark.parametrize("assertions", [(), ("",)], ids=["absent", "empty"])
    def test_without_one(self, visit, issuer, assertions):
        """Without an assertion the visitor is anonymous, and the key server is left alone."""
        assert visit(*assertions)["location"] == "/login?next=/sso/helpdesk"
        assert issuer.fetches == 0

    def test_header_name_in_any_case(self, visit, issuer):
        """The name of the header is the same in any case."""
        assert visit(issuer.sign(), name=HEADER.upper()).is_handoff

    def test_audience_in_a_list(self, resolve, issuer):
        """An `aud` of several is accepted if one of them is ours, as Cloudflare sends it."""
        assert resolve(environ(issuer.sign(aud=["another", AUDIENCE]))) == JANE

    def test_several_audiences(self, url, issuer):
        """Several audiences may be accepted."""
        assert make(url, audience=("one", AUDIENCE))(environ(issuer.sign())) == JANE

    def test_one_algorithm(self, url, issuer):
        """The algorithm may be given as one str, and no other is accepted then."""
        resolve = make(url, algorithms="RS256")
        assert resolve(environ(issuer.sign("rsa"))) == JANE
        assert reason(resolve, issuer.sign("ec")) == "assertion_invalid"

    def test_algorithm_that_the_key_does_not_name(self, url, issuer):
        """A key without `alg` serves each algorithm of its kind that is accepted."""
        resolve = make(url, algorithms=["PS256", "RS512"])
        assert resolve(environ(issuer.sign(algorithm="PS256"))) == JANE
        assert resolve(environ(issuer.sign(algorithm="RS512"))) == JANE

    def test_another_claim(self, url, issuer):
        """`claim` says which claim holds the address."""
        assert make(url, claim="upn")(environ(issuer.sign(email=None, upn=JANE))) == JANE

    @pytest.mark.parametrize(("claim", "seconds"), [("exp", -20), ("iat", 20), ("nbf", 20)])
    def test_clocks_that_differ(self, url, issuer, claim, seconds):
        """Clocks may differ by the leeway, and no more."""
        assertion = issuer.sign(**{claim: int(time.time()) + seconds})
        assert make(url)(environ(assertion)) == JANE
        expected = "assertion_expired" if claim == "exp" else "assertion_not_yet"
        assert reason(make(url, leeway=5), assertion) == expected

    @pytest.mark.parametrize("verified", [True, "true"])
    def test_verified(self, resolve, issuer, verified):
        """An `email_verified` that says yes is fine."""
        assert resolve(environ(issuer.sign(email_verified=verified))) == JANE

    @pytest.mark.parametrize("verified", [False, "false", 0])
    def test_not_verified(self, resolve, issuer, verified):
        """An `email_verified` that says no is refused."""
        assert reason(resolve, issuer.sign(email_verified=verified)) == "email_not_verified"


class TestForged:
    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"aud": "another application"}, "assertion_audience"),
            ({"aud": None}, "assertion_invalid"),
            ({"aud": 7}, "assertion_audience"),
            ({"iss": "https://another.example"}, "assertion_issuer"),
            ({"iss": None}, "assertion_invalid"),
            ({"exp": 1}, "assertion_expired"),
            ({"exp": None}, "assertion_invalid"),
            ({"exp": "never"}, "assertion_invalid"),
            ({"iat": 2**40}, "assertion_not_yet"),
            ({"iat": None}, "assertion_invalid"),
            ({"nbf": 2**40}, "assertion_not_yet"),
            ({"email": None}, "assertion_no_email"),
            ({"email": ["jane@example.com"]}, "assertion_no_email"),
            ({"key": ANOTHER}, "assertion_invalid"),
            ({"key": KEYS["ec"]}, "assertion_invalid"),
            ({"key_id": "ec", "key": KEYS["rsa"]}, "assertion_invalid"),
            ({"key": KEYS["rsa"], "key_id": "nobody's"}, "assertion_invalid"),
            ({"algorithm": "RS512"}, "assertion_invalid"),
            ({"headers": {"crit": ["b64", "exp"], "exp": 7}}, "assertion_invalid"),
            ({"headers": {"crit": []}}, "assertion_invalid"),
            ({"headers": {"crit": "exp"}}, "assertion_invalid"),
            ({"aud": []}, "assertion_invalid"),
            ({"aud": [AUDIENCE, 7]}, "assertion_audience"),
            ({"aud": {AUDIENCE: 1}}, "assertion_audience"),
            ({"exp": float("inf")}, "assertion_invalid"),
            ({"exp": float("nan")}, "assertion_invalid"),
            ({"exp": [2**40]}, "assertion_invalid"),
            ({"iat": float("inf")}, "assertion_invalid"),
            ({"nbf": float("nan")}, "assertion_invalid"),
            ({"email": ""}, "no_email"),
            ({"email": " jane@example.com"}, "invalid_email"),
            ({"email": "jane@example.com, eve@example.com"}, "invalid_email"),
        ],
        ids=lambda value: re.sub(" object at 0x[0-9a-f]+", "", str(value)),
    )
    def test_claims_and_signature(self, visit, resolve, issuer, changes, expected):
        """What is not ours, not now or not signed is a 403 with a stable reason: no login, no address."""
        assertion = issuer.sign(**changes)
        reply = visit(assertion)
        assert reply.status == 403
        assert f"Code: {expected}" in reply.text
        if expected not in ("no_email", "invalid_email"):  # that is the gate's word
            assert reason(resolve, assertion) == expected

    @pytest.mark.parametrize(
        ("assertion", "detail"),
        [
            pytest.param(lambda issuer: "rubbish", "malformed", id="rubbish"),
            pytest.param(lambda issuer: "e30.e30.e30", "algorithm", id="no algorithm"),
            pytest.param(lambda issuer: issuer.sign(algorithm="RS512"), "algorithm", id="another algorithm"),
            pytest.param(
                lambda issuer: issuer.sign(key=KEYS["rsa"], key_id="nobody's"),
                "unknown_key",
                id="unknown key",
            ),
            pytest.param(
                lambda issuer: issuer.sign("ec", key=KEYS["rsa"]), "wrong_key", id="key of another kind"
            ),
            pytest.param(lambda issuer: issuer.sign(key=ANOTHER), "signature", id="signature"),
            pytest.param(lambda issuer: issuer.sign(exp=None), "claim_missing", id="claim missing"),
            pytest.param(lambda issuer: issuer.sign(exp="never"), "malformed", id="odd claim"),
        ],
    )
    def test_why_it_is_invalid(self, visit, issuer, caplog, assertion, detail):
        """The log says what is wrong with an assertion; visitors see no more than `assertion_invalid`."""
        assert "Code: assertion_invalid<" in visit(assertion(issuer)).text
        (record,) = [record for record in caplog.records if hasattr(record, "sso_reason")]
        assert (record.sso_reason, record.sso_detail) == ("assertion_invalid", detail)

    @pytest.mark.parametrize("name", ["email", "email_verified"])
    def test_claim_that_comes_twice(self, resolve, issuer, name):
        """Of a claim that the issuer has signed twice, the last counts, in everything that reads it."""
        head, payload, _ = issuer.sign(email_verified=True).split(".")
        claims = base64.urlsafe_b64decode(payload + "==").decode()
        second = json.dumps({"email": "second@example.com", "email_verified": False}[name])
        twice = claims.replace("}", f', "{name}": {second}}}')
        signed = f"{head}.{part(twice.encode())}"
        signature = jwt.get_algorithm_by_name("RS256").sign(signed.encode(), KEYS["rsa"])
        if name == "email":
            assert resolve(environ(f"{signed}.{part(signature)}")) == "second@example.com"
        else:
            assert reason(resolve, f"{signed}.{part(signature)}") == "email_not_verified"

    def test_another_curve(self, url, issuer):
        """A key of a curve that is not the algorithm's verifies nothing."""
        issuer.keys[1] = jwt.get_algorithm_by_name("ES384").to_jwk(P384.public_key(), as_dict=True) | {
            "kid": "ec"
        }
        resolve = make(url)
        assert reason(resolve, issuer.sign("ec")) == "assertion_invalid"
        assert reason(resolve, issuer.sign("ec", key=P384, algorithm="ES384")) == "assertion_invalid"

    def test_without_a_key_id(self, resolve, issuer):
        """An assertion without `kid` is refused, and the key server is left alone."""
        genuine = issuer.sign()
        head = part({"alg": "RS256", "typ": "JWT"})
        assert reason(resolve, ".".join([head, *genuine.split(".")[1:]])) == "assertion_invalid"
        assert issuer.fetches == 0

    @pytest.mark.parametrize("algorithm", ["none", "None", "", None, "HS256", ["RS256"]], ids=repr)
    def test_algorithm(self, resolve, issuer, algorithm):
        """`alg: none` and anything else that is not pinned is refused without asking for keys."""
        _, payload, signature = issuer.sign().split(".")
        head = part({"alg": algorithm, "kid": "rsa"})
        for assertion in (f"{head}.{payload}.", f"{head}.{payload}.{signature}"):
            assert reason(resolve, assertion) == "assertion_invalid"
        assert issuer.fetches == 0

    @pytest.mark.parametrize("algorithm", ["HS256", "RS256"])
    def test_public_key_as_the_secret(self, resolve, issuer, algorithm):
        """The public key, which everybody has, is no secret to sign with."""
        public = KEYS["rsa"].public_key()
        pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        _, payload, _ = issuer.sign().split(".")
        signed = f"{part({'alg': algorithm, 'kid': 'rsa'})}.{payload}"
        signature = hmac.digest(pem, signed.encode(), hashlib.sha256)
        assert reason(resolve, f"{signed}.{part(signature)}") == "assertion_invalid"

    @pytest.mark.parametrize("algorithm", ["HS256", "RS256"])
    def test_shared_secret_among_the_keys(self, resolve, issuer, algorithm):
        """A shared secret that the issuer publishes by mistake verifies nothing."""
        secret = b"published for everybody to read!"
        issuer.keys.append({"kty": "oct", "kid": "oct", "k": part(secret), "use": "sig"})
        _, payload, _ = issuer.sign().split(".")
        signed = f"{part({'alg': algorithm, 'kid': 'oct'})}.{payload}"
        signature = hmac.digest(secret, signed.encode(), hashlib.sha256)
        assert reason(resolve, f"{signed}.{part(signature)}") == "assertion_invalid"

    def test_key_in_the_assertion(self, resolve, issuer):
        """A key, or an address of keys, that the assertion brings along is not looked at."""
        mine = Issuer(mine=ANOTHER)
        with mine.serving() as elsewhere:
            headers = {
                "jku": elsewhere,
                "x5u": elsewhere,
                "x5c": [part(b"a certificate")],
                "jwk": public_jwk("mine", ANOTHER),
                "kid": "mine",
            }
            assert reason(resolve, mine.sign("mine", headers=headers)) == "assertion_invalid"
            assert mine.fetches == 0

    def test_tampered(self, resolve, issuer):
        """Another address under a genuine signature is refused."""
        head, payload, signature = issuer.sign().split(".")
        claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
        forged = part(claims | {"email": "eve@example.com"})
        assert reason(resolve, f"{head}.{forged}.{signature}") == "assertion_invalid"

    @pytest.mark.parametrize(
        "value",
        ["x", "a.b", "..", "a.b.c", "Bearer x", "é.é.é", "\x00", part({"alg": "RS256"}) + "..",
         part(b"[" * 20_000) + ".e30.x", part(b'{"kid":' + b"9" * 5000 + b"}") + ".e30.x", part([]) + "..x"],
        ids=lambda value: ascii(value[:16]),
    )  # fmt: skip
    def test_rubbish(self, visit, issuer, value):
        """A header that holds anything else is a 403."""
        reply = visit(value)
        assert (reply.status, issuer.fetches) == (403, 0)
        assert "Code: assertion_invalid" in reply.text

    def test_deep_payload(self, resolve, issuer):
        """A payload nested too deeply to be read as JSON is a 403."""
        deep = f"{issuer.sign().split('.')[0]}.{part(b'[' * 20_000)}"
        signature = jwt.get_algorithm_by_name("RS256").sign(deep.encode(), KEYS["rsa"])
        assert reason(resolve, f"{deep}.{part(signature)}") == "assertion_invalid"

    def test_twice(self, visit, issuer):
        """Two assertions, both genuine, are refused: one of them is not the proxy's."""
        for second in (issuer.sign(), ""):
            reply = visit(issuer.sign(), second)
            assert reply.status == 403
            assert "Code: ambiguous_header" in reply.text

    def test_underscore_twin(self, issuer, resolve):
        """On ASGI a header that differs in an underscore is refused; a WSGI server has joined them."""
        twin = HEADER.replace("-", "_")
        both = [(HEADER, issuer.sign()), (twin, issuer.sign(email="eve@example.com"))]
        for headers in (both, both[::-1], both[1:]):
            assert ASGISite(resolve).get(PATH, headers=headers).status == 403
        for headers in (both, both[::-1]):
            assert WSGISite(resolve).get(PATH, headers=headers).status == 403

    def test_other_headers(self, issuer, resolve):
        """Other headers, doubled or not, are none of its business."""
        headers = [("X-Other", "a"), ("X-Other", "b"), (HEADER, issuer.sign()), ("X_Other", "c")]
        assert resolve(make_scope("GET", PATH, headers=headers)) == JANE

    @pytest.mark.parametrize(
        "changes",
        [
            {"key": ANOTHER},
            {"headers": {"kid": "kid-of-eve"}},
            {"headers": {"crit": ["kid-of-eve"], "kid-of-eve": 7}},
            {"iss": "issuer-of-eve"},
        ],
        ids=lambda value: re.sub(" object at 0x[0-9a-f]+", "", str(value)),
    )
    def test_nothing_of_it_is_told(self, visit, resolve, issuer, caplog, changes):
        """Page, error and log hold no assertion, no address and no key id."""
        caplog.set_level(0)
        assertion = issuer.sign(email="eve@example.com", **changes)
        page = visit(assertion).text
        with pytest.raises(HandoffRefused) as refusal:
            resolve(environ(assertion))
        said = page + caplog.text + "".join(traceback.format_exception(refusal.value))
        for secret in (*assertion.split("."), "eve@example.com", "kid-of-eve", "issuer-of-eve"):
            assert secret not in said


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


class TestKeyServer:
    def test_one_fetch_for_many_visits(self, resolve, issuer):
        """Keys are fetched with the first assertion, once."""
        for _ in range(5):
            assert resolve(environ(issuer.sign())) == JANE
        assert issuer.fetches == 1

    def test_one_fetch_for_many_visits_at_once(self, resolve, issuer):
        """Also when many come at once, and the key server is slow."""
        assertion = issuer.sign()
        with ThreadPoolExecutor(20) as pool:
            with issuer.hanging():
                answers = pool.map(resolve, [environ(assertion)] * 20)
                issuer.wait_until_asked(1)
            assert {*answers} == {JANE}
        assert issuer.fetches == 1

    def test_storm_of_forged_key_ids(self, resolve, issuer):
        """A storm of forged key ids makes the key server no busier than one visitor does."""
        for number in range(50):
            forged = issuer.sign(f"forged {number}", key=ANOTHER)
            assert reason(resolve, forged) == "assertion_invalid"
        assert resolve(environ(issuer.sign())) == JANE
        assert issuer.fetches == 1

    def test_rotation(self, url, issuer):
        """A new key is fetched when it is first seen, at most ten seconds after the last attempt."""
        clock = Clock()
        keys = KeyServer(url, clock=clock)
        assert keys.find("rsa") is not None
        issuer.keys = [public_jwk("new", ANOTHER)]
        clock.now += 9
        assert keys.find("new") is None
        assert keys.find("rsa") is not None
        assert issuer.fetches == 1
        clock.now += 1
        assert keys.find("new").public_numbers() == ANOTHER.public_key().public_numbers()
        assert keys.find("rsa") is None
        assert issuer.fetches == 2

    def test_storm_over_time(self, url, issuer):
        """Forged key ids without end make one fetch in ten seconds."""
        clock = Clock()
        keys = KeyServer(url, clock=clock)
        for second in range(100):
            clock.now = 1000.0 + second
            assert keys.find(f"forged {second}") is None
        assert issuer.fetches == 10

    def test_withdrawn_key(self, url, issuer):
        """A key that the issuer has withdrawn is valid for five minutes at most."""
        clock = Clock()
        keys = KeyServer(url, clock=clock)
        assert keys.find("rsa") is not None
        del issuer.keys[0]
        clock.now += 299
        assert keys.find("rsa") is not None
        clock.now += 1
        assert keys.find("rsa") is None
        assert issuer.fetches == 2

    def test_known_keys_do_not_wait(self, url, issuer):
        """While the server is asked for a forged key id, known ones are found at once."""
        clock = Clock()
        keys = KeyServer(url, clock=clock)
        assert keys.find("rsa") is not None
        clock.now += 20
        forger = threading.Thread(target=keys.find, args=["forged"])
        with issuer.hanging():
            forger.start()
            issuer.wait_until_asked(2)
            assert keys.find("rsa") is not None
            assert forger.is_alive()
        forger.join()

    def test_mixed_keys(self, url, issuer):
        """Keys of all kinds, among them unknown and broken ones, are no obstacle to the good ones."""
        pem = (
            KEYS["rsa"]
            .public_key()
            .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        )
        issuer.keys[:0] = [
            {"kty": "oct", "kid": "rsa", "k": part(pem)},
            {"kty": "OKP", "crv": "X25519", "kid": "x", "x": part(b"x" * 32)},
            {"kty": "post-quantum", "kid": "y"},
            {"kty": "EC", "crv": "P-256", "kid": "z", "x": "AA", "y": "AA"},
            public_jwk("without an id", ANOTHER) | {"kid": None},
        ]
        resolve = make(url)
        for key_id in KEYS:
            assert resolve(environ(issuer.sign(key_id))) == JANE
        assert reason(resolve, issuer.sign("without an id", key=ANOTHER)) == "assertion_invalid"

    def test_how_it_asks(self, url, issuer):
        """It says who it is: firewalls in front of key servers turn urllib's own User-Agent away."""
        assert KeyServer(url).find("rsa") is not None
        assert issuer.asked["User-Agent"] == "sso-middleware"

    def test_encryption_keys(self, url, issuer):
        """A key that is published for encryption verifies nothing."""
        issuer.keys[0]["use"] = "enc"
        assert KeyServer(url).find("rsa") is None


class TestNoUsableKey:
    @pytest.mark.parametrize("change", [{"use": "enc"}, {"kid": None}, {"kid": ""}, {"kty": "?"}], ids=str)
    def test_keys(self, visit, issuer, caplog, change):
        """A server whose keys are of no use is no outage of its own: the log says what is wrong with them."""
        for key in issuer.keys:
            key.update(change)
        assert visit(issuer.sign()).status == 503
        (line,) = [record.message for record in caplog.records if "key server" in record.message]
        assert ": it answers, but without a usable key (each needs a kid" in line

    @pytest.mark.parametrize("answer", [b"[]", b'{"keys": []}', b"{}"])
    def test_no_keys(self, visit, issuer, caplog, answer):
        """Nor is one that answers with something else."""
        issuer.answer = answer
        assert visit(issuer.sign()).status == 503
        assert "it answers, but without a usable key" in caplog.text

    @pytest.mark.parametrize(("status", "said"), [(500, "HTTPError"), (302, "HTTPError")])
    def test_outage(self, visit, issuer, caplog, status, said):
        """An outage is told by its error."""
        issuer.status = status
        assert visit(issuer.sign()).status == 503
        assert f"({said})" in caplog.text
        assert "it answers" not in caplog.text


OK = b"HTTP/1.1 200 OK\r\n"
DRIPS = {
    "nothing": ("http", b"", b""),
    "status line": ("http", b"", b"x"),
    "interim answers": ("http", b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "flood of interim answers": ("http", b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 4000),
    "headers": ("http", OK, b"x"),
    "body": ("http", OK + b"Content-Length: 1000000\r\n\r\n", b" "),
    "chunks": ("http", OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "body of an error": ("http", b"HTTP/1.1 500 Oops\r\nContent-Length: 1000000\r\n\r\n", b" "),
    "TLS handshake": ("https", b"\x16\x03\x03\x40\x00", b"x"),
}
SLOW_LOOKUP = """
import sys, threading
from sso_middleware import ResolverUnavailable
from sso_middleware.resolvers._key_server import KeyServer

never, begun, lookups, now = threading.Event(), threading.Event(), [], [0]

def look(event, args):
    if event == "socket.getaddrinfo":
        lookups.append(args)
        begun.set()
        never.wait()

sys.addaudithook(look)
keys = KeyServer("http://127.0.0.1:1/", clock=lambda: now[0], timeout=0.1)
for now[0] in range(0, 50, 10):
    try:
        keys.find("rsa")
    except ResolverUnavailable:
        begun.wait(30)
print(len(lookups), "look-ups,", threading.active_count(), "threads")
"""


class TestKeyServerDown:
    @pytest.fixture
    def broken(self, issuer, request):
        match request.param:
            case int(status):
                issuer.status = status
            case bytes(answer):
                issuer.answer = answer

    @pytest.mark.parametrize(
        "broken",
        [
            *(500, 404, 204),
            *(b"", b"rubbish", b"\xff", b"[]", b'"keys"', b"{}", b'{"keys": []}', b'{"keys": [{}]}'),
            *(
                b'{"keys": [7]}',
                b'{"keys": 7}',
                b'{"keys": [{"kty": "RSA", "alg": ["RS256"], "kid": "rsa"}]}',
            ),
            pytest.param(b"[" * 100_000, id="deep"),
            pytest.param(b'{"keys": [' + b"9" * 5000 + b"]}", id="a number of 5000 digits"),
        ],
        indirect=True,
        ids=repr,
    )
    @pytest.mark.usefixtures("broken")
    def test_broken_answer(self, visit, issuer, caplog):
        """An answer without keys is a 503 with Retry-After, and one line in the log."""
        reply = visit(issuer.sign())
        assert reply.status == 503
        assert 1 <= int(reply["retry-after"]) <= 10
        assert visit(issuer.sign("ec")).status == 503
        assert issuer.fetches == 1
        (line,) = [record for record in caplog.records if "key server" in record.message]
        assert line.message.startswith("no keys from the key server 127.0.0.1:")

    @pytest.mark.parametrize(("size", "status"), [(1_000_000, 303), (1_000_001, 503)])
    def test_long_answer(self, visit, issuer, size, status):
        """An answer of a megabyte is read; with a byte more it is none, whatever keys are in it."""
        issuer.answer = json.dumps({"keys": issuer.keys}).encode().ljust(size)
        assert visit(issuer.sign()).status == status

    def test_huge_answer(self, url, issuer):
        """Of a huge answer no more is taken in than shows that it is too long."""
        issuer.answer = b" " * 50_000_000
        keys = KeyServer(url)
        tracemalloc.start()
        try:
            with pytest.raises(ResolverUnavailable):
                keys.find("rsa")
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 10_000_000

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_redirect(self, issuer, status):
        """It is asked where the settings say, and nowhere else."""
        elsewhere = Issuer(**KEYS)
        with elsewhere.serving() as target, issuer.serving() as url:
            issuer.status = status
            issuer.headers = {"Location": target}
            with pytest.raises(ResolverUnavailable):
                KeyServer(url).find("rsa")
        assert issuer.fetches == 1
        assert elsewhere.fetches == 0

    @pytest.mark.slow
    @pytest.mark.parametrize(
        "way",
        [{"answer": b" " * 300, "delay_of_a_byte": 0.05}, {"status_without_end": True}],
        ids=["body", "status"],
    )
    def test_it_dawdles(self, issuer, way):
        """An answer that comes bit by bit is waited for no longer than one that does not come at all."""
        for name, value in way.items():
            setattr(issuer, name, value)
        with issuer.serving() as url:
            started = time.monotonic()
            with pytest.raises(ResolverUnavailable):
                KeyServer(url, timeout=0.5).find("rsa")
            taken = time.monotonic() - started
            issuer.delay_of_a_byte, issuer.status_without_end = 0, False
        assert 0.4 < taken < 10

    def expect_nothing_left(self, threads, server):
        deadline = time.monotonic() + 5
        while (threading.active_count() > threads or server.connections) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert threading.active_count() <= threads
        assert not server.connections

    @pytest.mark.parametrize("head", DRIPS)
    def test_it_drips(self, head):
        """A fetch from a slow server ends with its deadline, and leaves no thread and no connection."""
        scheme, *answer = DRIPS[head]
        server, clock = DrippingServer(*answer), Clock()
        with server.serving() as address:
            threads = threading.active_count()
            keys = KeyServer(f"{scheme}://{address}/", clock=clock, timeout=0.2)
            for _ in range(5):
                started = time.monotonic()
                with pytest.raises(ResolverUnavailable):
                    keys.find("rsa")
                assert time.monotonic() - started < 3
                clock.now += 10
                assert threading.active_count() <= threads + 1
            self.expect_nothing_left(threads, server)

    def test_proxy_drips(self, monkeypatch):
        """A fetch from a slow forward proxy ends with its deadline, too."""
        server = DrippingServer(b"HTTP/1.1 200 OK\r\n", b"x")
        with server.serving() as address:
            monkeypatch.setenv("https_proxy", f"http://{address}")
            threads = threading.active_count()
            with pytest.raises(ResolverUnavailable):
                KeyServer("https://issuer.example/", timeout=0.2).find("rsa")
            self.expect_nothing_left(threads, server)

    def test_one_fetch_at_a_time(self):
        """While the host's name is looked up, which nothing can end, no second fetch is begun."""
        done = subprocess.run(
            [sys.executable, "-c", SLOW_LOOKUP], capture_output=True, text=True, timeout=60, check=False
        )
        assert (done.stdout, done.stderr) == ("1 look-ups, 2 threads\n", "")

    @pytest.mark.slow
    def test_it_hangs(self, issuer):
        """One that hangs is given up after five seconds, by all who wait, and holds up no event loop."""
        ticks = []

        async def tick():
            while True:
                ticks.append(time.monotonic())
                await anyio.sleep(0.01)

        async def main(pages):
            async with anyio.create_task_group() as clock:
                clock.start_soon(tick)
                async with anyio.create_task_group() as visitors:
                    for _ in range(5):
                        visitors.start_soon(visit, pages)
                clock.cancel_scope.cancel()

        async def visit(pages):
            statuses.append((await pages.arequest("GET", PATH, headers=[(HEADER, assertion)])).status)

        statuses, assertion = [], issuer.sign()
        with issuer.serving() as url, issuer.hanging():
            started = time.monotonic()
            anyio.run(main, ASGISite(make(url)))
            assert statuses == [503] * 5
            assert time.monotonic() - started < 20
            assert issuer.fetches == 1
        assert max(after - before for before, after in itertools.pairwise(ticks)) < 4

    def test_nobody_listens(self, site, issuer):
        """A server that does not listen is a 503."""
        reply = site(make(f"http://127.0.0.1:{free_port()}/")).get(PATH, headers=[(HEADER, issuer.sign())])
        assert reply.status == 503

    def test_anonymous_all_the_same(self, site):
        """Without an assertion nobody notices."""
        reply = site(make(f"http://127.0.0.1:{free_port()}/"), options={"login_url": "/login"}).get(PATH)
        assert reply["location"] == "/login?next=/sso/helpdesk"

    def test_storm(self, issuer):
        """While it is down it is asked once in ten seconds, and everybody is told when."""
        issuer.status = 500
        clock = Clock()
        with issuer.serving() as url:
            keys = KeyServer(url, clock=clock)
            for second in range(30):
                clock.now = 1000.0 + second
                with pytest.raises(ResolverUnavailable) as outage:
                    keys.find(f"key {second}")
                assert outage.value.retry_after == 10 - second % 10
        assert issuer.fetches == 3

    def test_known_keys_outlast_it(self, url, issuer):
        """Known keys stay valid for their five minutes; an unknown key is `ResolverUnavailable`."""
        clock = Clock()
        keys = KeyServer(url, clock=clock)
        assert keys.find("rsa") is not None
        issuer.status = 500
        clock.now += 100
        with pytest.raises(ResolverUnavailable):
            keys.find("new")
        assert keys.find("rsa") is not None
        clock.now += 200
        with pytest.raises(ResolverUnavailable):
            keys.find("rsa")
        issuer.status = 200
        clock.now += 10
        assert keys.find("rsa") is not None
        assert keys.find("new") is None

    def test_it_comes_back(self, issuer):
        """When it is back, visitors are handed off again."""
        clock = Clock()
        port = free_port()
        keys = KeyServer(f"http://127.0.0.1:{port}/", clock=clock)
        with pytest.raises(ResolverUnavailable):
            keys.find("rsa")
        with issuer.serving(port):
            clock.now += 10
            assert keys.find("rsa") is not None

    def test_error_tells_nothing(self, issuer):
        """The error holds no assertion and no address."""
        with pytest.raises(ResolverUnavailable) as outage:
            make(f"http://127.0.0.1:{free_port()}/")(environ(issuer.sign()))
        assert str(outage.value) == "no keys from the key server"


class TestPresets:
    """The presets ask the provider's own address: here a forward proxy with TLS stands in for it."""

    @pytest.fixture
    def tls(self, tmp_path, monkeypatch):
        def make(host):
            key = ec.generate_private_key(ec.SECP256R1())
            name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
            now = dt.datetime.now(dt.UTC)
            certificate = (
                x509.CertificateBuilder()
                .subject_name(name)
                .issuer_name(name)
                .public_key(key.public_key())
                .serial_number(x509.random_serial_number())
                .not_valid_before(now - dt.timedelta(hours=1))
                .not_valid_after(now + dt.timedelta(hours=1))
                .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
                .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
                .sign(key, hashes.SHA256())
            )
            (tmp_path / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
            private = key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            (tmp_path / "key.pem").write_bytes(private)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
            monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
            return context

        return make

    @pytest.mark.parametrize(
        ("preset", "header", "key_id", "iss", "host", "path"),
        [
            (
                lambda: cloudflare_access("acme", AUDIENCE),
                "Cf-Access-Jwt-Assertion",
                "rsa",
                "https://acme.cloudflareaccess.com",
                "acme.cloudflareaccess.com",
                "/cdn-cgi/access/certs",
            ),
            (
                lambda: google_iap(AUDIENCE),
                "x-goog-iap-jwt-assertion",
                "ec",
                "https://cloud.google.com/iap",
                "www.gstatic.com",
                "/iap/verify/public_key-jwk",
            ),
        ],
        ids=["cloudflare", "google"],
    )
    def test_preset(self, issuer, tls, monkeypatch, preset, header, key_id, iss, host, path):
        """The provider's header, issuer, algorithm and keys, and nobody else's."""
        resolve = preset()
        with issuer.serving(tls=tls(host)) as url:
            monkeypatch.setenv("https_proxy", url)
            assert resolve(environ(issuer.sign(key_id, iss=iss), name=header)) == JANE
        assert issuer.paths == [f"{host}:443", path]
        other = issuer.sign("ec" if key_id == "rsa" else "rsa", iss=iss)
        for assertion in (issuer.sign(key_id), other):
            with pytest.raises(HandoffRefused):
                resolve(environ(assertion, name=header))

    @pytest.mark.parametrize("team", ["", "acme.cloudflareaccess.com", "https://acme", "a/b", "-a", None, 7])
    def test_team(self, team):
        """The team is the bare name."""
        with pytest.raises(ConfigError, match="team: must be the team name alone"):
            cloudflare_access(team, AUDIENCE)


class TestSettings:
    def test_construction_is_quiet(self, url, issuer):
        """Nothing is fetched before the first assertion comes."""
        make(url)
        assert issuer.fetches == 0

    @pytest.mark.parametrize(
        ("setting", "value"),
        [
            ("jwks_url", "http://keys.example/"),
            ("jwks_url", "file:///etc/passwd"),
            ("jwks_url", None),
            ("audience", ""),
            ("audience", []),
            ("audience", ["x", ""]),
            ("audience", None),
            ("issuer", ""),
            ("issuer", None),
            ("issuer", ["https://issuer.example"]),
            ("algorithms", []),
            ("algorithms", None),
            ("algorithms", "none"),
            ("algorithms", "HS256"),
            ("algorithms", ["RS256", "HS256"]),
            ("algorithms", ["RS999"]),
            ("algorithms", [7]),
            ("claim", ""),
            ("claim", None),
            ("leeway", -1),
            ("leeway", 1.5),
            ("leeway", True),
        ],
    )
    def test_wrong_setting(self, setting, value):
        """A wrong setting is a ConfigError that names it."""
        with pytest.raises(ConfigError) as error:
            make(**{"url": "https://keys.example/", setting: value})
        assert error.value.problems.keys() == {setting}

    def test_http(self):
        """Keys are not fetched over http, and no setting permits it."""
        with pytest.raises(ConfigError, match=r"jwks_url: must be https: .* their own keys$") as error:
            make("http://keys.example/")
        assert "allow_http" not in str(error.value)

    @pytest.mark.parametrize("header", ["", "X Assertion", "X_Assertion", None])
    def test_header(self, header):
        """A name that is no header's, or that has an underscore, is a ConfigError."""
        with pytest.raises(ConfigError, match="header: must be the name of a header"):
            signed_assertion(
                header, jwks_url="https://keys.example/", audience="a", issuer="i", algorithms="RS256"
            )

    def test_all_at_once(self):
        """Every wrong setting is named at once."""
        with pytest.raises(ConfigError) as error:
            signed_assertion("", jwks_url="", audience="", issuer="", algorithms="", claim="", leeway=-1)
        assert len(error.value.problems) == 7

    def test_logger_is_silent(self):
        """With this module alone, what goes to the log stays there, unless the application wants it."""
        code = """
import logging
from sso_middleware.resolvers import assertion
logger = logging.getLogger("sso_middleware")
logger.warning("not to be seen")
print([type(handler).__name__ for handler in logger.handlers])
"""
        result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert (result.stdout, result.stderr) == ("['NullHandler']\n", "")

    def test_without_the_extra(self):
        """Without the extra it says at construction what to install."""
        code = """
import sys
sys.modules["cryptography"] = None
from sso_middleware import ConfigError
from sso_middleware.resolvers.assertion import google_iap
try:
    google_iap("audience")
except ConfigError as error:
    print(error)
"""
        result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert "pip install 'sso-middleware[crypto]'" in result.stdout
