"""`resolvers.pyramid`, with a real Pyramid application."""

from __future__ import annotations

import pytest
from pyramid.authentication import AuthTktCookieHelper
from pyramid.config import Configurator
from pyramid.response import Response
from pyramid.session import SignedCookieSessionFactory
from pyramid.threadlocal import get_current_request

from browsing import JOE, protect_wsgi, tamper, visit, wsgi_browser
from clients import JANE
from sso_middleware import ConfigError
from sso_middleware.resolvers.pyramid import request_email

USERS = {
    "jane": {"email": JANE, "email_verified": True},
    "joe": {"email": JOE, "email_verified": False},
    "blank": {"email": None, "email_verified": True},
}


class Policy:
    def __init__(self):
        self.ticket = AuthTktCookieHelper("a session secret", hashalg="sha512")

    def identity(self, request):
        return USERS.get((self.ticket.identify(request) or {}).get("userid"))

    def remember(self, request, userid):
        return self.ticket.remember(request, userid)

    def forget(self, request):
        return self.ticket.forget(request)


@pytest.fixture
def router():
    policy = Policy()

    def log_in(request):
        name = request.matchdict["name"]
        request.session["email"] = USERS[name]["email"]
        return Response(headerlist=policy.remember(request, name))

    def log_out(request):
        request.session.invalidate()
        return Response(headerlist=policy.forget(request))

    with Configurator() as config:
        config.set_security_policy(policy)
        config.set_session_factory(SignedCookieSessionFactory("a session secret"))
        for path, view in (("/login/{name}", log_in), ("/logout", log_out)):
            config.add_route(path, path)
            config.add_view(view, route_name=path)
        config.add_request_method(lambda request: USERS["jane"], "somebody", reify=True)
        return config.make_wsgi_app()


def by_identity(router):
    return request_email(router, lambda request: request.identity, verified="email_verified")


def by_session(router):
    known = {user["email"]: user["email_verified"] for user in USERS.values()}
    return request_email(router, lambda request: request.session.get("email"), verified=known.get)


each_resolver = pytest.mark.parametrize(
    ("resolver", "cookie"), [(by_identity, "auth_tkt"), (by_session, "session")]
)


def browse(router, resolver):
    return wsgi_browser(protect_wsgi(router, resolver(router)))


@each_resolver
def test_signed_in(router, resolver, cookie):
    """Whoever has logged in is handed off, until they log out."""
    browser = browse(router, resolver)
    assert visit(browser) == "login"
    browser.get("/login/jane")
    assert visit(browser) == JANE
    browser.get("/logout")
    assert visit(browser) == "login"


@each_resolver
def test_unverified(router, resolver, cookie):
    """An address that is not verified is refused."""
    browser = browse(router, resolver)
    browser.get("/login/joe")
    assert visit(browser) == "email_not_verified"


@each_resolver
def test_tampered_cookie(router, resolver, cookie):
    """A changed cookie is an anonymous visitor's."""
    browser = browse(router, resolver)
    browser.get("/login/jane")
    tamper(browser, cookie)
    assert visit(browser) == "login"


def test_no_address(router):
    """A signed-in user without an address is not sent to log in again."""
    browser = browse(router, by_identity)
    browser.get("/login/blank")
    assert visit(browser) == "invalid_email"


def test_request_as_in_a_view(router):
    """Request methods and the threadlocal request are there, and gone afterwards."""
    seen = []

    def getter(request):
        seen.append(get_current_request() is request)
        return request.somebody

    assert visit(wsgi_browser(protect_wsgi(router, request_email(router, getter, verified=True)))) == JANE
    assert seen == [True]
    assert get_current_request() is None


@pytest.mark.parametrize("answer", [USERS["jane"], None, USERS["joe"]], ids=["known", "none", "refused"])
def test_connections_are_returned(router, answer):
    """Finished callbacks run, whatever the answer is: database sessions are closed by them."""
    closed = []

    def getter(request):
        request.add_finished_callback(lambda request: closed.append(get_current_request() is request))
        return answer

    visit(browse(router, lambda router: request_email(router, getter, verified="email_verified")))
    assert closed == [True]


def test_name_of_an_attribute_for_a_bare_address(router):
    """An address alone has no attribute that could say it is verified: an error, not a hand-off."""
    resolver = request_email(router, lambda request: JANE, verified="email_verified")
    with pytest.raises(TypeError, match=r"a str has no 'email_verified'"):
        visit(wsgi_browser(protect_wsgi(router, resolver)))


def test_empty_address(router):
    """An empty address is refused by the gate, whatever `verified` says."""
    resolver = request_email(router, lambda request: "", verified=lambda email: False)
    assert visit(wsgi_browser(protect_wsgi(router, resolver))) == "invalid_email"


def test_filtered_application(router):
    """What a filter has been put around is no router any more: a ConfigError says so."""
    with pytest.raises(ConfigError, match=r"router: must be what config\.make_wsgi_app"):
        request_email(protect_wsgi(router, by_identity(router)), lambda request: None, verified=True)
