"""An error tracker that sends local variables gets no token, hand-off URL or address from our frames."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from types import SimpleNamespace

import flask
import pytest
from flask_login import LoginManager

from clients import DESK, JANE, SSO_TOKEN, ASGISite, jane, make_environ, make_scope
from error_trackers import leaks, leaks_of_plain_traceback, sent_by_sentry, stack_now
from sso_middleware import ConfigError, HelpDesk, Logout, ResolverError, ShortTokenWarning, asgi, wsgi
from sso_middleware.paste import filter_app_factory, filter_factory
from sso_middleware.resolvers import require
from sso_middleware.resolvers.flask import context_email, login_user_email
from sso_middleware.resolvers.starlette import request_email, user_email

PATH = "/sso/helpdesk"
THEIRS = ("clients", "test_", "paste_app", "_pytest", "pluggy")


class Broken(BaseException):
    """What ends a worker, such as a server's time-out: `on_event` is not saved from it."""


def fail(*_):
    raise Broken


async def fail_async(*_):
    raise Broken


async def jane_async(scope):
    return JANE


class Unfinished:
    """What a lazy proxy of no address is like."""

    def __repr__(self):
        return f"<Unfinished {JANE}>"


CASES = {
    "resolve_email": {"resolve_email": fail},
    "resolve_email returns a user": {"resolve_email": lambda source: {"email": JANE}},
    "resolve_email returns an object": {"resolve_email": lambda source: Unfinished()},
    "helpdesk": {"helpdesk": fail},
    "helpdesk returns an address": {"helpdesk": lambda source, email: [email]},
    "helpdesk of a combination": {"helpdesk": fail, "resolve_email": require(jane, bool, "x")},
    "predicate": {"resolve_email": require(jane, fail, "x")},
    "predicate returns nonsense": {"resolve_email": require(jane, lambda email: fail, "x")},
    "predicate returns a pair": {"resolve_email": require(jane, lambda email: (False, email), "x")},
    "end_session": {"end_session": fail, "path": "/bye"},
    "end_session returns nonsense": {"end_session": lambda source: [JANE], "path": "/bye"},
    "on_event": {"options": {"on_event": fail}},
}


def error_of(site, *, path=PATH, end_session=None, resolve_email=jane, helpdesk=DESK, options=()):
    options = {"paths": PATH, **dict(options)}
    if end_session:
        options["logout"] = Logout(end_session, path=path)
    with pytest.raises((Broken, ResolverError)) as caught:
        site(resolve_email, helpdesk, options).get(path)
    return caught.value


@pytest.mark.parametrize("case", CASES)
def test_code_of_the_application(site, case):
    """An error of the application's own code passes through frames that show nothing."""
    error = error_of(site, **CASES[case])
    assert leaks(sent_by_sentry(error), *THEIRS) == []
    assert leaks_of_plain_traceback(error) == []


@pytest.mark.parametrize(
    "case",
    {
        "helpdesk": {"helpdesk": fail_async},
        "helpdesk and resolve_email": {"helpdesk": fail_async, "resolve_email": jane_async},
        "helpdesk in a thread": {"helpdesk": fail, "resolve_email": jane_async},
        "predicate": {"resolve_email": require(jane, fail_async, "x")},
        "predicate in a thread": {"resolve_email": require(jane_async, fail, "x")},
        "a lambda that returns a coroutine": {"helpdesk": lambda *args: fail_async(*args)},
        "end_session": {"end_session": fail_async, "path": "/bye"},
    }.items(),
    ids=lambda case: case[0],
)
def test_async_code(case):
    """The same with coroutine functions, and between threads and the event loop."""
    error = error_of(ASGISite, **case[1])
    assert leaks(sent_by_sentry(error), *THEIRS) == []
    assert leaks_of_plain_traceback(error) == []


def test_verified():
    """A predicate's error, where the user's own repr shows nothing, brings no address either."""

    class User:
        __slots__ = ()
        email = JANE
        is_authenticated = is_active = True

    resolver = user_email(verified=fail)
    with pytest.raises(Broken) as caught:
        asyncio.run(resolver({"type": "http", "user": User()}))
    assert leaks(sent_by_sentry(caught.value), *THEIRS) == []
    assert leaks_of_plain_traceback(caught.value) == []


