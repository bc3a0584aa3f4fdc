"""`verified`, and how an address is found in what an application has on record."""

from __future__ import annotations

import datetime as dt

import pytest
from werkzeug.local import LocalProxy

from clients import JANE, make_scope
from sso_middleware import ConfigError, HandoffRefused, ResolverError
from sso_middleware.resolvers import bottle, django, flask, pyramid, quart, starlette


class User:
    is_authenticated = True

    def __init__(self, **attributes):
        self.__dict__.update(attributes)


def ask(resolver, **scope):
    """Run a resolver of `starlette`, which only reads the scope."""
    coroutine = resolver({**make_scope("GET", "/"), **scope})
    try:
        coroutine.send(None)
    except StopIteration as finished:
        return finished.value
    raise AssertionError("it suspended")


def by_user(verified, **attributes):
    user = User(**{"email": JANE, **attributes})
    return ask(starlette.user_email(verified=verified), user=user)


RESOLVERS = {
    "starlette.session_email": lambda **kw: starlette.session_email("email", **kw),
    "starlette.user_email": starlette.user_email,
    "flask.session_email": lambda **kw: flask.session_email(None, "email", **kw),
    "flask.login_user_email": lambda **kw: flask.login_user_email(None, **kw),
    "pyramid.request_email": lambda **kw: pyramid.request_email(None, None, **kw),
    "bottle.beaker_session_email": lambda **kw: bottle.beaker_session_email("email", **kw),
    "bottle.signed_cookie_email": lambda **kw: bottle.signed_cookie_email("user", "secret", **kw),
    "quart.context_email": lambda **kw: quart.context_email(None, None, **kw),
    "django.user_email": django.user_email,
    "django.user_email_async": django.user_email_async,
}


async def async_predicate(user):
    return False


@pytest.mark.parametrize("name", RESOLVERS)
class TestSetting:
    def test_obligatory(self, name):
        """`verified` has no default."""
        with pytest.raises(TypeError, match="verified"):
            RESOLVERS[name]()

    @pytest.mark.parametrize("verified", [False, None, "", 1, ["email_verified"], async_predicate])
    def test_anything_else(self, name, verified):
        """Neither True, nor a name, nor a predicate that can be called: ConfigError."""
        with pytest.raises(ConfigError) as caught:
            RESOLVERS[name](verified=verified)
        assert "verified" in caught.value.problems


def test_all_wrong_settings_at_once():
    """A ConfigError names every wrong setting."""
    with pytest.raises(ConfigError) as caught:
        flask.session_email("session", verified=False)
    assert caught.value.problems.keys() == {"app", "keys", "verified"}
    with pytest.raises(ConfigError) as caught:
        pyramid.request_email("app.ini", None, verified=False)
    assert caught.value.problems.keys() == {"router", "getter", "verified"}
    with pytest.raises(ConfigError) as caught:
        quart.context_email(None, None, verified=False)
    assert caught.value.problems.keys() == {"app", "getter", "verified"}
    with pytest.raises(ConfigError) as caught:
        bottle.signed_cookie_email("", "", verified=False)
    assert caught.value.problems.keys() == {"name", "secret", "verified"}


@pytest.mark.parametrize("keys", [(), ("",), ("user", 7), ("user", None)])
def test_keys(keys):
    """The keys are at least one, and strings."""
    with pytest.raises(ConfigError, match="keys: "):
        starlette.session_email(*keys, verified=True)


@pytest.mark.parametrize("attr", ["", None, 7])
def test_attr(attr):
    """The attribute is a name."""
    with pytest.raises(ConfigError, match="attr: "):
        starlette.user_email(attr, verified=True)


