"""Login and the way back; logout; the loop breaker."""

from __future__ import annotations

import enum
import re
import time
from urllib.parse import quote_plus

import pytest

from clients import DESK, JANE, jane, make_desk, nobody
from sso_middleware import ConfigError, Logout, ResolverError, expire_cookies
from sso_middleware.gate.cookies import count_handoff

PATH = "/sso/helpdesk"


class TestLogin:
    @pytest.mark.parametrize(
        ("login_url", "location"),
        [
            ("/login", "/login?next=/sso/helpdesk"),
            ("/login?theme=dark", "/login?theme=dark&next=/sso/helpdesk"),
            ("/login?", "/login?next=/sso/helpdesk"),
            ("/login?to=what?", "/login?to=what?&next=/sso/helpdesk"),
            ("/login#form", "/login?next=/sso/helpdesk#form"),
            ("/", "/?next=/sso/helpdesk"),
            (
                "https://id.example/login?app=7",
                "https://id.example/login?app=7&next=https%3A%2F%2Fapp.example.com%2Fsso%2Fhelpdesk",
            ),
            ("http://id.example", "http://id.example?next=https%3A%2F%2Fapp.example.com%2Fsso%2Fhelpdesk"),
        ],
    )
    def test_location(self, site, login_url, location):
        """login_url keeps its query and gains the way back: relative inside the site, else absolute."""
        assert site(nobody, options={"login_url": login_url}).get(PATH)["location"] == location

    def test_next_param(self, site):
        """The parameter's name can be chosen."""
        reply = site(nobody, options={"login_url": "/login", "next_param": "return to"}).get(PATH)
        assert reply["location"] == "/login?return%20to=/sso/helpdesk"

    def test_mount_prefix(self, mounted_site):
        """An app-relative login_url and the way back carry the mount prefix."""
        pages = mounted_site(nobody, options={"login_url": "/login", "paths": "/sso"})
        assert pages.get("/sso", prefix="/app")["location"] == "/app/login?next=/app/sso"

    def test_mount_prefix_with_login_elsewhere(self, mounted_site):
        """An absolute login_url gets the mount prefix in the way back alone."""
        pages = mounted_site(nobody, options={"login_url": "https://id.example/", "paths": "/sso"})
        assert pages.get("/sso", prefix="/app").query == {"next": ["https://app.example.com/app/sso"]}

    def test_port_of_auth_url(self, site):
        """The origin of the way back is auth_url's, port included."""
        desk = make_desk(auth_url="http://localhost:8000/sso/helpdesk")
        reply = site(nobody, desk, {"login_url": "https://id.example/"}).get(PATH)
        assert reply.query == {"next": ["http://localhost:8000/sso/helpdesk"]}

    def test_path_beyond_ascii(self, site):
        """The way back is a URL reference: what is not allowed in one is percent-encoded, once."""
        reply = site(nobody, options={"login_url": "/login", "paths": "/für alle/50&x"}).get("/für alle/50&x")
        assert reply.query == {"next": ["/f%C3%BCr%20alle/50&x"]}

    def test_nothing_of_the_request(self, site):
        """Host and query of the request are not in the redirect."""
        reply = site(nobody, options={"login_url": "/login"}).get(
            PATH,
            query="next=//evil.example",
            headers=[("Host", "evil.example"), ("X-Forwarded-Host", "evil.example")],
        )
        assert reply["location"] == "/login?next=/sso/helpdesk"

    @pytest.mark.parametrize(
        "login_url",
        [
            "",
            "login",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/log in",
            "/login\r\nX: y",
            "/\x00",
            "javascript:alert(1)",
            "data:text/html,x",
            "ftp://id.example/",
            "https:",
            "https:///login",
            "https:id.example",
            "/anmeldung-für-alle",
            "http://[::1",
            "http://[::1].evil.example/",
            "https://id.example%2eevil.example/",
            "https://id.example:99999/",
            "https://id.example:x/",
            7,
            b"/login",
        ],
    )
    def test_wrong_login_url(self, site, login_url):
        """Anything but an app-relative path or an absolute http(s) URL is a ConfigError."""
        with pytest.raises(ConfigError, match=r"login_url: (must|is|contains)"):
            site(nobody, options={"login_url": login_url})

    @pytest.mark.parametrize("next_param", ["next", "return to"])
    @pytest.mark.parametrize("login_url", ["/login?a&{}=/", "https://id.example/login?{}", "/login?{}=#next"])
    def test_login_url_with_a_way_back_of_its_own(self, site, login_url, next_param):
        """If there were two, applications would differ in which one they use."""
        options = {"login_url": login_url.format(quote_plus(next_param)), "next_param": next_param}
        with pytest.raises(ConfigError, match=f"^login_url: already has '{next_param}' in its query"):
            site(nobody, options=options)

    def test_login_url_with_a_similar_parameter(self, site):
        """Names are compared whole, in the query alone."""
        options = {"login_url": "/next?nexts=1&a=next&Next=2#next=3"}
        assert (
            site(nobody, options=options).get(PATH)["location"].endswith("&Next=2&next=/sso/helpdesk#next=3")
        )

    def test_absolute_login_url_and_callable_helpdesk(self, site):
        """Without a HelpDesk the way back would have no origin."""
        with pytest.raises(ConfigError, match="login_url: must be app-relative"):
            site(nobody, lambda source, email: DESK, {"paths": "/sso", "login_url": "https://id.example/"})

    @pytest.mark.parametrize("next_param", ["", None, 7, ["next"], "a\r\nb", "\ud800"])
    def test_wrong_next_param(self, site, next_param):
        """The parameter must have a name."""
        with pytest.raises(ConfigError, match="next_param"):
            site(nobody, options={"next_param": next_param})


