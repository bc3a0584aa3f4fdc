"""Which requests are taken over: exact equality on decoded text, and nothing else."""

from __future__ import annotations

import asyncio
import hashlib
import io
from wsgiref.validate import check_environ

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from clients import ASGISite, UnprefixedASGISite, WSGISite, jane, make_desk, make_environ, make_scope, nobody
from sso_middleware import ConfigError, Logout, asgi, wsgi

MOUNTED = make_desk(auth_url="https://app.example.com/app/sso", logout_url="https://app.example.com/app/bye")


def bye(source):
    return []


def test_the_validator_stands_in_these_tests():
    """The environ of the tests is valid under PEP 3333, so the validator checks what we do with it."""
    check_environ(make_environ("GET", "/sso", prefix="/app"))


# The table "Paths" of what servers were seen to do: (deployment, path as sent, path, mount prefix).
ASGI_ROWS = [
    ("uvicorn --root-path, prefix stripped by the proxy", "/app/sso", "/app"),
    ("hypercorn, granian, gunicorn asgi, prefix sent", "/app/sso", "/app"),
    ("hypercorn, granian, gunicorn asgi, prefix not sent", "/sso", "/app"),
    ("inside Starlette's Mount", "/app/sso", "/app"),
    ("FastAPI root_path, prefix sent", "/app/sso", "/app"),
    ("FastAPI root_path, prefix not sent", "/sso", "/app"),
    ("no mount at all", "/app/sso", ""),
]
WSGI_ROWS = [
    ("DispatcherMiddleware, gunicorn SCRIPT_NAME, waitress --url-prefix", "/sso", "/app"),
    ("DispatcherMiddleware, mounted exactly there", "", "/app/sso"),
    ("no mount at all", "/app/sso", ""),
]


def asgi_handed_off(site, path, root_path):
    sent = []

    async def send(message):
        sent.append(message)

    asyncio.run(site.middleware(make_scope("GET", path, root_path=root_path), None, send))
    return sent[0]["status"] == 303


def wsgi_handed_off(site, path, script_name):
    return site.request("GET", path, prefix=script_name).status == 303


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


class TestPublicPath:
    """The default: where auth_url points, seen from outside."""

    @pytest.mark.parametrize(
        ("path", "root_path"), [row[1:] for row in ASGI_ROWS], ids=[row[0] for row in ASGI_ROWS]
    )
    def test_asgi(self, path, root_path):
        """It holds however the server presents the mount."""
        assert asgi_handed_off(ASGISite(jane, MOUNTED), path, root_path)

    @pytest.mark.parametrize(
        ("path", "prefix"), [row[1:] for row in WSGI_ROWS], ids=[row[0] for row in WSGI_ROWS]
    )
    def test_wsgi(self, path, prefix):
        """It holds however the server presents the mount."""
        assert wsgi_handed_off(WSGISite(jane, MOUNTED), path, prefix)

    @pytest.mark.parametrize(
        ("path", "root_path"),
        [
            ("/app/app/sso", "/app"),  # uvicorn --root-path, prefix not stripped: it wants it stripped
            ("/sso", ""),
            ("/sso", "/other"),
            ("/apple/sso", "/app"),
            ("/app/sso/", "/app"),
        ],
    )
    def test_asgi_misses(self, path, root_path):
        """Another public path is the application's."""
        assert not asgi_handed_off(ASGISite(jane, MOUNTED), path, root_path)

    @pytest.mark.parametrize(
        ("path", "prefix"), [("/sso", ""), ("/app/sso", "/app"), ("/sso", "/apple"), ("/", "/app/sso")]
    )
    def test_wsgi_misses(self, path, prefix):
        """Another public path is the application's."""
        assert not wsgi_handed_off(WSGISite(jane, MOUNTED), path, prefix)

    def test_url_without_path_is_the_root(self, site):
        """An auth_url without a path points to /."""
        assert site(jane, make_desk(auth_url="https://app.example.com")).get("/").is_handoff

    def test_percent_encoding_in_the_url_is_decoded(self, site):
        """The path of auth_url is compared decoded."""
        desk = make_desk(auth_url="https://app.example.com/%C3%BCber%20uns/s%73o?x=1")
        assert site(jane, desk).get("/über uns/sso").is_handoff
        assert site(jane, desk).get("/%C3%BCber%20uns/s%73o").by_app

    def test_trailing_slash_counts(self, site):
        """/sso/ and /sso are two paths."""
        desk = make_desk(auth_url="https://app.example.com/sso/")
        assert site(jane, desk).get("/sso/").is_handoff
        assert site(jane, desk).get("/sso").by_app


