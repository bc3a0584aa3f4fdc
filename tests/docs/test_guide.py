"""The code of examples/README.md runs and does what the guide says."""

from __future__ import annotations

import json
import os
import sys
from unittest import mock

import bottle
import pytest
from paste.deploy import loadapp
from pyramid.security import remember
from starlette.applications import Starlette
from starlette.middleware.sessions import SessionMiddleware

from clients import make_environ
from documents import (
    CALL,
    GUIDE,
    SECRET,
    blocks,
    call_asgi,
    call_wsgi,
    cookie_of_flask,
    cookie_of_starlette,
    cookies_in,
    email_in,
    execute,
    is_over,
    location,
    set_variables,
)
from pytest_options import WITHOUT_OTHERS
from sso_middleware import ConfigError, HandoffRefused, HelpDesk, asgi

pytest_plugins = ["pytester"]

PYTHON = blocks(GUIDE, "python")
TO_LOGIN = "/login?next=/sso/helpdesk"
JANE = {"email": "jane@example.com", "email_verified": True}


@pytest.fixture
def run(monkeypatch):
    """Run the block under a heading as a module, with the settings that the guide asks for."""
    set_variables(monkeypatch)
    return lambda heading: execute(monkeypatch, PYTHON[heading], f"examples/README.md, {heading}")


def user_of(namespace):
    """Return what the login of the block keeps in the session."""
    users = namespace.setdefault("USERS", {"jane": {**JANE}})
    return users.get("jane") or users[7]


def bottle_cookie(namespace):
    value = json.dumps(user_of(namespace))
    app = bottle.Bottle()
    app.route("/", callback=lambda: bottle.response.set_cookie("session", value, secret=SECRET))
    _, headers, _ = call_wsgi(app, "/")
    return dict(headers)["Set-Cookie"].split(";")[0]


def beaker_cookie(namespace):
    def sign_in():
        session = bottle.request.environ["beaker.session"]
        session["user"] = user_of(namespace)
        session.save()

    namespace["app"].route("/sign-in", callback=sign_in)
    _, headers, _ = call_wsgi(namespace["application"], "/sign-in")
    return cookies_in(headers)[0].split(";")[0].strip()


def pyramid_cookie(namespace):
    with namespace["router"].request_context(make_environ("GET", "/")) as request:
        return remember(request, "jane")[0][1].split(";")[0]


def plain_cookie(namespace):
    namespace["SESSIONS"]["abc"] = "jane@example.com"
    return "session=abc"


def user_cookie(namespace):
    return cookie_of_flask(namespace["app"], {"user": user_of(namespace)})


# heading: (protocol, name of the application, the cookie of a signed-in user)
WALKS = {
    "Bottle": ("wsgi", "application", bottle_cookie),
    "Bottle with Beaker": ("wsgi", "application", beaker_cookie),
    "Flask": ("wsgi", "app", lambda namespace: cookie_of_flask(namespace["app"], {"user_id": 7})),
    "Flask-Login": ("wsgi", "app", lambda namespace: cookie_of_flask(namespace["app"], {"_user_id": "jane"})),
    "Pyramid": ("wsgi", "app", pyramid_cookie),
    "Quart": ("asgi", "app", user_cookie),
    "Starlette": ("asgi", "app", lambda namespace: cookie_of_starlette({"user": user_of(namespace)})),
    "Plain WSGI": ("wsgi", "app", plain_cookie),
    "In a route of your own": ("asgi", "app", lambda _: "session=a-session-id"),
    "Falcon": ("wsgi", "app", lambda _: "session=a-session-id"),
    "Litestar": ("asgi", "app", lambda _: "session=a-session-id"),
    "When the login does not follow next": ("wsgi", "app", user_cookie),
}
OTHERS = {
    "A user id in the session",
    "Bearer tokens",
    "Behind an identity-aware proxy",
    "Events and logs",
    "Further claims",
    "Passing query parameters on",
    "Pyramid by INI file",
    "Settings that are read at import",
    "Several accounts",
    "Signed assertions",
    "Test your integration",
}


def test_every_block_is_tried():
    """A new Python block needs a test here."""
    assert PYTHON.keys() == WALKS.keys() | OTHERS


