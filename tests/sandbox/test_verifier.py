"""The verdicts on a hand-off, one by one, and the mistakes they name."""

import base64
import hashlib
import json
import pickle
import threading
from contextlib import suppress
from urllib.parse import urlencode

import jwt
import pytest

from sso_middleware import ConfigError, HelpDesk, SSOError
from sso_middleware.sandbox import HandoffRejected, HandoffVerifier, VerifiedHandoff
from sso_middleware.sandbox.verifier.verdicts import ASSUMPTIONS, CODES

SSO_TOKEN = "c3VwZXItc2VjcmV0LXNoYXJlZC1rZXktb2YtdGhlLWRlc2s="
AUTH_URL = "https://app.example.com/sso/helpdesk?tenant=1&lang=en"
NOW = 1_800_000_000
JTI = "0123456789abcdef0123456789abcdef"
HEADER = {"alg": "HS256", "typ": "JWT"}
CLAIMS = {"email": "visitor@customer.example", "iat": NOW, "jti": JTI}


class Clock:
    def __init__(self, now=NOW):
        self.now = now

    def __call__(self):
        return self.now


def make_verifier(**options):
    return HandoffVerifier(
        **{"sso_token": SSO_TOKEN, "account_id": 4711, "auth_url": AUTH_URL, "clock": Clock()} | options
    )


def segment(value):
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def sign(claims=CLAIMS, header=HEADER, key=SSO_TOKEN):
    """A token of any header and claims, bytes or JSON, with a valid HS256 signature."""
    message = f"{segment(header)}.{segment(claims)}"
    key = key if isinstance(key, bytes) else key.encode()
    signature = jwt.get_algorithm_by_name("HS256").sign(message.encode(), key)
    return f"{message}.{segment(signature)}"


def url_of(token, **parameters):
    return "https://acme.example/sso?" + urlencode(
        {"token": token, "account_id": "4711", "auth_url": AUTH_URL} | parameters
    )


def but(**claims):
    return url_of(sign(CLAIMS | claims))


def without(name):
    return url_of(sign({key: value for key, value in CLAIMS.items() if key != name}))


def reject(url, **options):
    with pytest.raises(HandoffRejected) as caught:
        make_verifier(**options).verify(url)
    return caught.value


def test_accepts_what_helpdesk_signs():
    """A hand-off of this package is accepted, and gives back what it says."""
    desk = HelpDesk(
        sso_token=SSO_TOKEN, sso_auth_url="https://acme.example/sso", account_id=4711, auth_url=AUTH_URL
    )
    handoff = desk.handoff(CLAIMS["email"], iat=NOW, jti=JTI)
    assert make_verifier().verify(handoff.url) == VerifiedHandoff(
        email=CLAIMS["email"], iat=NOW, jti=JTI, account_id="4711", auth_url=AUTH_URL
    )