class TestAppRelativePaths:
    """paths=[...]: as one would write them in a route where the middleware sits."""

    @pytest.mark.parametrize("prefix", ["", "/app", "/a/b", "/\u00e4"])
    def test_mount_prefix_plays_no_part(self, mounted_site, prefix):
        """The same path is intercepted under any mount."""
        assert mounted_site(jane, options={"paths": "/sso"}).get("/sso", prefix=prefix).is_handoff

    def test_several(self, mounted_site):
        """Several paths are intercepted, and no other."""
        pages = mounted_site(jane, options={"paths": iter(["/sso", "/support/go", "/"])})
        assert [pages.get(path).is_handoff for path in ("/sso", "/support/go", "/")] == [True] * 3
        assert [pages.get(path).by_app for path in ("/go", "/support", "/support/", "")] == [True] * 4

    def test_auth_url_is_no_longer_intercepted(self, site):
        """With paths given, where auth_url points is the application's."""
        assert site(jane, options={"paths": "/sso"}).get("/sso/helpdesk").by_app

    @pytest.mark.parametrize(
        ("path", "root_path", "hit"),
        [
            ("/app/sso", "/app", True),
            ("/sso", "/app", True),
            ("/apple/sso", "/app", False),
            ("/app/app/sso", "/app", False),
            ("/sso", "/", True),
            ("/sso", "/sso", False),
        ],
    )
    def test_root_path_is_taken_off_on_a_segment_boundary(self, path, root_path, hit):
        """ASGI's path loses root_path as in Starlette's router."""
        assert asgi_handed_off(ASGISite(jane, options={"paths": ["/sso"]}), path, root_path) is hit

    def test_text_beyond_ascii(self, site):
        """A path is text: under WSGI it arrives as a Latin-1 view of UTF-8."""
        assert site(jane, options={"paths": "/hilfe/für-alle"}).get("/hilfe/für-alle").is_handoff


@pytest.mark.parametrize(
    "path",
    [
        "/SSO",
        "//sso",
        "/sso/",
        "/sso;a",
        "/x/../sso",
        "/sso%20",
        "/ss",
        "/ssoo",
        "sso",
        "",
        "/",
        "/sso\x00",
        "/sso?x",
    ],
)
def test_nothing_is_normalised(site, path):
    """What is not the very path goes to the application."""
    assert site(jane, options={"paths": "/sso"}).get(path).by_app


@pytest.mark.parametrize(
    "header", ["Host", "X-Forwarded-Host", "X-Forwarded-Prefix", "X-Forwarded-Uri", "X-Original-Url"]
)
def test_headers_play_no_part(site, header):
    """No header turns another path into an intercepted one."""
    assert site(jane).get("/other", headers=[(header, "/sso/helpdesk")]).by_app


def test_raw_path_plays_no_part():
    """ASGI's raw_path is not looked at."""
    pages = ASGISite(jane)
    scope = make_scope("GET", "/other") | {"raw_path": b"/sso/helpdesk"}
    asyncio.run(pages.middleware(scope, None, _swallow))
    assert pages.calls == 1


async def _swallow(message):
    pass


