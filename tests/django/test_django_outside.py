"""What stands around Django refuses what it cannot see, and ends a session as Django does."""

from __future__ import annotations

from textwrap import dedent

import pytest
from django.contrib.auth import user_logged_out
from django.contrib.auth.models import User
from django.test import RequestFactory

import forks
from cli_apps.entry_point import environment
from django_project import AUTHENTICATION, ENGINES, SESSION, WITHOUT_OURS, outside
from sso_middleware import ConfigError, Logout, ResolverError
from sso_middleware.resolvers.django import allauth_verified, end_session, user_email, user_email_async

PATH = "/sso/helpdesk"
REMOTE_USER = "django.contrib.auth.middleware.RemoteUserMiddleware"


class TestRemoteUser:
    @pytest.mark.parametrize("make", [user_email, user_email_async])
    @pytest.mark.parametrize(
        "line",
        [
            REMOTE_USER,
            "django.contrib.auth.middleware.PersistentRemoteUserMiddleware",
            "django_deciding.HeaderUserMiddleware",
        ],
    )
    def test_construction(self, configure, make, line):
        """The header decides after the session: the resolver is not made, and says what to use instead."""
        configure(MIDDLEWARE=[SESSION, AUTHENTICATION, line])
        with pytest.raises(ConfigError) as caught:
            make("", verified=True)
        assert caught.value.problems.keys() == {"attr", "MIDDLEWARE"}
        assert f"contains {line!r}" in caught.value.problems["MIDDLEWARE"]
        assert "add 'sso_middleware.django.SSOMiddleware'" in caught.value.problems["MIDDLEWARE"]

    def test_first_use(self, tmp_path):
        """A resolver that is made before Django is set up says it at the first visit."""
        (tmp_path / "own.py").write_text(
            "from django.contrib.auth.middleware import RemoteUserMiddleware\n"
            "class Own(RemoteUserMiddleware): pass\n"
        )
        script = """
            import io

            import django
            from django.conf import settings
            from sso_middleware import ConfigError
            from sso_middleware.resolvers.django import user_email

            def say(call):
                try:
                    call()
                except ConfigError as error:
                    print(error.problems["MIDDLEWARE"].split(",")[0])

            resolvers = [user_email(verified=True)]
            settings.configure(
                MIDDLEWARE=["own.Own"],
                INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes"],
            )
            resolvers.append(user_email(verified=True))
            settings.MIDDLEWARE = ["django.contrib.auth.middleware.RemoteUserMiddleware"]
            say(lambda: user_email(verified=True))
            settings.MIDDLEWARE = ["own.Own"]
            django.setup()
            for resolver in resolvers:
                say(lambda: resolver({"REQUEST_METHOD": "GET", "wsgi.input": io.BytesIO()}))
        """
        done = forks.run("-c", dedent(script), cwd=tmp_path, env=environment({}), imports=forks.DJANGO)
        assert done.stdout.splitlines() == [
            f"contains {REMOTE_USER!r}",
            "contains 'own.Own'",
            "contains 'own.Own'",
        ], done.stderr


@pytest.fixture
def visitor(browser, configure):
    """Jane, with our middleware around Django, which ends her session at the Logout URL."""
    configure(MIDDLEWARE=WITHOUT_OURS)
    visitor = outside(browser, logout=Logout(end_session()))
    visitor.sign_in("jane")
    return visitor


def session_cookies(reply):
    return [cookie.strip() for cookie in reply.all("set-cookie") if "session" in cookie]


