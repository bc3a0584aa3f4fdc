"""The answer table: what an intercepted path answers, row by row, on both protocols."""

from __future__ import annotations

import asyncio
import base64
import enum
import hashlib
import re
import time
import traceback
from urllib.parse import quote

import pytest

from clients import (
    AUTH_URL,
    JANE,
    UnprefixedASGISite,
    jane,
    make_desk,
    make_environ,
    make_scope,
    never,
    nobody,
    raising,
)
from sso_middleware import HandoffRefused, Logout, MiddlewareOrderError, ResolverError, ResolverUnavailable
from sso_middleware.events import SSOEvent
from sso_middleware.gate import Visit

PATH = "/sso/helpdesk"


class TestHandOff:
    def test_signed_in_visitor_is_handed_off(self, site):
        """A visitor whose address is known is sent to the Help Desk by 303."""
        reply = site(jane).get(PATH)
        assert reply.status == 303
        assert reply["location"].startswith("https://acme.example/sso?token=")
        assert list(reply.query) == ["token", "account_id", "auth_url"]
        assert reply.query["account_id"] == ["4711"]
        assert reply.query["auth_url"] == [AUTH_URL]
        assert reply.claims.keys() == {"email", "iat", "jti"}
        assert reply.claims["email"] == JANE
        assert time.time() - 5 < reply.claims["iat"] <= time.time()

    def test_each_hand_off_is_new(self, site):
        """Two visits get two token identifiers."""
        pages = site(jane)
        assert pages.get(PATH).claims["jti"] != pages.get(PATH).claims["jti"]

    def test_headers_of_a_redirect(self, site):
        """A redirect carries the whole header set and an empty body."""
        reply = site(jane).get(PATH)
        assert reply.body == b""
        assert {
            name.lower(): value
            for name, value in reply.headers
            if name.lower() not in ("location", "set-cookie")
        } == {
            "cache-control": "no-store, private",
            "referrer-policy": "no-referrer",
            "x-content-type-options": "nosniff",
            "x-robots-tag": "noindex, nofollow",
            "content-type": "text/html; charset=utf-8",
            "content-length": "0",
            "cross-origin-resource-policy": "same-origin",
        }

    def test_query_of_the_request_plays_no_part(self, site):
        """Parameters of the request reach neither the decision nor the redirect."""
        reply = site(jane).get(PATH, query="email=eve@evil.example&auth_url=https://evil.example&next=//evil")
        assert reply.claims["email"] == JANE
        assert "evil" not in reply["location"]

    def test_helpdesk_chosen_by_a_callable(self, site):
        """A callable helpdesk is given source and address, and chooses the account."""
        other = make_desk(account_id="42", auth_url="https://brand.example/sso/helpdesk")
        asked = []

        def choose(source, email):
            asked.append((type(source), email))
            return other

        reply = site(jane, choose, {"paths": PATH}).get(PATH)
        assert reply.query["account_id"] == ["42"]
        assert reply.query["auth_url"] == ["https://brand.example/sso/helpdesk"]
        assert asked == [(dict, JANE)]

    def test_callable_helpdesk_may_refuse(self, site):
        """A callable helpdesk that has no account for the visitor refuses like a resolver."""

        def choose(source, email):
            raise HandoffRefused("no_account")

        reply = site(jane, choose, {"paths": PATH}).get(PATH)
        assert reply.status == 403
        assert "no_account" in reply.text

    def test_callable_helpdesk_that_returns_something_else(self, site):
        """What is no HelpDesk is a ResolverError that names its type."""
        with pytest.raises(ResolverError, match="returned NoneType; it must return a HelpDesk"):
            site(jane, lambda source, email: None, {"paths": PATH}).get(PATH)