@pytest.mark.parametrize("path", ["/sso", "/other"])
def test_headers_that_can_be_read_once(path):
    """ASGI only promises an iterable: the resolver and the application see the headers, too."""
    cookies = []

    async def look(scope, *_):
        cookies.append([value for name, value in scope["headers"] if name == b"cookie"])

    middleware = asgi.SSOMiddleware(look, make_desk(), look, paths="/sso")
    scope = make_scope("GET", path, headers=[("Cookie", "session=1")])
    asyncio.run(middleware(scope | {"headers": iter(scope["headers"])}, None, _swallow))
    assert cookies == [[b"session=1"]] * (2 if path == "/sso" else 1)


@pytest.mark.parametrize("prefix", ["", "/app"])
@pytest.mark.parametrize("path", ["/\xe9/sso", "/\u20ac/sso"])
def test_bytes_that_are_no_text_are_the_apps(path, prefix):
    """A PATH_INFO that is not UTF-8, or not Latin-1 as it must be, is never ours."""
    middleware = wsgi.SSOMiddleware(lambda environ, start: ["app"], MOUNTED, jane, paths="/\u00e9/sso")
    environ = make_environ("GET", "/") | {"PATH_INFO": path, "SCRIPT_NAME": prefix}
    assert middleware(environ, None) == ["app"]


@pytest.mark.parametrize("prefix", ["/\xe9", "/\u20ac"])
def test_prefix_that_is_no_text(prefix):
    """A SCRIPT_NAME that is not UTF-8, or not Latin-1 as it must be, is no prefix to redirect to."""
    site = WSGISite(nobody, options={"paths": "/sso", "login_url": "/login"})
    statuses = []
    environ = make_environ("GET", "/sso") | {"SCRIPT_NAME": prefix}
    site.middleware(environ, lambda status, headers: statuses.append(status))
    assert statuses == ["400 Bad Request"]


@given(path=TEXT, prefix=TEXT)
@example(path="/sso", prefix="")
@example(path="so", prefix="/app/s")
def test_no_other_path_is_ever_intercepted(path, prefix):
    """For any path and mount: intercepted exactly if the app-relative path is the configured one."""
    for site in SITES:
        assert site.request("GET", path, prefix=prefix).by_app is (path != "/sso")


SITES = [kind(jane, options={"paths": "/sso"}) for kind in (WSGISite, UnprefixedASGISite)]


@given(cut=st.integers(0, 8), path=TEXT)
def test_no_other_public_path_is_ever_intercepted(cut, path):
    """The default compares prefix + path: cut anywhere, the whole must be auth_url's path."""
    public = "/app/sso"
    for site in PUBLIC_SITES:
        for prefix, rest in [
            (public[:cut], public[cut:]),
            (public[:cut], path),
            (path, public[cut:]),
            (path, "/sso"),
        ]:
            by_app = site.request("GET", rest, prefix=prefix).by_app
            if prefix + rest != public:
                assert by_app
            elif rest.startswith("/"):
                assert not by_app


PUBLIC_SITES = [kind(jane, MOUNTED) for kind in (WSGISite, UnprefixedASGISite)]


def test_relative_path_comes_first(mounted_site):
    """Where paths and logout_url meet under a mount, the path that the application wrote down counts."""
    desk = make_desk(logout_url="https://app.example.com/app/sso")
    pages = mounted_site(jane, desk, {"paths": "/sso", "logout": Logout(bye)})
    assert pages.get("/sso", prefix="/app").is_handoff


