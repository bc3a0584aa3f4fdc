"""HelpDesk: its settings, what it signs, and what it never gives away."""

from __future__ import annotations

import base64
import copy
import dataclasses
import enum
import hashlib
import json
import multiprocessing
import os
import pickle
import threading
import time
import traceback
import warnings
from urllib.parse import parse_qsl, quote, urlsplit

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt as jose
from joserfc.jwk import OctKey

import sso_middleware.helpdesk.account
from clients import AUTH_URL, DESK, JANE, SSO_TOKEN, make_desk
from sso_middleware import ConfigError, Handoff, HelpDesk, ShortTokenWarning
from sso_middleware._secret import Secret

SHORT = "a token of 24 bytes only"


class TestHandoff:
    def test_url(self):
        """The URL is sso_auth_url with token, account_id and auth_url, percent-encoded, in that order."""
        handoff = DESK.handoff(JANE)
        assert handoff.url == (
            f"https://acme.example/sso?token={handoff.token}&account_id=4711"
            "&auth_url=https%3A%2F%2Fapp.example.com%2Fsso%2Fhelpdesk"
        )

    @pytest.mark.parametrize(
        ("sso_auth_url", "start"),
        [
            ("https://acme.example/sso?a=1&b=", "https://acme.example/sso?a=1&b=&token="),
            ("https://acme.example/sso?", "https://acme.example/sso?token="),
            ("https://acme.example/sso?a&", "https://acme.example/sso?a&token="),
            ("https://acme.example", "https://acme.example?token="),
            ("https://acme.example/%7Esso/", "https://acme.example/%7Esso/?token="),
        ],
    )
    def test_query_is_kept(self, sso_auth_url, start):
        """A query already in sso_auth_url is kept as it is."""
        assert make_desk(sso_auth_url=sso_auth_url).handoff_url(JANE).startswith(start)

    @pytest.mark.parametrize(
        "auth_url",
        [
            AUTH_URL,
            "https://App.Example.com/SSO/",
            "https://app.example.com",
            "https://app.example.com/a%20b?x=1&y=%26+z;q",
            "https://app.example.com/für",
            "https://app.example.com/'\"<>{}|^`",
        ],
    )
    def test_auth_url_is_sent_byte_for_byte(self, auth_url):
        """After decoding, auth_url is the configured string."""
        query = dict(parse_qsl(urlsplit(make_desk(auth_url=auth_url).handoff_url(JANE)).query))
        assert query["auth_url"] == auth_url

    @pytest.mark.parametrize(
        ("account_id", "sent"),
        [("4711", "4711"), (4711, "4711"), (0, "0"), (10**18 - 1, "9" * 18), ("a&b=c d/é", "a&b=c d/é")],
        ids=["str", "int", "smallest", "largest", "encoded"],
    )
    def test_account_id(self, account_id, sent):
        """account_id may be a str or an int, and is percent-encoded."""
        desk = make_desk(account_id=account_id)
        assert dict(parse_qsl(urlsplit(desk.handoff_url(JANE)).query))["account_id"] == sent
        assert "account_id=" + quote(sent, safe="") + "&" in desk.handoff_url(JANE)
        assert desk.account_id == sent

    def test_enum_settings(self):
        """Settings out of an Enum that is a str or an int count as their values."""

        class Text(str, enum.Enum):  # noqa: UP042 - a StrEnum's str() is its value; this one's is not
            ACCOUNT = "4711"
            AUTH = AUTH_URL
            SSO_AUTH = "https://acme.example/sso"
            TOKEN = SSO_TOKEN

        desk = make_desk(
            sso_token=Text.TOKEN, sso_auth_url=Text.SSO_AUTH, account_id=Text.ACCOUNT, auth_url=Text.AUTH
        )
        handoff = DESK.handoff(JANE)
        assert desk.handoff(JANE, iat=handoff.iat, jti=handoff.jti) == handoff
        assert type(desk.account_id) is str
        number = enum.IntEnum("Number", {"ACCOUNT": 4711}).ACCOUNT
        assert make_desk(account_id=number).account_id == "4711"

    def test_claims(self):
        """The claims are email, iat and jti, and nothing else; the header likewise."""
        before = int(time.time())
        handoff = DESK.handoff(JANE)
        header, claims, _ = (
            json.loads(base64.urlsafe_b64decode(part + "==")) if i < 2 else None
            for i, part in enumerate(handoff.token.split("."))
        )
        assert header == {"alg": "HS256", "typ": "JWT"}
        assert claims == {"email": JANE, "iat": handoff.iat, "jti": handoff.jti}
        assert type(claims["iat"]) is int
        assert before <= claims["iat"] <= time.time()
        assert len(handoff.jti) == 32
        assert set(handoff.jti) <= set("0123456789abcdef")

    def test_verified_by_another_implementation(self):
        """A JWT library that is not PyJWT accepts the token."""
        token = jose.decode(DESK.handoff(JANE).token, OctKey.import_key(SSO_TOKEN), algorithms=["HS256"])
        assert token.claims["email"] == JANE

    def test_backdate(self):
        """backdate is taken off iat; it is 0 by default."""
        handoff = make_desk(backdate=30).handoff(JANE)
        assert time.time() - 35 < handoff.iat <= time.time() - 30
        assert make_desk().backdate == 0

    def test_fields(self):
        """A Handoff tells what was signed; handoff_url is its URL."""
        handoff = DESK.handoff(JANE, iat=1_700_000_000, jti="j" * 32)
        assert isinstance(handoff, Handoff)
        assert (handoff.email, handoff.iat, handoff.jti) == (JANE, 1_700_000_000, "j" * 32)
        assert jwt.decode(handoff.token, SSO_TOKEN, algorithms=["HS256"])["iat"] == 1_700_000_000
        with pytest.raises(AttributeError):
            handoff.email = "eve@evil.example"