TABLE = [
    # code, URL, what message and hint have to mention
    ("missing_token", "https://acme.example/sso", "is missing"),
    ("missing_token", "", "is missing"),
    ("missing_token", url_of(""), "is empty"),
    ("missing_token", url_of(sign()).replace("?", "#"), "after a #"),
    ("missing_account_id", url_of(sign(), account_id=""), "from the vendor's panel"),
    ("missing_auth_url", url_of(sign(), auth_url=""), "registered in the vendor's panel"),
    ("duplicate_parameter", url_of(sign()) + "&token=", "2 times"),
    ("duplicate_parameter", url_of(sign()) + "&account_id=4711", "once"),
    ("unknown_account", url_of(sign(), account_id="4712"), "account 4711"),
    ("unknown_account", url_of(sign(), account_id="4712"), "character by character (assumed)"),
    ("unknown_account", url_of(sign(), account_id=" 4711"), "whitespace"),
    ("unknown_account", url_of(sign(), account_id=SSO_TOKEN), "swapped"),
    ("auth_url_mismatch", url_of(sign(), auth_url=AUTH_URL + "/"), "trailing slash"),
    ("auth_url_mismatch", url_of(sign(), auth_url=AUTH_URL.replace("sso", "SSO")), "upper and lower case"),
    ("auth_url_mismatch", url_of(sign(), auth_url=AUTH_URL.replace("sso", "SSO")), "from character 25 on"),
    ("auth_url_mismatch", url_of(sign(), auth_url=AUTH_URL.partition("&")[0]), "before the first &"),
    (
        "auth_url_mismatch",
        url_of(sign(), auth_url=AUTH_URL.partition("t=1")[0]),
        "its end instead of",
    ),
    ("auth_url_mismatch", url_of(sign(), auth_url="https%3A" + AUTH_URL[6:]), "encoded twice"),
    ("auth_url_mismatch", url_of(sign(), auth_url=AUTH_URL + " "), "whitespace"),
    ("auth_url_mismatch", url_of(sign(), auth_url=AUTH_URL.replace("https", "http")), "hide https"),
    ("auth_url_mismatch", url_of(sign(), auth_url=AUTH_URL.replace("app", "www")), "host differs"),
    ("auth_url_mismatch", url_of(sign(), auth_url=AUTH_URL.replace(".com", ".com:8443")), "port differs"),
    ("auth_url_mismatch", url_of(sign(), auth_url=AUTH_URL.replace("/sso/", "/so/")), "path differs"),
    ("auth_url_mismatch", url_of(sign(), auth_url=AUTH_URL.replace("lang=en", "lang=de")), "query"),
    ("auth_url_mismatch", url_of(sign(), auth_url="/sso/helpdesk"), "complete URL"),
    ("auth_url_mismatch", url_of(sign(), auth_url="https://["), "not a valid URL"),
    ("auth_url_mismatch", url_of(sign(), auth_url=AUTH_URL + sign()), "[token]"),
    ("auth_url_mismatch", url_of(sign(), auth_url=f"https://app.example.com/{SSO_TOKEN}"), "on: [SSO Token]"),
    ("token_too_long", but(profile="x" * 4096), "4096 are allowed"),
    ("malformed_token", url_of("a.b"), "truncated"),
    ("malformed_token", url_of("a.b.c.d.e"), "JWE"),
    ("malformed_token", url_of("Bearer " + sign()), "Bearer"),
    ("malformed_token", url_of(repr(sign().encode())), "bytes object"),
    ("malformed_token", url_of(sign() + "=="), "padding"),
    ("malformed_token", url_of(sign()).replace("token=", "token=+"), "standard base64"),
    ("malformed_token", url_of(json.dumps(CLAIMS, separators=(",", ":"))), "Sign them"),
    ("malformed_token", url_of(sign()[:-1] + "_"), "base64url"),
    ("malformed_token", url_of(f"{sign()}AA"), "base64url"),
    ("malformed_token", url_of(sign(header=b"[]")), "header is not a JSON object"),
    ("malformed_token", url_of(sign(header=b'{"alg":"HS256","alg":"HS256"}')), "more than once"),
    ("malformed_token", url_of(sign(header=HEADER | {"kid": "1"})), "kid"),
    ("malformed_token", url_of(sign(header={"alg": "HS256"})), "typ"),
    ("malformed_token", url_of(sign(header=HEADER | {"typ": "at+jwt"})), "typ"),
    ("malformed_token", url_of(sign(b"no JSON")), "payload is not a JSON object"),
    ("malformed_token", url_of(sign(json.dumps(CLAIMS).encode("utf-16"))), "UTF-8"),
    ("malformed_token", url_of(sign(b'{"iat": NaN}')), "payload"),
    ("malformed_token", url_of(sign(b"[" * 2500)), "payload"),
    ("malformed_token", url_of(sign(b'{"iat": 1, "iat": 2}')), "'iat' more than once"),
    ("bad_algorithm", url_of(sign(header=HEADER | {"alg": "none"})), "is not signed"),
    ("bad_algorithm", url_of(sign(header=HEADER | {"alg": "HS512"})), "Sign with HS256."),
    ("bad_algorithm", url_of(sign(header=HEADER | {"alg": ["HS256"]})), "key pair"),
    ("bad_algorithm", url_of(sign(header={"typ": "JWT"})), "no alg"),
    ("bad_signature", url_of(sign(key="another token altogether")), "Another key was used"),
    ("bad_signature", url_of(".".join([*sign().split(".")[:2], ""])), "Another key was used"),
    ("missing_email", without("email"), "email"),
    ("missing_iat", without("iat"), "int(time.time())"),
    ("missing_jti", without("jti"), "secrets.token_hex(16)"),
    ("invalid_email", but(email=None), "null"),
    ("invalid_email", but(email=["visitor@example.com"]), "list"),
    ("invalid_email", but(email=""), "not signed in"),
    ("invalid_email", but(email="j\u00e4ne@example.com"), "punycode"),
    ("invalid_email", but(email="jane@example.com" + "m" * 254), "254"),
    ("invalid_email", but(email="j" * 65 + "@example.com"), "64"),
    ("invalid_email", but(email="Jane <visitor@example.com>"), "display name"),
    ("invalid_iat", but(iat=str(NOW)), "a string"),
    ("invalid_iat", but(iat=NOW + 0.5), "not a whole number"),
    ("invalid_iat", but(iat=True), "not a number"),
    ("invalid_iat", but(iat=None), "not a number"),
    ("invalid_iat", but(iat=-1), "1970"),
    ("invalid_iat", but(iat=10**30), "1970"),
    ("invalid_jti", but(jti=17), "not a string"),
    ("invalid_jti", but(jti=""), "0 characters"),
    ("invalid_jti", but(jti=JTI[:31]), "31 characters"),
    ("invalid_jti", but(jti=JTI + "\ud800"), "printable"),
    ("issued_in_future", but(iat=NOW + 12), "clock is 12 seconds ahead"),
    ("issued_in_future", but(iat=NOW + 12), "backdate (HELPDESK_BACKDATE) to 12"),
    ("issued_in_future", but(iat=NOW + 31), "synchronize it (NTP)."),
    ("issued_in_future", but(iat=NOW * 1000), "milliseconds"),
    ("issued_in_future", but(iat=NOW * 10**6), "microseconds"),
    ("issued_in_future", but(iat=NOW * 10**9), "nanoseconds"),
    ("issued_in_future", but(iat=NOW + 7199), "exactly 2 h ahead"),
    ("stale", but(iat=NOW - 181), "181 seconds behind"),
    ("stale", but(iat=NOW - 19_803), "exactly 5.5 h behind"),
    ("stale", but(iat=NOW - 7200 - 180), "exactly 2 h behind"),
    ("stale", but(iat=NOW - 7200 - 181), "seconds behind: synchronize it"),
    ("stale", but(iat=0), "seconds behind"),
]


