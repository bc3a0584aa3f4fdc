"""`resolvers.bottle`, with a real Bottle application, Beaker's sessions and signed cookies."""

from __future__ import annotations

import hashlib
import json

import pytest
from beaker.middleware import SessionMiddleware
from bottle import BaseResponse, Bottle, request, response

from browsing import JOE, protect_wsgi, visit, wsgi_browser
from clients import JANE, make_environ, make_scope
from signing_in import SigningIn
from sso_middleware import ConfigError, HandoffRefused, MiddlewareOrderError, ResolverError
from sso_middleware.resolvers.bottle import beaker_session_email, signed_cookie_email

SECRET = "a cookie secret"
USERS = {
    "jane": {"email": JANE, "email_verified": True},
    "joe": {"email": JOE, "email_verified": False},
    "blank": {"email": "", "email_verified": True},
}


def make_app():
    app = Bottle()

    @app.get("/login/<name>")
    def log_in(name):
        session = request.environ["beaker.session"]
        session["user"] = USERS[name]
        session.save()
        response.set_cookie("user", json.dumps(USERS[name]), secret=SECRET, path="/")
        response.set_cookie("email", USERS[name]["email"], secret=SECRET, path="/")

    @app.get("/logout")
    def log_out():
        request.environ["beaker.session"].delete()
        response.delete_cookie("user", path="/")
        response.delete_cookie("email", path="/")

    return app


def by_session():
    return beaker_session_email("user", "email", verified="email_verified")


def by_cookie():
    return signed_cookie_email("user", SECRET, verified="email_verified")


def by_address():
    known = {user["email"]: user["email_verified"] for user in USERS.values()}
    return signed_cookie_email("email", SECRET, verified=known.get)


OPTIONS = {"session.type": "memory", "session.secret": "a session secret", "session.key": "sid"}
each_resolver = pytest.mark.parametrize(
    ("resolver", "cookie"),
    [(by_session, "sid"), (by_cookie, "user"), (by_address, "email")],
    ids=["session", "cookie", "address"],
)


def browse(resolver):
    return wsgi_browser(SessionMiddleware(protect_wsgi(make_app(), resolver()), OPTIONS))


@each_resolver
class TestSigningIn(SigningIn):
    @pytest.fixture
    def browser(self, resolver, cookie):
        return browse(resolver)


@pytest.mark.parametrize("value", [JANE, f'"{JANE}"', "!", "!?", f"!{JANE}?{JANE}", ""])
def test_unsigned_cookie(value):
    """A cookie that nobody has signed is an anonymous visitor's."""
    browser = browse(by_address)
    assert visit(browser, headers={"Cookie": f"email={value}"}) == "login"


def test_cookie_of_another_name():
    """A signed value is valid only in the cookie that it was signed for."""
    browser = browse(by_cookie)
    browser.get("/login/jane")
    assert visit(wsgi_browser(protect_wsgi(make_app(), by_cookie()))) == "login"
    value = browser.cookies["email"]
    assert visit(browse(by_cookie), headers={"Cookie": f"user={value}"}) == "login"


@pytest.mark.filterwarnings("ignore:Warning. Use of deprecated feature:DeprecationWarning")
def test_pickled_mapping():
    """What an older application has pickled into its cookie counts as well."""
    browser = browse(by_cookie)
    cookie = BaseResponse()
    cookie.set_cookie("user", USERS["jane"], secret=SECRET)
    (header,) = [value for name, value in cookie.headerlist if name == "Set-Cookie"]
    assert visit(browser, headers={"Cookie": header}) == JANE


def test_address_that_looks_like_json():
    """An address may begin with a brace."""
    browser = browse(lambda: signed_cookie_email("user", SECRET, verified=True))
    cookie = BaseResponse()
    cookie.set_cookie("user", "{jane}@example.com", secret=SECRET)
    (header,) = [value for name, value in cookie.headerlist if name == "Set-Cookie"]
    assert visit(browser, headers={"Cookie": header}) == "{jane}@example.com"


def test_environ_is_only_read():
    """Bottle's notes on what it has read do not end up in the environ."""
    environ = make_environ("GET", "/", headers=[("Cookie", f"email={JANE}")])
    before = {**environ}
    assert by_address()(environ) is None
    assert environ == before


def test_anonymous_visit_makes_no_session():
    """Asking for an anonymous visitor's session sets no cookie."""
    browser = browse(by_session)
    visit(browser)
    assert "sid" not in browser.cookies


@pytest.mark.parametrize("secret", ["", b"", None, 7], ids=repr)
def test_empty_secret(secret):
    """Without a secret Bottle believes any cookie, so that is a ConfigError."""
    with pytest.raises(ConfigError, match="secret: must be"):
        signed_cookie_email("user", secret, verified=True)


def test_secret_of_bytes():
    """The secret may be bytes, as in Bottle."""
    browser = wsgi_browser(
        SessionMiddleware(
            protect_wsgi(make_app(), signed_cookie_email("user", SECRET.encode(), verified=True)), OPTIONS
        )
    )
    browser.get("/login/jane")
    assert visit(browser) == JANE