@given(
    email=st.from_regex(
        r"[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-z0-9]{1,20}(\.[a-z]{1,9}){0,3}", fullmatch=True
    ),
    iat=st.integers(),
    jti=st.text(st.characters(exclude_categories=["Cs"])),
    sso_token=st.text(min_size=32, max_size=80).filter(lambda text: text == text.strip()),
)
def test_same_bytes_as_pyjwt(email, iat, jti, sso_token):
    """The token is what jwt.encode gives for the same claims and key, byte for byte."""
    try:
        desk = make_desk(sso_token=sso_token)
    except ConfigError:
        return
    expected = jwt.encode({"email": email, "iat": iat, "jti": jti}, sso_token, algorithm="HS256")
    assert desk.handoff(email, iat=iat, jti=jti).token == expected


class TestSettings:
    @pytest.mark.parametrize(
        ("setting", "value"),
        [
            *(
                ("sso_token", value)
                for value in [
                    "",
                    " " * 40,
                    f"{SSO_TOKEN}\n",
                    f" {SSO_TOKEN}",
                    f"{SSO_TOKEN}\u00a0",
                    None,
                    7,
                    b"x" * 32,
                    "\ud800" * 32,
                ]
            ),
            *(
                ("account_id", value)
                for value in ["", " ", "4711 ", "\n4711", "47\x0011", "\ud800", None, True, 4.7, b"4711"]
            ),
            *(("account_id", value) for value in ["HELPDESK_ACCOUNT_ID=4711", "'4711'"]),
            *(("account_id", value) for value in [-1, 10**18, 10**4000]),
            *(("backdate", value) for value in [-1, 31, 1.5, "5", True, None]),
            *(("allow_http", value) for value in [1, 0, "yes", None]),
            *(
                (name, value)
                for name in ("sso_auth_url", "auth_url", "logout_url")
                for value in [
                    "",
                    "acme.example/sso",
                    "/sso",
                    "//acme.example/sso",
                    "ftp://acme.example/sso",
                    "javascript:alert(1)",
                    "http://acme.example/sso",
                    "https://",
                    "https:///sso",
                    "https://jane@acme.example/",
                    "https://jane:secret@acme.example/",
                    "https://acme.example/#top",
                    "https://acme.example/#",
                    "https://acme.example/s so",
                    " https://acme.example/",
                    "https://acme.example/\n",
                    "https://acme.example/\x00",
                    "https://acme.example/\x7f",
                    "https://acme.example/\u2028",
                    "https://acme.example\\evil",
                    "https://acme.example:port/",
                    "https://acme.example:99999/",
                    "https://[::1/",
                    "http://[::1].evil.example/",
                    "https://a^b.example/",
                    "https://a%62.example/",
                    7,
                    b"https://acme.example/",
                    "http://127.0.0.1.evil.example/",
                    "http://localhost.evil.example/",
                ]
            ),
            *(
                ("sso_auth_url", f"https://acme.example/?{name}=x")
                for name in ("token", "account_id", "auth_url", "a=b&token")
            ),
            ("sso_auth_url", "https://acme.example/?token"),
            ("sso_auth_url", "https://acme.example/?token="),
            ("sso_auth_url", "https://acme.example/für"),
            ("sso_auth_url", None),
            ("auth_url", None),
        ],
        ids=lambda value: repr(value)[:48],
    )
    def test_wrong(self, setting, value):
        """A wrong setting is a ConfigError that names it."""
        with pytest.raises(ConfigError) as caught:
            make_desk(**{setting: value})
        assert caught.value.problems.keys() == {setting}
        assert str(caught.value).startswith(f"{setting}: ")

    @pytest.mark.parametrize(
        "key",
        [
            "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----",
            "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC7 jane@example.com",
            json.dumps({"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"}),
        ],
        ids=["PEM", "SSH", "JWK"],
    )
    def test_keys_of_other_kinds(self, key):
        """What PyJWT would refuse as a shared secret is refused at construction."""
        with pytest.raises(ConfigError, match="sso_token: looks like a PEM, SSH or JWK key") as caught:
            make_desk(sso_token=key)
        assert key not in str(caught.value)

    def test_every_wrong_setting_is_named(self):
        """All that is wrong is said at once, and the token is not shown."""
        with pytest.raises(ConfigError) as caught:
            HelpDesk(
                sso_token=f"{SSO_TOKEN} ",
                sso_auth_url="",
                account_id="",
                auth_url="",
                logout_url="",
                backdate=-1,
                allow_http=2,
            )
        names = [
            "sso_token",
            "sso_auth_url",
            "account_id",
            "auth_url",
            "logout_url",
            "backdate",
            "allow_http",
        ]
        assert list(caught.value.problems) == names
        assert [line.split(":")[0] for line in str(caught.value).splitlines()] == names
        assert SSO_TOKEN not in str(caught.value) + repr(caught.value)

    @pytest.mark.parametrize(
        "host", ["127.0.0.1", "localhost:8000", "127.9.9.9:80", "[::1]:8000", "app.localhost", "LOCALHOST"]
    )
    def test_http_on_loopback(self, host):
        """http is fine on this machine."""
        assert make_desk(auth_url=f"http://{host}/sso").auth_url == f"http://{host}/sso"

    def test_allow_http(self):
        """http elsewhere is permitted by allow_http."""
        desk = make_desk(
            sso_auth_url="http://acme.test/sso",
            auth_url="http://app.test/sso",
            logout_url="http://app.test/bye",
            allow_http=True,
        )
        assert desk.handoff_url(JANE).startswith("http://acme.test/sso?token=")

    def test_keyword_only(self):
        """Five strings in a row would be too easy to mix up."""
        with pytest.raises(TypeError):
            HelpDesk(SSO_TOKEN, "https://acme.example/sso", "4711", AUTH_URL)

    def test_immutable(self):
        """No setting can be changed, and none added."""
        for name in ("account_id", "sso_token", "anything"):
            with pytest.raises(AttributeError):
                setattr(DESK, name, "x")
        with pytest.raises(AttributeError):
            del DESK.auth_url

    def test_copies_are_the_object_itself(self):
        """copy and deepcopy give itself; it is equal to nothing else."""
        assert copy.copy(DESK) is DESK
        assert copy.deepcopy([DESK])[0] is DESK
        assert make_desk() != DESK
        assert len({DESK, make_desk()}) == 2

    def test_no_pickle(self):
        """Pickling it, a Handoff or a Secret raises TypeError."""
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            with pytest.raises(TypeError, match="cannot be pickled"):
                pickle.dumps(DESK, protocol)
            with pytest.raises(TypeError, match="cannot be pickled"):
                pickle.dumps(DESK.handoff(JANE), protocol)
            with pytest.raises(TypeError, match="cannot be pickled"):
                pickle.dumps(Secret(SSO_TOKEN), protocol)


