"""`resume_at`: visitors whose login does not follow `next_param` still reach the Help Desk."""

from __future__ import annotations

import re
import time

import pytest

from clients import JANE, jane, make_desk, never, nobody, raising
from sso_middleware import ConfigError, HandoffRefused, Logout, ResolverUnavailable

PATH = "/sso/helpdesk"
OPTIONS = {"login_url": "/login", "resume_at": "/"}
PENDING = ("Cookie", "sso_pending=1")


def pending_cookie(reply):
    (cookie,) = [value for value in reply.all("set-cookie") if value.startswith("sso_pending=")]
    return cookie


class TestCookie:
    def test_sent_to_the_login(self, site):
        """The redirect to the login remembers for ten minutes where the visitor was going."""
        reply = site(nobody, options=OPTIONS).get(PATH)
        assert reply["location"] == "/login?next=/sso/helpdesk"
        assert pending_cookie(reply) == ("sso_pending=1; Max-Age=600; Path=/; HttpOnly; SameSite=Lax; Secure")

    def test_login_elsewhere(self, site):
        """A login on another site gets the cookie, too."""
        reply = site(nobody, options=OPTIONS | {"login_url": "https://id.example/"}).get(PATH)
        assert pending_cookie(reply).startswith("sso_pending=1; ")

    def test_under_a_mount(self, mounted_site):
        """Its path is the mount prefix."""
        reply = mounted_site(nobody, options=OPTIONS | {"paths": "/sso"}).get("/sso", prefix="/app")
        assert "Path=/app;" in pending_cookie(reply)

    def test_plain_http(self, site):
        """It is Secure exactly when auth_url is https."""
        desk = make_desk(auth_url="http://localhost/sso/helpdesk")
        cookie = pending_cookie(site(nobody, desk, OPTIONS).get(PATH))
        assert cookie == "sso_pending=1; Max-Age=600; Path=/; HttpOnly; SameSite=Lax"

    def test_not_without_resume_at(self, site):
        """Where resume_at is not set there is no such cookie."""
        assert site(nobody, options={"login_url": "/login"}).get(PATH).all("set-cookie") == []

    @pytest.mark.parametrize(
        "resolve_email",
        [jane, raising(HandoffRefused("no_licence")), lambda source: "", lambda source: "x"],
        ids=["handed off", "refused", "no address", "no valid address"],
    )
    def test_dropped(self, site, resolve_email):
        """A hand-off or a refusal ends it."""
        reply = site(resolve_email, options=OPTIONS).get(PATH, headers=[PENDING])
        assert pending_cookie(reply).startswith("sso_pending=; Max-Age=0; Path=/;")

    def test_dropped_by_the_loop_breaker(self, site):
        """The page that breaks a loop ends it, too."""
        count = ("Cookie", f"sso_handoffs={int(time.time())}.7; sso_pending=1")
        reply = site(jane, options=OPTIONS).get(PATH, headers=[count])
        assert reply.status == 409
        assert "Max-Age=0" in pending_cookie(reply)

    def test_nothing_to_drop(self, site):
        """A visitor without the cookie is sent none."""
        cookies = site(jane, options=OPTIONS).get(PATH).all("set-cookie")
        assert not any("sso_pending" in cookie for cookie in cookies)


class TestResuming:
    @pytest.mark.parametrize(
        "resolve_email", [jane, raising(HandoffRefused("no_licence"))], ids=["known", "refused"]
    )
    def test_after_the_login(self, site, resolve_email):
        """A known visitor goes on to the Auth URL, once."""
        reply = site(resolve_email, options=OPTIONS).get("/", headers=[PENDING])
        assert (reply.status, reply["location"]) == (303, PATH)
        assert pending_cookie(reply).startswith("sso_pending=; Max-Age=0;")

    def test_under_a_mount(self, mounted_site):
        """The way on has the mount prefix."""
        pages = mounted_site(jane, options=OPTIONS | {"paths": "/sso"})
        assert pages.get("/", prefix="/app", headers=[PENDING])["location"] == "/app/sso"

    def test_auth_url_under_a_mount(self, mounted_site):
        """The Auth URL already has the mount prefix, so it is not added again."""
        desk = make_desk(auth_url="https://app.example.com/app/sso/helpdesk")
        sent = mounted_site(nobody, desk, OPTIONS).get(PATH, prefix="/app")
        assert pending_cookie(sent).startswith("sso_pending=1; Max-Age=600; Path=/app;")
        reply = mounted_site(jane, desk, OPTIONS).get("/", prefix="/app", headers=[PENDING])
        assert reply["location"] == "/app/sso/helpdesk"
        expected = "sso_pending=; Max-Age=0; Path=/app; HttpOnly; SameSite=Lax; Secure"
        assert pending_cookie(reply) == expected

    def test_each_of_several_auth_urls(self, site):
        """The visitor returns to the one that was opened."""
        options = OPTIONS | {"paths": ["/sso/a", "/sso/b"]}
        value = pending_cookie(site(nobody, options=options).get("/sso/b")).partition(";")[0]
        reply = site(jane, options=options).get("/", headers=[("Cookie", value)])
        assert reply["location"] == "/sso/b"

    def test_event(self, site):
        """It is an event of its own."""
        events = []
        pages = site(jane, options=OPTIONS | {"on_event": events.append})
        pages.get("/", headers=[PENDING])
        (event,) = events
        assert (event.outcome, event.reason, event.path, event.email) == ("resumed", None, "/", JANE)

    def test_in_a_frame_of_the_same_site(self, site):
        """A login inside a frame of the application is a visit, too."""
        frame = [("Sec-Fetch-Dest", "iframe"), ("Sec-Fetch-Site", "same-origin")]
        assert site(jane, options=OPTIONS).get("/", headers=[PENDING, *frame])["location"] == PATH

    def test_the_page_of_the_login(self, site):
        """It may be the path of login_url."""
        pages = site(jane, options={"login_url": "/login", "resume_at": "/login"})
        assert pages.get("/login", headers=[PENDING])["location"] == PATH
        assert site(nobody, options={"login_url": "/login", "resume_at": "/login"}).get("/login").by_app