class TestMethods:
    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "get"])
    def test_without_login_url_other_methods_are_the_apps(self, site, method):
        """Without login_url the application has a route there, and its form posts reach it."""
        reply = site(never).request(method, PATH)
        assert reply.by_app

    @pytest.mark.parametrize("resolve_email", [never, jane])
    def test_post_becomes_get(self, site, resolve_email):
        """A login form answered with 307 ends here: 303 to the same place, resolver not asked."""
        asked = []
        reply = site(lambda source: asked.append(1), options={"login_url": "/login"}).request(
            "POST", PATH, prefix=""
        )
        assert (reply.status, reply["location"], reply.body) == (303, PATH, b"")
        assert asked == []

    def test_post_under_a_mount_becomes_get_of_the_public_path(self, mounted_site):
        """The 303 carries the mount prefix."""
        pages = mounted_site(
            never, make_desk(auth_url="https://app.example.com/app/sso"), {"login_url": "/login"}
        )
        assert pages.request("POST", "/sso", prefix="/app")["location"] == "/app/sso"

    @pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH", "get", "BREW"])
    def test_other_methods_are_not_allowed(self, site, method):
        """With login_url the path is ours alone: 405 with Allow."""
        reply = site(never, options={"login_url": "/login"}).request(method, PATH)
        assert (reply.status, reply["allow"]) == (405, "GET, HEAD, POST")
        assert "method_not_allowed" in reply.text

    @pytest.mark.parametrize("login_url", [None, "/login"])
    def test_head_makes_no_token(self, site, login_url):
        """HEAD is answered 200 without a Location, and the resolver is not asked."""
        reply = site(never, options={"login_url": login_url}).request("HEAD", PATH)
        assert (reply.status, reply.body, reply.all("location"), reply.by_app) == (200, b"", [], False)
        assert reply["content-length"] == "0"


class TestSpeculation:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("Sec-Purpose", "prefetch"),
            ("Sec-Purpose", "prefetch;prerender"),
            ("Sec-Purpose", "prefetch;anonymous-client-ip"),
            ("X-Sec-Purpose", "prefetch"),  # Turbo 8
            ("Purpose", "prefetch"),
            ("Purpose", "Prefetch"),
            ("X-Moz", "prefetch"),
            ("X-Purpose", "preview"),
            ("X-Purpose", "Preview"),
        ],
    )
    def test_speculative_visit_makes_no_token(self, site, name, value):
        """What a browser fetches ahead of time must not use up a token: 403."""
        reply = site(never).get(PATH, headers=[(name, value)])
        assert reply.status == 403
        assert "prefetch" in reply.text

    @pytest.mark.parametrize(
        ("name", "value"), [("Purpose", "document"), ("X-Moz", ""), ("X-Purpose", "instant")]
    )
    def test_other_values_pass(self, site, name, value):
        """A header of that name that says something else changes nothing."""
        assert site(jane).get(PATH, headers=[(name, value)]).is_handoff

    def test_repeated_header_is_read_whole(self, site):
        """The second of two headers of one name counts, too."""
        assert (
            site(never).get(PATH, headers=[("Sec-Purpose", "x"), ("Sec-Purpose", "prefetch")]).status == 403
        )


class TestWebSocket:
    """A browser sends no Sec-Fetch headers with a handshake, and many servers take it for a plain GET."""

    @pytest.mark.parametrize("path", [PATH, "/sso/logout"])
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("Upgrade", "websocket"),
            ("Upgrade", "WebSocket"),
            ("Upgrade", "h2c, websocket"),
            ("Upgrade", "websocket/13"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),  # what is left behind a proxy
        ],
    )
    def test_handshake(self, site, path, name, value):
        """A WebSocket handshake makes no token and ends no session."""
        events = []
        options = {"logout": Logout(never), "on_event": events.append}
        reply = site(never, options=options).get(path, headers=[(name, value)])
        assert reply.status == 403
        assert [(event.outcome, event.reason) for event in events] == [("ignored", "embedded")]

    def test_other_protocol(self, site):
        """An upgrade to another protocol changes nothing: the server may answer as if it were not there."""
        assert site(jane).get(PATH, headers=[("Upgrade", "h2c")]).is_handoff