@pytest.mark.parametrize(("code", "url", "mentions"), TABLE)
def test_verdict(code, url, mentions):
    """Each wrong hand-off gets its verdict, with the likely mistake named."""
    rejected = reject(url)
    assert rejected.code == code
    assert mentions in f"{rejected.message} {rejected.hint}"
    assert rejected.message.endswith(".")
    assert rejected.hint.endswith(".")


@pytest.mark.parametrize(("code", "url", "mentions"), TABLE)
def test_verdict_keeps_secrets(code, url, mentions):
    """No verdict shows the SSO Token, a signed token or an address, and each assumption is labelled."""
    rejected = reject(url)
    for text in (str(rejected), repr(rejected)):
        assert SSO_TOKEN[:8] not in text
        assert "eyJ" not in text
        assert "visitor@" not in text
    assert (rejected.assumption is not None) == ("(assumed)" in rejected.message)
    assert "assumed" not in rejected.message.replace("(assumed)", "")


@pytest.mark.parametrize(("code", "url", "mentions"), TABLE)
def test_verdict_names_the_setting(code, url, mentions):
    """A verdict on a setting begins its remedy with the setting and its variable."""
    named = {
        "missing_account_id": "account_id (HELPDESK_ACCOUNT_ID): ",
        "missing_auth_url": "auth_url (HELPDESK_AUTH_URL): ",
        "duplicate_parameter": "sso_auth_url (HELPDESK_SSO_AUTH_URL): ",
        "unknown_account": "account_id (HELPDESK_ACCOUNT_ID): ",
        "auth_url_mismatch": "auth_url (HELPDESK_AUTH_URL): ",
        "bad_signature": "sso_token (HELPDESK_SSO_TOKEN): ",
    }
    rejected = reject(url)
    assert rejected.hint.startswith(named.get(code, ""))
    assert (rejected.setting is not None) == (code in named)


