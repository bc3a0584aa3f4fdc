"""Django's system checks, one for each way the settings can be wrong."""

from __future__ import annotations

import functools
import tomllib
import traceback
from pathlib import Path

import pytest
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.checks import run_checks
from django.db import models
from django.urls import reverse_lazy

import forks
from clients import AUTH_URL, DESK, LOGOUT_URL, SSO_TOKEN
from django_project import (
    AUTHENTICATION,
    ENGINES,
    OURS,
    SESSION,
    WITHOUT_OURS,
    WSGIBrowser,
    inside,
    setting,
)
from sso_middleware import ConfigError, Logout, ShortTokenWarning

EVERY_SETTING = [
    # the number, what is wrong, and words of the message
    (1, None, "HELPDESK_SSO must be a dict"),
    (1, [("sso_token", SSO_TOKEN)], "HELPDESK_SSO must be a dict"),
    (2, setting(SSO_TOKEN="x"), "'SSO_TOKEN'] is not a setting: did you mean 'sso_token'."),
    (2, setting(zzzzzz=1), "'zzzzzz'] is not a setting."),
    (3, setting(sso_token=""), "'sso_token'] is empty"),
    (3, setting(sso_token=...), "'sso_token'] is not set"),
    (4, setting(sso_auth_url="http://acme.example"), "'sso_auth_url'] must be https"),
    (4, setting(sso_auth_url=...), "'sso_auth_url'] is not set"),
    (5, setting(account_id=None), "'account_id'] must be a str or an int"),
    (5, setting(account_id=...), "'account_id'] is not set"),
    (6, setting(auth_url="nowhere"), "'auth_url'] must start with https"),
    (6, setting(auth_url=...), "'auth_url'] is not set"),
    (6, setting(auth_url="https://app.example.com/login"), "'auth_url'] '/login' is already used"),
    (7, setting(logout_url="nowhere"), "'logout_url'] must start with https"),
    (7, setting(logout_url=AUTH_URL), "'logout_url'] '/sso/helpdesk' is already used"),
    (8, setting(backdate=31), "'backdate'] must be a whole number"),
    (9, setting(allow_http="yes"), "'allow_http'] must be True or False"),
    (10, setting(helpdesk=DESK), "'helpdesk'] is set, and sso_token, sso_auth_url"),
    (10, {"helpdesk": None, "verified": "is_staff", "paths": "/sso"}, "'helpdesk'] must be a HelpDesk"),
    (10, {"helpdesk": "no.where", "verified": "is_staff"}, "'helpdesk'] 'no.where' cannot be imported"),
    (11, setting(resolve_email=7, verified=...), "'resolve_email'] must be a callable"),
    (11, setting(resolve_email="no.where", verified=...), "'resolve_email'] 'no.where' cannot be imported"),
    (11, setting(resolve_email="word", verified=...), "'resolve_email'] 'word' cannot be imported"),
    (
        11,
        setting(resolve_email=lambda: None, verified=...),
        "'resolve_email'] must take the Http",
    ),
    (
        11,
        setting(resolve_email="sso_middleware.resolvers.django.user_email", verified=...),
        "if it makes a resolver, set the resolver it returns",
    ),
    (12, setting(verified=...), "'verified'] must be True"),
    (12, setting(verified=False), "'verified'] must be True"),
    (
        12,
        setting(verified="sso_middleware.resolvers.django.allauth_verified"),
        "'verified'] uses django-allauth, but 'allauth.account' is not in INSTALLED_APPS",
    ),
    (12, setting(verified="no.where"), "'verified'] 'no.where' cannot be imported"),
    (12, setting(resolve_email=len), "'verified'] only applies to the default resolver"),
    (13, setting(paths="sso"), "'paths'] 'sso' must start with /"),
    (13, setting(paths=[]), "'paths'] is empty"),
    (14, setting(login_url="//evil.example"), "'login_url'] must not start with //"),
    (14, setting(login_url="no-such-name"), "'login_url'] is not a path"),
    (14, setting(login_url=7), "'login_url'] is not a path"),
    (14, setting(login_url=reverse_lazy("no-such-name")), "Reverse for 'no-such-name' not found."),
    (15, setting(next_param=""), "'next_param'] must be a non-empty str"),
    (16, setting(logout_url=...), "'logout'] has no path: set logout_url"),
    (16, setting(logout={}, logout_url=...), "'logout'] has no path: set logout_url"),
    (16, setting(logout=""), "'logout'] must be True, a Logout, or a dict"),
    (16, setting(logout="yes"), "'logout'] must be True, a Logout, or a dict"),
    (16, setting(logout={"path": "x", "then": ""}), "'logout'] Logout(path) must start with /; Logout(then)"),
    (16, setting(logout={"where": "/"}), "'logout'] must not hold anything but end_session"),
    (16, setting(logout={"end_session": "no.where"}), "'logout'] end_session 'no.where' cannot be imported"),
    (17, setting(on_event=7), "'on_event'] must be a callable"),
    (17, setting(on_event="no.where"), "'on_event'] 'no.where' cannot be imported"),
]