class TestFetchMetadata:
    @pytest.mark.parametrize(
        ("mode", "dest", "where"),
        [
            ("cors", "empty", "cross-site"),
            ("cors", "empty", "same-origin"),
            ("no-cors", "image", "cross-site"),
            ("no-cors", "", ""),
            ("websocket", "", ""),
            ("navigate", "iframe", "cross-site"),
            ("navigate", "frame", "cross-site"),
            ("navigate", "iframe", ""),
            ("navigate", "iframe", "none"),
            ("navigate", "object", "same-origin"),
            ("navigate", "embed", "same-origin"),
            ("navigate", "fencedframe", "same-origin"),
            ("navigate", "document,image", "same-origin"),
        ],
    )
    def test_fetched_or_embedded_makes_no_token(self, site, mode, dest, where):
        """A script's fetch and a foreign frame are turned away with 403."""
        headers = [("Sec-Fetch-Mode", mode), ("Sec-Fetch-Dest", dest), ("Sec-Fetch-Site", where)]
        reply = site(never).get(PATH, headers=headers)
        assert reply.status == 403
        assert "embedded" in reply.text

    def test_frame_of_an_unknown_site(self, site):
        """A frame without Sec-Fetch-Site is turned away, too."""
        assert site(never).get(PATH, headers=[("Sec-Fetch-Dest", "iframe")]).status == 403

    @pytest.mark.parametrize(
        ("mode", "dest", "where"),
        [
            ("navigate", "document", "cross-site"),
            ("navigate", "document", "none"),
            ("navigate", "empty", "same-origin"),  # through a service worker
            ("same-origin", "empty", "same-origin"),
            ("navigate", "iframe", "same-origin"),
            ("Navigate", "IFrame", "Same-Origin"),
            ("navigate", "Document", "none"),
            ("navigate", "iframe", "same-site"),
            ("navigate", "frame", "same-site"),
            ("navigate", "", ""),
        ],
    )
    def test_navigation_passes(self, site, mode, dest, where):
        """A page opened by a person, also in a frame of the same site, is handed off."""
        headers = [("Sec-Fetch-Mode", mode), ("Sec-Fetch-Dest", dest), ("Sec-Fetch-Site", where)]
        assert site(jane).get(PATH, headers=headers).is_handoff


class TestResolverOutcomes:
    def test_anonymous_goes_to_login(self, site):
        """None and a login_url: 303 there with the way back."""
        reply = site(nobody, options={"login_url": "/login"}).get(PATH)
        assert (reply.status, reply["location"]) == (303, "/login?next=/sso/helpdesk")

    def test_anonymous_without_login_url_is_the_apps(self, site):
        """None and no login_url: the application's own route answers."""
        assert site(nobody).get(PATH).by_app

    @pytest.mark.parametrize("address", [" ", "jane", "jane@example.com ", "jäne@example.com", "a\r\nb@c.de"])
    def test_unacceptable_address(self, site, address):
        """A str that is no address that may be signed: 403, never a login loop."""
        reply = site(lambda source: address, options={"login_url": "/login"}).get(PATH)
        assert reply.status == 403
        assert "invalid_email" in reply.text

    def test_empty_address(self, site):
        """An account without an address: 403 and a page that says so, never a login loop."""
        reply = site(lambda source: "", options={"login_url": "/login"}).get(PATH)
        assert reply.status == 403
        assert "your account has no email address" in reply.text
        assert "Code: no_email<" in reply.text

    @pytest.mark.parametrize("reason", ["email_not_verified", "no_licence", "loop", "prefetch", "a" * 64])
    def test_refused(self, site, reason):
        """HandoffRefused: 403 with the resolver's reason, also if we use that code ourselves."""
        reply = site(raising(HandoffRefused(reason))).get(PATH)
        assert reply.status == 403
        assert f"Code: {reason}<" in reply.text

    def test_unavailable(self, site):
        """ResolverUnavailable: 503 with Retry-After, and nothing of the error's text."""
        reply = site(raising(ResolverUnavailable("ldap://10.0.0.1 refused", retry_after=7))).get(PATH)
        assert (reply.status, reply["retry-after"]) == (503, "7")
        assert "ldap" not in reply.text

    @pytest.mark.parametrize("value", [42, b"jane@example.com", True, ["jane@example.com"], object()])
    def test_something_else(self, site, value):
        """What is neither str nor None is a ResolverError that names its type only."""
        with pytest.raises(ResolverError, match=f"returned {type(value).__name__};") as caught:
            site(lambda source: value).get(PATH)
        assert "jane" not in str(caught.value)

    @pytest.mark.parametrize(
        "error", [KeyError("user"), MiddlewareOrderError("move it"), PermissionError(), SystemExit(3)]
    )
    def test_other_errors_propagate(self, site, error):
        """Any other exception reaches the application's own error handling, the very same object."""
        with pytest.raises(type(error)) as caught:
            site(raising(error)).get(PATH)
        assert caught.value is error


