"""Users signed in to Django are handed off, from MIDDLEWARE and from outside, under WSGI and ASGI."""

from __future__ import annotations

import asyncio
import threading

import pytest
from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.db import connections, transaction
from django.db.backends.signals import connection_created

from clients import JANE, make_environ, make_scope
from django_project import (
    ENGINES,
    WITHOUT_OURS,
    ASGIBrowser,
    WSGIBrowser,
    outside,
)
from sso_middleware import ConfigError, wsgi
from sso_middleware.resolvers.django import user_email, user_email_async

each_engine = pytest.mark.parametrize("engine", ENGINES)


def use(configure, engine):
    configure(SESSION_ENGINE=f"django.contrib.sessions.backends.{engine}")


def is_sent_to_login(reply):
    return (reply.status, reply["location"]) == (303, "/login?next=/sso/helpdesk")


@each_engine
class TestEachSessionEngine:
    def test_signed_in_user_is_handed_off(self, open_site, configure, engine):
        """Anonymous at first, the right address after Django's own login, anonymous after its logout."""
        use(configure, engine)
        visitor = open_site()
        assert is_sent_to_login(visitor.get("/sso/helpdesk"))
        visitor.sign_in("jane")
        reply = visitor.get("/sso/helpdesk")
        assert reply.is_handoff
        assert reply.claims["email"] == JANE
        assert visitor.name == "jane"
        visitor.get("/logout")
        assert is_sent_to_login(visitor.get("/sso/helpdesk"))

    def test_a_forged_session_is_nobodys(self, open_site, configure, engine):
        """A session cookie that was tampered with, or made up, is an anonymous visitor's."""
        use(configure, engine)
        visitor = open_site()
        visitor.sign_in("jane")
        genuine = visitor.cookies["sessionid"]
        swapped = "a" if genuine[9] != "a" else "b"
        for forged in (genuine[:9] + swapped + genuine[10:], "jane", "../../etc/passwd", ""):
            visitor.cookies = {"sessionid": forged}
            assert is_sent_to_login(visitor.get("/sso/helpdesk"))

    def test_rotating_the_secret_key_signs_nobody_out(self, open_site, configure, engine):
        """With the old key in SECRET_KEY_FALLBACKS a visitor is handed off, and is still signed in."""
        use(configure, engine)
        configure(SECRET_KEY="the old key of a project that exists in tests only")
        visitor = open_site()
        visitor.sign_in("jane")
        configure(
            SECRET_KEY="the new key of a project that exists in tests only",
            SECRET_KEY_FALLBACKS=["the old key of a project that exists in tests only"],
        )
        visitor.handler = open_site().handler
        for _ in range(2):
            assert visitor.get("/sso/helpdesk").claims["email"] == JANE
        assert visitor.name == "jane"

    def test_a_key_that_is_gone_signs_everybody_out(self, open_site, configure, engine):
        """Without the old key the visitor is anonymous, to us as to Django."""
        use(configure, engine)
        configure(SECRET_KEY="the old key of a project that exists in tests only")
        visitor = open_site()
        visitor.sign_in("jane")
        configure(SECRET_KEY="the new key of a project that exists in tests only")
        visitor.handler = open_site().handler
        assert is_sent_to_login(visitor.get("/sso/helpdesk"))
        assert visitor.name == "anonymous"

    def test_outside_no_session_is_written(self, browser, configure, engine):
        """Whatever the cookie holds, the hand-off sets no session cookie, and leaves the session as it is."""
        use(configure, engine)
        configure(MIDDLEWARE=WITHOUT_OURS, SECRET_KEY="the old key of a project that exists in tests only")
        visitor = outside(browser)
        visitor.sign_in("jane")
        session = visitor.cookies["sessionid"]
        with_old_key = visitor.handler
        configure(SECRET_KEY="the new key of a project that exists in tests only")
        visitor.handler = outside(browser).handler
        reply = visitor.get("/sso/helpdesk")  # Django's get_user flushes such a session
        assert not any("sessionid" in cookie for cookie in reply.all("set-cookie"))
        configure(SECRET_KEY="the old key of a project that exists in tests only")
        visitor.handler = with_old_key
        visitor.cookies["sessionid"] = session
        assert visitor.name == "jane"


class TestWhoMayGo:
    def test_an_unverified_address_is_refused(self, open_site):
        """Joe may have typed in somebody else's address: 403 with the reason code."""
        visitor = open_site()
        visitor.sign_in("joe")
        reply = visitor.get("/sso/helpdesk")
        assert reply.status == 403
        assert "email_not_verified" in reply.text

    def test_an_inactive_user_is_refused(self, open_site):
        """Where Django's authentication backend lets them in, the login cannot help them."""
        visitor = open_site()
        visitor.sign_in("ina")
        assert visitor.name == "ina"
        reply = visitor.get("/sso/helpdesk")
        assert reply.status == 403
        assert "Code: inactive<" in reply.text

    def test_a_user_without_an_address_is_refused(self, open_site):
        """Nora is not sent round in circles by the login."""
        visitor = open_site()
        visitor.sign_in("nora")
        reply = visitor.get("/sso/helpdesk")
        assert reply.status == 403
        assert "no_email" in reply.text

    @pytest.mark.parametrize("verified", [True, "is_staff", lambda user: user.is_staff])
    def test_ways_to_say_verified(self, browser, configure, verified):
        """True, an attribute, or a predicate of the user."""
        configure(MIDDLEWARE=WITHOUT_OURS)
        for name, status in {"jane": 303, "joe": 303 if verified is True else 403}.items():
            visitor = outside(browser, verified=verified)
            visitor.sign_in(name)
            assert visitor.get("/sso/helpdesk").status == status


