"""`verified`, and how an address is found in what an application has on record."""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import logging
import math
import re
import sqlite3
from collections.abc import Sequence
from decimal import Decimal
from enum import Enum, Flag, IntEnum, StrEnum
from typing import NamedTuple
from unittest.mock import MagicMock, Mock

import flask as flask_framework
import pytest
from django.utils.functional import SimpleLazyObject
from pydantic import BaseModel, ConfigDict
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


class Word(StrEnum):
    VERIFIED = "true"


ENUMS = (Status, Level, Text, Flags, Word)
MOMENT = dt.datetime(2026, 11, 27, 12, 30, tzinfo=dt.UTC)


class Words(str):
    """A subclass of `str`."""

    __slots__ = ()

    __str__ = __repr__ = object.__repr__


class Decided(NamedTuple):
    """A named tuple that defines its own truth."""

    ok: bool
    reason: str = ""

    def __bool__(self):
        return self.ok


class Truth:
    """An object that defines its own truth."""

    def __init__(self, truth):
        self.truth = truth

    def __bool__(self):
        return self.truth

    def __repr__(self):
        return f"Truth({self.truth})"


class Callable:
    def __call__(self):
        return False


class Query:
    """A query that nobody has run yet, as SQLAlchemy's, or a manager of Django."""

    def exists(self):
        return False


class FetchedQuery(Query):
    """A query that fetches its rows to say whether there are any, as Django's."""

    def __init__(self, *rows):
        self.rows = rows

    def __bool__(self):
        return bool(self.rows)

    def __repr__(self):
        return repr(self.rows)


class CountedQuery(Query):
    """A query that counts its rows to say whether there are any."""

    def __init__(self, count):
        self.count = count

    def __len__(self):
        return self.count

    def __repr__(self):
        return repr(self.count)


class Row(NamedTuple):
    verified: bool


class Pair(NamedTuple):
    ok: bool
    reason: str


class SequenceRow(Sequence):
    """A row like SQLAlchemy's, not a tuple."""

    _fields = ("verified", "id")

    def __init__(self, *columns):
        self.columns = columns

    def __len__(self):
        return len(self.columns)

    def __getitem__(self, index):
        return self.columns[index]

    def __repr__(self):
        return repr(self.columns)


def a_row(query):
    """Return a `sqlite3.Row`, in a case named by `query`."""
    with contextlib.closing(sqlite3.connect(":memory:")) as database:
        database.row_factory = sqlite3.Row
        return pytest.param(database.execute(query).fetchone(), id=query)


def shown(value):
    """Name a case, the same in every process."""
    return re.sub(" at 0x[0-9a-f]+| id='[0-9]+'", "", f"{type(value).__name__} {value!r}")


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


def test_getter_with_a_decorator():
    """A decorator may pass arguments to the getter that it wraps."""

    def inject(getter):
        return functools.wraps(getter)(lambda: getter({"email": JANE}))

    resolver = flask.context_email(flask_framework.Flask("shop"), inject(lambda user: user), verified=True)
    assert resolver(make_environ("GET", "/")) == JANE


@pytest.mark.parametrize("attr", ["", None, 7])
def test_attr(attr):
    """The attribute is a name."""
    for make in (starlette.user_email, lambda attr, **kw: flask.login_user_email(None, attr, **kw)):
        with pytest.raises(ConfigError, match="attr: "):
            make(attr, verified=True)