class TestUntouched:
    @pytest.mark.parametrize(
        "headers",
        [[], [("Cookie", "sso_pending=")], [("Cookie", "sso_pending=0")], [("Cookie", "not_sso_pending=1")]],
    )
    def test_without_the_cookie(self, site, headers):
        """The application answers, and the resolver is not asked."""
        assert site(never, options=OPTIONS).get("/", headers=headers).by_app

    @pytest.mark.parametrize(
        ("method", "headers"),
        [
            ("HEAD", []),
            ("POST", []),
            ("GET", [("Sec-Purpose", "prefetch")]),
            ("GET", [("Sec-Fetch-Mode", "cors")]),
            ("GET", [("Upgrade", "websocket")]),
            ("GET", [("Sec-Fetch-Dest", "image")]),
        ],
    )
    def test_not_a_person_s_visit(self, site, method, headers):
        """HEAD, POST, prefetch, script and embedding reach the application."""
        reply = site(never, options=OPTIONS).request(method, "/", headers=[PENDING, *headers])
        assert reply.by_app

    @pytest.mark.parametrize(
        "resolve_email", [nobody, raising(ResolverUnavailable())], ids=["anonymous", "unavailable"]
    )
    def test_unknown_visitor(self, site, resolve_email):
        """The application answers a visitor whom the resolver does not know."""
        assert site(resolve_email, options=OPTIONS).get("/", headers=[PENDING]).by_app

    def test_hostile_prefix(self, mounted_site):
        """Under a prefix that is not plain nothing is redirected."""
        assert (
            mounted_site(never, options=OPTIONS).get("/", prefix="//evil.example", headers=[PENDING]).by_app
        )

    def test_other_paths(self, site):
        """Only the paths named are looked at."""
        assert site(never, options=OPTIONS).get("/start", headers=[PENDING]).by_app

    @pytest.mark.parametrize("number", [2, 99])
    def test_an_index_too_high(self, site, number):
        """A made-up cookie leads to the first Auth URL, and nowhere else."""
        reply = site(jane, options=OPTIONS).get("/", headers=[("Cookie", f"sso_pending={number}")])
        assert reply["location"] == PATH


class TestSettings:
    @pytest.mark.parametrize(
        ("options", "text"),
        [
            ({"login_url": "/login", "resume_at": PATH}, "already used by auth_url"),
            ({"login_url": "/login", "resume_at": ["/a", "/a"]}, "already used by resume_at"),
            ({"login_url": "/login", "resume_at": []}, "is empty"),
            ({"login_url": "/login", "resume_at": "home"}, "must start with /"),
            ({"login_url": "/login", "resume_at": 7}, "must start with /"),
            ({"login_url": "/login", "resume_at": "/a?b"}, "must not contain"),
            ({"resume_at": "/"}, "needs login_url"),
            (
                {"login_url": "/login", "resume_at": "/out", "logout": Logout(list, path="/out")},
                "already used by logout",
            ),
        ],
    )
    def test_wrong(self, site, options, text):
        """A wrong setting is named."""
        with pytest.raises(ConfigError) as caught:
            site(jane, options=options)
        assert re.search(re.escape(text), caught.value.problems["resume_at"])

    def test_a_public_auth_url_counts_first(self, mounted_site):
        """Where the start page of a mount is the Auth URL, it is an Auth URL."""
        desk = make_desk(auth_url="https://app.example.com/app/")
        assert mounted_site(jane, desk, OPTIONS).get("/", prefix="/app").is_handoff