@pytest.mark.parametrize("answer", [JANE, {"email": JANE}], ids=["address", "mapping"])
def test_verified_of_a_getter(answer):
    """Nor does it where a getter has returned the address itself, or a mapping that holds it."""
    app = flask.Flask("shop")
    app.secret_key = "a session secret"
    resolvers = [
        (request_email(lambda request: answer, verified=fail), {"type": "http"}),
        (context_email(app, lambda: answer, verified=fail), make_environ("GET", PATH)),
    ]
    for resolver, source in resolvers:
        with pytest.raises(Broken) as caught:
            resolver(source)
        assert leaks(sent_by_sentry(caught.value), *THEIRS) == []
        assert leaks_of_plain_traceback(caught.value) == []


class Shown:
    """A user whose repr is the address, as that of many users is."""

    email = JANE
    is_authenticated = is_active = is_verified = True

    def __repr__(self):
        return f"<User {JANE}>"


def raising(name):
    """Return such a user, of whom one attribute raises."""
    return type("User", (Shown,), {name: property(fail)})()


class FailingRow:
    """A row of a database that is no mapping and has lost its connection."""

    __repr__ = Shown.__repr__
    __getitem__ = keys = fail


@pytest.mark.parametrize(
    "user",
    [*map(raising, ["is_authenticated", "is_active", "is_verified", "email"]), Shown(), FailingRow()],
    ids=["is_authenticated", "is_active", "is_verified", "email", "predicate", "row"],
)
def test_repr_of_the_user(user):
    """Nor does an error of the user or of a predicate, where the repr of the user is the address."""
    app = flask.Flask("shop")
    app.secret_key = "a session secret"
    LoginManager(app).request_loader(lambda request: user)
    verified = fail if type(user) is Shown else "is_verified"
    for resolver in (
        context_email(app, lambda: user, verified=verified),
        login_user_email(app, verified=verified),
    ):
        with pytest.raises(Broken) as caught:
            resolver(make_environ("GET", PATH))
        assert leaks(sent_by_sentry(caught.value), *THEIRS, "flask_login") == []
        assert leaks_of_plain_traceback(caught.value) == []


class FailingMapping(Mapping):
    """A mapping that raises when its values are read."""

    def __getitem__(self, name):
        raise Broken

    def __iter__(self):
        return iter(["name"])

    def __len__(self):
        return 1


@pytest.mark.parametrize(
    "claims",
    [{"manager": object(), "of": JANE}, {"email": JANE}, FailingMapping()],
    ids=["no JSON", "reserved", "a mapping that fails"],
)
@pytest.mark.parametrize(
    ("handoff_response", "source"),
    [(wsgi.handoff_response, make_environ("GET", PATH)), (asgi.handoff_response, make_scope("GET", PATH))],
    ids=["wsgi", "asgi"],
)
def test_claims(handoff_response, source, claims):
    """Further claims that cannot be signed show neither the address nor each other's values."""
    with pytest.raises((Broken, ConfigError)) as caught:
        handoff_response(source, DESK, JANE, claims=claims)
    assert leaks(sent_by_sentry(caught.value), *THEIRS) == []
    assert leaks_of_plain_traceback(caught.value) == []


def test_server_gone(site):
    """An error while the answer is sent shows neither the URL nor the address."""
    visits = {
        "wsgi": lambda middleware: middleware(make_environ("GET", PATH), fail),
        "asgi": lambda middleware: asyncio.run(middleware(make_scope("GET", PATH), None, fail_async)),
    }
    with pytest.raises(Broken) as caught:
        visits[site.protocol](site(jane).middleware)
    assert leaks(sent_by_sentry(caught.value), *THEIRS) == []
    assert leaks_of_plain_traceback(caught.value) == []


def test_stack_at_an_event(site):
    """A tracker that sends the whole stack, from on_event or for a log record, gets nothing either."""
    stacks = []

    class Handler(logging.Handler):
        def emit(self, record):
            stacks.append(stack_now())

    def on_event(event):
        stacks.append(stack_now())
        raise ValueError(f"cannot store {event.email}")

    logger, handler = logging.getLogger("sso_middleware"), Handler()
    logger.addHandler(handler)
    level = logger.level
    logger.setLevel(logging.INFO)
    try:
        assert site(jane, options={"on_event": on_event}).get(PATH).is_handoff
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
    assert len(stacks) == 3  # the event's record, the hook, and the record of its error
    # pytest-xdist's frame has the name of the next test, which may contain an address.
    others = (*THEIRS, "sentry_sdk", "error_trackers", "__channelexec__")
    assert [leak for stack in stacks for leak in leaks(stack, *others)] == []


