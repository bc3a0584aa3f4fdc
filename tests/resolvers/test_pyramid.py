"""`resolvers.pyramid`, with a real Pyramid application."""

from __future__ import annotations

import sqlite3
import time
from types import SimpleNamespace

import pytest
import transaction
from pyramid.authentication import AuthTktCookieHelper
from pyramid.config import Configurator
from pyramid.events import NewRequest
from pyramid.httpexceptions import HTTPForbidden, HTTPFound, HTTPUnauthorized
from pyramid.request import Request
from pyramid.response import Response
from pyramid.session import JSONSerializer, SignedCookieSessionFactory
from pyramid.threadlocal import get_current_request
from pyramid_tm import explicit_manager
from webob.cookies import SignedSerializer

from browsing import JOE, PATH, protect_wsgi, visit, wsgi_browser
from clients import JANE, make_environ, make_scope
from pooled import find
from signing_in import SigningIn
from sso_middleware import ConfigError, HandoffRefused, ResolverError
from sso_middleware.resolvers.pyramid import request_email

USERS = {
    "jane": {"email": JANE, "email_verified": True},
    "joe": {"email": JOE, "email_verified": False},
    "blank": {"email": "", "email_verified": True},
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
class TestSigningIn(SigningIn):
    @pytest.fixture
    def browser(self, router, resolver, cookie):
        return browse(router, resolver)


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
    assert visit(wsgi_browser(protect_wsgi(router, resolver))) == "no_email"


def test_filtered_application(router):
    """What a filter has been put around is no router any more: a ConfigError says so."""
    with pytest.raises(ConfigError, match=r"router: must be the result of config\.make_wsgi_app"):
        request_email(protect_wsgi(router, by_identity(router)), lambda request: None, verified=True)


class Connection:
    """The data manager of a connection: the end of the transaction that it joins gives it back."""

    def __init__(self, pool, manager):
        self.pool = pool
        manager.get().join(self)
        self.execute = pool.take().execute

    def abort(self, transaction):
        self.pool.give_back()


class TestTransaction:
    """With pyramid_tm, `getter` runs in a transaction, which ends whether it fails or not."""

    @pytest.fixture(params=["explicit", "of the thread"])
    def router(self, request):
        settings = {"tm.manager_hook": explicit_manager} if request.param == "explicit" else {}
        with Configurator(settings=settings) as config:
            config.include("pyramid_tm")
            return config.make_wsgi_app()

    def resolver(self, router, pool, name):
        def getter(request):
            return find(Connection(pool, request.tm), name)

        return request_email(router, getter, verified="email_verified")

    @pytest.mark.parametrize(
        ("name", "expected"), [("jane", JANE), ("joe", "email_not_verified"), ("nobody", "login")]
    )
    def test_begun_and_aborted(self, router, pool, name, expected):
        """It is aborted in the end, and the connection goes back."""
        browser = wsgi_browser(protect_wsgi(router, self.resolver(router, pool, name)))
        for number in (1, 2):
            assert visit(browser) == expected
            assert pool.taken == number
            assert not pool.is_out

    def test_error(self, router, pool):
        """Also after an error."""

        def getter(request):
            Connection(pool, request.tm).execute("SELECT * FROM sessions")  # there is no such table

        with pytest.raises(sqlite3.OperationalError):
            request_email(router, getter, verified=True)(make_environ("GET", PATH))
        assert pool.taken == 1
        assert not pool.is_out

    @pytest.mark.parametrize("router", ["of the thread"], indirect=True)
    def test_begun_outside(self, router, pool):
        """One that a middleware, such as repoze.tm2, has begun outside is left to it."""
        outside = transaction.begin()
        environ = {**make_environ("GET", PATH), "repoze.tm.active": True}
        assert self.resolver(router, pool, "jane")(environ) == JANE
        assert transaction.get() is outside
        assert pool.is_out
        outside.abort()
        assert not pool.is_out


def test_error_in_getter(router):
    """An error reaches the application's server, after the finished callbacks; no request stays behind."""
    closed = []

    def getter(request):
        request.add_finished_callback(closed.append)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        request_email(router, getter, verified=True)(make_environ("GET", PATH))
    assert len(closed) == 1
    assert get_current_request() is None


async def getter_async(request):
    return JANE


def test_async_getter(router):
    """Nobody awaits a getter: a ConfigError says so, or an error where that could not be seen before."""
    with pytest.raises(ConfigError, match="getter: must not be async"):
        request_email(router, getter_async, verified=True)
    resolver = request_email(router, lambda request: getter_async(request), verified=True)
    with pytest.raises(ResolverError, match="the getter returned a coroutine, which is not awaited"):
        resolver(make_environ("GET", PATH))


def test_inactive_user(router):
    """A user who is not active is refused: an object's attribute or a mapping's key says so."""
    resolver = request_email(router, lambda request: request.registry.settings["user"], verified=True)
    for kind in (dict, SimpleNamespace):
        router.registry.settings["user"] = kind(email=JANE, is_active=True)
        assert resolver(make_environ("GET", PATH)) == JANE
        router.registry.settings["user"] = kind(email=JANE, is_active=False)
        with pytest.raises(HandoffRefused, match="inactive"):
            resolver(make_environ("GET", PATH))


@pytest.mark.parametrize(
    ("secret", "hashalg", "expected"),
    [
        ("a session secret", "sha512", JANE),
        ("another", "sha512", "login"),
        ("a session secret", "md5", "login"),
    ],
    ids=["genuine", "another key", "another algorithm"],
)
@pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")  # WebOb's
def test_forged_ticket(router, secret, hashalg, expected):
    """An auth_tkt cookie, also one to be remembered by, is good with the policy's own secret alone."""
    helper = AuthTktCookieHelper(secret, hashalg=hashalg, max_age=3600)
    (_, header), *_ = helper.remember(Request.blank("/"), "jane")
    headers = {"Cookie": header.partition(";")[0]}
    assert visit(browse(router, by_identity), headers=headers) == expected


def test_session_under_another_salt(router):
    """A cookie that was signed with the session's key for another purpose is nobody's session."""
    for salt, expected in (("pyramid.session.", JANE), ("pyramid.reset.", "login")):
        serializer = SignedSerializer("a session secret", salt, "sha512", serializer=JSONSerializer())
        now = time.time()
        cookie = serializer.dumps((now, now, {"email": JANE})).decode()
        assert visit(browse(router, by_session), headers={"Cookie": f"session={cookie}"}) == expected


def test_without_a_policy_or_sessions():
    """Without a policy nobody is known; without a session factory Pyramid itself says what is missing."""
    router = Configurator().make_wsgi_app()
    assert visit(browse(router, by_identity)) == "login"
    with pytest.raises(AttributeError, match="No session factory registered"):
        visit(browse(router, by_session))


def test_make_wsgi_app_itself():
    """What is not called yet is no router: a ConfigError says so."""
    with pytest.raises(ConfigError, match=r"router: must be the result of config\.make_wsgi_app"):
        request_email(Configurator().make_wsgi_app, lambda request: None, verified=True)


@each_resolver
def test_environ_is_only_read(router, resolver, cookie):
    """Nothing of the request ends up in the environ that the application may get."""
    environ = make_environ("GET", PATH)
    before = {**environ}
    assert resolver(router)(environ) is None
    assert environ == before


def test_under_asgi(router):
    """A scope holds no cookie that Pyramid would find: an error, and no anonymous visitor."""
    with pytest.raises(ResolverError, match=r"^resolvers\.pyramid\.request_email is for WSGI: wrap the WSGI"):
        by_identity(router)(make_scope("GET", PATH))


@pytest.mark.parametrize(("error", "expected"), [(HTTPUnauthorized, "login"), (HTTPForbidden, "forbidden")])
def test_http_error_of_a_getter(router, error, expected):
    """An HTTP error says who is anonymous, and who may not go."""

    def getter(request):
        raise error

    assert visit(browse(router, lambda router: request_email(router, getter, verified=True))) == expected


def test_other_http_error_of_a_getter(router):
    """Any other one is an error that says what a resolver does instead."""

    def getter(request):
        raise HTTPFound("/login")

    with pytest.raises(ResolverError, match="return None for an anonymous visitor"):
        visit(browse(router, lambda router: request_email(router, getter, verified=True)))


def test_user_of_a_subscriber():
    """What a subscriber to `NewRequest` sets is not there: an error says what to write, and that works."""
    with Configurator() as config:
        config.add_subscriber(lambda event: setattr(event.request, "user", JANE), NewRequest)
        config.add_request_method(lambda request: JANE, "added", reify=True)
        router = config.make_wsgi_app()
    with pytest.raises(
        ResolverError, match=r"no 'user' here, .*config\.add_request_method\(function, 'user'"
    ):
        visit(
            browse(router, lambda router: request_email(router, lambda request: request.user, verified=True))
        )
    added = request_email(router, lambda request: request.added, verified=True)
    assert visit(wsgi_browser(protect_wsgi(router, added))) == JANE
