"""Header resolvers in Django's MIDDLEWARE, where a resolver is given the `HttpRequest`."""

from __future__ import annotations

import pytest
from django.test import AsyncRequestFactory, RequestFactory, override_settings

from clients import JANE
from django_project import ASGIBrowser, WSGIBrowser, inside, setting
from key_server import AUDIENCE, ISSUER, Issuer, rsa_key
from sso_middleware import HandoffRefused, ResolverError
from sso_middleware.resolvers import first_of, only_domains
from sso_middleware.resolvers.assertion import signed_assertion
from sso_middleware.resolvers.proxy import OAUTH2_PROXY, remote_user, trusted_header

PATH = "/sso/helpdesk"
SECRET = ("X-Proxy-Secret", "the-secret-of-the-proxy")
GENUINE = [(OAUTH2_PROXY, JANE), SECRET]
KEY = rsa_key()


@pytest.fixture(params=[WSGIBrowser, ASGIBrowser], ids=lambda browser: browser.protocol)
def visit(request):
    """Visit the intercepted path of a whole Django with the real middleware, on each protocol."""

    def visit(resolver, headers=()):
        with override_settings(HELPDESK_SSO=setting(resolve_email=resolver, verified=...)):
            return inside(request.param).get(PATH, headers=headers)

    return visit


@pytest.fixture(params=[RequestFactory, AsyncRequestFactory], ids=["wsgi", "asgi"])
def factory(request):
    return request.param()


class TestTrustedHeader:
    def test_hand_off(self, visit):
        """The header counts if the secret comes with it; without the header a visitor is anonymous."""
        resolver = trusted_header(OAUTH2_PROXY, secret=SECRET)
        assert visit(resolver, GENUINE).claims["email"] == JANE
        assert visit(resolver, [SECRET])["location"] == "/login?next=/sso/helpdesk"

    @pytest.mark.parametrize(
        ("headers", "reason"),
        [
            ([(OAUTH2_PROXY, JANE)], "untrusted_proxy"),
            ([(OAUTH2_PROXY, JANE), (SECRET[0], "a guess")], "untrusted_proxy"),
            ([*GENUINE, (OAUTH2_PROXY, "eve@example.com")], "ambiguous_header"),
            ([(OAUTH2_PROXY, ""), *GENUINE], "ambiguous_header"),
            ([*GENUINE, ("X_Forwarded_Email", "eve@example.com")], "ambiguous_header"),
        ],
        ids=["no secret", "guess", "doubled", "doubled, empty", "underscores"],
    )
    def test_forged(self, visit, headers, reason):
        """Forged, doubled and underscore-twin headers are refused, as outside Django."""
        reply = visit(trusted_header(OAUTH2_PROXY, secret=SECRET), headers)
        assert reply.status == 403
        assert f"Code: {reason}" in reply.text

    def test_peer(self, factory):
        """The proxy's own address counts, which Django's request knows."""
        request = factory.get(PATH, headers={OAUTH2_PROXY: JANE})
        assert trusted_header(OAUTH2_PROXY, trusted_proxies="127.0.0.0/8")(request) == JANE
        with pytest.raises(HandoffRefused, match="untrusted_proxy"):
            trusted_header(OAUTH2_PROXY, trusted_proxies="192.168.0.0/16")(request)

    def test_combined(self, visit):
        """Combinators pass the request on."""
        resolver = first_of(
            trusted_header("X-Other", secret=SECRET), trusted_header(OAUTH2_PROXY, secret=SECRET)
        )
        assert visit(only_domains(resolver, "example.com"), GENUINE).claims["email"] == JANE
        assert visit(only_domains(resolver, "example.org"), GENUINE).status == 403

    def test_request_is_only_read(self, factory):
        """The request's body is left where it is."""
        request = factory.post(PATH, "one\ntwo", content_type="text/plain", headers=dict(GENUINE))
        assert trusted_header(OAUTH2_PROXY, secret=SECRET)(request) == JANE
        assert request.body == b"one\ntwo"

    def test_another_scope(self):
        """A `request.scope` that a middleware sets, such as an access token's, is ignored."""
        request = RequestFactory().get(PATH, headers=dict(GENUINE))
        request.scope = "openid email"
        assert trusted_header(OAUTH2_PROXY, secret=SECRET)(request) == JANE


class TestSignedAssertion:
    @pytest.fixture
    def issuer(self, monkeypatch):
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        return Issuer(rsa=KEY)

    def test_hand_off_and_forgery(self, visit, issuer):
        """A genuine assertion is handed off, a forged or doubled one refused."""
        with issuer.serving() as url:
            resolver = signed_assertion(
                "X-Assertion", jwks_url=url, audience=AUDIENCE, issuer=ISSUER, algorithms="RS256"
            )
            genuine = ("X-Assertion", issuer.sign())
            assert visit(resolver, [genuine]).claims["email"] == JANE
            assert visit(resolver)["location"] == "/login?next=/sso/helpdesk"
            for headers, reason in (
                ([("X-Assertion", issuer.sign(key=rsa_key()))], "assertion_invalid"),
                ([genuine, genuine], "ambiguous_header"),
            ):
                reply = visit(resolver, headers)
                assert reply.status == 403
                assert f"Code: {reason}" in reply.text


class TestRemoteUser:
    def test_wsgi(self):
        """REMOTE_USER is read from the environ that the request came with."""
        request = RequestFactory().get(PATH, REMOTE_USER="jane", headers={"Remote-User": "eve"})
        assert remote_user("example.com")(request) == JANE
        assert remote_user()(RequestFactory().get(PATH, headers={"Remote-User": "eve"})) is None

    def test_asgi(self):
        """Under ASGI there is none: an error, and no anonymous visitor."""
        with pytest.raises(ResolverError, match="only exists in WSGI"):
            remote_user()(AsyncRequestFactory().get(PATH))