ACCOUNT = {
    "sso_token": SSO_TOKEN,
    "sso_auth_url": "https://acme.example/sso",
    "account_id": "4711",
    "auth_url": "https://app.example.com/sso/helpdesk",
}


class TestSettings:
    @pytest.mark.parametrize(
        "changes",
        [
            {"account_id": ""},
            {"sso_token": f"{SSO_TOKEN} "},
            {"sso_token": f"HELPDESK_SSO_TOKEN={SSO_TOKEN}"},
            {"sso_token": f"{SSO_TOKEN}\udcff"},  # what os.environ makes of a byte that is not UTF-8
            {"sso_token": f"-----BEGIN PUBLIC KEY-----\n{SSO_TOKEN}\n-----END PUBLIC KEY-----"},
            {"sso_token": "", "sso_token_file": SSO_TOKEN},
        ],
    )
    @pytest.mark.parametrize("from_process", [False, True])
    def test_from_env(self, monkeypatch, changes, from_process):
        """A wrong variable shows neither its own value nor the token, from a mapping or the environment."""
        variables = {f"HELPDESK_{name.upper()}": value for name, value in (ACCOUNT | changes).items()}
        if from_process:
            for name, value in variables.items():
                monkeypatch.setenv(name, value)
        with pytest.raises(ConfigError) as caught:
            HelpDesk.from_env(None if from_process else variables)
        assert caught.value.__context__ is None
        assert leaks(sent_by_sentry(caught.value), *THEIRS) == []
        assert leaks_of_plain_traceback(caught.value) == []

    def test_mapping_that_fails(self):
        """Nor does a mapping that raises, with part of it read."""

        class Failing(dict):
            def get(self, name):
                return fail() if name == "HELPDESK_SSO_TOKEN_FILE" else super().get(name)

        with pytest.raises(Broken) as caught:
            HelpDesk.from_env(Failing({f"HELPDESK_{name.upper()}": value for name, value in ACCOUNT.items()}))
        assert leaks(sent_by_sentry(caught.value), *THEIRS) == []
        assert leaks_of_plain_traceback(caught.value) == []

    @pytest.mark.filterwarnings("error::sso_middleware.ShortTokenWarning")
    def test_warning(self):
        """Nor does the warning of a short token, where warnings are errors."""
        with pytest.raises(ShortTokenWarning) as caught:
            HelpDesk(**ACCOUNT | {"sso_token": SSO_TOKEN[:31]})
        frames = sent_by_sentry(caught.value)
        assert leaks(frames, *THEIRS) == []
        assert not [
            frame
            for frame in frames
            if frame["module"] == "sso_middleware.helpdesk.account" and SSO_TOKEN[:31] in str(frame)
        ]

    @pytest.mark.parametrize(
        ("settings", "defaults"),
        [
            ({"resolve_email": "paste_app:broken"}, {}),
            ({"resolve_email": "paste_app:resolver", "end_session": "paste_app:broken"}, {}),
            ({"resolve_email": "broken_module:resolver"}, {}),
            ({"resolve_email": "paste_app:resolver", "login_url": "wrong"}, {}),
            ({"resolve_email": "paste_app:resolver", "sso-token": SSO_TOKEN}, {}),
            ({"resolve_email": "paste_app:broken"}, {"sso_token": SSO_TOKEN}),
        ],
    )
    @pytest.mark.parametrize(
        "make",
        [
            lambda app, defaults, settings: filter_factory(defaults, **settings)(app),
            lambda app, defaults, settings: filter_app_factory(app, defaults, **settings),
        ],
        ids=["filter_factory", "filter_app_factory"],
    )
    def test_paste(self, monkeypatch, tmp_path, make, settings, defaults):
        """Code that a filter's settings name may fail, and settings may be wrong."""
        (tmp_path / "broken_module.py").write_text("raise RuntimeError('broken')")
        monkeypatch.syspath_prepend(tmp_path)
        account = {name: value for name, value in ACCOUNT.items() if name not in defaults}
        with pytest.raises((ConfigError, RuntimeError)) as caught:
            make(SimpleNamespace(__call__=fail), defaults, account | settings)
        assert leaks(sent_by_sentry(caught.value), *THEIRS) == []
        assert leaks_of_plain_traceback(caught.value) == []