@pytest.mark.parametrize("heading", WALKS)
class TestWiring:
    def test_anonymous(self, run, heading):
        """An anonymous visitor is sent to the login page, with the way back."""
        protocol, name, _ = WALKS[heading]
        status, headers, _ = CALL[protocol](run(heading)[name], "/sso/helpdesk")
        assert (status, location(headers)) == (303, TO_LOGIN)

    def test_signed_in(self, run, heading):
        """A user who is signed in by the framework's own means is handed off under their address."""
        protocol, name, cookie = WALKS[heading]
        namespace = run(heading)
        status, headers, _ = CALL[protocol](namespace[name], "/sso/helpdesk", [("Cookie", cookie(namespace))])
        assert status == 303
        assert email_in(location(headers)) == "jane@example.com"

    def test_unverified(self, run, heading):
        """An address that is not verified is refused, where the application knows the difference."""
        protocol, name, cookie = WALKS[heading]
        namespace = run(heading)
        if "email_verified" in PYTHON[heading]:
            user = user_of(namespace)
            if isinstance(user, dict):
                user["email_verified"] = False
            else:
                user.email_verified = False
            headers = [("Cookie", cookie(namespace))]
            status, _, body = CALL[protocol](namespace[name], "/sso/helpdesk", headers)
            assert status == 403
            assert b"email_not_verified" in body

    def test_logout(self, run, heading):
        """The Logout URL ends the session, where the block answers it."""
        protocol, name, cookie = WALKS[heading]
        namespace = run(heading)
        headers = [("Cookie", cookie(namespace))]
        status, headers, _ = CALL[protocol](namespace[name], "/sso/logout", headers)
        if "Logout(" in PYTHON[heading]:
            assert (status, location(headers)) == (303, "/")
            assert cookies_in(headers)
            assert all(is_over(cookie) for cookie in cookies_in(headers))
        else:
            assert status != 303


def test_bottle_from_login_to_help_desk(run):
    """Bottle's application is complete: Support link, login, and back to the Auth URL."""
    app = run("Bottle")["application"]
    assert b'href="/sso/helpdesk"' in call_wsgi(app, "/")[2]
    assert b"<form" in call_wsgi(app, "/login", query="next=/sso/helpdesk")[2]
    _, headers, _ = call_wsgi(app, "/login", method="POST", query="next=/sso/helpdesk", body=b"name=jane")
    assert location(headers).endswith("/sso/helpdesk")
    cookie = cookies_in(headers)[0].split(";")[0]
    _, headers, _ = call_wsgi(app, "/sso/helpdesk", [("Cookie", cookie)])
    assert email_in(location(headers)) == "jane@example.com"


def test_login_that_lands_on_the_start_page(run):
    """With `resume_at`, a user who lands there after the login is sent on to the Auth URL, once."""
    namespace = run("When the login does not follow next")
    app = namespace["app"]
    _, headers, _ = call_wsgi(app, "/sso/helpdesk")
    pending = cookies_in(headers)[0].split(";")[0]
    signed_in = user_cookie(namespace)
    _, headers, _ = call_wsgi(app, "/", [("Cookie", f"{signed_in}; {pending}")])
    assert location(headers) == "/sso/helpdesk"
    assert is_over(cookies_in(headers)[0])
    assert call_wsgi(app, "/", [("Cookie", signed_in)])[0] == 404


@pytest.mark.parametrize("secret", [[], [("X-Proxy-Secret", "x")], [("X-Proxy-Secret", "")]])
def test_proxy_header_without_the_secret(run, secret):
    """Without the proxy's secret the identity header does not count."""
    headers = [("X-Forwarded-Email", "eve@evil.example"), *secret]
    status, _, body = call_asgi(run("Behind an identity-aware proxy")["app"], "/sso/helpdesk", headers)
    assert status == 403
    assert b"untrusted_proxy" in body


def test_proxy(run):
    """With the secret it does, and an anonymous visitor goes to the proxy's sign-in page."""
    app = run("Behind an identity-aware proxy")["app"]
    _, headers, _ = call_asgi(app, "/sso/helpdesk")
    assert location(headers) == "/oauth2/start?rd=/sso/helpdesk"
    genuine = [("X-Proxy-Secret", SECRET), ("X-Forwarded-Email", "jane@example.com")]
    _, headers, _ = call_asgi(app, "/sso/helpdesk", genuine)
    assert email_in(location(headers)) == "jane@example.com"


def test_assertions(run):
    """Each resolver takes a visitor without its assertion for anonymous, and refuses a forged one."""
    namespace = run("Signed assertions")
    for name, header in [
        ("cloudflare", "CF_ACCESS_JWT_ASSERTION"),
        ("google", "X_GOOG_IAP_JWT_ASSERTION"),
        ("another", "X_ASSERTION"),
    ]:
        environ = make_environ("GET", "/sso/helpdesk")
        assert namespace[name](environ) is None
        with pytest.raises(HandoffRefused, match="assertion_invalid"):
            namespace[name](environ | {f"HTTP_{header}": "forged"})


@pytest.mark.parametrize("heading", [heading for heading in PYTHON if "_SECRET" in PYTHON[heading]])
def test_empty_secret(run, monkeypatch, heading):
    """A secret that is set and empty ends the program, like one that is not set."""
    for name in ("SESSION_SECRET", "PROXY_SECRET"):
        monkeypatch.setenv(name, "")
    with pytest.raises((SystemExit, ConfigError), match=r"_SECRET is not set|secret: must be"):
        run(heading)


@pytest.mark.parametrize(("bearer", "status"), [("the token of a test", 200), ("another", 401)])
def test_bearer(run, bearer, status):
    """The route returns a hand-off URL for the bearer of a token that is valid."""
    app = run("Bearer tokens")["app"]
    answered, _, body = call_asgi(app, "/support", [("Authorization", f"Bearer {bearer}")], method="POST")
    assert answered == status
    if status == 200:
        assert email_in(json.loads(body)["url"]) == "jane@example.com"