class TestLogout:
    def end_session(self, source):
        self.source = source
        return [
            ("Set-Cookie", "session=; Max-Age=0"),
            ("Set-Cookie", "user=; Max-Age=0"),
            ("Clear-Site-Data", '"*"'),
        ]

    def never(self, source):
        raise AssertionError("end_session was called")

    @pytest.mark.parametrize("resolve_email", [jane, nobody])
    def test_session_is_ended(self, site, resolve_email):
        """The Logout URL ends the session and sends the visitor on, also an anonymous one."""
        reply = site(resolve_email, options={"logout": Logout(self.end_session)}).get("/sso/logout")
        assert (reply.status, reply["location"], reply.body) == (303, "/", b"")
        assert reply.all("set-cookie") == ["session=; Max-Age=0", "user=; Max-Age=0"]
        assert reply["clear-site-data"] == '"*"'
        assert reply["cache-control"] == "no-store, private"
        assert isinstance(self.source, dict)

    @pytest.mark.parametrize(
        ("then", "location"),
        [
            ("/", "/app/"),
            ("/bye?x=1", "/app/bye?x=1"),
            ("https://www.example.com/", "https://www.example.com/"),
        ],
    )
    def test_then(self, mounted_site, then, location):
        """`then` is app-relative or absolute; the session is ended all the same."""
        pages = mounted_site(jane, options={"logout": Logout(self.end_session, path="/out", then=then)})
        reply = pages.get("/out", prefix="/app")
        assert reply["location"] == location
        assert reply.all("set-cookie") == ["session=; Max-Age=0", "user=; Max-Age=0"]

    def test_absolute_then_needs_no_prefix(self, mounted_site):
        """With an absolute `then` the mount prefix is in no redirect, so it may be anything."""
        pages = mounted_site(
            jane, options={"logout": Logout(self.end_session, path="/out", then="https://a.example/")}
        )
        assert pages.get("/out", prefix="//evil.example")["location"] == "https://a.example/"

    def test_public_path(self, mounted_site):
        """By default it is where logout_url points, seen from outside."""
        desk = make_desk(logout_url="https://app.example.com/app/out")
        pages = mounted_site(jane, desk, {"logout": Logout(self.end_session)})
        assert pages.get("/out", prefix="/app")["location"] == "/app/"

    def test_without_logout_the_path_is_the_apps(self, site):
        """An application with a route of its own keeps it."""
        assert site(jane).get("/sso/logout").by_app

    @pytest.mark.parametrize("method", ["POST", "PUT", "OPTIONS"])
    @pytest.mark.parametrize("login_url", [None, "/login"])
    def test_other_methods(self, site, method, login_url):
        """405, whether or not there is a login_url; the session stays."""
        reply = site(jane, options={"logout": Logout(self.never), "login_url": login_url}).request(
            method, "/sso/logout"
        )
        assert (reply.status, reply["allow"]) == (405, "GET, HEAD")

    def test_head(self, site):
        """HEAD ends nothing."""
        reply = site(jane, options={"logout": Logout(self.never)}).request("HEAD", "/sso/logout")
        assert (reply.status, reply.body) == (200, b"")

    @pytest.mark.parametrize(
        "header", [("Sec-Purpose", "prefetch"), ("Sec-Fetch-Mode", "no-cors"), ("Sec-Fetch-Dest", "image")]
    )
    def test_speculative_or_embedded(self, site, header):
        """Neither does a prefetch or an image on a foreign page."""
        assert (
            site(jane, options={"logout": Logout(self.never)}).get("/sso/logout", headers=[header]).status
            == 403
        )

    @pytest.mark.parametrize("where", ["same-origin", "same-site", "cross-site", "none", ""])
    @pytest.mark.parametrize("destination", ["iframe", "frame", "embed", "object", "fencedframe", "IFrame"])
    def test_frame(self, site, destination, where):
        """No frame ends the session, not even the site's own: a sibling origin could hide one."""
        headers = [
            ("Sec-Fetch-Mode", "navigate"),
            ("Sec-Fetch-Dest", destination),
            ("Sec-Fetch-Site", where),
        ]
        reply = site(jane, options={"logout": Logout(self.never)}).get("/sso/logout", headers=headers)
        assert reply.status == 403
        assert "embedded" in reply.text

    def test_error_propagates(self, site):
        """What end_session raises reaches the application's error handling."""
        with pytest.raises(AssertionError, match="end_session was called"):
            site(jane, options={"logout": Logout(self.never)}).get("/sso/logout")

    @pytest.mark.parametrize(
        "name",
        [
            "transfer-encoding",
            "Connection",
            "Content-Encoding",
            "Refresh",
            "Status",
            "Content-Type",
            "Content-Security-Policy",
        ],
    )
    def test_headers_of_another_response(self, site, name):
        """Headers about a body or the connection are left out, as of a whole response passed on."""
        end_session = [("Set-Cookie", "a=b"), (name, "chunked")]
        reply = site(jane, options={"logout": Logout(lambda source: end_session)}).get("/sso/logout")
        assert "chunked" not in reply.all(name)
        assert reply["set-cookie"] == "a=b"

    def test_our_headers_win(self, site):
        """A header that the answer sets itself is not taken from end_session."""

        def end_session(source):
            return [
                ("location", "https://evil.example/"),
                ("Cache-Control", "public"),
                ("Content-Length", "9"),
            ]

        reply = site(jane, options={"logout": Logout(end_session)}).get("/sso/logout")
        assert (reply["location"], reply["cache-control"], reply["content-length"]) == (
            "/",
            "no-store, private",
            "0",
        )

    @pytest.mark.parametrize(
        "returned",
        [
            None,
            7,
            "Set-Cookie",
            {"Set-Cookie": "x=y"},
            [("Set-Cookie",)],
            [("a", "b", "c")],
            [("Set-Cookie", b"x")],
            [(b"Set-Cookie", "x")],
            [("Set Cookie", "x")],
            [("", "x")],
            [("X", "a\r\nSet-Cookie: evil=1")],
            [("X", "\x00")],
            [("X", "\u20ac")],
            [("X\n", "y")],
            [None],
        ],
    )
    def test_unusable_headers(self, site, returned):
        """What cannot be sent as headers is a ResolverError."""
        with pytest.raises(ResolverError, match="end_session must return"):
            site(jane, options={"logout": Logout(lambda source: returned)}).get("/sso/logout")

    def test_string_subclasses_and_empty_values(self, site):
        """Headers of str subclasses are sent as plain strings; an empty value is a value."""

        class Text(str):
            __slots__ = ()

        end_session = [(Text("Set-Cookie"), Text("a=b")), ("X-Empty", "")]
        reply = site(jane, options={"logout": Logout(lambda source: end_session)}).get("/sso/logout")
        assert (reply["set-cookie"], reply["x-empty"]) == ("a=b", "")
        assert {type(text) for header in reply.headers for text in header} == {str}

    def test_generator(self, site):
        """Any iterable of pairs will do; an error inside a generator stays what it is."""

        def good(source):
            yield "Set-Cookie", "a=b"

        def bad(source):
            yield "Set-Cookie", "a=b"
            raise TypeError("in the generator")

        assert site(jane, options={"logout": Logout(good)}).get("/sso/logout")["set-cookie"] == "a=b"
        with pytest.raises(TypeError, match="in the generator"):
            site(jane, options={"logout": Logout(bad)}).get("/sso/logout")

    def test_enum_settings(self, site):
        """Settings out of a str-Enum count as their values."""

        class Where(str, enum.Enum):  # noqa: UP042 - a StrEnum's str() is its value; this one's is not
            OUT = "/out"
            THEN = "https://www.example.com/"

        pages = site(jane, options={"logout": Logout(self.end_session, path=Where.OUT, then=Where.THEN)})
        assert pages.get("/out")["location"] == "https://www.example.com/"
        login = site(nobody, options={"login_url": Where.THEN, "paths": [Where.OUT]}).get("/out")
        assert login["location"].startswith("https://www.example.com/?next=")

    @pytest.mark.parametrize(
        "then", ["", "bye", "//evil.example", "/\\x", "javascript:x", "/a b", "/ü", None]
    )
    def test_wrong_then(self, then):
        """`then` obeys the rules of login_url."""
        with pytest.raises(ConfigError, match=r"^Logout\(then\): "):
            Logout(jane, then=then)

    def test_every_problem_is_named(self):
        """All that is wrong with a Logout is said at once."""
        with pytest.raises(ConfigError) as caught:
            Logout(None, path="x", then="y")
        assert caught.value.problems.keys() == {"Logout(end_session)", "Logout(path)", "Logout(then)"}

    def test_options_are_keyword_only(self):
        """Nobody takes `path` for `then`."""
        with pytest.raises(TypeError):
            Logout(jane, "/bye")

    def test_not_a_logout(self, site):
        """The end_session alone is not enough."""
        with pytest.raises(ConfigError, match="logout: must be a Logout"):
            site(jane, options={"logout": self.end_session})