@pytest.mark.parametrize(
    ("url", "assumed"),
    [
        (url_of(sign(key=SSO_TOKEN[:-1])), False),
        (url_of(sign(key="another token altogether")), False),
        (url_of(sign(key=hashlib.md5(SSO_TOKEN.encode()).hexdigest())), True),
        (url_of("a.b"), False),
        (url_of(sign(header=HEADER | {"kid": "1"})), True),
        (url_of(sign(header=HEADER | {"alg": "none"})), True),
        (but(email="nobody"), True),
    ],
)
def test_a_finding_is_not_assumed(url, assumed):
    """What is found out is no assumption, and a rule that the vendor does not document is one."""
    assert (reject(url).assumption is not None) == assumed


def test_key_may_be_the_md5_of_the_token():
    """With key="md5" the token's md5 signs, and the token itself is the mistake that is named."""
    md5 = hashlib.md5(SSO_TOKEN.encode()).hexdigest()
    assert make_verifier(key="md5").verify(url_of(sign(key=md5))).email == CLAIMS["email"]
    rejected = reject(but(), key="md5")
    assert "signed with your SSO Token unchanged" in rejected.message
    assert "Set it to the md5 of the SSO Token" in rejected.hint
    assert rejected.assumption is not None
    assert "first 47" in reject(url_of(sign(key=SSO_TOKEN[:-1])), key="md5").message
    with pytest.raises(ConfigError, match="key: must be raw or md5"):
        make_verifier(key="sha1")


def test_clock_is_looked_up_at_each_call(monkeypatch):
    """Without `clock`, a test that replaces time.time after construction is heeded."""
    verifier = HandoffVerifier(sso_token=SSO_TOKEN, account_id=4711, auth_url=AUTH_URL)
    monkeypatch.setattr("time.time", lambda: NOW)
    assert verifier.verify(but()).iat == NOW


def test_every_code_has_a_case():
    """The table has a case for each stable code; a replay has tests of its own."""
    assert {code for code, _, _ in TABLE} | {"replayed"} == set(CODES)
    assert len(CODES) == len(set(CODES)) == 19


def test_order():
    """Where several things are wrong, the account comes first, then the token, then its claims."""
    wrong_all_over = url_of("nonsense", account_id="0", auth_url="/")
    assert reject(wrong_all_over).code == "unknown_account"
    assert reject(url_of("nonsense", auth_url="/")).code == "auth_url_mismatch"
    assert reject(url_of(sign({}, key="x"))).code == "bad_signature"
    assert reject(but(email="", iat="", jti="")).code == "invalid_email"


MISTAKES = [
    (f"{SSO_TOKEN}\n", "followed by a newline"),
    (f"{SSO_TOKEN}\r\n", "followed by a Windows line ending"),
    (f" {SSO_TOKEN}", "a space before it"),
    (f"\ufeff{SSO_TOKEN}", "byte order mark"),
    (f'"{SSO_TOKEN}"', "quotation marks"),
    (repr(SSO_TOKEN.encode()), "bytes object"),
    (hashlib.md5(SSO_TOKEN.encode()).hexdigest(), "with the md5 of your SSO Token. The key here is"),
    (hashlib.md5(SSO_TOKEN.encode()).digest(), "the md5 of your SSO Token"),
    (hashlib.sha256(SSO_TOKEN.encode()).hexdigest(), "sha256"),
    (base64.b64encode(SSO_TOKEN.encode()), "base64-encoded"),
    (base64.b64decode(SSO_TOKEN), "base64-decoded"),
    (SSO_TOKEN.lower(), "lower case"),
    (SSO_TOKEN.upper(), "upper case"),
    (SSO_TOKEN.replace("=", "%3D"), "percent-encoded"),
    ("4711", "the Account ID"),
    ("", "an empty key"),
    (SSO_TOKEN[:-1], "first 47 of your SSO Token's 48 bytes"),
    (SSO_TOKEN[2:], "last 46 of your SSO Token's 48 bytes"),
    (SSO_TOKEN[:-8], "first 40 of your SSO Token's 48 bytes"),
    (SSO_TOKEN[8:], "last 40 of your SSO Token's 48 bytes"),
]


@pytest.mark.parametrize(("key", "what"), MISTAKES)
def test_wrong_key_is_named(key, what):
    """The message tells a wrongly copied SSO Token from another one."""
    rejected = reject(url_of(sign(key=key)))
    assert rejected.code == "bad_signature"
    assert what in rejected.message