class TestShortToken:
    def test_one_warning_at_construction(self):
        """Under 32 bytes: one ShortTokenWarning, on the line that makes the HelpDesk."""
        with pytest.warns(ShortTokenWarning) as caught:
            make_desk(sso_token=SHORT)
        assert len(caught) == 1
        assert SHORT not in str(caught[0].message)
        assert caught[0].filename == make_desk.__code__.co_filename

    def test_none_per_request(self):
        """It works, without a further warning, also where warnings are errors."""
        with pytest.warns(ShortTokenWarning):
            desk = make_desk(sso_token=SHORT)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            token = desk.handoff(JANE).token
        assert jose.decode(token, OctKey.import_key(SHORT), algorithms=["HS256"]).claims["email"] == JANE

    def test_bytes_count(self):
        """The length is counted in bytes of UTF-8."""
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert make_desk(sso_token="ü" * 16)
            with pytest.raises(ShortTokenWarning):
                make_desk(sso_token="u" * 31)


class TestSecrets:
    """The SSO Token, hand-offs and addresses are shown nowhere."""

    DIGESTS = (
        SSO_TOKEN,
        base64.b64encode(SSO_TOKEN.encode()).decode(),
        hashlib.md5(SSO_TOKEN.encode()).hexdigest(),
    )

    def assert_clean(self, text):
        assert not [digest for digest in self.DIGESTS if digest in text]

    def test_helpdesk(self):
        """Neither repr, str, format, vars, asdict nor any readable attribute holds the SSO Token."""
        shown = [repr(DESK), str(DESK), f"{DESK}", str(dir(DESK))]
        shown += [str(getattr(DESK, name)) for name in dir(DESK)]
        self.assert_clean("".join(shown))
        with pytest.raises(TypeError):
            vars(DESK)
        for copied in (dataclasses.asdict, dataclasses.replace):
            with pytest.raises(TypeError):
                copied(DESK)

    def test_handoff_repr(self):
        """The repr of a Handoff shows neither token, URL nor address."""
        handoff = DESK.handoff(JANE)
        assert repr(handoff) == f"Handoff(iat={handoff.iat}, jti='{handoff.jti}')"
        assert str(handoff) == repr(handoff)
        assert copy.copy(handoff) is copy.deepcopy(handoff) is handoff
        with pytest.raises(TypeError):
            vars(handoff)

    @pytest.mark.parametrize(
        "changes", [{"backdate": 99}, {"sso_token": f"{SSO_TOKEN}\n"}, {"account_id": None}]
    )
    def test_tracebacks(self, changes):
        """A traceback of a failed construction does not show it, nor does any exception in its chain."""
        try:
            make_desk(**changes)
        except ConfigError as error:
            self.assert_clean("".join(traceback.format_exception(error)))
            chain = [error, error.__cause__, error.__context__]
            self.assert_clean("".join(repr(link) + str(getattr(link, "args", "")) for link in chain))
        else:
            pytest.fail("no error")

    @pytest.mark.filterwarnings("error")
    @pytest.mark.parametrize(
        "variables",
        [
            {"HELPDESK_SSO_AUTH_URL": "wrong"},
            {"HELPDESK_SSO_TOKEN": "x" + SSO_TOKEN + " "},
            {"HELPDESK_SSO_TOKEN": SSO_TOKEN[:31], "HELPDESK_BACKDATE": "5"},
        ],
    )
    def test_tracebacks_with_locals(self, monkeypatch, variables):
        """Nor does one that shows the local variables of this package's frames."""
        good = {
            "SSO_TOKEN": SSO_TOKEN,
            "SSO_AUTH_URL": "https://a.example/",
            "ACCOUNT_ID": "1",
            "AUTH_URL": AUTH_URL,
        }
        for name, value in ({f"HELPDESK_{name}": value for name, value in good.items()} | variables).items():
            monkeypatch.setenv(name, value)
        with pytest.raises((ConfigError, ShortTokenWarning)) as caught:
            HelpDesk.from_env()
        frames = traceback.TracebackException.from_exception(caught.value, capture_locals=True).stack
        ours = [frame for frame in frames if frame.filename == sso_middleware.helpdesk.account.__file__]
        assert ours
        shown = "".join(str(frame.locals) for frame in ours)
        if isinstance(caught.value, ConfigError):
            assert caught.value.__context__ is None
        self.assert_clean(shown)
        assert SSO_TOKEN[:31] not in shown

    def test_traceback_of_an_unusable_token(self):
        """The same where PyJWT or the codec refused the token."""
        for token in (
            "\ud800" + SSO_TOKEN,
            f"-----BEGIN PUBLIC KEY-----\n{SSO_TOKEN}\n-----END PUBLIC KEY-----",
        ):
            with pytest.raises(ConfigError) as caught:
                make_desk(sso_token=token)
            self.assert_clean("".join(traceback.format_exception(caught.value)))
            assert caught.value.__context__ is None or SSO_TOKEN not in repr(caught.value.__context__)


def _identifiers(queue, count):
    queue.put([DESK.handoff(JANE).jti for _ in range(count)])


class TestUniqueness:
    def test_forked_workers(self):
        """Workers forked from one process draw no identifier twice."""
        if not hasattr(os, "fork"):
            pytest.skip("no fork on this platform")
        context = multiprocessing.get_context("fork")
        queue = context.Queue()
        workers = [context.Process(target=_identifiers, args=(queue, 2000)) for _ in range(8)]
        for worker in workers:
            worker.start()
        drawn = [jti for _ in workers for jti in queue.get(timeout=60)]
        for worker in workers:
            worker.join()
        assert len(set(drawn)) == len(drawn) == 16_000

    def test_threads(self):
        """Nor do threads that share one HelpDesk."""
        drawn = []

        def draw():
            drawn.extend(DESK.handoff(JANE).jti for _ in range(500))

        threads = [threading.Thread(target=draw) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(drawn)) == len(drawn) == 8_000