class TestOutside:
    @pytest.mark.parametrize("make", [user_email, user_email_async])
    def test_wrong_settings(self, make):
        """All of them are named at once, when the resolver is made."""
        with pytest.raises(ConfigError) as caught:
            make("", verified=None)
        assert caught.value.problems.keys() == {"attr", "verified"}

    @pytest.mark.parametrize("age", [0, None, 600])
    def test_no_connection_stays_open(self, browser, configure, connection_age, age):
        """A hand-off gives back the connection it took; one that is kept is that of the server's thread."""
        configure(MIDDLEWARE=WITHOUT_OURS)
        visitor = outside(browser)
        visitor.sign_in("jane")
        connections.close_all()
        connection_age(age)
        opened = []

        def note(connection, **_):
            opened.append(connection)

        connection_created.connect(note)
        try:
            assert visitor.get("/sso/helpdesk").is_handoff
        finally:
            connection_created.disconnect(note)
        left = [connection for connection in opened if connection.connection is not None]
        assert opened
        assert left == ([connections["default"]] if browser is WSGIBrowser and age != 0 else [])

    def test_the_application_gets_the_very_same_environ(self):
        """Django's request rewrites SCRIPT_NAME and PATH_INFO, in a copy."""
        resolver = user_email(verified=True)
        seen = []

        def app(environ, start_response):
            seen.append(dict(environ))
            start_response("200 OK", [])
            return []

        middleware = wsgi.SSOMiddleware(app, lambda *_: None, resolver, paths="/sé")
        environ = make_environ("GET", "/sé", prefix="/é")
        before = dict(environ)
        middleware(environ, lambda *_: None)
        assert seen == [before]

    def test_the_resolver_for_wsgi_under_asgi(self):
        """It says which one to take."""
        with pytest.raises(ConfigError, match="use user_email_async"):
            user_email(verified=True)(make_scope("GET", "/sso"))

    def test_the_connection_of_a_transaction_stays_under_wsgi(self):
        """Inside a transaction of somebody else's, as in Django's TestCase, it is not ours to close."""
        with transaction.atomic():
            connections["default"].ensure_connection()
            assert user_email(verified=True)(make_environ("GET", "/")) is None
            assert not connections["default"].closed_in_transaction

    def test_the_connection_of_a_transaction_stays_under_asgi(self):
        """The same, where a ThreadSensitiveContext is already open around us."""

        async def resolve():
            async with ThreadSensitiveContext():
                atomic = transaction.atomic()
                await sync_to_async(atomic.__enter__)()
                try:
                    assert await user_email_async(verified=True)(make_scope("GET", "/")) is None
                    return await sync_to_async(lambda: connections["default"].closed_in_transaction)()
                finally:
                    await sync_to_async(atomic.__exit__)(None, None, None)
                    await sync_to_async(connections.close_all)()

        assert asyncio.run(resolve()) is False

    def test_a_connection_that_is_too_old_is_not_used(self, configure, connection_age):
        """Django looks after that between its own requests, and this is before one."""
        configure(MIDDLEWARE=WITHOUT_OURS)
        visitor = outside(WSGIBrowser)
        visitor.sign_in("jane")
        connection_age(600)
        connections["default"].ensure_connection()
        connections["default"].close_at = 0
        old = connections["default"].connection
        resolver = user_email(verified=True)
        cookie = ("Cookie", f"sessionid={visitor.cookies['sessionid']}")
        assert resolver(make_environ("GET", "/", headers=[cookie])) == JANE
        assert connections["default"].connection not in (None, old)

    def test_visitors_do_not_wait_for_each_other(self, configure):
        """Under ASGI each resolver call has a thread, as each request has in Django's own handler."""
        configure(MIDDLEWARE=WITHOUT_OURS)
        visitor = outside(ASGIBrowser)
        visitor.sign_in("jane")
        both_are_here = threading.Barrier(2, timeout=10)
        resolver = user_email_async(verified=lambda user: both_are_here.wait() >= 0)
        cookie = ("Cookie", f"sessionid={visitor.cookies['sessionid']}")

        async def resolve():
            scope = make_scope("GET", "/", headers=[cookie])
            return await asyncio.gather(resolver(scope), resolver(scope))

        assert asyncio.run(resolve()) == [JANE, JANE]


@pytest.fixture
def connection_age():
    """Set CONN_MAX_AGE for one test."""
    database = connections.settings["default"]
    before = database["CONN_MAX_AGE"]

    def connection_age(seconds):
        database["CONN_MAX_AGE"] = seconds

    yield connection_age
    database["CONN_MAX_AGE"] = before