class TestPages:
    @pytest.fixture
    def reply(self, site):
        return site(raising(HandoffRefused("no_licence"))).get(PATH)

    def test_headers_of_a_page(self, reply):
        """A page carries the whole header set."""
        headers = {name.lower(): value for name, value in reply.headers}
        policy = headers.pop("content-security-policy")
        assert headers == {
            "cache-control": "no-store, private",
            "referrer-policy": "no-referrer",
            "x-content-type-options": "nosniff",
            "x-robots-tag": "noindex, nofollow",
            "content-type": "text/html; charset=utf-8",
            "content-length": str(len(reply.body)),
        }
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy

    def test_page_is_self_contained(self, reply):
        """A page is HTML for any screen, has no script and loads nothing."""
        assert reply.text.startswith('<!doctype html><html lang="en"><head><meta charset="utf-8">')
        assert '<meta name="viewport" content="width=device-width,initial-scale=1">' in reply.text
        assert "<script" not in reply.text
        assert "src=" not in reply.text
        assert re.findall(r'href="([^"]*)"', reply.text) == ["/"]

    def test_style_is_the_one_that_the_policy_allows(self, reply):
        """The hash in the Content-Security-Policy is that of the page's style."""
        (style,) = re.findall(r"<style>(.*?)</style>", reply.text)
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        assert f"style-src 'sha256-{digest}'" in reply["content-security-policy"]

    def test_page_of_an_unverified_address(self, site):
        """The reason that the ready-made checks give has a page of its own; any other has the general one."""
        texts = [
            site(raising(HandoffRefused(reason))).get(PATH).text for reason in ("email_not_verified", "x")
        ]
        assert "has not been confirmed" in texts[0]
        assert "may not use the Help Desk" in texts[1]

    def test_reason_out_of_an_enum(self, site):
        """A reason out of a str-Enum counts as its value."""

        class Reason(str, enum.Enum):  # noqa: UP042 - a StrEnum's str() is its value; this one's is not
            NO_LICENCE = "no_licence"

        assert "Code: no_licence<" in site(raising(HandoffRefused(Reason.NO_LICENCE))).get(PATH).text

    def test_link_carries_a_plain_mount_prefix(self, mounted_site):
        """Under a mount the link back leads to the application's start page."""
        pages = mounted_site(raising(HandoffRefused("x")), options={"paths": "/sso"})
        assert 'href="/app/v1.2/"' in pages.get("/sso", prefix="/app/v1.2").text

    @pytest.mark.parametrize(
        "prefix", ["//evil.example", '/"><script>', "/a b", "/javascript:alert(1)", "/\ufffd"]
    )
    def test_link_never_carries_another(self, mounted_site, prefix):
        """A mount prefix that is not plain is not shown; the link leads to /."""
        text = (
            mounted_site(raising(HandoffRefused("x")), options={"paths": "/sso"})
            .get("/sso", prefix=prefix)
            .text
        )
        assert re.findall(r'href="([^"]*)"', text) == ["/"]
        assert "<script" not in text


HOSTILE_PREFIXES = [
    "//evil.example",
    "/\\evil.example",
    "/https://evil.example",
    "/a//b",
    "/%2f",
    "/a b",
    "/a\r\nSet-Cookie: x=y",
    "/\x00",
    "/\ufffd",
    "/\u200b",
    "/a?b",
    "/a#b",
    "/a;b",
    "/..",  # browsers remove dot segments
    "/.",
    "/a/../b",
    "/a/.",
]