def test_wrong_order():
    """Beaker inside is an error that says how to wrap; wrapped so, it works."""
    app = make_app()
    inside = wsgi_browser(protect_wsgi(SessionMiddleware(app, OPTIONS), by_session()))
    inside.get("/login/jane")
    with pytest.raises(MiddlewareOrderError) as caught:
        visit(inside)
    assert "app = SSOMiddleware(app, ...), then app = SessionMiddleware(app, ...)" in str(caught.value)
    app = protect_wsgi(app, by_session())
    app = SessionMiddleware(app, OPTIONS)
    outside = wsgi_browser(app)
    outside.get("/login/jane")
    assert visit(outside) == JANE


def test_predicate_of_the_mapping():
    """A predicate is given the mapping that holds the address, here the session itself."""
    environ = {**make_environ("GET", "/"), "beaker.session": {"email": JANE, "ok": True}}
    assert beaker_session_email("email", verified=lambda session: session["ok"])(environ) == JANE
    with pytest.raises(HandoffRefused):
        beaker_session_email("email", verified=lambda session: not session["ok"])(environ)


@each_resolver
def test_under_asgi(resolver, cookie):
    """A scope holds no environ's keys: an error that says so, and no anonymous visitor."""
    with pytest.raises(ResolverError, match=r"^resolvers\.bottle\.[a-z_]+_email is for WSGI: wrap the WSGI"):
        resolver()(make_scope("GET", "/"))


def signed(value, secret=SECRET, name="user", digestmod=hashlib.sha256):
    cookie = BaseResponse()
    cookie.set_cookie(name, json.dumps(value), secret=secret, digestmod=digestmod)
    (header,) = [value for name, value in cookie.headerlist if name == "Set-Cookie"]
    return header.partition("=")[2]


@pytest.mark.parametrize(
    ("forged", "expected"),
    [
        ({}, JANE),
        ({"secret": "another"}, "login"),
        ({"name": "email"}, "login"),
        ({"digestmod": hashlib.sha1}, "login"),
    ],
    ids=["genuine", "another secret", "another cookie", "another algorithm"],
)
def test_forged_cookie(forged, expected):
    """A signed value is good with the secret, algorithm and name of the cookie alone."""
    headers = {"Cookie": f"user={signed(USERS['jane'], **forged)}"}
    assert visit(browse(by_cookie), headers=headers) == expected


def test_genuine_cookie_beside_a_forged_one():
    """Of two cookies of one name, only a signed one is believed, whichever Bottle looks at."""
    genuine, forged = signed(USERS["jane"]), signed(USERS["jane"] | {"email": "eve@example.com"}, "guess")
    for pair in ((genuine, forged), (forged, genuine)):
        headers = {"Cookie": "; ".join(f"user={value}" for value in pair)}
        assert visit(browse(by_cookie), headers=headers) in ("login", JANE)


def test_inactive_user():
    """A user who is not active is refused."""
    for is_active, expected in ((True, JANE), (False, "inactive"), (None, "inactive")):
        headers = {"Cookie": f"user={signed(USERS['jane'] | {'is_active': is_active})}"}
        assert visit(browse(by_cookie), headers=headers) == expected


def test_inactive_user_in_the_session():
    """A user whose session says that they are not active is refused."""
    environ = make_environ("GET", "/")
    active, inactive = ({"user": USERS["jane"] | {"is_active": is_active}} for is_active in (True, False))
    assert by_session()({**environ, "beaker.session": active}) == JANE
    with pytest.raises(HandoffRefused, match="inactive"):
        by_session()({**environ, "beaker.session": inactive})


@pytest.mark.parametrize("keys", [(), ("",), (7,)], ids=repr)
def test_wrong_keys(keys):
    """A key that cannot be one in a session is a ConfigError."""
    with pytest.raises(ConfigError, match="keys: must be"):
        beaker_session_email(*keys, verified=True)


def test_name_for_a_bare_address():
    """An address alone says nothing of a name: an error that says what to put into the cookie."""
    browser = browse(lambda: signed_cookie_email("email", SECRET, verified="email_verified"))
    browser.get("/login/jane")
    with pytest.raises(ResolverError, match=r"the cookie 'email' .* JSON object .* email_verified"):
        visit(browser)
    browser.get("/login/blank")
    assert visit(browser) == "no_email"


def test_session_that_the_visitor_has_made_up():
    """A session of an id that a visitor brings along holds nobody, before and after a log-in elsewhere."""
    browser = browse(by_session)
    browser.get("/login/jane")
    for value in ("made-up", "../../etc/passwd", browser.cookies["sid"][-32:]):
        assert visit(browse(by_session), headers={"Cookie": f"sid={value}"}) == "login"


def test_no_cookie_is_set():
    """A hand-off does not renew the session's cookie."""
    browser = browse(by_session)
    browser.get("/login/jane")
    answer = browser.get("/sso/helpdesk")
    assert [value.partition("=")[0] for value in answer.headers.get_list("set-cookie")] == ["sso_handoffs"]