def found():
    return run_checks(tags=["sso_middleware"])


@pytest.mark.parametrize(("number", "value", "words"), EVERY_SETTING)
def test_each_wrong_setting(configure, number, value, words):
    """It has its own id, says what is wrong and how to fix it; the middleware is not made."""
    configure(HELPDESK_SSO=value)
    (error,) = found()
    assert error.id == f"sso_middleware.E{number:03}"
    assert words in error.msg
    assert error.hint
    assert error.level >= 40
    assert SSO_TOKEN not in str(error)
    with pytest.raises(ConfigError):
        inside(WSGIBrowser)


def test_a_setting_that_is_not_there(configure, settings_without):
    """HELPDESK_SSO itself is missed."""
    settings_without("HELPDESK_SSO")
    (error,) = found()
    assert (error.id, error.msg) == ("sso_middleware.E001", "HELPDESK_SSO is not set.")


def test_all_at_once(configure):
    """Every wrong setting is found in one go: those of the account, and those of the middleware."""
    configure(
        LOGIN_URL="no-such-name",
        HELPDESK_SSO={
            "sso_token": " ",
            "auth_url": "x",
            "verified": 7,
            "resolver": len,
            "paths": "x",
            "logout": {"path": "y"},
            "on_event": 7,
        },
    )
    assert [error.id[-4:] for error in sorted(found(), key=lambda error: error.id)] == [
        "E002",
        "E003",
        "E004",
        "E005",
        "E006",
        "E012",
        "E013",
        "E014",
        "E016",
        "E017",
    ]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([OURS, SESSION, AUTHENTICATION], f"{SESSION!r} and {AUTHENTICATION!r} must come before {OURS!r}"),
        ([SESSION, OURS, AUTHENTICATION], f"in MIDDLEWARE, {AUTHENTICATION!r} must come before {OURS!r}"),
    ],
)
def test_wrong_order(configure, lines, message):
    """The hint is the line to move, and where to."""
    configure(MIDDLEWARE=lines)
    (error,) = found()
    assert error.id == "sso_middleware.E018"
    assert message in error.msg
    assert error.hint == f"Move the line {OURS!r} below {AUTHENTICATION!r}."


@pytest.mark.parametrize(
    "line",
    [
        "django.contrib.auth.middleware.PersistentRemoteUserMiddleware",
        "django_deciding.HeaderUserMiddleware",
        "django_otp.middleware.OTPMiddleware",
        "impersonate.middleware.ImpersonateMiddleware",
        "oauth2_provider.middleware.OAuth2TokenMiddleware",
        "sesame.middleware.AuthenticationMiddleware",
    ],
)
def test_what_decides_who_the_user_is(configure, line):
    """Below our line it would decide too late, whether its package can be imported or not."""
    configure(MIDDLEWARE=[*WITHOUT_OURS, OURS, line])
    (error,) = found()
    assert error.id == "sso_middleware.E018"
    assert error.hint == f"Move the line {OURS!r} below {line!r}."
    configure(MIDDLEWARE=[*WITHOUT_OURS, line, OURS])
    assert found() == []


def test_a_short_token_is_a_warning(configure):
    """The check says so; making the middleware warns."""
    configure(HELPDESK_SSO=setting(sso_token="short"))
    (warning,) = found()
    assert (warning.id, warning.level) == ("sso_middleware.W001", 30)
    assert "32 bytes" in warning.msg
    with pytest.warns(ShortTokenWarning) as caught:
        inside(WSGIBrowser)
    assert len(caught) == 1


def test_a_short_token_is_no_matter_while_others_are_wrong(configure):
    """As for a HelpDesk: errors come first, also where warnings are errors."""
    configure(HELPDESK_SSO=setting(sso_token="short", sso_auth_url="wrong"))
    assert [error.id for error in found()] == ["sso_middleware.E004"]
    with pytest.raises(ConfigError):
        inside(WSGIBrowser)