class TestExpireCookies:
    def test_headers(self):
        """Each cookie is expired with the Path and Domain it was set with."""
        end_session = expire_cookies("session", "user", path="/app", domain="example.com")
        assert [name for name, _ in end_session({})] == ["Set-Cookie", "Set-Cookie"]
        first = end_session({})[0][1]
        assert first.startswith("session=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0;")
        assert "; Domain=example.com; Path=/app; HttpOnly; SameSite=Lax" in first
        assert "Secure" not in first

    @pytest.mark.parametrize(
        "name", ["__Host-session", "__Secure-session", "__Http-session", "__Host-Http-session"]
    )
    def test_prefixed_names(self, name):
        """Browsers want Secure in a Set-Cookie for these names, also to delete them."""
        assert expire_cookies(name)({})[0][1].endswith("; Secure")

    @pytest.mark.parametrize("name", ["session", "__Host-session"])
    def test_partitioned(self, name):
        """A Partitioned cookie is only expired by one that is Partitioned, and therefore Secure."""
        ((_, cookie),) = expire_cookies(name, partitioned=True)({})
        assert cookie.endswith("; SameSite=Lax; Secure; Partitioned")

    def test_each_call_gives_a_list_of_its_own(self):
        """A header added for one visitor is not sent to the next."""
        end_session = expire_cookies("session")
        end_session({}).append(("Set-Cookie", "user=jane"))
        assert len(end_session({})) == 1

    def test_at_work(self, site):
        """It is an end_session on both protocols."""
        reply = site(jane, options={"logout": Logout(expire_cookies("session"))}).get("/sso/logout")
        assert reply["set-cookie"].startswith("session=; ")

    @pytest.mark.parametrize(
        ("names", "options"),
        [
            (("__Host-a",), {"path": "/app"}),
            (("__host-a",), {"domain": "example.com"}),
            ((), {}),
            (("",), {}),
            (("a b",), {}),
            (("a;b",), {}),
            (("a\r\n",), {}),
            ((7,), {}),
            (("a",), {"path": "/;x"}),
            (("a",), {"path": ""}),
            (("a",), {"path": None}),
            (("a",), {"path": "app"}),
            (("a",), {"domain": "a\nb"}),
            (("a",), {"domain": 7}),
            (("a",), {"domain": "app example"}),
            (("a",), {"partitioned": "no"}),
        ],
    )
    def test_wrong(self, names, options):
        """What cannot stand in a cookie is a ConfigError."""
        with pytest.raises(ConfigError, match="expire_cookies"):
            expire_cookies(*names, **options)


