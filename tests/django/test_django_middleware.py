"""The middleware in MIDDLEWARE: what it reads from the setting, what it answers, what it leaves alone."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass
from enum import Enum
from http.cookies import SimpleCookie
from types import SimpleNamespace

import pytest
from asgiref.sync import async_to_sync, markcoroutinefunction
from django.contrib.auth.signals import user_logged_out
from django.core.exceptions import PermissionDenied, SynchronousOnlyOperation
from django.test import AsyncClient, Client
from django.urls import clear_script_prefix, get_script_prefix, reverse_lazy, set_script_prefix
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy

from clients import DESK, JANE, make_desk
from django_project import (
    AUTHENTICATION,
    OURS,
    SESSION,
    WITHOUT_OURS,
    ASGIBrowser,
    WSGIBrowser,
    inside,
    setting,
)
from sso_middleware import (
    ConfigError,
    HandoffRefused,
    Logout,
    MiddlewareOrderError,
    ResolverError,
    ResolverUnavailable,
    SSOEvent,
)
from sso_middleware.django import SSOMiddleware, end_session
from sso_middleware.resolvers import starlette
from sso_middleware.resolvers.django import user_email, user_email_async

REMOTE_USER = "django.contrib.auth.middleware.PersistentRemoteUserMiddleware"
EVENTS: list[SSOEvent] = []


def note(event):
    EVENTS.append(event)


def from_header(request):
    return request.headers.get("X-Email")


async def from_header_async(request):
    await asyncio.sleep(0)
    return request.headers.get("X-Email")


async def reads_the_user(request):
    return request.user.email


def reads_the_user_later(request):
    return reads_the_user(request)


class Callable:
    async def __call__(self, request):
        return request.headers.get("X-Email")


@markcoroutinefunction
def marked(request):
    return from_header_async(request)


def never(request):
    raise AssertionError("end_session was called")


def choose(request, email):
    return make_desk(account_id=f"account of {email}, {request.method}")


async def choose_async(request, email):
    return choose(request, email)


def ends_twice(request):
    return [
        ("Set-Cookie", "one=; Max-Age=0; Path=/; Partitioned"),
        ("Set-Cookie", "one=; Max-Age=0; Path=/app"),
        ("Set-Cookie", "two=2; SameSite=Odd"),
        ("Clear-Site-Data", '"cache"'),
        ("Clear-Site-Data", '"cookies"'),
    ]


@pytest.fixture
def site(browser, configure):
    """Open a browser on the project with HELPDESK_SSO changed."""

    def site(**changes):
        configure(HELPDESK_SSO=setting(**changes))
        return inside(browser)

    return site


def own(reply):
    return reply.text.startswith("the application's own page")


class TestAnswers:
    def test_headers_are_the_gates(self, site):
        """Exactly those of the other adapters, and what Django's own middlewares add."""
        reply = site(resolve_email=from_header, verified=...).get(
            "/sso/helpdesk", headers=[("X-Email", JANE)]
        )
        assert reply.is_handoff
        assert reply.claims["email"] == JANE
        assert reply.body == b""
        assert sorted(name.lower() for name, _ in reply.headers) == [
            "cache-control",
            "content-length",
            "content-type",
            "cross-origin-resource-policy",
            "location",
            "referrer-policy",
            "set-cookie",
            "x-content-type-options",
            "x-robots-tag",
        ]
        assert reply["content-type"] == "text/html; charset=utf-8"
        assert reply["content-length"] == "0"
        assert reply["cache-control"] == "no-store, private"
        name, *attributes = reply["set-cookie"].strip().split("; ")
        assert name.startswith("sso_handoffs=")
        assert attributes == ["Max-Age=20", "Path=/sso/helpdesk", "HttpOnly", "SameSite=Lax", "Secure"]

    def test_head_is_empty(self, site):
        """HEAD is answered with 200 and no body, and nobody is looked for."""
        reply = site().request("HEAD", "/sso/helpdesk")
        assert (reply.status, reply.body, reply.all("location")) == (200, b"", [])

    def test_refusals_are_pages(self, site):
        """A refusal is the gate's page, with its length."""

        def refuse(request):
            raise HandoffRefused("not_today")

        reply = site(resolve_email=refuse, verified=...).get("/sso/helpdesk")
        assert reply.status == 403
        assert "not_today" in reply.text
        assert reply["content-length"] == str(len(reply.body))
        assert "default-src 'none'" in reply["content-security-policy"]

    def test_an_outage_is_503(self, site):
        """With the Retry-After that the resolver asks for."""

        def fail(request):
            raise ResolverUnavailable(retry_after=7)

        reply = site(resolve_email=fail, verified=...).get("/sso/helpdesk")
        assert (reply.status, reply["retry-after"]) == (503, "7")

    def test_post_becomes_get(self, site):
        """A login form's 307 ends here, CSRF or not."""
        reply = site().request("POST", "/sso/helpdesk", data={"name": "jane"})
        assert (reply.status, reply["location"]) == (303, "/sso/helpdesk")

    @pytest.mark.parametrize("path", ["/sso/helpdesk", "/sso/logout"])
    @pytest.mark.parametrize(
        "header",
        [
            *(("Sec-Purpose", "prefetch"), ("X-Sec-Purpose", "prefetch"), ("Sec-Fetch-Dest", "iframe")),
            *(("Upgrade", "websocket"), ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")),
        ],
        ids="=".join,
    )
    def test_headers_of_the_request_are_read(self, site, path, header):
        """A prefetch, a foreign frame and a WebSocket handshake get no token, and end no session."""
        reply = site(logout=Logout(never, path="/sso/logout")).get(path, headers=[header])
        assert reply.status == 403

    def test_own_frame(self, site):
        """A frame of the same site is handed off, and does not sign out."""
        headers = [("Sec-Fetch-Dest", "iframe"), ("Sec-Fetch-Site", "same-site"), ("X-Email", JANE)]
        visitor = site(resolve_email=from_header, verified=..., logout=Logout(never, path="/sso/logout"))
        assert visitor.get("/sso/helpdesk", headers=headers).is_handoff
        assert visitor.get("/sso/logout", headers=headers).status == 403

    @pytest.mark.parametrize(
        "path", ["/sso/helpdesk/", "/sso/Helpdesk", "/sso", "/other/sso/helpdesk", "//sso/helpdesk"]
    )
    def test_other_paths_are_the_applications(self, site, path):
        """Whatever is not exactly the path goes on."""
        assert site().get(path).text == f"nothing at {path[1:]}"

    def test_without_login_the_application_answers(self, site):
        """login_url None: an anonymous visitor, and any POST, gets its own page, body and all."""
        visitor = site(login_url=None)
        assert own(visitor.get("/sso/helpdesk"))
        reply = visitor.request("POST", "/sso/helpdesk", data={"a": "b"})
        assert reply.text == "the application's own page, POST a=b"

    def test_a_loop_is_noticed(self, site):
        """The eighth hand-off within 20 seconds is a page: the cookie comes and goes as it should."""
        visitor = site(resolve_email=from_header, verified=...)
        replies = [visitor.get("/sso/helpdesk", headers=[("X-Email", JANE)]) for _ in range(9)]
        assert [reply.status for reply in replies] == [303] * 7 + [409, 303]

    @pytest.mark.parametrize(
        ("error", "kind"), [(PermissionDenied("no"), PermissionDenied), (KeyError("x"), KeyError)]
    )
    def test_errors_are_djangos(self, site, configure, error, kind):
        """What a resolver raises, Django handles: it is a 403 or a 500 page, or goes to the test."""

        def fail(request):
            raise error

        visitor = site(resolve_email=fail, verified=...)
        if kind is KeyError:
            with pytest.raises(kind):
                visitor.get("/sso/helpdesk")
        configure(DEBUG_PROPAGATE_EXCEPTIONS=False)
        visitor = site(resolve_email=fail, verified=...)
        assert visitor.get("/sso/helpdesk").status == (403 if kind is PermissionDenied else 500)


class TestPrefix:
    @pytest.fixture(autouse=True)
    def login_is_a_view(self, configure):
        """As Django's documentation advises: so it is found under every prefix."""
        configure(LOGIN_URL="the-login")

    def at(self, site, **changes):
        return site(auth_url="https://app.example.com/app/sso/helpdesk", **changes)

    @pytest.mark.parametrize("unprefixed", [False, True])
    def test_the_public_path_counts(self, site, unprefixed):
        """Mounted under /app, the Auth URL's whole path is taken over, and the login is below /app."""
        request = {"prefix": "/app", "unprefixed": unprefixed}
        visitor = self.at(site)
        reply = visitor.get("/sso/helpdesk", **request)
        assert reply["location"] == "/app/login?next=/app/sso/helpdesk"
        visitor.sign_in("jane", **request)
        assert visitor.get("/sso/helpdesk", **request).claims["email"] == JANE
        assert own(visitor.get("/sso/helpdesk"))

    def test_paths_are_relative(self, site):
        """`paths` are those of the URLconf, wherever it is mounted."""
        visitor = site(paths=["/sso/helpdesk"], auth_url="https://app.example.com/elsewhere")
        for prefix in ("", "/app", "/a/b"):
            reply = visitor.get("/sso/helpdesk", prefix=prefix)
            assert reply["location"] == f"{prefix}/login?next={prefix}/sso/helpdesk"

    def test_a_slash_at_the_end_of_the_prefix(self, browser, configure):
        """FORCE_SCRIPT_NAME may end in one, as Django allows under WSGI."""
        configure(
            HELPDESK_SSO=setting(auth_url="https://app.example.com/app/sso/helpdesk"),
            FORCE_SCRIPT_NAME="/app/",
            LOGIN_URL="/app/login",
        )
        reply = inside(browser).get("/sso/helpdesk")
        assert reply["location"] == "/app/login?next=/app/sso/helpdesk"

    def test_a_prefix_ends_with_its_segment(self, configure):
        """Under ASGI, /apple/sso is not /sso under /app, nor /apple/sso from outside, as for ASGI apps."""
        for changes in ({"auth_url": "https://app.example.com/apple/sso"}, {"paths": "/sso"}):
            configure(HELPDESK_SSO=setting(**changes))
            reply = inside(ASGIBrowser).request("GET", "/apple/sso", prefix="/app", unprefixed=True)
            assert reply.status == 404

    def test_an_odd_prefix_is_no_way_to_another_site(self, site):
        """A mount prefix that a client has smuggled in makes no redirect."""
        visitor = site(paths=["/sso/helpdesk"])
        assert visitor.get("/sso/helpdesk", prefix="//evil.example").status == 400


class TestLogin:
    @pytest.mark.parametrize(
        ("login_url", "expected"),
        [
            ("/login", "/login"),
            ("the-login", "/login"),
            (reverse_lazy("the-login"), "/login"),
            ("https://login.example.com/", "https://login.example.com/"),
        ],
    )
    def test_login_url_is_djangos(self, browser, configure, login_url, expected):
        """LOGIN_URL may be a path, a URL, or the name of one, also a lazy one."""
        configure(LOGIN_URL=login_url)
        location = inside(browser).get("/sso/helpdesk")["location"]
        assert location.partition("?")[0] == expected

    def test_login_url_of_its_own(self, site, configure):
        """HELPDESK_SSO may have another, with a next_param of its own."""
        configure(LOGIN_URL="/nowhere")
        visitor = site(login_url="the-login", next_param="way_back")
        assert visitor.get("/sso/helpdesk")["location"] == "/login?way_back=/sso/helpdesk"

    @pytest.mark.parametrize(
        ("login_url", "expected"),
        [
            ("/app/login", "/app/login"),
            ("/accounts/login/", "/accounts/login/"),
            ("the-login", "/app/login"),
            (reverse_lazy("the-login"), "/app/login"),
        ],
        ids=["path", "path elsewhere", "name", "lazy"],
    )
    @pytest.mark.parametrize("forced", [False, True], ids=["mounted", "forced"])
    def test_login_url_under_a_script_name(self, browser, configure, login_url, expected, forced):
        """A path in LOGIN_URL is what the browser sees, and a name has the prefix, as for login_required."""
        configure(
            LOGIN_URL=login_url,
            LOGOUT_REDIRECT_URL=login_url,
            FORCE_SCRIPT_NAME="/app" if forced else None,
            HELPDESK_SSO=setting(paths="/sso/helpdesk", logout={"path": "/sso/logout"}),
        )
        visitor, prefix = inside(browser), "" if forced else "/app"
        reply = visitor.get("/sso/helpdesk", prefix=prefix)
        assert reply["location"] == f"{expected}?next=/app/sso/helpdesk"
        assert visitor.get("/sso/logout", prefix=prefix)["location"] == expected

    def test_query_in_login_url_of_django(self, browser, configure):
        """A LOGIN_URL with a return address of its own is kept, as Django's other users of it need it."""
        configure(LOGIN_URL="/login?next=/account", HELPDESK_SSO=setting(paths="/sso/helpdesk"))
        reply = inside(browser).get("/sso/helpdesk")
        assert reply["location"] == "/login?next=/account&next=/sso/helpdesk"

    @pytest.mark.parametrize(
        "login_url", ["/login", "the-login", reverse_lazy("the-login")], ids=["path", "name", "lazy"]
    )
    def test_login_url_of_its_own_under_a_script_name(self, site, login_url):
        """A path in HELPDESK_SSO is that of the URLconf, as for the other middlewares."""
        visitor = site(login_url=login_url, paths="/sso/helpdesk")
        reply = visitor.get("/sso/helpdesk", prefix="/app")
        assert reply["location"] == "/app/login?next=/app/sso/helpdesk"

    def test_login_in_the_visitors_language(self, browser, configure):
        """Under i18n_patterns a named login has the language of the request, as LocaleMiddleware finds it."""
        configure(
            ROOT_URLCONF="django_urls_i18n",
            LOGIN_URL="the-login",
            MIDDLEWARE=[SESSION, "django.middleware.locale.LocaleMiddleware", AUTHENTICATION, OURS],
        )
        visitor = inside(browser)
        for language in ("de", "fr"):
            reply = visitor.get("/sso/helpdesk", headers=[("Accept-Language", language)])
            assert reply["location"] == f"/{language}/login?next=/sso/helpdesk"

    def test_the_script_prefix_of_the_moment_is_no_matter(self, configure):
        """Django may be set up with FORCE_SCRIPT_NAME or without; a named login has the prefix once."""
        configure(LOGIN_URL="the-login", HELPDESK_SSO=setting(paths="/sso/helpdesk"))
        set_script_prefix("/app/")
        try:
            visitor = inside(WSGIBrowser)
            assert get_script_prefix() == "/app/"
        finally:
            clear_script_prefix()
        reply = visitor.get("/sso/helpdesk", prefix="/app")
        assert reply["location"] == "/app/login?next=/app/sso/helpdesk"

    def test_lazy_text(self, browser, configure):
        """Our settings may be what gettext_lazy and reverse_lazy return."""
        configure(
            HELPDESK_SSO=setting(
                account_id=gettext_lazy("4711"),
                auth_url=gettext_lazy("https://app.example.com/ignored"),
                paths=[gettext_lazy("/sso/helpdesk")],
                login_url=gettext_lazy("the-login"),
                next_param=gettext_lazy("way_back"),
                logout={"path": gettext_lazy("/leave"), "then": reverse_lazy("the-login")},
            )
        )
        visitor = inside(browser)
        reply = visitor.get("/sso/helpdesk", prefix="/app")
        assert reply["location"] == "/app/login?way_back=/app/sso/helpdesk"
        assert visitor.get("/leave", prefix="/app")["location"] == "/app/login"
        visitor.sign_in("jane")
        assert visitor.get("/sso/helpdesk").is_handoff

    def test_a_path_loads_no_urlconf(self, configure):
        """Making the middleware does not import the application's views where nothing has to be looked up."""
        configure(ROOT_URLCONF="no.such.module")
        inside(WSGIBrowser)


class TestLogout:
    def test_the_session_ends(self, site):
        """At the Logout URL Django's logout runs, signal and all, and its cookie is deleted."""
        visitor = site()
        visitor.sign_in("jane")
        copy = dict(visitor.cookies)
        left = []

        def note_user(user, **_):
            left.append(user.get_username())

        user_logged_out.connect(note_user)
        try:
            reply = visitor.get("/sso/logout")
        finally:
            user_logged_out.disconnect(note_user)
        assert (reply.status, reply["location"]) == (303, "/")
        assert left == ["jane"]
        assert "sessionid" not in visitor.cookies
        visitor.cookies = copy
        assert visitor.name == "anonymous"

    def test_anonymous_visitors_too(self, site):
        """Nobody has to be signed in for it."""
        assert site().get("/sso/logout").status == 303

    @pytest.mark.parametrize(
        "logout",
        [
            {"then": "/bye", "path": "/leave"},
            Logout(end_session, path="/leave", then="/bye"),
            {"end_session": "sso_middleware.django.end_session", "path": "/leave", "then": "/bye"},
        ],
    )
    def test_where_and_whereto(self, site, logout):
        """A dict of what Logout takes, or a Logout."""
        visitor = site(logout=logout)
        visitor.sign_in("jane")
        assert visitor.get("/leave")["location"] == "/bye"
        assert visitor.name == "anonymous"

    @pytest.mark.parametrize(
        ("redirect_url", "expected"),
        [
            (None, "/"),
            ("/bye", "/bye"),
            ("the-login", "/login"),
            (reverse_lazy("the-login"), "/login"),
            ("https://bye.example.com/", "https://bye.example.com/"),
        ],
        ids=["none", "path", "name", "lazy", "absolute"],
    )
    @pytest.mark.parametrize(
        "logout", [True, {}, {"end_session": end_session}], ids=["true", "empty", "dict"]
    )
    def test_whereto_is_djangos(self, site, configure, logout, redirect_url, expected):
        """Without a place of its own the logout leads where Django's leads: to LOGOUT_REDIRECT_URL."""
        configure(LOGOUT_REDIRECT_URL=redirect_url)
        assert site(logout=logout).get("/sso/logout")["location"] == expected

    @pytest.mark.parametrize("logout", [None, False])
    def test_not_at_all(self, site, logout):
        """Without it the Logout URL is the application's."""
        assert site(logout=logout).get("/sso/logout").text == "nothing at sso/logout"

    def test_headers_go_out_as_they_are(self, site):
        """Several cookies, of one name too, stay apart and unchanged; other headers are joined."""
        reply = site(logout={"end_session": ends_twice}).get("/sso/logout")
        assert [cookie.strip() for cookie in reply.all("set-cookie")] == [
            "one=; Max-Age=0; Path=/; Partitioned",
            "one=; Max-Age=0; Path=/app",
            "two=2; SameSite=Odd",
        ]
        assert reply["clear-site-data"] == '"cache", "cookies"'

    def test_somebody_sets_the_cookie_again(self, browser, configure):
        """A middleware further out that sets a cookie of the same name has the last word."""
        configure(
            HELPDESK_SSO=setting(logout={"end_session": ends_twice}),
            MIDDLEWARE=[f"{__name__}.sets_two", *WITHOUT_OURS, OURS],
        )
        cookies = [cookie.strip() for cookie in inside(browser).get("/sso/logout").all("set-cookie")]
        assert cookies[-1] == "two=again; Path=/"
        assert len(cookies) == 3

    @pytest.mark.parametrize("logout", [True, {"end_session": ends_twice}], ids=["ours", "theirs"])
    def test_somebody_hardens_the_cookies(self, browser, configure, logout):
        """A middleware further out may change each cookie, and what it leaves alone stays."""
        configure(
            HELPDESK_SSO=setting(logout=logout, auth_url="http://localhost/sso/helpdesk"),
            MIDDLEWARE=[f"{__name__}.hardens", *WITHOUT_OURS, OURS],
        )
        site = inside(browser)
        site.sign_in("jane")
        cookies = site.get("/sso/helpdesk").all("set-cookie") + site.get("/sso/logout").all("set-cookie")
        attributes = [{each.strip() for each in cookie.split(";")[1:]} for cookie in cookies]
        assert all({"Secure", "SameSite=Strict"} <= each for each in attributes)
        assert {"Max-Age=20", "Path=/sso/helpdesk", "HttpOnly"} <= attributes[0]
        if logout is not True:
            assert {"Max-Age=0", "Path=/", "Partitioned"} <= attributes[1]


def hardens(get_response):
    def middleware(request):
        response = get_response(request)
        for morsel in response.cookies.values():
            morsel["secure"] = True
            morsel["samesite"] = "Strict"
        return response

    return middleware


def sets_two(get_response):
    def middleware(request):
        response = get_response(request)
        response.set_cookie("two", "again")
        return response

    return middleware


@dataclass
class IsStaff:
    """A predicate that cannot be hashed, as it can be compared."""

    attribute: str = "is_staff"

    def __call__(self, user):
        return getattr(user, self.attribute)


class TestCallables:
    @pytest.mark.parametrize(
        "resolver",
        [
            from_header,
            from_header_async,
            Callable(),
            lambda request: from_header_async(request),
            f"{__name__}.from_header",
            f"{__name__}.from_header_async",
        ],
    )
    def test_resolvers(self, site, resolver):
        """Sync or async, also where that cannot be seen, and by dotted path, on both protocols."""
        visitor = site(resolve_email=resolver, verified=...)
        assert visitor.get("/sso/helpdesk", headers=[("X-Email", JANE)]).claims["email"] == JANE
        assert visitor.get("/sso/helpdesk")["location"] == "/login?next=/sso/helpdesk"

    @pytest.mark.parametrize("helpdesk", [choose, choose_async, f"{__name__}.choose"])
    def test_helpdesk_chosen(self, browser, configure, helpdesk):
        """A callable gets request and address."""
        configure(
            HELPDESK_SSO={
                "helpdesk": helpdesk,
                "resolve_email": from_header,
                "paths": "/sso/helpdesk",
            }
        )
        reply = inside(browser).get("/sso/helpdesk", headers=[("X-Email", JANE)])
        assert reply.query["account_id"] == [f"account of {JANE}, GET"]

    @pytest.mark.parametrize("helpdesk", [DESK, "clients.DESK"])
    def test_helpdesk_made(self, browser, configure, helpdesk):
        """A HelpDesk made elsewhere works, too."""
        configure(HELPDESK_SSO={"helpdesk": helpdesk, "verified": True})
        visitor = inside(browser)
        visitor.sign_in("joe")
        assert visitor.get("/sso/helpdesk").claims["email"] == "joe@example.com"

    def test_events(self, site):
        """on_event by dotted path."""
        EVENTS.clear()
        site(on_event=f"{__name__}.note").get("/sso/helpdesk")
        assert [(event.outcome, event.path) for event in EVENTS] == [("anonymous", "/sso/helpdesk")]

    @pytest.mark.parametrize(
        "verified",
        [True, "is_staff", "django_project.in_group", lambda user: user.is_staff, IsStaff()],
    )
    def test_verified(self, site, verified):
        """True, an attribute, a predicate, or the dotted path of one."""
        visitor = site(verified=verified)
        for name, status in {"jane": 303, "joe": 303 if verified is True else 403}.items():
            visitor.sign_in(name)
            assert visitor.get("/sso/helpdesk").status == status

    @pytest.mark.parametrize("make", [user_email, user_email_async])
    def test_resolver_for_outside(self, site, make):
        """A resolver for outside Django is an error inside, which says what to do instead."""
        with pytest.raises(ResolverError, match="remove resolve_email from HELPDESK_SSO, and set verified"):
            site(resolve_email=make(verified=True), verified=...).get("/sso/helpdesk")

    @pytest.mark.parametrize("make", [starlette.session_email, starlette.user_email])
    def test_resolver_of_another_framework(self, site, make):
        """A resolver of another framework, which reads a scope, is an error."""
        with pytest.raises(ResolverError, match=r"needs an ASGI scope, not a (WSGI|ASGI)Request"):
            site(resolve_email=make("email", verified=True), verified=...).get("/sso/helpdesk")

    def test_unusable_address(self, site):
        """A resolver that returns a number is a TypeError for Django's own handling."""
        with pytest.raises(ResolverError):
            site(resolve_email=lambda request: 7, verified=...).get("/sso/helpdesk")

    def test_lazy_and_enum_addresses(self, site):
        """What stands for a string counts as one."""

        class Person(str, Enum):  # noqa: UP042 - whose str() is not its value
            JANE = "jane@example.com"

        reply = site(resolve_email=lambda request: Person.JANE, verified=...).get("/sso/helpdesk")
        assert reply.claims["email"] == JANE

    @pytest.mark.parametrize("resolver", [reads_the_user, reads_the_user_later])
    def test_sync_code_in_an_async_resolver(self, configure, resolver):
        """Django's own error stays, and says what to write."""
        configure(HELPDESK_SSO=setting(resolve_email=resolver, verified=...))
        visitor = inside(ASGIBrowser)
        visitor.sign_in("jane")
        with pytest.raises(SynchronousOnlyOperation) as caught:
            visitor.get("/sso/helpdesk")
        assert "Write it as a plain def" in "".join(caught.value.__notes__)

    def test_sync_code_runs_where_django_runs_it(self, configure):
        """Under ASGI, sync resolvers and predicates have a thread, and async ones the event loop."""
        threads = {}

        def sync(request):
            threads["sync"] = threading.get_ident()

        async def on_loop(request):
            threads["async"] = threading.get_ident()

        for resolver in (sync, on_loop):
            configure(HELPDESK_SSO=setting(resolve_email=resolver, verified=...))
            inside(ASGIBrowser).get("/sso/helpdesk")
        assert threads["async"] == threading.get_ident() != threads["sync"]

    @pytest.mark.parametrize(
        "changes",
        [
            {"resolve_email": from_header_async, "verified": ...},
            {"resolve_email": Callable(), "verified": ...},
            {"resolve_email": marked, "verified": ...},
            {"helpdesk": choose_async, "paths": "/sso/helpdesk", "resolve_email": from_header_async},
        ],
    )
    def test_async_code_costs_no_thread(self, configure, changes):
        """Under ASGI nothing hops to a thread where nothing sync of the application's is asked."""
        setting_of_test = setting(**changes)
        if "helpdesk" in changes:
            setting_of_test = changes
        configure(HELPDESK_SSO=setting_of_test)
        response, hops = respond("/sso/helpdesk")
        assert response.status_code == 303
        assert "token=" in response["Location"]
        assert hops == 0


class CountingLoop(asyncio.SelectorEventLoop):
    """An event loop that counts how often it was left for a thread."""

    hops = 0

    def run_in_executor(self, *args):
        self.hops += 1
        return super().run_in_executor(*args)


def respond(path):
    """Have a middleware answer a request on an event loop, and count its hops to threads."""

    async def get_response(request):
        raise AssertionError("not for the application")

    request = SimpleNamespace(META={}, path=path, path_info=path, method="GET", headers={"X-Email": JANE})
    with asyncio.Runner(loop_factory=CountingLoop) as runner:
        response = runner.run(SSOMiddleware(get_response)(request))
        return response, runner.get_loop().hops


class TestOrder:
    @pytest.mark.parametrize(
        ("lines", "below"),
        [
            ([OURS, SESSION, AUTHENTICATION], AUTHENTICATION),
            ([SESSION, OURS, AUTHENTICATION], AUTHENTICATION),
            ([AUTHENTICATION, OURS, SESSION], SESSION),
            ([SESSION, OURS, f"{__name__}.OwnAuthentication"], f"{__name__}.OwnAuthentication"),
            ([*WITHOUT_OURS, OURS, REMOTE_USER], REMOTE_USER),
        ],
    )
    def test_wrong_order(self, browser, configure, lines, below):
        """It says which line to move, and where to, before the first request."""
        configure(MIDDLEWARE=lines)
        with pytest.raises(MiddlewareOrderError) as caught:
            inside(browser)
        assert str(caught.value).endswith(f"move the line {OURS!r} below {below!r}")

    def test_a_subclass_in_the_wrong_place(self, browser, configure):
        """The application's own subclass is found, too, and named as in `MIDDLEWARE`."""
        line = f"{__name__}.OwnMiddleware"
        configure(MIDDLEWARE=[line, SESSION, AUTHENTICATION])
        with pytest.raises(MiddlewareOrderError, match=f"move the line '{line}' below"):
            inside(browser)

    @pytest.mark.parametrize("path", ["/sso/helpdesk", "/sso/logout"])
    def test_no_session_no_authentication(self, site, configure, path):
        """Without them a visitor is not taken for an anonymous one."""
        configure(MIDDLEWARE=[OURS])
        with pytest.raises(MiddlewareOrderError, match="above SSOMiddleware, in this order"):
            site().get(path)

    def test_a_line_that_cannot_be_imported_is_djangos_to_tell(self, configure):
        """We say nothing about it."""
        configure(MIDDLEWARE=["no.such.Middleware", *WITHOUT_OURS, OURS])
        with pytest.raises(ImportError, match=r"No module named 'no'"):
            inside(WSGIBrowser)

    def test_a_resolver_of_ones_own_needs_neither(self, site, configure):
        """Who reads something else than the user needs no session."""
        configure(MIDDLEWARE=[OURS])
        visitor = site(resolve_email=from_header, verified=..., logout=...)
        assert visitor.get("/sso/helpdesk", headers=[("X-Email", JANE)]).is_handoff


@pytest.mark.parametrize("place", [0, 1], ids=["before", "after"])
def test_login_required_everywhere(site, configure, place):
    """LoginRequiredMiddleware asks views, and on an intercepted path there is none, wherever it stands."""
    lines = [OURS]
    lines.insert(place, "django.contrib.auth.middleware.LoginRequiredMiddleware")
    configure(MIDDLEWARE=[*WITHOUT_OURS, *lines])
    visitor = site()
    assert visitor.get("/sso/helpdesk")["location"] == "/login?next=/sso/helpdesk"
    assert visitor.get("/sso/logout")["location"] == "/"
    reply = site(login_url=None).get("/sso/helpdesk")  # the view's answer, which is Django's
    assert (reply.status, reply["location"]) == (302, "/login?next=/sso/helpdesk")


@pytest.mark.parametrize("place", [0, 3], ids=["before", "after"])
def test_common_and_locale_middleware(configure, browser, place):
    """They redirect what is not found, to a path with a slash or a language, and we answer before."""
    lines = [*WITHOUT_OURS, OURS]
    lines[place:place] = [
        "django.middleware.locale.LocaleMiddleware",
        "django.middleware.common.CommonMiddleware",
    ]
    configure(
        MIDDLEWARE=lines,
        ROOT_URLCONF="django_urls_slash",
        HELPDESK_SSO=setting(resolve_email=from_header, verified=...),
    )
    visitor = inside(browser)
    assert visitor.get("/sso/helpdesk", headers=[("X-Email", JANE)]).is_handoff
    assert visitor.get("/sso/helpdesk")["location"] == "/login?next=/sso/helpdesk"
    assert visitor.get("/other")["location"] == "/other/"


class OwnMiddleware(SSOMiddleware):
    """With a name of its own."""


def own_authentication():
    from django.contrib.auth.middleware import AuthenticationMiddleware  # noqa: PLC0415

    return type("OwnAuthentication", (AuthenticationMiddleware,), {})


OwnAuthentication = own_authentication()


class TestDjangosTestClient:
    """What Django's own developers test their sites with."""

    def test_sync(self, configure):
        """force_login, the hand-off, the loop's cookie in the jar."""
        configure(ALLOWED_HOSTS=["testserver"])
        client = Client()
        client.force_login(user_of_the_database("jane"))
        response = client.get("/sso/helpdesk")
        assert response.status_code == 303
        assert response["Location"].startswith("https://acme.example/sso?token=")
        assert response.cookies["sso_handoffs"].value.endswith(".1")
        assert client.get("/sso/helpdesk").cookies["sso_handoffs"].value.endswith(".2")
        assert SimpleCookie(client.cookies.output(header="")).keys() >= {"sessionid"}

    def test_async(self, configure):
        """The same with the async client."""
        configure(ALLOWED_HOSTS=["testserver"])
        client = AsyncClient()
        client.force_login(user_of_the_database("jane"))
        response = async_to_sync(client.get)("/sso/helpdesk")  # which runs sync code in this thread
        assert response.status_code == 303


def user_of_the_database(name):
    from django.contrib.auth.models import User  # noqa: PLC0415

    return User.objects.get(username=name)


def test_the_address_field_of_a_user_model(browser, configure):
    """The default resolver asks the user model where the address is, as Django's password reset does."""
    configure(
        MIDDLEWARE=[*WITHOUT_OURS, f"{__name__}.user_with_contact", OURS], HELPDESK_SSO=setting(verified=True)
    )
    assert inside(browser).get("/sso/helpdesk").claims["email"] == "contact@example.com"


def test_an_async_address(browser, configure):
    """A user whose address is to be awaited is an error that says what to write."""
    configure(
        MIDDLEWARE=[*WITHOUT_OURS, f"{__name__}.user_to_be_awaited", OURS],
        HELPDESK_SSO=setting(verified=True),
    )
    with pytest.raises(ResolverError, match=r"'email' of AsyncContact is a coroutine.*must be awaited"):
        inside(browser).get("/sso/helpdesk")


def test_an_authentication_of_the_sites_own(browser, configure):
    """A user that is looked up when first read is looked up where sync code runs."""
    configure(MIDDLEWARE=[f"{__name__}.user_who_asks_the_database", OURS])
    visitor = inside(browser)
    assert visitor.get("/sso/helpdesk", headers=[("X-Name", "jane")]).claims["email"] == JANE
    assert visitor.get("/sso/helpdesk", headers=[("X-Name", "joe")]).status == 403


def user_who_asks_the_database(get_response):
    def middleware(request):
        request.user = SimpleLazyObject(lambda: user_of_the_database(request.headers["X-Name"]))
        return get_response(request)

    return middleware


class Contact:
    is_authenticated = True
    contact = "contact@example.com"

    @staticmethod
    def get_email_field_name():
        return "contact"


class AsyncContact:
    is_authenticated = True

    @property
    async def email(self):
        return JANE


def user_to_be_awaited(get_response):
    def middleware(request):
        request.user = AsyncContact()
        return get_response(request)

    return middleware


def user_with_contact(get_response):
    def middleware(request):
        request.user = Contact()
        return get_response(request)

    return middleware


def test_wrong_settings_are_one_error(browser, configure):
    """All of them are named at once, and the middleware is not made."""
    configure(HELPDESK_SSO=setting(sso_token="", verified=..., paths="sso"))
    with pytest.raises(ConfigError) as caught:
        inside(browser)
    assert caught.value.problems.keys() == {"sso_token", "verified", "paths"}
