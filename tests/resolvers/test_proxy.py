"""`resolvers.proxy`: what a proxy or web server says, and what a visitor would like it to have said."""

from __future__ import annotations

import functools
import threading
from ipaddress import ip_address, ip_network

import pytest
from werkzeug.middleware.proxy_fix import ProxyFix

from clients import JANE, ASGISite, make_environ, make_scope
from sso_middleware import ConfigError, HandoffRefused, ResolverError
from sso_middleware.resolvers import first_of, only_domains, proxy
from sso_middleware.resolvers.proxy import OAUTH2_PROXY, remote_user, trusted_header

PEER = "10.1.2.3"
STRANGER = "192.0.2.1"
SECRET = ("X-Proxy-Secret", "correct horse battery staple".replace(" ", "-"))


class WSGISource:
    @staticmethod
    def make(headers, peer):
        return {
            **make_environ("GET", "/", headers=headers),
            **({} if peer is None else {"REMOTE_ADDR": peer}),
        }


class ASGISource:
    @staticmethod
    def make(headers, peer):
        return {**make_scope("GET", "/", headers=headers), "client": peer and (peer, 4711)}


@pytest.fixture(params=[WSGISource, ASGISource], ids=["wsgi", "asgi"])
def make(request):
    return request.param.make


def reason(resolver, source):
    with pytest.raises(HandoffRefused) as caught:
        resolver(source)
    return caught.value.reason


class WatchedHeaders(list):
    """Headers that remember in which threads they are read."""

    def __init__(self, headers):
        super().__init__(headers)
        self.threads = set()

    def __iter__(self):
        self.threads.add(threading.current_thread())
        return super().__iter__()


@pytest.mark.parametrize(
    "combined",
    [
        lambda resolver: resolver,
        lambda resolver: only_domains(resolver, "example.com"),
        lambda resolver: first_of(nobody_async, resolver),
    ],
    ids=["alone", "combined", "beside an async one"],
)
def test_no_thread_on_the_event_loop(combined):
    """Reading the scope costs no thread, also within a combination."""
    resolve_email = combined(trusted_header(OAUTH2_PROXY, secret=SECRET))
    scopes = []

    class Site(ASGISite):
        def scope(self, *args, **options):
            scope = super().scope(*args, **options)
            scopes.append(scope | {"headers": WatchedHeaders(scope["headers"])})
            return scopes[-1]

    reply = Site(resolve_email).get("/sso/helpdesk", headers=[(OAUTH2_PROXY, JANE), SECRET])
    assert reply.claims["email"] == JANE
    assert scopes[0]["headers"].threads == {threading.main_thread()}


def test_function_that_wraps_a_resolver():
    """What does more than reading the scope has a thread, whatever it says of itself."""
    threads = []
    trusted = trusted_header(OAUTH2_PROXY, secret=SECRET)

    @functools.wraps(trusted)
    def resolve_email(scope):
        threads.append(threading.current_thread())
        return trusted(scope)

    reply = ASGISite(resolve_email).get("/sso/helpdesk", headers=[(OAUTH2_PROXY, JANE), SECRET])
    assert reply.claims["email"] == JANE
    assert threads != [threading.main_thread()]


async def nobody_async(scope):
    return None


def test_known_by_its_function():
    """A traceback or a debugger shows which resolver it is, as for any function."""
    resolver = trusted_header(OAUTH2_PROXY, secret=SECRET)
    assert repr(resolver).startswith("<function trusted_header.<locals>.resolve at ")
    assert resolver.__qualname__ == "trusted_header.<locals>.resolve"