class TestVerified:
    def test_true(self):
        """True takes every address."""
        assert by_user(True) == JANE

    @pytest.mark.parametrize(
        "flag",
        [
            *(True, 1, 1.0, Decimal(1)),
            *("true", "True", b"TRUE", bytearray(b"true"), memoryview(b"true"), Words("true")),
            *(MOMENT, MOMENT.date(), MOMENT.time(), MOMENT.isoformat(), str(MOMENT), "2026-11-27"),
            *(dt.date(2, 1, 1), "0002-01-01"),
            *("2026-11-27T12:30:00Z", LocalProxy(lambda: True), SimpleLazyObject(lambda: True)),
            *(SimpleLazyObject(lambda: MOMENT), SimpleLazyObject(lambda: "true"), Truth(True)),
            *(["jane@example.com"], {"jane@example.com"}, dt.timedelta(1)),
        ],
        ids=shown,
    )
    def test_set(self, flag):
        """A flag, by its name or by a predicate: true, the moment of verification, or what has a truth."""
        assert by_user("email_verified", email_verified=flag) == JANE
        assert by_user(lambda user: user.flag, flag=flag) == JANE

    @pytest.mark.parametrize(
        "flag",
        [
            *(False, 0, None, 0.0, Decimal(0)),
            *("", "false", "False", "no", "yes", "0", "1", " true", "12:30", "20261127"),
            *("2026-02-30", "0001-01-01T00:00:00Z", "0000-00-00 00:00:00"),
            *(b"FALSE", b"0", b"1", b"\xff", bytearray(b"false"), memoryview(b"false"), Words("no")),
            *(dt.datetime.min.replace(tzinfo=dt.UTC), dt.date.min),
            *(LocalProxy(lambda: False), LocalProxy(lambda: None), SimpleLazyObject(lambda: False)),
            *(SimpleLazyObject(lambda: None), SimpleLazyObject(lambda: "false"), Truth(False)),
            *([], (), set(), dt.timedelta()),
        ],
        ids=shown,
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

    @pytest.mark.parametrize(
        ("value", "remedy"),
        [
            (User().__init__, "a method means neither yes nor no: .* calls it"),
            (lambda: False, "a function .* calls it"),
            ("jane".isupper, "a builtin_function_or_method .* calls it"),
            (functools.partial(bool, 0), "a partial .* calls it"),
            (LocalProxy(lambda: functools.partial(bool, 0)), "a partial .* calls it"),
            (SimpleLazyObject(lambda: functools.partial(bool, 0)), "a partial .* calls it"),
            (Callable(), "a Callable .* calls it"),
            (Mock(), "a Mock .* calls it"),
            (MagicMock(), "a MagicMock .* calls it"),
            (User, "a type .* calls it"),
            (Status, "a EnumType .* calls it"),
            (iter([]), "a list_iterator .* looks into it"),
            ((email for email in ()), "a generator .* looks into it"),
            (Query(), "a Query .* looks"),
            *((member, f"a {type(member).__name__} .* compares it") for kind in ENUMS for member in kind),
            (LocalProxy(lambda: Status.VERIFIED), "a Status .* compares it"),
            (SimpleLazyObject(lambda: Level.VERIFIED), "a Level .* compares it"),
        ],
        ids=shown,
    )
    def test_what_says_neither_yes_nor_no(self, value, remedy):
        """A value that is always true in Python is an error that says what to write instead."""
        for verified in ("flag", lambda user: user.flag):
            with pytest.raises(ResolverError, match=remedy):
                by_user(verified, flag=value)

    @pytest.mark.parametrize(
        ("value", "remedy"),
        [
            ({"verified": False}, "a dict means neither yes nor no: .* looks into it"),
            ({}, "a dict .* looks into it"),
            (User(), "a User .* looks into it"),
            (SimpleLazyObject(User), "a User .* looks into it"),
            (Row(verified=False), "a Row .* looks into it"),
            (2, "a int .* compares it"),
            (-1, "a int .* compares it"),
            (math.nan, "a float .* compares it"),
            (Decimal("NaN"), "a Decimal .* compares it"),
        ],
        ids=shown,
    )
    def test_what_says_nothing_unless_a_predicate_found_it(self, value, remedy):
        """A row, a mapping or a number other than 0 and 1 is no flag."""
        with pytest.raises(ResolverError, match=remedy):
            by_user("flag", flag=value)

    @pytest.mark.parametrize(
        "found",
        [
            *({"id": 7}, User(), Row(verified=True), 2, [User()], {JANE}, (1,), ("jane",), (7, None), [JANE]),
            *(SequenceRow(True), SequenceRow(7, False), {"is_primary": False, "id": 7}),
            *((None, JANE), ["", JANE], SequenceRow(None, JANE), [SequenceRow(7)], Decided(True)),
            *(a_row("SELECT 1"), a_row("SELECT 0 AS is_primary, 7 AS id")),
            *(FetchedQuery(7), CountedQuery(1)),
        ],
        ids=shown,
    )
    def test_what_a_predicate_found(self, found):
        """A predicate may return the row, the mapping or the number of rows that it has found."""
        assert by_user(lambda user: found) == JANE

    @pytest.mark.parametrize(
        "found",
        [
            *((False, "no domain"), (True, "verified"), [False, "no domain"], (0, "no")),
            *([(0,)], [(False,)], [(SequenceRow(0),)], [{"verified": False}], {"row": (None,)}),
            *((0,), (False,), (True,), (None,), [0], ("",), (LocalProxy(lambda: False), "?")),
            *(Row(verified=False), Row(verified=0), Pair(ok=False, reason="no domain")),
            *(SequenceRow(False), SequenceRow(None), {"verified": False}, {"verified": None}),
            *(a_row("SELECT 0 AS verified"), a_row("SELECT NULL AS verified")),
            *(LocalProxy(lambda: (False, "no domain")), SimpleLazyObject(lambda: (False, "no domain"))),
        ],
        ids=shown,
    )
    def test_what_contains_the_flag(self, found):
        """A pair ``(ok, reason)``, and a row of one false column, are true in Python, but say no."""
        with pytest.raises(ResolverError, match=r"^a .* means neither yes nor no: .* returns the flag in it"):
            by_user(lambda user: found)

    def test_row_that_defines_its_truth(self):
        """A class that defines ``__bool__`` says itself what it means."""
        with pytest.raises(HandoffRefused):
            by_user(lambda user: Decided(False))

    @pytest.mark.parametrize("flag", [(False, "not verified"), [False], (0,)], ids=shown)
    def test_attribute_that_contains_the_flag(self, flag):
        """A pair or a list in an attribute is an error, too."""
        with pytest.raises(ResolverError, match="returns the flag in it"):
            by_user("flag", flag=flag)

    @pytest.mark.parametrize("found", [{}, None, 0, FetchedQuery(), CountedQuery(0)], ids=shown)
    def test_nothing_found(self, found):
        """A predicate that has found nothing refuses."""
        with pytest.raises(HandoffRefused, match="email_not_verified"):
            by_user(lambda user: found)

    def test_coroutine(self):
        """A coroutine, which an async method or a lambda gives, says neither yes nor no."""
        with pytest.raises(ResolverError, match="coroutine"):
            by_user(lambda user: async_predicate(user))

    def test_other_awaitable(self):
        """Nor does another awaitable."""

        class Later:
            def __await__(self):
                yield

        with pytest.raises(ResolverError, match="Later"):
            by_user("later", later=Later())

    @each_user
    def test_wrong_name(self, wrap):
        """An attribute that users do not have is an error that names the setting, and no refusal."""
        with pytest.raises(
            ResolverError, match="User has no attribute 'email_verifed': set verified= "
        ) as caught:
            ask(starlette.user_email(verified="email_verifed"), user=wrap(User(email=JANE)))
        assert isinstance(caught.value.__cause__, AttributeError)
        with pytest.raises(ResolverError, match="User has no attribute 'mail': set attr= "):
            ask(starlette.user_email("mail", verified=True), user=wrap(User(email=JANE)))

    @each_user
    def test_error_within_a_property(self, wrap):
        """An AttributeError of the user's own code propagates unchanged."""
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
        with pytest.raises(AttributeError, match="is_active"):
            ask(starlette.user_email(verified=True), user=Unknown(email=JANE, account=User()))

    def test_flag_that_another_object_cannot_read(self):
        """Nor is a user who asks another object, whose `is_active` fails."""

        class Failing(Inner):
            @property
            def is_active(self):
                raise AttributeError("no account today")

        class Asking(Delegating):
            inner = Failing()

        with pytest.raises(AttributeError, match="no account today"):
            ask(starlette.user_email(verified=True), user=Asking())

    @pytest.mark.parametrize("answer", [True, 1, "true"])
    def test_answer_to_any_name(self, answer):
        """What a user answers for any name does not say that the address is verified."""

        class Agreeing(Answering):
            def __getattr__(self, name):
                return self.claims.get(name, answer)

        with pytest.raises(ResolverError, match="any name"):
            ask(starlette.user_email(verified="email_verified"), user=Agreeing())
        with pytest.raises(HandoffRefused):
            ask(starlette.user_email(verified="email_verified"), user=Agreeing(email_verified=False))

    def test_declared_flag_beside_answers_to_any_name(self):
        """A flag that the class declares counts, whatever else the user answers."""

        class Agreeing(Answering):
            email_verified = True

            def __getattr__(self, name):
                return self.claims.get(name, True)

        assert ask(starlette.user_email(verified="email_verified"), user=Agreeing()) == JANE

    def test_column_beside_answers_to_any_name(self):
        """A column of a row counts, whatever else the row answers."""

        class Agreeing(Answering):
            def __getattr__(self, name):
                return True

            def keys(self):
                return self.claims.keys()

            def __getitem__(self, name):
                return self.claims[name]

        resolver = starlette.user_email(verified="email_verified")
        assert ask(resolver, user=Agreeing(is_authenticated=True, email_verified=True)) == JANE
        with pytest.raises(ResolverError, match="any name"):
            ask(resolver, user=Agreeing(is_authenticated=True))


class TestSession:
    def test_log_of_what_is_missing(self, caplog):
        """DEBUG has the names that the session has instead; a name that may be an address is left out."""
        with caplog.at_level(logging.DEBUG, "sso_middleware"):
            for keys, session in [
                (["user", "email"], {"id": 7, "plan": "s3cret", JANE: 7}),
                (["user"], {JANE: 7, 7: JANE}),
                (["user"], {}),
            ]:
                assert ask(starlette.session_email(*keys, verified=True), session=session) is None
        missed = ["user, email in the session, which has id, plan", "user in the session, which has others"]
        said = "a visitor is anonymous: a resolver looked for"
        assert caplog.messages == [f"{said} {each}" for each in missed]
        assert [record.sso_missed for record in caplog.records] == missed

    def test_no_log_above_debug(self, caplog):
        """At INFO nothing is said about the session."""
        with caplog.at_level(logging.INFO, "sso_middleware"):
            assert ask(starlette.session_email("user", verified=True), session={"id": 7}) is None
        assert caplog.messages == []

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
    @pytest.mark.parametrize("keys", [["user", "email"], ["email"]])
    def test_inactive(self, keys, value):
        """The mapping that holds the address may say that its user is inactive, or that nobody is there."""
        resolver = starlette.session_email(*keys, verified=True)

        def by_session(**flags):
            user = {"email": JANE, **flags}
            return ask(resolver, session={"user": user} if len(keys) > 1 else user)

        assert by_session(is_active=True, is_authenticated=True) == JANE
        assert by_session(is_authenticated=value) is None
        assert by_session(is_authenticated=value, is_active=False) is None
        with pytest.raises(HandoffRefused, match="inactive"):
            by_session(is_active=value)

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


def numbered(users):
    return [f"{type(user).__name__}-{number}" for number, user in enumerate(users)]


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


class Slotted:
    __slots__ = ("email", "is_active", "is_authenticated")

    def __init__(self, is_active):
        self.email, self.is_active, self.is_authenticated = JANE, is_active, True


class Answering:
    """A user that answers `None` for any name, as a wrapper around the claims of a token does."""

    is_authenticated = True

    def __init__(self, **claims):
        self.claims = {"email": JANE, **claims}

    def __getattr__(self, name):
        return self.claims.get(name)


class AnsweringOf(Answering):
    is_active = None


class AnsweringWith(Answering):
    """One that keeps its flag on the instance."""

    def __init__(self, is_active):
        super().__init__()
        self.is_active = is_active


class Refusing(Answering):
    """A user that answers `False` for any name but the address."""

    def __getattr__(self, name):
        return JANE if name == "email" else False


class Record(BaseModel):
    model_config = ConfigDict(extra="allow")
    is_authenticated: bool = True


class ActiveRecord(Record):
    is_active: bool | None


class Tuple(NamedTuple):
    email: str
    is_active: bool | None
    is_authenticated: bool = True


class Database:
    """Rows as SQLAlchemy's: a column is an attribute that the class does not know."""

    def __init__(self, **columns):
        self._columns = columns

    def __getattr__(self, name):
        try:
            return self.__dict__["_columns"][name]
        except KeyError:
            raise AttributeError(name=name, obj=self) from None


ACTIVE = [
    Slotted(True),
    Slotted(1),
    Answering(),
    Answering(is_active=True),
    AnsweringWith(True),
    Refusing(),
    Record(email=JANE),
    Record(email=JANE, is_active=True),
    ActiveRecord(email=JANE, is_active=True),
    Tuple(JANE, True),
    Database(email=JANE, is_authenticated=True),
    Database(email=JANE, is_authenticated=True, is_active=True),
    {"email": JANE, "is_authenticated": True},
]
INACTIVE = [
    Slotted(False),
    Slotted(None),
    Answering(is_active=False),
    AnsweringOf(),
    AnsweringWith(False),
    AnsweringWith(None),
    Record(email=JANE, is_active=False),
    ActiveRecord(email=JANE, is_active=None),
    Tuple(JANE, False),
    Tuple(JANE, None),
    Database(email=JANE, is_authenticated=True, is_active=False),
    Database(email=JANE, is_authenticated=True, is_active=None),
    {"email": JANE, "is_authenticated": True, "is_active": None},
]


def by_scope(user):
    return ask(starlette.user_email(verified=True), user=user)


def by_getter(user):
    app = flask_framework.Flask("shop")
    return flask.context_email(app, lambda: user, verified=True)(make_environ("GET", "/"))


@pytest.mark.parametrize("resolve", [by_scope, by_getter])
@pytest.mark.parametrize(
    "wrap",
    [lambda user: user, lambda user: LocalProxy(lambda: user), lambda user: SimpleLazyObject(lambda: user)],
    ids=["itself", "LocalProxy", "SimpleLazyObject"],
)
class TestActive:
    @pytest.mark.parametrize("user", ACTIVE, ids=numbered(ACTIVE))
    def test_active(self, resolve, wrap, user):
        """A flag that is set, or that neither the user nor its class has, lets the user go."""
        assert resolve(wrap(user)) == JANE

    @pytest.mark.parametrize("user", INACTIVE, ids=numbered(INACTIVE))
    def test_inactive(self, resolve, wrap, user):
        """A flag that is there and false or `None` refuses the user, who is never sent to log in again."""
        with pytest.raises(HandoffRefused) as caught:
            resolve(wrap(user))
        assert caught.value.reason == "inactive"


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
            ("? AS email, 1 AS email_verified, 0 AS is_active", HandoffRefused),
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

    @pytest.mark.parametrize("is_active", [True, False])
    def test_anonymous(self, is_active):
        """A user who is not signed in is anonymous."""
        assert by_user(True, is_authenticated=False, is_active=is_active) is None

    def test_none(self):
        """No user is anonymous, too."""
        assert ask(starlette.user_email(verified=True), user=None) is None