@pytest.mark.parametrize(
    ("sso_token", "key", "what"),
    [
        (
            "<marked-marked-marked-marked-marked>",
            "marked-marked-marked-marked-marked",
            "leading and trailing marks",
        ),
        ("ab" * 20, b"\xab" * 20, "hex-decoded"),
        ("x!", b"something else", "common variation"),
    ],
)
def test_wrong_key_of_other_tokens(sso_token, key, what):
    """The slips tried depend on what the SSO Token looks like."""
    assert what in reject(url_of(sign(key=key)), sso_token=sso_token).message


@pytest.mark.parametrize("size", [1, 2, 15, 16, 17, 20, 24, 25, 48])
def test_cuts_help_nobody_guess(size):
    """No key is named that is over 8 bytes shorter than the SSO Token, under 16, or under half of it."""
    sso_token = "".join(chr(33 + number) for number in range(size))  # nothing twice
    named = []
    for length in range(1, size):
        for key in (sso_token[:length], sso_token[size - length :]):
            message = reject(url_of(sign(key=key)), sso_token=sso_token).message
            named += [length] if "of your SSO Token's" in message else []
    expected = [length for length in range(1, size) if length >= max(16, size / 2, size - 8)]
    assert named == [length for length in expected for _ in "ab"]


def test_short_token_does_not_warn():
    """An SSO Token under 32 bytes is judged without a warning."""
    make_verifier(sso_token="short").verify(url_of(sign(key="short")))


def test_plus_in_auth_url():
    """The hint says that a + in the Auth URL was not percent-encoded."""
    auth_url = "https://app.example.com/a+b"
    assert "space" in reject(url_of(sign(), auth_url="https://app.example.com/a b"), auth_url=auth_url).hint
    assert (
        "lacks the trailing slash"
        in reject(url_of(sign(), auth_url="https://a.b"), auth_url="https://a.b/").hint
    )


@pytest.mark.parametrize(("age", "fine"), [(-3, False), (-2, True), (0, True), (12, True), (13, False)])
def test_freshness_and_leeway(age, fine):
    """A token is valid for `freshness` seconds, and `leeway` counts both ways."""
    verifier = make_verifier(freshness=10, leeway=2)
    if fine:
        assert verifier.verify(but(iat=NOW - age)).iat == NOW - age
    else:
        with pytest.raises(HandoffRejected):
            verifier.verify(but(iat=NOW - age))


def test_further_claims_and_parameters_do_not_matter():
    """Claims and parameters the vendor does not name are ignored."""
    assert make_verifier().verify(but(name="Jane") + "&utm_source=mail").email == CLAIMS["email"]


def test_replay():
    """A token is good once, and a refused attempt does not use it up."""
    verifier = make_verifier()
    with pytest.raises(HandoffRejected, match="auth_url_mismatch"):
        verifier.verify(url_of(sign(), auth_url="/"))
    verifier.verify(but())
    with pytest.raises(HandoffRejected) as caught:
        verifier.verify(but(email="john@example.com"))
    assert caught.value.code == "replayed"
    assert "Back button" in caught.value.hint


def test_replay_may_be_allowed():
    """With jti_once=False a jti is good as often as its token is fresh."""
    verifier = make_verifier(jti_once=False)
    assert verifier.verify(but()) == verifier.verify(but())