class TestTrustedProxy:
    @pytest.mark.parametrize(
        ("trusted", "peer"),
        [
            (PEER, PEER),
            ([PEER], PEER),
            ("10.0.0.0/8", PEER),
            (["192.168.0.0/16", "10.0.0.0/8"], PEER),
            ("127.0.0.1", "::ffff:127.0.0.1"),
            ("::1", "::1"),
            ("fd00::/8", "fd12::7"),
            ("::ffff:10.0.0.0/104", PEER),
            ("::ffff:10.0.0.0/104", f"::ffff:{PEER}"),
            (f"::ffff:{PEER}", PEER),
            ([ip_network("10.0.0.0/8"), ip_address("::1")], PEER),
        ],
        ids=str,
    )
    def test_from_the_proxy(self, make, trusted, peer):
        """The header counts if one of the proxies has sent it, every time."""
        resolver = trusted_header(OAUTH2_PROXY, trusted_proxies=trusted)
        assert resolver(make([(OAUTH2_PROXY, JANE)], peer)) == JANE

    def test_any_iterable(self, make):
        """The proxies may come from any iterable, which is read once."""
        resolver = trusted_header(OAUTH2_PROXY, trusted_proxies=iter([PEER]))
        assert [resolver(make([(OAUTH2_PROXY, JANE)], PEER)) for _ in range(2)] == [JANE, JANE]

    @pytest.mark.parametrize(
        "peer", [STRANGER, "", None, "unix:", "::1", "localhost", "::ffff:192.0.2.1"], ids=repr
    )
    def test_from_somebody_else(self, make, peer):
        """Forged: the header of another peer, or of one without an address, is refused."""
        resolver = trusted_header(OAUTH2_PROXY, trusted_proxies="10.0.0.0/8")
        assert reason(resolver, make([(OAUTH2_PROXY, JANE)], peer)) == "untrusted_proxy"

    @pytest.mark.parametrize("trusted", ["fe80::1", "fe80::/10", "::ffff:10.1.2.3"])
    @pytest.mark.parametrize("peer", ["fe80::1%eth0", "fe80::1%2", "::ffff:10.1.2.3%eth0"])
    def test_zone(self, make, trusted, peer):
        """An address with a zone is another network's, and no address that is trusted has one."""
        resolver = trusted_header(OAUTH2_PROXY, trusted_proxies=trusted)
        assert reason(resolver, make([(OAUTH2_PROXY, JANE)], peer)) == "untrusted_proxy"

    def test_mapped_network(self, make):
        """A network of mapped IPv4 addresses is no wider than the one of IPv4."""
        resolver = trusted_header(OAUTH2_PROXY, trusted_proxies="::ffff:10.0.0.0/104")
        assert reason(resolver, make([(OAUTH2_PROXY, JANE)], "11.0.0.1")) == "untrusted_proxy"

    def test_forwarded_for_plays_no_part(self, make):
        """A visitor cannot choose the address of the peer."""
        headers = [(OAUTH2_PROXY, JANE), ("X-Forwarded-For", PEER), ("Forwarded", f"for={PEER}")]
        resolver = trusted_header(OAUTH2_PROXY, trusted_proxies=PEER)
        assert reason(resolver, make(headers, STRANGER)) == "untrusted_proxy"

    @pytest.mark.parametrize("peer", [PEER, STRANGER])
    @pytest.mark.parametrize("headers", [[], [(OAUTH2_PROXY, "")], [("X-Forwarded-User", JANE)]], ids=str)
    def test_without_the_header(self, make, peer, headers):
        """A visitor without the header is anonymous."""
        resolver = trusted_header(OAUTH2_PROXY, trusted_proxies=PEER)
        assert resolver(make(headers, peer)) is None

    @pytest.mark.parametrize(("peer", "refused"), [(PEER, False), (STRANGER, True)])
    def test_behind_proxy_fix(self, peer, refused):
        """The peer that counts is the one that ProxyFix saw, not the one that it made of a header."""
        resolver = trusted_header(OAUTH2_PROXY, trusted_proxies=PEER)
        seen = []

        def app(environ, start_response):
            seen.append(reason(resolver, environ) if refused else resolver(environ))
            return []

        claimed = PEER if refused else STRANGER
        headers = [(OAUTH2_PROXY, JANE), ("X-Forwarded-For", claimed)]
        ProxyFix(app)(WSGISource.make(headers, peer), lambda *_: None)
        assert seen == ["untrusted_proxy" if refused else JANE]

    def test_behind_two_proxy_fix(self):
        """Two in a row let anyone choose the peer, as the docstring says; a secret beside it still holds."""
        alone = trusted_header(OAUTH2_PROXY, trusted_proxies=PEER)
        with_secret = trusted_header(OAUTH2_PROXY, trusted_proxies=PEER, secret=SECRET)
        seen = []

        def app(environ, start_response):
            seen[:] = [alone(environ), reason(with_secret, environ)]
            return []

        headers = [(OAUTH2_PROXY, JANE), ("X-Forwarded-For", PEER)]
        ProxyFix(ProxyFix(app))(WSGISource.make(headers, STRANGER), lambda *_: None)
        assert seen == [JANE, "untrusted_proxy"]