def test_other_warnings_stay_what_they_are(configure, monkeypatch, tmp_path):
    """What a dotted path imports may warn, and that is no finding."""
    (tmp_path / "module_that_warns.py").write_text("import warnings; warnings.warn('of its own'); note = len")
    monkeypatch.syspath_prepend(tmp_path)
    configure(HELPDESK_SSO=setting(on_event="module_that_warns.note"))
    with pytest.warns(UserWarning, match="of its own"):
        assert found() == []


def test_a_setting_nobody_reads_is_a_warning(configure, settings_without):
    """HELPDESK_SSO without our line is a warning; without both, nothing is checked."""
    configure(MIDDLEWARE=WITHOUT_OURS)
    (warning,) = found()
    assert warning.id == "sso_middleware.W002"
    assert warning.hint == f"Add the line {OURS!r} below {AUTHENTICATION!r}."
    settings_without("HELPDESK_SSO")
    assert found() == []


@pytest.mark.parametrize("protocol", ["wsgi", "asgi"])
def test_the_class_for_whole_applications(configure, protocol):
    """In MIDDLEWARE it cannot work: the hint says what to write in its place."""
    other = f"sso_middleware.{protocol}.SSOMiddleware"
    configure(MIDDLEWARE=[*WITHOUT_OURS, other])
    (warning,) = found()
    assert warning.id == "sso_middleware.W002"
    assert warning.hint.startswith(f"Use {OURS!r} instead of {other!r}")


def test_where_a_logout_leads(configure):
    """LOGOUT_REDIRECT_URL is looked up where it counts."""
    configure(LOGOUT_REDIRECT_URL="no-such-name")
    (error,) = found()
    assert error.id == "sso_middleware.E016"
    assert "['logout'] then (from LOGOUT_REDIRECT_URL) is not a path" in error.msg
    configure(HELPDESK_SSO=setting(logout={"then": "/bye"}))
    assert found() == []


def test_no_authentication_is_a_warning(configure):
    """For the default resolver, which reads request.user; a resolver of one's own may need none."""
    configure(MIDDLEWARE=[SESSION, OURS])
    (warning,) = found()
    assert warning.id == "sso_middleware.W003"
    configure(HELPDESK_SSO=setting(resolve_email=len, verified=...))
    assert found() == []


def test_an_attribute_that_users_do_not_have_is_a_warning(configure):
    """Before a visitor meets an AttributeError; fields, properties and relations are attributes."""
    configure(HELPDESK_SSO=setting(verified="email_verified"))
    (warning,) = found()
    assert warning.id == "sso_middleware.W004"
    assert "User has no such attribute" in warning.msg
    for name in ("is_staff", "is_authenticated", "groups"):
        configure(HELPDESK_SSO=setting(verified=name))
        assert found() == []
    configure(HELPDESK_SSO=setting(verified="email_verified"), AUTH_USER_MODEL="no.Such")
    assert found() == []  # that is Django's to tell


class PersonWithoutAddress(AbstractBaseUser):
    """A user model as Django lets people write it."""

    name = models.CharField(unique=True)
    USERNAME_FIELD = "name"

    class Meta:
        app_label = "auth"


class PersonWithProperty(models.Model):  # noqa: DJ008
    """Its address is no field."""

    class Meta:
        app_label = "auth"

    @property
    def email(self):
        return "jane@example.com"


class PersonWhoAnswersToAnyName(models.Model):  # noqa: DJ008
    """Its address comes from elsewhere."""

    class Meta:
        app_label = "auth"

    def __getattr__(self, name):
        return f"{name}@example.com"


def test_a_user_model_without_an_address(configure):
    """Nobody could be handed off: that is found before the first visitor, and says what to do."""
    configure(AUTH_USER_MODEL="auth.PersonWithoutAddress")
    (error,) = found()
    assert error.id == "sso_middleware.E019"
    assert error.msg.startswith("AUTH_USER_MODEL is auth.PersonWithoutAddress, which has no 'email'")
    assert "EMAIL_FIELD" in error.hint
    assert "resolve_email" in error.hint
    with pytest.raises(ConfigError, match="AUTH_USER_MODEL"):
        inside(WSGIBrowser)