class TestEndSession:
    @pytest.mark.parametrize("engine", ENGINES)
    def test_a_cookie_that_was_kept(self, browser, configure, engine):
        """It signs nobody in again, unless the whole session is in it."""
        configure(MIDDLEWARE=WITHOUT_OURS, SESSION_ENGINE=f"django.contrib.sessions.backends.{engine}")
        visitor = outside(browser, logout=Logout(end_session()))
        visitor.sign_in("jane")
        kept = dict(visitor.cookies)
        assert visitor.get("/sso/logout")["location"] == "/"
        assert "sessionid" not in visitor.cookies
        visitor.cookies = kept
        assert visitor.name == ("jane" if engine == "signed_cookies" else "anonymous")
        assert visitor.get(PATH).is_handoff == (engine == "signed_cookies")

    @pytest.mark.parametrize(
        "settings",
        [
            {},
            {"SESSION_COOKIE_NAME": "own-session", "SESSION_COOKIE_PATH": "/sso"},
            {"SESSION_COOKIE_DOMAIN": "example.com", "SESSION_COOKIE_SAMESITE": "Strict"},
            {"SESSION_COOKIE_SAMESITE": "None", "SESSION_COOKIE_SECURE": True},
            {"SESSION_COOKIE_NAME": "__Host-session", "SESSION_COOKIE_SAMESITE": None},
            {"SESSION_SAVE_EVERY_REQUEST": True},
        ],
    )
    def test_the_cookie_expires_as_after_djangos_logout(self, visitor, configure, settings):
        """The header is the same, byte for byte, also where the settings change after construction."""
        configure(**settings)
        visitor.sign_in("jane")
        theirs = session_cookies(visitor.get("/logout"))
        visitor.sign_in("jane")
        assert session_cookies(visitor.get("/sso/logout")) == theirs
        assert len(theirs) == 1

    def test_without_a_session(self, visitor):
        """There is no cookie to expire."""
        visitor.cookies = {}
        reply = visitor.get("/sso/logout")
        assert (reply.status, session_cookies(reply)) == (303, [])

    @pytest.mark.parametrize("forged", ["../../etc/passwd", "x", ""])
    @pytest.mark.parametrize("engine", ENGINES)
    def test_a_forged_cookie(self, browser, configure, engine, forged):
        """It expires, and nothing else happens."""
        configure(MIDDLEWARE=WITHOUT_OURS, SESSION_ENGINE=f"django.contrib.sessions.backends.{engine}")
        visitor = outside(browser, logout=Logout(end_session()))
        visitor.cookies = {"sessionid": forged}
        assert visitor.get("/sso/logout").status == 303
        assert "sessionid" not in visitor.cookies

    def test_other_sessions_stay(self, visitor, browser):
        """Jane's session on another device goes on."""
        other = browser(visitor.handler)
        other.sign_in("jane")
        visitor.get("/sso/logout")
        assert other.name == "jane"

    def test_the_signal(self, visitor):
        """Receivers of user_logged_out learn who it was, as in Django's logout; a failure is logged."""
        seen = []

        def note(sender, request, user, **_):
            seen.append((sender, user and user.username, request.path))
            raise RuntimeError("of the application's own")

        user_logged_out.connect(note)
        try:
            kept = dict(visitor.cookies)
            assert visitor.get("/sso/logout").status == 303
            assert visitor.get("/sso/logout").status == 303
        finally:
            user_logged_out.disconnect(note)
        assert seen == [(User, "jane", "/sso/logout"), (type(None), None, "/sso/logout")]
        visitor.cookies = kept
        assert visitor.name == "anonymous"

    def test_inside(self):
        """Given Django's own request, it says what there is instead."""
        with pytest.raises(ResolverError, match=r"sso_middleware\.django\.end_session"):
            end_session()(RequestFactory().get("/sso/logout"))


def test_a_predicate_about_another_address(browser, configure):
    """allauth knows the user's main address: it is no answer for another attribute."""
    configure(MIDDLEWARE=WITHOUT_OURS)
    resolver = user_email if browser.protocol == "wsgi" else user_email_async
    visitor = outside(browser, resolve_email=resolver("username", verified=allauth_verified))
    assert visitor.get(PATH)["location"] == "/login?next=/sso/helpdesk"
    visitor.sign_in("jane")
    with pytest.raises(ResolverError, match="allauth_verified does not apply to 'username'"):
        visitor.get(PATH)