def test_replay_from_many_threads():
    """Of 50 threads with the same token exactly one gets in."""
    verifier, url = make_verifier(), but()
    start, verdicts = threading.Barrier(50), []

    def attempt():
        start.wait()
        try:
            verifier.verify(url)
            verdicts.append("accepted")
        except HandoffRejected as rejected:
            verdicts.append(rejected.code)

    threads = [threading.Thread(target=attempt) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(verdicts) == ["accepted"] + ["replayed"] * 49


class Slow(int):
    """A limit of remembered tokens whose comparison waits for a second thread, for a moment."""

    both_are_here = threading.Barrier(2)

    def __le__(self, other):
        with suppress(threading.BrokenBarrierError):
            self.both_are_here.wait(0.2)
        return int(self) <= other


def test_looking_up_and_using_up_are_one():
    """While a thread looks up a token and remembers it, no other thread uses the same token."""
    verifier, url, accepted = make_verifier(remembered=Slow(100)), but(), []
    start = threading.Barrier(5)

    def attempt():
        start.wait()
        with suppress(HandoffRejected):
            accepted.append(verifier.verify(url))

    threads = [threading.Thread(target=attempt) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(accepted) == 1


def test_used_token_is_remembered_through_the_leeway():
    """A token that is valid only by the leeway is still valid once."""
    clock = Clock()
    verifier = make_verifier(clock=clock, leeway=60)
    verifier.verify(but())
    clock.now += 180 + 30
    with pytest.raises(HandoffRejected, match="replayed"):
        verifier.verify(but())


def test_clock_that_steps_back_reopens_nothing():
    """What was used or stale stays refused when the clock steps back, used tokens forgotten or not."""
    clock = Clock()
    verifier = make_verifier(clock=clock)
    verifier.verify(but())
    never_used = but(jti="n" * 32)
    clock.now += 1000
    verifier.verify(but(iat=NOW + 1000, jti="l" * 32))  # the first is forgotten by now
    for url in (but(), never_used):
        with pytest.raises(HandoffRejected, match="stale"):
            verifier.verify(url)
    clock.now -= 1000
    for url in (but(), never_used):
        with pytest.raises(HandoffRejected, match="stale") as caught:
            verifier.verify(url)
        assert "moved back 1000 seconds" in caught.value.hint
    verifier.reset()
    assert verifier.verify(never_used)


def test_memory_is_bounded():
    """Used tokens are forgotten when stale; while none is, further ones are refused, not forgotten."""
    clock = Clock()
    verifier = make_verifier(clock=clock, remembered=3)
    for number in range(3):
        verifier.verify(but(jti=f"{number:032}"))
    with pytest.raises(
        HandoffRejected,
        match=r"replayed: 3 tokens were used .* may be a replay, so it is refused \(assumed\)",
    ):
        verifier.verify(but(jti="x" * 32))
    with pytest.raises(HandoffRejected, match="used before;"):
        verifier.verify(but(jti=f"{0:032}"))
    clock.now += 181
    assert verifier.verify(but(iat=NOW + 181, jti="x" * 32))


def test_settings_are_checked():
    """Every wrong setting is named at construction, and the SSO Token is not shown."""
    with pytest.raises(ConfigError) as caught:
        HandoffVerifier(
            sso_token=SSO_TOKEN + "\n",
            account_id="",
            auth_url="x",
            freshness=-1,
            leeway=True,
            shortest_jti="1",
            remembered=float("inf"),
        )
    assert set(caught.value.problems) == {
        "sso_token", "account_id", "auth_url", "freshness", "leeway", "shortest_jti", "remembered",
    }  # fmt: skip
    assert SSO_TOKEN not in str(caught.value)
    assert repr(make_verifier()) == f"HandoffVerifier(account_id='4711', auth_url={AUTH_URL!r})"


@pytest.mark.parametrize("name", ["longest_token", "remembered"])
def test_what_would_refuse_everybody_is_a_wrong_setting(name):
    """With room for no token, or none remembered, nobody could sign in; one is enough."""
    with pytest.raises(ConfigError) as caught:
        make_verifier(**{name: 0})
    assert caught.value.problems == {name: "must be a number, at least 1"}
    assert make_verifier(**{name: 1})


@pytest.mark.parametrize("value", [None, b"https://acme.example/sso?token=eyJ", 7])
def test_what_is_no_text_is_a_type_error(value):
    """Anything but a str is a TypeError, which does not show the value."""
    with pytest.raises(TypeError) as caught:
        make_verifier().verify(value)
    assert str(caught.value) == f"url must be a str, the URL of a hand-off, not {type(value).__name__}"


def test_repr_of_what_could_not_be_made():
    """A traceback with locals can show a verifier whose construction failed."""
    assert repr(HandoffVerifier.__new__(HandoffVerifier)) == "HandoffVerifier(account_id=None, auth_url=None)"


def test_what_is_assumed_is_labelled():
    """The rules of the message are those of the label: comparison, printable text, a possible replay."""
    assert "printable text of at least 32 characters (assumed)" in reject(but(jti=17)).message
    assert "printable" in ASSUMPTIONS["invalid_jti"]
    assert "character by character" in ASSUMPTIONS["unknown_account"]
    assert "possible replay" in ASSUMPTIONS["replayed"]


def test_rejection_is_an_sso_error_and_survives_pickling():
    """A rejection belongs to the package's errors and crosses process borders (pytest-xdist)."""
    rejected = reject("")
    assert isinstance(rejected, SSOError)
    assert str(pickle.loads(pickle.dumps(rejected))) == str(rejected)