class Browser:
    """Keeps the loop cookie between visits, as a browser does."""

    def __init__(self, pages, path=PATH, **request):
        self.pages, self.path, self.request, self.cookie = pages, path, request, None

    def visit(self, cookie=None):
        sent = cookie or self.cookie
        reply = self.pages.get(
            self.path, headers=[("Cookie", f"a=b; {sent}; c=d")] if sent else [], **self.request
        )
        (header,) = reply.all("set-cookie")
        self.cookie, *self.attributes = header.split("; ")
        if "Max-Age=0" in self.attributes:
            self.cookie = None
        return reply


class TestLoop:
    def test_the_eighth_within_20_seconds(self, site):
        """Seven hand-offs pass, the eighth is 409 without a token, then counting starts again."""
        browser = Browser(site(jane))
        assert [browser.visit().status for _ in range(7)] == [303] * 7
        reply = browser.visit()
        assert (reply.status, reply.all("location")) == (409, [])
        assert "Code: loop<" in reply.text
        assert "For the people who run this site: The Help Desk does not seem to accept" in reply.text
        assert browser.cookie is None
        assert [browser.visit().status for _ in range(8)] == [303] * 7 + [409]

    def test_cookie(self, mounted_site):
        """The count is a short-lived host-only cookie of the intercepted path."""
        desk = make_desk(auth_url="https://app.example.com/app/sso")
        browser = Browser(mounted_site(jane, desk), "/sso", prefix="/app")
        browser.visit()
        assert re.fullmatch(r"sso_handoffs=\d+\.1", browser.cookie)
        assert browser.attributes == ["Max-Age=20", "Path=/app/sso", "HttpOnly", "SameSite=Lax", "Secure"]

    def test_secure_in_any_spelling(self, site):
        """HTTPS:// is https."""
        browser = Browser(site(jane, make_desk(auth_url="HTTPS://app.example.com/sso/helpdesk")))
        browser.visit()
        assert browser.attributes[-1] == "Secure"

    def test_first_of_two_cookies_counts(self, site):
        """Browsers send the cookie of the longer path first: that one counts, on both protocols alike."""
        now = int(time.time())
        for first, status in ((7, 409), (1, 303)):
            other = f"sso_handoffs={now}.{8 - first}"
            for headers in (
                [("Cookie", f"sso_handoffs={now}.{first}; {other}")],
                [("Cookie", f"sso_handoffs={now}.{first}"), ("Cookie", other)],
            ):
                assert site(jane).get(PATH, headers=headers).status == status

    @pytest.mark.parametrize(("after", "counted"), [(0, None), (20, None), (21, "121.1"), (-1, "99.1")])
    def test_window_to_the_second(self, after, counted):
        """The eighth is a loop up to and including 20 seconds after the first."""
        assert count_handoff("sso_handoffs=100.7", 100 + after) == counted

    def test_cookies_in_several_headers(self, site):
        """HTTP/2 may split cookies over several headers (RFC 9113, section 8.2.3)."""
        headers = [("Cookie", "a=b"), ("Cookie", f"sso_handoffs={int(time.time())}.7"), ("Cookie", "c=d")]
        assert site(jane).get(PATH, headers=headers).status == 409

    def test_other_cookies_are_not_parsed(self, site):
        """A hostile cookie of another name costs no more than its length."""
        hostile = 'x="' + "\\" * 60_000 + '"'
        started = time.process_time()
        reply = site(jane).get(PATH, headers=[("Cookie", f"{hostile}; sso_handoffs={int(time.time())}.7")])
        assert reply.status == 409
        assert time.process_time() - started < 5  # it took 14 seconds where a cookie parser unquoted it

    def test_not_secure_over_http(self, site):
        """Secure exactly when auth_url is https: a browser would drop it on http."""
        browser = Browser(site(jane, make_desk(auth_url="http://localhost:8000/sso/helpdesk")))
        browser.visit()
        assert browser.attributes == ["Max-Age=20", "Path=/sso/helpdesk", "HttpOnly", "SameSite=Lax"]
        assert [browser.visit().status for _ in range(7)] == [303] * 6 + [409]

    def test_path_that_would_break_the_cookie(self, site):
        """No character of the path ends the Path attribute."""
        browser = Browser(site(jane, options={"paths": "/a; Domain=evil, é"}), "/a; Domain=evil, é")
        browser.visit()
        assert browser.attributes[1] == "Path=/a%3B%20Domain=evil,%20%C3%A9"

    @pytest.mark.parametrize("age", [0, 1, 19])
    def test_within_the_window(self, site, age):
        """An eighth hand-off up to 20 seconds after the first is a loop."""
        assert Browser(site(jane)).visit(f"sso_handoffs={int(time.time()) - age}.7").status == 409

    @pytest.mark.parametrize("age", [22, 3600, -5])
    def test_outside_the_window(self, site, age):
        """Outside these seconds, later or (if a clock is off) before, counting starts again."""
        browser = Browser(site(jane))
        assert browser.visit(f"sso_handoffs={int(time.time()) - age}.7").status == 303
        assert browser.cookie.endswith(".1")

    @pytest.mark.parametrize(
        "value",
        [
            "",
            "x",
            "1",
            ".7",
            "NOW.8",
            "NOW.0",
            "NOW.77",
            "NOW.-1",
            "NOW.7.7",
            "NOW.\u0667",
            '"NOW.7',
            "9" * 400 + ".7",
            "\xff",
        ],
    )
    def test_odd_cookies_count_as_absent(self, site, value):
        """A cookie with any other value does not break or block the hand-off."""
        value = value.replace("NOW", str(int(time.time())))
        value = value.encode().decode("latin-1")
        browser = Browser(site(jane))
        assert browser.visit(f"sso_handoffs={value}").status == 303
        assert browser.cookie.endswith(".1")

    def test_each_path_counts_for_itself(self, site):
        """The cookie's Path keeps two intercepted paths apart."""
        pages = site(jane, options={"paths": ["/a", "/b"]})
        for path in ("/a", "/b"):
            browser = Browser(pages, path)
            browser.visit()
            assert f"Path={path}" in browser.attributes

    def test_no_cookie_without_a_hand_off(self, site):
        """A visitor on the way to login, or refused, gets none."""
        assert site(nobody, options={"login_url": "/login"}).get(PATH).all("set-cookie") == []
        assert site(lambda source: "x").get(PATH).all("set-cookie") == []

    def test_address_is_on_no_page(self, site):
        """The loop page does not show who was sent back."""
        reply = Browser(site(jane)).visit(f"sso_handoffs={int(time.time())}.7")
        assert JANE not in reply.text