class TestHostileMountPrefixes:
    @pytest.mark.parametrize("prefix", HOSTILE_PREFIXES)
    def test_signed_in_visitor_is_handed_off(self, mounted_site, prefix):
        """Nothing of the prefix is in a hand-off, so it does not matter there."""
        reply = mounted_site(jane, options={"paths": "/sso", "login_url": "/login"}).get(
            "/sso", prefix=prefix
        )
        assert reply.is_handoff
        assert "evil" not in reply["location"]

    @pytest.mark.parametrize("prefix", HOSTILE_PREFIXES)
    @pytest.mark.parametrize("login_url", ["/login", "https://id.example/login"])
    def test_no_login_redirect(self, mounted_site, prefix, login_url):
        """A prefix that is not plain is put into no redirect to the login page, nor into its way back."""
        reply = mounted_site(nobody, options={"paths": "/sso", "login_url": login_url}).get(
            "/sso", prefix=prefix
        )
        assert (reply.status, reply.all("location")) == (400, [])
        assert "bad_prefix" in reply.text

    @pytest.mark.parametrize("prefix", HOSTILE_PREFIXES)
    def test_no_redirect_of_a_post(self, mounted_site, prefix):
        """POST is answered 400, resolver not asked."""
        reply = mounted_site(never, options={"paths": "/sso", "login_url": "/login"}).request(
            "POST", "/sso", prefix=prefix
        )
        assert (reply.status, reply.all("location")) == (400, [])

    @pytest.mark.parametrize("prefix", HOSTILE_PREFIXES)
    def test_no_logout_redirect(self, mounted_site, prefix):
        """end_session is not called if the redirect after the logout is impossible."""
        pages = mounted_site(never, options={"logout": Logout(never, path="/bye")})
        assert pages.get("/bye", prefix=prefix).status == 400

    @pytest.mark.parametrize(
        ("prefix", "encoded"),
        [
            ("/a/B9._~-", "/a/B9._~-"),
            ("/.well-known/.../a..b/c.", "/.well-known/.../a..b/c."),
            ("/@acme", "/@acme"),
            ("/\u00e4\u0301/\u0663", "/%C3%A4%CC%81/%D9%A3"),
            ("/\u65e5\u672c", "/%E6%97%A5%E6%9C%AC"),
        ],
    )
    def test_plain_prefixes(self, mounted_site, prefix, encoded):
        """Letters, marks and digits of any alphabet and . _ ~ - @ are plain; they are percent-encoded."""
        pages = mounted_site(nobody, options={"paths": "/sso", "login_url": "/login"})
        way_back = quote(f"{encoded}/sso")
        assert pages.get("/sso", prefix=prefix)["location"] == f"{encoded}/login?next={way_back}"


def test_tracebacks_with_locals(site):
    """An error while the answer is sent does not show the hand-off URL, with local variables either."""
    cookie = ("Cookie", "session=of-jane")

    def fail(status, headers):
        del headers  # as a server would show them, it is not ours to see to
        raise ConnectionError("client is gone")

    async def fail_async(message):
        del message
        raise ConnectionError("client is gone")

    pages = site(jane)
    visits = {
        "wsgi": lambda: pages.middleware(make_environ("GET", PATH, headers=[cookie]), fail),
        "asgi": lambda: asyncio.run(
            pages.middleware(make_scope("GET", PATH, headers=[cookie]), None, fail_async)
        ),
    }
    with pytest.raises(ConnectionError) as caught:
        visits[site.protocol]()
    shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert "Answer(303)" in shown
    assert "token=" not in shown


def test_visit_shows_no_cookies():
    """What the gate passes around does not show the environ or scope."""
    visit = Visit({"HTTP_COOKIE": "session=of-jane"}, "GET", "", PATH, "", {"Cookie": "session=of-jane"})
    assert repr(visit) == "Visit(GET)"


def test_lone_surrogates_in_the_mount_prefix():
    """A server that passes on what is no text gets an answer, too."""
    pages = UnprefixedASGISite(jane, options={"paths": "/sso"})
    assert pages.get("/sso", prefix="/\ud800").is_handoff


def test_events_hold_the_public_path(mounted_site):
    """Event and log name the path as the browser knows it."""
    events: list[SSOEvent] = []
    desk = make_desk(auth_url="https://app.example.com/app/sso")
    mounted_site(jane, desk, {"on_event": events.append}).get("/sso", prefix="/app")
    assert [event.path for event in events] == ["/app/sso"]