class TestSecret:
    def test_from_the_proxy(self, make):
        """The header counts if the secret comes with it, from any peer."""
        resolver = trusted_header(OAUTH2_PROXY, secret=SECRET)
        assert resolver(make([(OAUTH2_PROXY, JANE), SECRET], None)) == JANE

    @pytest.mark.parametrize(
        "told", ["", "guess", SECRET[1][:-1], SECRET[1] + "x", SECRET[1].upper(), "schön", None], ids=repr
    )
    def test_wrong_secret(self, make, told):
        """Forged: without the secret, or with another one, it is refused."""
        headers = [(OAUTH2_PROXY, JANE), *([] if told is None else [(SECRET[0], told)])]
        assert reason(trusted_header(OAUTH2_PROXY, secret=SECRET), make(headers, PEER)) == "untrusted_proxy"

    def test_doubled_secret(self, make):
        """A guess beside the genuine secret is no secret."""
        headers = [(OAUTH2_PROXY, JANE), (SECRET[0], "guess"), SECRET]
        assert reason(trusted_header(OAUTH2_PROXY, secret=SECRET), make(headers, PEER)) == "ambiguous_header"

    def test_both(self, make):
        """Where both are given, both must hold."""
        resolver = trusted_header(OAUTH2_PROXY, trusted_proxies=PEER, secret=SECRET)
        assert resolver(make([(OAUTH2_PROXY, JANE), SECRET], PEER)) == JANE
        assert reason(resolver, make([(OAUTH2_PROXY, JANE), SECRET], STRANGER)) == "untrusted_proxy"
        assert reason(resolver, make([(OAUTH2_PROXY, JANE)], PEER)) == "untrusted_proxy"


class TestForgedBesideTheGenuine:
    """What a visitor sends through the genuine proxy, which adds its own header and the secret."""

    @pytest.mark.parametrize(
        "forged",
        [
            [(OAUTH2_PROXY, "ceo@example.com")],
            [(OAUTH2_PROXY.lower(), "ceo@example.com")],
            [("X_Forwarded_Email", "ceo@example.com")],
            [("X-Forwarded_Email", "ceo@example.com")],
            [(OAUTH2_PROXY, "")],
            [(OAUTH2_PROXY, JANE)],
        ],
        ids=["doubled", "lower case", "underscores", "one underscore", "empty", "the same"],
    )
    @pytest.mark.parametrize("first", [True, False])
    def test_refused(self, make, forged, first):
        """A header that came twice, in whatever spelling, is refused, and nobody is signed in."""
        genuine = [(OAUTH2_PROXY, JANE), SECRET]
        headers = [*forged, *genuine] if first else [*genuine, *forged]
        resolver = trusted_header(OAUTH2_PROXY, trusted_proxies=PEER, secret=SECRET)
        assert reason(resolver, make(headers, PEER)) == "ambiguous_header"

    def test_lone_twin(self):
        """Under ASGI a spelling with underscores is refused even alone."""
        source = ASGISource.make([("X_Forwarded_Email", JANE), SECRET], PEER)
        assert reason(trusted_header(OAUTH2_PROXY, secret=SECRET), source) == "ambiguous_header"

    def test_two_addresses_in_one(self, make):
        """Two addresses in one header are refused."""
        headers = [(OAUTH2_PROXY, f"{JANE}, ceo@example.com"), SECRET]
        assert reason(trusted_header(OAUTH2_PROXY, secret=SECRET), make(headers, PEER)) == "ambiguous_header"

    @pytest.mark.parametrize(
        "value",
        [
            *(f" {JANE}", f"{JANE} eve@example.com", f"{JANE};eve@example.com", f"{JANE}\n", f"{JANE}\x00"),
            *(
                f"{JANE}\xa0",
                "j\xe4ne@example.com",
                f"<{JANE}>",
                f"Jane <{JANE}>",
                f"mailto:{JANE}",
                '""',
                "-",
            ),
        ],
        ids=ascii,
    )
    def test_no_address(self, site, value):
        """White space, control and other characters are not removed, and are refused: 403, no log-in."""
        headers = [(OAUTH2_PROXY, value), SECRET]
        reply = site(trusted_header(OAUTH2_PROXY, secret=SECRET), options={"login_url": "/login"}).get(
            "/sso/helpdesk", headers=headers
        )
        assert reply.status == 403
        assert "Code: invalid_email" in reply.text

    def test_other_headers_play_no_part(self, make):
        """A header whose name only begins alike is another header."""
        headers = [(OAUTH2_PROXY, JANE), (f"{OAUTH2_PROXY}-Old", "x,y"), ("X-Forwarded", "x,y"), SECRET]
        assert trusted_header(OAUTH2_PROXY, secret=SECRET)(make(headers, PEER)) == JANE