class TestVerified:
    def test_true(self):
        """True takes every address."""
        assert by_user(True) == JANE

    @pytest.mark.parametrize(
        "flag",
        [True, 1, "true", "True", b"TRUE", dt.datetime.now(tz=dt.UTC), LocalProxy(lambda: True)],
        ids=["True", "1", "str-true", "str-True", "bytes-TRUE", "moment", "proxy"],
    )
    def test_set(self, flag):
        """A flag, by its name or by a predicate: true, or the moment of verification."""
        assert by_user("email_verified", email_verified=flag) == JANE
        assert by_user(lambda user: user.flag, flag=flag) == JANE

    @pytest.mark.parametrize(
        "flag",
        [False, 0, None, "", "false", "False", "no", "0", b"FALSE", b"0", b"\xff", LocalProxy(lambda: False)],
        ids=[
            *("False", "0", "None", "empty", "str-false", "str-False", "no", "str-0"),
            *("bytes-FALSE", "bytes-0", "bytes-ff", "proxy"),
        ],
    )
    def test_not_set(self, flag):
        """Anything false, and the "false" of some identity providers, is refused."""
        for refused in (
            lambda: by_user("email_verified", email_verified=flag),
            lambda: by_user(lambda user: user.flag, flag=flag),
        ):
            with pytest.raises(HandoffRefused) as caught:
                refused()
            assert caught.value.reason == "email_not_verified"

    def test_method(self):
        """A method that ought to be called says neither yes nor no."""
        with pytest.raises(ResolverError, match="method"):
            by_user("is_verified", is_verified=User().__init__)

    def test_coroutine(self):
        """Nor does a coroutine, which an async method or a lambda gives."""
        with pytest.raises(ResolverError, match="coroutine"):
            by_user(lambda user: async_predicate(user))

    def test_other_awaitable(self):
        """Nor does another awaitable."""

        class Later:
            def __await__(self):
                yield

        with pytest.raises(ResolverError, match="Later"):
            by_user("later", later=Later())

    def test_wrong_name(self):
        """An attribute that users do not have is an error of its own, and no refusal."""
        with pytest.raises(AttributeError, match="email_verifed"):
            by_user("email_verifed", email_verified=True)

    def test_flag_of_sign_in(self):
        """The user's own flags are read in the same way."""
        with pytest.raises(ResolverError, match="method"):
            by_user(True, is_authenticated=User().__init__)


class TestSession:
    @pytest.mark.parametrize(
        ("keys", "session", "email"),
        [
            (["email"], {"email": JANE}, JANE),
            (["user", "email"], {"user": {"email": JANE}}, JANE),
            (["a", "b", "c"], {"a": {"b": {"c": JANE}}}, JANE),
            (["email"], {}, None),
            (["email"], {"email": None}, None),
            (["user", "email"], {}, None),
            (["user", "email"], {"user": None}, None),
            (["user", "email"], {"user": {}}, None),
            (["a", "b", "c"], {"a": {}}, None),
            (["email"], {"email": ""}, ""),
            (["user", "email"], {"user": {"name": "jane"}}, ""),
            (["user", "email"], {"user": {"name": "jane", "email": None}}, ""),
        ],
    )
    def test_keys_walk_into_mappings(self, keys, session, email):
        """Nobody is there where the way ends early; a user without an address is no anonymous visitor."""
        assert ask(starlette.session_email(*keys, verified=True), session=session) == email

    def test_not_a_mapping(self):
        """A key that leads to something else is an error that names the key and the type."""
        with pytest.raises(ResolverError, match=r"'user' in the session is a str"):
            ask(starlette.session_email("user", "email", verified=True), session={"user": JANE})

    def test_verified_in_the_same_mapping(self):
        """Name and predicate are of the mapping that holds the address, not of one further out."""
        user = {"email": JANE, "ok": True}
        for verified in ("ok", lambda mapping: mapping["ok"]):
            resolver = starlette.session_email("user", "email", verified=verified)
            assert ask(resolver, session={"user": user, "ok": False}) == JANE
            with pytest.raises(HandoffRefused):
                ask(resolver, session={"user": {**user, "ok": False}, "ok": True})

    def test_missing_flag(self):
        """A mapping without the key is not verified."""
        with pytest.raises(HandoffRefused):
            ask(starlette.session_email("email", verified="email_verified"), session={"email": JANE})


class TestUser:
    def test_attr(self):
        """Another attribute may hold the address."""
        user = User(mail=JANE)
        assert ask(starlette.user_email("mail", verified=True), user=user) == JANE

    @pytest.mark.parametrize("email", [None, ""])
    def test_no_address(self, email):
        """A signed-in user without an address is refused by the gate, and not sent to log in again."""
        assert by_user("email_verified", email=email, email_verified=False) == ""

    @pytest.mark.parametrize("attributes", [{"is_authenticated": False}, {"is_active": False}])
    def test_anonymous(self, attributes):
        """A user who is not signed in, or not active, is anonymous."""
        assert by_user(True, **attributes) is None

    def test_none(self):
        """So is no user at all."""
        assert ask(starlette.user_email(verified=True), user=None) is None