class TestPassThrough:
    """What is not intercepted reaches the application as it came."""

    @pytest.mark.parametrize(
        ("kind", "more"),
        [
            ("lifespan", {}),
            ("websocket", {"path": "/sso/helpdesk", "root_path": ""}),
            ("something.new", {"path": "/sso/helpdesk"}),
            ("something.new", {"path": ["of", "another", "kind"], "root_path": ""}),
            ("something.new", {"path": 7, "root_path": "/app"}),
        ],
    )
    def test_other_scopes(self, kind, more):
        """The application gets the same scope, receive and send, and its result comes back."""
        seen = []

        async def app(scope, receive, send):
            seen.extend([scope, receive, send])
            return "its result"

        async def receive():
            pass

        scope = {"type": kind, **more}
        result = asyncio.run(asgi.SSOMiddleware(app, MOUNTED, jane)(scope, receive, _swallow))
        assert result == "its result"
        assert [id(thing) for thing in seen] == [id(scope), id(receive), id(_swallow)]

    def test_asgi_miss(self):
        """The very scope, receive and send."""
        seen = []

        async def app(scope, receive, send):
            seen.extend([scope, receive, send])

        scope = make_scope("GET", "/other")
        before = dict(scope)
        asyncio.run(asgi.SSOMiddleware(app, MOUNTED, jane)(scope, jane, _swallow))
        assert [id(thing) for thing in seen] == [id(scope), id(jane), id(_swallow)]
        assert scope == before

    def test_wsgi_miss(self):
        """The very environ and start_response; the application's iterable comes back untouched."""
        iterable = [b"x"]
        seen = []

        def app(environ, start_response):
            seen.extend([environ, start_response])
            return iterable

        environ = make_environ("GET", "/other")
        before = dict(environ)
        assert wsgi.SSOMiddleware(app, MOUNTED, jane)(environ, jane) is iterable
        assert [id(thing) for thing in seen] == [id(environ), id(jane)]
        assert environ == before

    def test_wsgi_without_path_info(self):
        """PEP 3333 lets an empty PATH_INFO be left out."""
        environ = make_environ("GET", "/")
        del environ["PATH_INFO"], environ["SCRIPT_NAME"]
        assert wsgi.SSOMiddleware(lambda environ, start: ["app"], MOUNTED, jane)(environ, None) == ["app"]

    def test_wsgi_without_script_name(self):
        """It lets an empty SCRIPT_NAME be left out, too."""
        site = WSGISite(jane)
        environ = make_environ("GET", "/sso/helpdesk")
        del environ["SCRIPT_NAME"]
        assert isinstance(site.middleware(environ, lambda status, headers: None), list)
        assert site.calls == 0

    def test_mounted_exactly_at_the_path_without_path_info(self):
        """Then the public path is the mount prefix alone."""
        site = WSGISite(jane)
        environ = make_environ("GET", "", prefix="/sso/helpdesk")
        del environ["PATH_INFO"]
        assert isinstance(site.middleware(environ, lambda status, headers: None), list)
        assert site.calls == 0

    def test_asgi_without_root_path(self):
        """The ASGI specification lets root_path be left out."""
        site = ASGISite(jane)
        scope = make_scope("GET", "/sso/helpdesk")
        del scope["root_path"]
        asyncio.run(site.middleware(scope, None, _swallow))
        assert site.calls == 0

    def test_mounted_exactly_at_a_path_without_script_name(self):
        """An empty PATH_INFO without a SCRIPT_NAME is no intercepted path either."""
        environ = make_environ("GET", "")
        del environ["SCRIPT_NAME"]
        assert wsgi.SSOMiddleware(lambda environ, start: ["app"], MOUNTED, jane)(environ, None) == ["app"]

    def test_upload_streams_through_wsgi(self):
        """10 MB reach the application unread."""
        data = b"0123456789" * 1024 * 1024
        body = io.BytesIO(data)

        def app(environ, start_response):
            assert environ["wsgi.input"].tell() == 0
            return [hashlib.sha256(environ["wsgi.input"].read()).digest()]

        environ = make_environ("POST", "/upload", body=body)
        assert wsgi.SSOMiddleware(app, MOUNTED, jane)(environ, None) == [hashlib.sha256(data).digest()]

    def test_upload_streams_through_asgi(self):
        """10 MB in pieces reach the application one by one, as it asks for them."""
        pieces = [b"0123456789" * 10240 for _ in range(102)]
        asked = []

        async def receive():
            asked.append(1)
            return {
                "type": "http.request",
                "body": pieces[len(asked) - 1],
                "more_body": len(asked) < len(pieces),
            }

        async def app(scope, receive, send):
            assert not asked
            size, more = 0, True
            while more:
                message = await receive()
                size, more = size + len(message["body"]), message["more_body"]
            return size

        scope = make_scope("POST", "/upload")
        assert asyncio.run(asgi.SSOMiddleware(app, MOUNTED, jane)(scope, receive, _swallow)) == 102 * 102400

    def test_body_of_an_intercepted_post_stays_unread(self):
        """The 303 to a POST reads nothing, on either protocol (ASGISite's receive fails the test)."""
        body = io.BytesIO(b"email=x")
        pages = WSGISite(jane, options={"login_url": "/login"})
        pages.middleware(make_environ("POST", "/sso/helpdesk", body=body), lambda *_: None)
        assert body.tell() == 0
        assert ASGISite(jane, options={"login_url": "/login"}).request("POST", "/sso/helpdesk").status == 303