class TestSettings:
    @pytest.mark.parametrize("trusted", [(), [], None, ""], ids=repr)
    def test_neither(self, trusted):
        """Without a proxy and a secret, everybody could send the header: ConfigError."""
        with pytest.raises(ConfigError, match="trusted_proxies: "):
            trusted_header(OAUTH2_PROXY, trusted_proxies=trusted)
        with pytest.raises(ConfigError, match="trusted_proxies: is not set: set it or secret"):
            trusted_header(OAUTH2_PROXY)

    @pytest.mark.parametrize(
        "trusted",
        [
            *("localhost", ["10.0.0.1/8"], [None], 7, ["*"], [7], b"\x0a\0\0\1"),
            *(["fe80::1%eth0"], "fe80::%eth0/64", "::ffff:10.0.0.1/104"),
        ],
        ids=repr,
    )
    def test_no_network(self, trusted):
        """What is no address and no network is a ConfigError, also beside a secret."""
        with pytest.raises(ConfigError, match="trusted_proxies: must be IP addresses"):
            trusted_header(OAUTH2_PROXY, trusted_proxies=trusted, secret=SECRET)

    @pytest.mark.parametrize("trusted", ["0.0.0.0/0", ["10.0.0.1", "::/0"], "::ffff:0:0/96"], ids=repr)
    def test_everybody(self, trusted):
        """A network of everybody trusts everybody."""
        with pytest.raises(ConfigError, match="trusts everyone"):
            trusted_header(OAUTH2_PROXY, trusted_proxies=trusted)

    @pytest.mark.parametrize(
        "secret",
        [
            ("X-Secret", ""),
            ("", "secret"),
            ("X_Secret", "secret"),
            ("X-Secret", " secret"),
            ("X-Secret", "two,parts"),
            ("X-Secret", "schön"),
            ("X-Secret", b"secret"),
            ("X-Secret",),
            "secret",
            "",
            7,
        ],
        ids=repr,
    )
    def test_secret(self, secret):
        """A secret is a header's name and a value that is not empty, and could not be taken for two."""
        with pytest.raises(ConfigError, match="secret: must be"):
            trusted_header(OAUTH2_PROXY, trusted_proxies=PEER, secret=secret)

    def test_secret_in_the_same_header(self):
        """The secret is not the address."""
        with pytest.raises(ConfigError, match="a different header"):
            trusted_header(OAUTH2_PROXY, secret=(OAUTH2_PROXY.lower(), "secret"))

    @pytest.mark.parametrize(
        "name", ["", "HTTP_X_FORWARDED_EMAIL", "X-Mail:", "X Mail", None, "X-Mäil"], ids=repr
    )
    def test_name(self, name):
        """The name is that of the header, as it is sent."""
        with pytest.raises(ConfigError, match="name: must be"):
            trusted_header(name, secret=SECRET)

    def test_all_at_once(self):
        """Every wrong setting is named."""
        with pytest.raises(ConfigError) as caught:
            trusted_header("", trusted_proxies="x", secret=("", ""))
        assert caught.value.problems.keys() == {"name", "trusted_proxies", "secret"}

    @pytest.mark.parametrize("constant", [name for name in proxy.__all__ if name.isupper()])
    def test_constants(self, make, constant):
        """Each constant is a header's name that works."""
        name = getattr(proxy, constant)
        assert trusted_header(name, secret=SECRET)(make([(name, JANE), SECRET], None)) == JANE


class TestRemoteUser:
    @pytest.mark.parametrize(
        ("domain", "user", "email"),
        [
            (None, JANE, JANE),
            (None, "jane", "jane"),
            ("example.com", "jane", JANE),
            ("example.com", "jane@EXAMPLE.ORG", "jane@EXAMPLE.ORG"),
            (None, "", None),
            ("example.com", "", None),
        ],
    )
    def test_names(self, domain, user, email):
        """A name without a domain is completed; no name is nobody; anything else stays as it is."""
        assert remote_user(domain)({**make_environ("GET", "/"), "REMOTE_USER": user}) == email

    def test_nobody(self):
        """Without REMOTE_USER a visitor is anonymous, whatever headers they send."""
        environ = make_environ("GET", "/", headers=[("Remote-User", JANE), ("Remote_User", JANE)])
        assert remote_user("example.com")(environ) is None

    def test_under_asgi(self):
        """A scope has no REMOTE_USER: an error, and no anonymous visitor."""
        with pytest.raises(ResolverError, match=r"use proxy\.trusted_header"):
            remote_user()(make_scope("GET", "/"))

    @pytest.mark.parametrize(
        "domain",
        [
            "",
            "@example.com",
            7,
            "a b",
            "*",
            "*.example.com",
            ".example.com",
            "example.com.",
            "a_b",
            "-a",
            "x\n",
        ],
        ids=repr,
    )
    def test_domain(self, domain):
        """What is no domain is a ConfigError."""
        with pytest.raises(ConfigError, match="domain: must be"):
            remote_user(domain)


def test_behind_the_middleware(site):
    """Both protocols' middlewares take the resolver, and answer a forgery with 403."""
    site = site(trusted_header(OAUTH2_PROXY, secret=SECRET))
    assert site.get("/sso/helpdesk", headers=[(OAUTH2_PROXY, JANE), SECRET]).claims["email"] == JANE
    reply = site.get("/sso/helpdesk", headers=[(OAUTH2_PROXY, JANE)])
    assert reply.status == 403
    assert "untrusted_proxy" in reply.text