@pytest.mark.parametrize(
    ("session", "verified", "outcome"),
    [
        ({}, True, TO_LOGIN),
        ({"user_id": 8}, True, TO_LOGIN),
        ({"user_id": 7}, True, "jane@example.com"),
        ({"user_id": 7}, False, b"email_not_verified"),
    ],
)
def test_user_id(run, session, verified, outcome):
    """The function finds the user whose id is in Starlette's session."""
    namespace = run("A user id in the session")
    user_of(namespace)["email_verified"] = verified
    app = asgi.SSOMiddleware(Starlette(), HelpDesk.from_env(), namespace["resolve_email"], login_url="/login")
    app = SessionMiddleware(app, SECRET)
    status, headers, body = call_asgi(app, "/sso/helpdesk", [("Cookie", cookie_of_starlette(session))])
    if status == 303:
        where = location(headers)
        assert (email_in(where) if "token=" in where else where) == outcome
    else:
        assert outcome in body


def test_several_accounts(run):
    """The account is chosen by the user's address."""
    status, headers, _ = call_wsgi(run("Several accounts")["app"], "/sso/helpdesk")
    assert status == 303
    assert email_in(location(headers)) == "jane@globex.example"


def test_query_parameter(run, monkeypatch):
    """A parameter that is named is appended to the hand-off."""
    monkeypatch.setenv("HELPDESK_FORWARD_PARAMS", "return_page")
    assert run("Passing query parameters on")["url"].endswith("&return_page=%2Ftickets%2F7")


def test_further_claim(run):
    """The claim is in the token, which is still that of the user."""
    assert email_in(run("Further claims")["url"]) == "jane@example.com"


def test_events(run):
    """The hook counts what happens."""
    namespace = run("Events and logs")
    call_wsgi(namespace["app"], "/sso/helpdesk")
    call_wsgi(namespace["app"], "/sso/helpdesk", [("Sec-Purpose", "prefetch")])
    assert namespace["outcomes"] == {("handed_off", None): 1, ("ignored", "prefetch"): 1}


FACTORY = """
import flask
import pytest
from sso_middleware.wsgi import SSOMiddleware


def create_app(helpdesk):
    app = flask.Flask(__name__)
    app.secret_key = "of a test"

    @app.post("/login")
    def login():
        flask.session["name"] = flask.request.form["name"]
        return ""

    def resolve_email(environ):
        session = app.session_interface.open_session(app, app.request_class(environ))
        return f"{session['name']}@EXAMPLE" if "name" in session else None

    app.wsgi_app = SSOMiddleware(app.wsgi_app, helpdesk, resolve_email, login_url="/login")
    return app
"""


@pytest.mark.parametrize(("domain", "outcome"), [("example.com", "passed"), ("example.org", "failed")])
def test_test(pytester, domain, outcome):
    """The test of an integration passes for an application that is right, and fails for another."""
    factory = FACTORY.replace("EXAMPLE", domain)
    pytester.path.joinpath("test_it.py").write_text(f"{factory}\n\n{PYTHON['Test your integration']}")
    pytester.runpytest_inprocess(*WITHOUT_OTHERS).assert_outcomes(**{outcome: 1})


AT_IMPORT = """
import shop


def test_support_link(helpdesk_sandbox):
    assert helpdesk_sandbox.verify(shop.desk.handoff("jane@example.com").url).email == "jane@example.com"
"""


def test_settings_at_import(pytester):
    """An application that reads its settings at import is tested with the account of the fixture."""
    pytester.makepyfile(
        conftest=PYTHON["Settings that are read at import"],
        shop="from sso_middleware import HelpDesk\ndesk = HelpDesk.from_env()\n",
        test_it=AT_IMPORT,
    )
    with mock.patch.dict(os.environ):
        pytester.runpytest_inprocess(*WITHOUT_OTHERS).assert_outcomes(passed=1)


def test_ini_file(run, monkeypatch, tmp_path):
    """The filter of the INI file wraps the application, and asks it who is signed in."""
    site = run("Pyramid")
    project, helpdesk = type(sys)("myproject"), type(sys)("myproject.helpdesk")
    project.main = lambda _global_config, **_settings: site["router"]
    exec(PYTHON["Pyramid by INI file"], vars(helpdesk))
    monkeypatch.setitem(sys.modules, "myproject", project)
    monkeypatch.setitem(sys.modules, "myproject.helpdesk", helpdesk)
    (block,) = blocks(GUIDE, "ini").values()
    ini = tmp_path / "production.ini"
    ini.write_text(block.replace("[app:main]", "[app:main]\npaste.app_factory = myproject:main"))
    app = loadapp(f"config:{ini}")
    status, headers, _ = call_wsgi(app, "/sso/helpdesk")
    assert (status, location(headers)) == (303, TO_LOGIN)
    cookie = ("Cookie", pyramid_cookie(site))
    _, headers, _ = call_wsgi(app, "/sso/helpdesk", [cookie])
    assert email_in(location(headers)) == "jane@example.com"
    status, headers, _ = call_wsgi(app, "/sso/logout", [cookie])
    assert (status, location(headers)) == (303, "/")
    assert cookies_in(headers)