@pytest.mark.parametrize(
    "changes",
    [
        {"AUTH_USER_MODEL": "auth.PersonWithProperty"},
        {"AUTH_USER_MODEL": "auth.PersonWhoAnswersToAnyName"},
        {"HELPDESK_SSO": setting(resolve_email=len, verified=...)},
        {"MIDDLEWARE": [SESSION, "django_deciding.HeaderUserMiddleware", OURS]},
    ],
    ids=["property", "any name", "resolver", "users of another kind"],
)
def test_an_address_from_elsewhere(configure, changes):
    """Not every address is a field of the user model."""
    configure(**{"AUTH_USER_MODEL": "auth.PersonWithoutAddress", **changes})
    assert "sso_middleware.E019" not in [message.id for message in found()]


def test_an_old_django(tmp_path):
    """It is named, with the oldest one that will do, which is also what the package's own tests ask for."""
    (tmp_path / "old.py").write_text(
        "import django\ndjango.VERSION = (5, 1, 9, 'final', 0)\nimport sso_middleware.django\n"
    )
    done = forks.run("old.py", cwd=tmp_path, imports=["django"])
    assert "ConfigError: Django: is 5.1.9: upgrade to 5.2" in done.stderr
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))["project"]
    assert "django>=5.2" in project["optional-dependencies"]["test"]


@pytest.mark.parametrize("same_site", ["Strict", "strict"])
def test_a_session_that_stays_at_home_is_a_warning(configure, same_site):
    """A link from the Help Desk is one from another site: a strict cookie is not sent along."""
    configure(SESSION_COOKIE_SAMESITE=same_site)
    (warning,) = found()
    assert (warning.id, warning.level) == ("sso_middleware.W005", 30)
    said = f"SESSION_COOKIE_SAMESITE is {same_site!r}: visitors from the Help Desk look anonymous."
    assert warning.msg == said
    assert warning.hint == "Set it to 'Lax'."
    for other in ("Lax", "None", None, False):
        configure(SESSION_COOKIE_SAMESITE=other)
        assert found() == []


def test_a_session_that_stays_at_home_without_our_line(configure):
    """Where nothing is taken over, that alone is said."""
    configure(SESSION_COOKIE_SAMESITE="Strict", MIDDLEWARE=WITHOUT_OURS)
    assert [warning.id for warning in found()] == ["sso_middleware.W002"]


def test_a_promise_is_asked_for(configure):
    """`verified: True` is somebody's word: every check asks for it, until it is silenced."""
    configure(HELPDESK_SSO=setting(verified=True))
    (warning,) = found()
    assert (warning.id, warning.level) == ("sso_middleware.W006", 30)
    assert warning.msg == "HELPDESK_SSO['verified'] is True, but Django itself does not verify addresses."
    assert "'sso_middleware.resolvers.django.allauth_verified'" in warning.hint
    assert "SILENCED_SYSTEM_CHECKS = ['sso_middleware.W006']" in warning.hint
    assert warning in run_checks(tags=["security"])
    configure(SILENCED_SYSTEM_CHECKS=["sso_middleware.W006"])
    assert warning.is_silenced()


@pytest.mark.parametrize(
    "changes",
    [
        {"HELPDESK_SSO": setting()},
        {"HELPDESK_SSO": setting(verified="is_staff")},
        {"HELPDESK_SSO": setting(verified=..., resolve_email=len)},
        {"HELPDESK_SSO": setting(verified=True), "MIDDLEWARE": WITHOUT_OURS},
    ],
    ids=["predicate", "name", "resolver", "unused"],
)
def test_no_promise(configure, changes):
    """Where nobody has promised anything, nothing is asked."""
    configure(**changes)
    assert "sso_middleware.W006" not in [warning.id for warning in found()]


def test_a_decorated_resolver(configure):
    """What counts is how a resolver is called, and not what its decorator wraps."""

    def inject(function):
        @functools.wraps(function)
        def resolve_email(request):
            return function(request, {})

        return resolve_email

    configure(HELPDESK_SSO=setting(resolve_email=inject(lambda request, directory: None), verified=...))
    assert found() == []


@pytest.mark.parametrize("engine", ENGINES)
def test_nothing_is_found_where_nothing_is_wrong(configure, engine):
    """Settings that work pass the checks; a line that cannot be imported is for others to tell."""
    configure(SESSION_ENGINE=f"django.contrib.sessions.backends.{engine}")
    assert found() == []
    configure(MIDDLEWARE=["no.such.Middleware", *WITHOUT_OURS, OURS])
    assert found() == []


