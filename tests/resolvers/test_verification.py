"""`verified`, and how an address is found in what an application has on record."""

from __future__ import annotations

import contextlib
import datetime as dt
import sqlite3
from enum import Enum, Flag, IntEnum

import flask as flask_framework
import pytest
from werkzeug.local import LocalProxy

from clients import JANE, make_environ, make_scope
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
    "flask.context_email": lambda **kw: flask.context_email(None, None, **kw),
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


class Status(Enum):
    UNVERIFIED = "unverified"
    VERIFIED = "verified"


class Level(IntEnum):
    UNVERIFIED = 0
    VERIFIED = 1


class Text(str, Enum):  # noqa: UP042 - StrEnum is another thing
    UNVERIFIED = "false"
    VERIFIED = "true"


class Flags(Flag):
    VERIFIED = 1
    PAYS = 2


each_user = pytest.mark.parametrize(
    "wrap", [lambda user: user, lambda user: LocalProxy(lambda: user)], ids=["user", "proxy"]
)


class Broken(User):
    """A user whose properties fail, each in a way of its own."""

    @property
    def email_verified(self):
        return self.profile.email_verified

    @property
    def profile(self):
        return User()

    @property
    def mail(self):
        raise AttributeError("no mail today")


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
        flask.context_email(None, None, verified=False)
    assert caught.value.problems.keys() == {"app", "getter", "verified"}
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
        [
            *(True, 1, "true", "True", b"TRUE", dt.datetime.now(tz=dt.UTC), LocalProxy(lambda: True)),
            *(Level.VERIFIED, Text.VERIFIED, Flags.VERIFIED & Flags.VERIFIED),
        ],
        ids=[
            *("True", "1", "str-true", "str-True", "bytes-TRUE", "moment", "proxy"),
            *("IntEnum", "str-Enum", "Flag"),
        ],
    )
    def test_set(self, flag):
        """A flag, by its name or by a predicate: true, or the moment of verification."""
        assert by_user("email_verified", email_verified=flag) == JANE
        assert by_user(lambda user: user.flag, flag=flag) == JANE

    @pytest.mark.parametrize(
        "flag",
        [
            *(
                False,
                0,
                None,
                "",
                "false",
                "False",
                "no",
                "0",
                b"FALSE",
                b"0",
                b"\xff",
                LocalProxy(lambda: False),
            ),
            *(Level.UNVERIFIED, Text.UNVERIFIED, Flags.PAYS & Flags.VERIFIED),
        ],
        ids=[
            *("False", "0", "None", "empty", "str-false", "str-False", "no", "str-0"),
            *("bytes-FALSE", "bytes-0", "bytes-ff", "proxy"),
            *("IntEnum", "str-Enum", "Flag"),
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

    @pytest.mark.parametrize(
        "value", [*Status, LocalProxy(lambda: Status.VERIFIED)], ids=["no", "yes", "proxy"]
    )
    def test_member_of_an_enum(self, value):
        """Nor does a member of an Enum, which is true whatever it says."""
        for verified in ("status", lambda user: user.status):
            with pytest.raises(ResolverError, match=r"a Status says neither yes nor no: .* compares it"):
                by_user(verified, status=value)

    @pytest.mark.parametrize("value", [{"verified": False}, {}], ids=repr)
    def test_mapping(self, value):
        """Nor does a mapping, which is true as soon as anything is in it."""
        with pytest.raises(ResolverError, match=r"a dict says neither yes nor no: .* looks into it"):
            by_user("state", state=value)

    @each_user
    def test_wrong_name(self, wrap):
        """An attribute that users do not have is an error that names the setting, and no refusal."""
        with pytest.raises(
            ResolverError, match="User has no attribute 'email_verifed': verified= "
        ) as caught:
            ask(starlette.user_email(verified="email_verifed"), user=wrap(User(email=JANE)))
        assert isinstance(caught.value.__cause__, AttributeError)
        with pytest.raises(ResolverError, match="User has no attribute 'mail': attr= "):
            ask(starlette.user_email("mail", verified=True), user=wrap(User(email=JANE)))

    @each_user
    def test_error_within_a_property(self, wrap):
        """An AttributeError of the user's own code is told as it is."""
        with pytest.raises(AttributeError, match="'User' object has no attribute 'email_verified'") as caught:
            ask(starlette.user_email(verified="email_verified"), user=wrap(Broken(email=JANE)))
        assert not isinstance(caught.value, ResolverError)
        with pytest.raises(AttributeError, match="no mail today"):
            ask(starlette.user_email("mail", verified=True), user=wrap(Broken()))

    def test_flag_of_sign_in(self):
        """The user's own flags are read in the same way."""
        with pytest.raises(ResolverError, match="method"):
            by_user(True, is_authenticated=User().__init__)

    def test_flag_that_cannot_be_read(self):
        """A user whose `is_active` fails is not taken for an active one, as one without it is."""

        class Unknown(User):
            @property
            def is_active(self):
                return self.account.is_active

        assert by_user(True) == JANE
        with pytest.raises(AttributeError, match="account"):
            ask(starlette.user_email(verified=True), user=Unknown(email=JANE))


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

    @pytest.mark.parametrize("value", [False, None, 0, "false"], ids=repr)
    @pytest.mark.parametrize("flag", ["is_active", "is_authenticated"])
    @pytest.mark.parametrize("keys", [["user", "email"], ["email"]])
    def test_inactive(self, keys, flag, value):
        """Where the mapping that holds the address says that its user is inactive, nobody is there."""
        resolver = starlette.session_email(*keys, verified=True)
        for changes, expected in (({flag: value}, None), ({flag: True}, JANE)):
            user = {"email": JANE, **changes}
            session = {"user": user} if len(keys) > 1 else user
            assert ask(resolver, session=session) == expected

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


class Inner:
    """What a user is made of, in a class of its own."""

    email = JANE
    email_verified = True


class Delegating:
    """A user that asks another object for what it has not."""

    is_authenticated = True
    inner = Inner()

    def __getattr__(self, name):
        return getattr(self.inner, name)


class TestUser:
    def test_delegating_user(self):
        """What such a user leaves out counts as with any other; what must be there is named."""
        assert ask(starlette.user_email(verified="email_verified"), user=Delegating()) == JANE
        with pytest.raises(ResolverError, match="Delegating has no attribute 'nothing'"):
            ask(starlette.user_email("nothing", verified=True), user=Delegating())

    @pytest.mark.parametrize(
        ("columns", "expected"),
        [
            ("? AS email, 1 AS email_verified", JANE),
            ("? AS email, 1 AS email_verified, 1 AS is_active", JANE),
            ("? AS email, 1 AS email_verified, 0 AS is_active", None),
            ("? AS email, 0 AS email_verified", HandoffRefused),
            ("? AS email", ResolverError),
        ],
    )
    def test_row_of_a_database(self, columns, expected):
        """A `sqlite3.Row`, which is no mapping and has no attributes, has its columns."""
        with contextlib.closing(sqlite3.connect(":memory:")) as database:
            database.row_factory = sqlite3.Row
            row = database.execute(f"SELECT {columns}", [JANE]).fetchone()
        app = flask_framework.Flask("shop")
        resolver = flask.context_email(app, lambda: row, verified="email_verified")
        if isinstance(expected, type):
            with pytest.raises(expected):
                resolver(make_environ("GET", "/"))
        else:
            assert resolver(make_environ("GET", "/")) == expected

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