class TestWrongPaths:
    @pytest.mark.parametrize(
        "path",
        [
            "",
            "sso",
            "sso/",
            "/sso?x",
            "/sso#x",
            "/s%73o",
            "/sso\n",
            "/\x00",
            "/\x7f",
            "/\x9f",
            "/\ud800",
            "/a\ufffd",
            "//sso",
            7,
            b"/sso",
            bytearray(b"/sso"),
        ],
    )
    @pytest.mark.parametrize("several", [False, True])
    def test_path(self, site, path, several):
        """A path that could never match, or not safely, is a ConfigError."""
        with pytest.raises(ConfigError, match="paths"):
            site(jane, options={"paths": ["/ok", path] if several else path})

    @pytest.mark.parametrize("path", ["", "bye", "/bye?x", "/bye#x", "/%62ye", "/bye\r", "//bye"])
    def test_logout_path(self, path):
        """The same for the path of a Logout, at once."""
        with pytest.raises(ConfigError, match="path"):
            Logout(bye, path=path)

    @pytest.mark.parametrize(
        "url", ["https://a.example/%0d%0a", "https://a.example/%FF", "https://a.example//evil.example/"]
    )
    @pytest.mark.parametrize("setting", ["auth_url", "logout_url"])
    def test_path_of_a_url(self, site, url, setting):
        """A URL whose decoded path cannot be taken over is a ConfigError that names it."""
        with pytest.raises(ConfigError, match=f"^{setting}: its path"):
            site(jane, make_desk(**{setting: url}), {"logout": Logout(bye)})

    def test_every_wrong_path_is_named(self, site):
        """Several wrong paths are said at once."""
        with pytest.raises(ConfigError) as caught:
            site(jane, options={"paths": ["one", "/two?", "/three", "/three"]})
        problem = caught.value.problems["paths"]
        assert [name in problem for name in ("'one'", "'/two?'", "'/three'")] == [True] * 3

    @pytest.mark.parametrize("paths", [[], (), iter([])])
    def test_none_at_all(self, site, paths):
        """No path is a ConfigError."""
        with pytest.raises(ConfigError, match="paths: is empty"):
            site(jane, options={"paths": paths})

    @pytest.mark.parametrize(
        "options",
        [
            {"paths": ["/a", "/b", "/a"]},
            {"paths": "/login", "login_url": "/login?x=1"},
            {"paths": "/bye", "logout": Logout(bye, path="/bye")},
            {"login_url": "/bye", "logout": Logout(bye, path="/bye")},
            {"login_url": "/sso/helpdesk"},
            {"login_url": "/sso/logout", "logout": Logout(bye)},
            {"logout": Logout(bye, path="/sso/helpdesk")},
        ],
    )
    def test_used_twice(self, site, options):
        """One path with two purposes is a ConfigError."""
        with pytest.raises(ConfigError, match="is already used by"):
            site(jane, options=options)

    @pytest.mark.parametrize(
        ("setting", "options"),
        [
            ("login_url", {"login_url": "https://app.example.com/sso/helpdesk"}),
            ("login_url", {"login_url": "https://app.example.com/sso/help%64esk?a=b"}),
            ("login_url", {"login_url": "HTTPS://App.Example.com:443/sso/helpdesk"}),
            ("logout", {"logout": Logout(bye, then="https://app.example.com/sso/logout")}),
            ("logout", {"logout": Logout(bye, then="/sso/logout?again")}),
            ("logout", {"logout": Logout(bye, path="/bye", then="/bye")}),
        ],
    )
    def test_redirect_to_itself(self, site, setting, options):
        """A redirect that leads back to where it comes from is a ConfigError."""
        with pytest.raises(ConfigError, match=f"^{setting}: .* a redirect loop: .*"):
            site(jane, make_desk(), options)

    def test_logout_on_a_host_of_its_own(self, site):
        """For the Logout URL its own origin counts, and not that of the Auth URL."""
        desk = make_desk(logout_url="https://bye.example.com/")
        assert site(jane, desk, {"logout": Logout(bye, then="https://app.example.com/")}).get("/")
        with pytest.raises(ConfigError, match=r"^logout: .* a redirect loop: .*"):
            site(jane, desk, {"logout": Logout(bye, then="https://bye.example.com/")})

    def test_auth_url_on_a_host_of_its_own(self, site):
        """For the Auth URL its own origin counts, and not that of the Logout URL."""
        desk = make_desk(logout_url="https://bye.example.com/")
        assert site(nobody, desk, {"login_url": "https://bye.example.com/sso/helpdesk"}).get("/sso/helpdesk")
        with pytest.raises(ConfigError, match=r"^login_url: .* a redirect loop: .*"):
            site(nobody, desk, {"login_url": "https://app.example.com/sso/helpdesk"})

    @pytest.mark.parametrize(("logout_url", "then"), [("B.example:80", "b.example"), ("[::1]", "[::1]:80")])
    def test_default_port_of_http(self, site, logout_url, then):
        """Port 80 is http's, as 443 is https's."""
        desk = make_desk(logout_url=f"http://{logout_url}/", allow_http=True)
        with pytest.raises(ConfigError, match=r"^logout: .* a redirect loop: .*"):
            site(jane, desk, {"logout": Logout(bye, then=f"http://{then}/")})

    @pytest.mark.parametrize(
        "options",
        [
            {"login_url": "https://id.example.com/sso/helpdesk"},
            {"login_url": "https://app.example.com:8443/sso/helpdesk"},
            {"login_url": "http://app.example.com:443/sso/helpdesk"},
            {"login_url": "https://app.example.com/sso/helpdesk", "paths": "/sso/helpdesk"},  # under a mount
            {"login_url": "https://app.example.com/login", "logout": Logout(bye, then="/sso/helpdesk")},
            {"logout": Logout(bye, then="https://id.example.com/sso/logout")},
            {"logout": Logout(bye, path="/bye", then="https://app.example.com/bye")},  # under a mount
        ],
    )
    def test_redirect_elsewhere(self, site, options):
        """What may lead elsewhere is none of that."""
        assert site(jane, make_desk(), options).get("/sso/helpdesk").is_handoff

    def test_auth_url_and_logout_url_at_one_path(self, site):
        """The same with the two registered URLs."""
        with pytest.raises(ConfigError, match="logout_url: '/sso/helpdesk' is already used by auth_url"):
            site(jane, make_desk(logout_url="https://app.example.com/sso/helpdesk"), {"logout": Logout(bye)})

    def test_callable_helpdesk_needs_paths(self, site):
        """Without a HelpDesk there is no auth_url to take the path from."""
        with pytest.raises(ConfigError, match="paths: must be set"):
            site(jane, lambda source, email: MOUNTED)

    def test_callable_helpdesk_with_logout_needs_its_path(self, site):
        """Nor is there a logout_url."""
        with pytest.raises(ConfigError, match="logout: has no path: set logout_url"):
            site(jane, lambda source, email: MOUNTED, {"paths": "/sso", "logout": Logout(bye)})

    def test_logout_without_logout_url_needs_its_path(self, site):
        """The same with a HelpDesk that has none."""
        with pytest.raises(ConfigError, match="logout: has no path: set logout_url"):
            site(jane, make_desk(logout_url=None), {"logout": Logout(bye)})