@pytest.mark.parametrize(
    "changes",
    [
        {"paths": "wrong"},
        {"sso_auth_url": "wrong"},
        {"on_event": "no.where"},
        {"on_event": "broken_module.note"},
        {"logout": Logout(len, path="/sso/helpdesk")},
    ],
)
@pytest.mark.filterwarnings("error::sso_middleware.ShortTokenWarning")
@pytest.mark.parametrize("token", [SSO_TOKEN, "a short token"])
def test_no_traceback_shows_the_token(configure, monkeypatch, tmp_path, changes, token):
    """Also with the local variables of each of our frames, as error trackers send them."""
    (tmp_path / "broken_module.py").write_text("raise RuntimeError('broken')")
    monkeypatch.syspath_prepend(tmp_path)
    configure(HELPDESK_SSO=setting(sso_token=token, **changes))
    with pytest.raises((ConfigError, RuntimeError, ShortTokenWarning)) as caught:
        inside(WSGIBrowser)
    error = caught.value
    while error is not None:
        frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
        ours = [frame for frame in frames if frame.f_globals["__name__"].startswith("sso_middleware")]
        for frame in ours:
            assert token not in repr(frame.f_locals), frame
        assert token not in str(error)
        error = error.__context__


@pytest.fixture
def settings_without(configure):
    """Take a setting away for one test."""

    def settings_without(name):
        from django.conf import settings  # noqa: PLC0415

        configure()  # an override of its own, in which the setting can be deleted
        delattr(settings, name)

    return settings_without


PROJECT = f"""
SECRET_KEY = "the secret key of a project that exists in tests only"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", THE_APP]
MIDDLEWARE = ["{OURS}", "{SESSION}", "{AUTHENTICATION}"]
DATABASES = {{}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "project"
urlpatterns = []
HELPDESK_SSO = {{
    "sso_token": {SSO_TOKEN!r},
    "sso_auth_url": "https://acme.example/sso",
    "account_id": 4711,
    "auth_url": "{AUTH_URL}",
    "logout_url": "{LOGOUT_URL}",
}}
"""


@pytest.mark.parametrize(
    ("first_line", "app"),
    [
        ("", '"sso_middleware.django"'),
        ("from sso_middleware.django import end_session", '"django.contrib.messages"'),
    ],
    ids=["in INSTALLED_APPS", "imported by the settings"],
)
def test_manage_py_check(tmp_path, first_line, app):
    """`manage.py check` finds it all, and shows no token."""
    (tmp_path / "project.py").write_text(f"{first_line}\n{PROJECT.replace('THE_APP', app)}")
    result = manage(tmp_path, "check")
    assert result.returncode == 1
    assert "(sso_middleware.E012) HELPDESK_SSO['verified'] must be True" in result.stderr
    assert f"(sso_middleware.E018) in MIDDLEWARE, {SESSION!r}" in result.stderr
    assert SSO_TOKEN not in result.stderr + result.stdout


def test_manage_py_check_of_a_promise(tmp_path):
    """`manage.py check` asks about `verified: True`, without --deploy."""
    project = PROJECT.replace("THE_APP", '"sso_middleware.django"').replace(
        f'["{OURS}", "{SESSION}", "{AUTHENTICATION}"]', f'["{SESSION}", "{AUTHENTICATION}", "{OURS}"]'
    )
    (tmp_path / "project.py").write_text(f"{project}\nHELPDESK_SSO['verified'] = True\n")
    result = manage(tmp_path, "check")
    assert (result.returncode, result.stderr.count("(sso_middleware.W006)")) == (0, 1)


def test_other_applications_may_be_called_django_too(tmp_path):
    """Django wants every application's label to be its own, and "somebody.django" has "django"."""
    (tmp_path / "somebody").mkdir()
    (tmp_path / "somebody" / "django.py").write_text("")
    apps = '"sso_middleware.django", "somebody.django"'
    (tmp_path / "project.py").write_text(PROJECT.replace("THE_APP", apps))
    result = manage(tmp_path, "check", "sso_middleware")
    assert "(sso_middleware.E012)" in result.stderr


def test_the_debug_page_hides_the_token():
    """Django's own filter stars it out: the names of the fields are among those it knows."""
    from django.views.debug import SafeExceptionReporterFilter  # noqa: PLC0415

    shown = SafeExceptionReporterFilter().get_safe_settings()
    assert shown["HELPDESK_SSO"]["account_id"] == 4711
    assert SSO_TOKEN not in str(shown)


def manage(directory, *arguments):
    project = ("--settings", "project", "--pythonpath", ".")
    return forks.run("-m", "django", *arguments, *project, cwd=directory, imports=forks.DJANGO)
