"""HELPDESK_SSO without an account: it is in the HELPDESK_* variables, which are read when it is needed."""

from __future__ import annotations

import os

import pytest
from django.core.checks import run_checks

import forks
from clients import AUTH_URL, JANE, LOGOUT_URL, SSO_TOKEN
from django_project import AUTHENTICATION, OURS, SESSION, WSGIBrowser, in_group, inside, setting
from sso_middleware import ConfigError

VARIABLES = {
    "HELPDESK_SSO_TOKEN": SSO_TOKEN,
    "HELPDESK_SSO_AUTH_URL": "https://acme.example/sso",
    "HELPDESK_ACCOUNT_ID": "4711",
    "HELPDESK_AUTH_URL": AUTH_URL,
    "HELPDESK_LOGOUT_URL": LOGOUT_URL,
}
REQUIRED = {name for name in VARIABLES if name != "HELPDESK_LOGOUT_URL"}
WITHOUT_ACCOUNT = {"verified": in_group, "logout": True}


@pytest.fixture(autouse=True)
def variables(configure, monkeypatch):
    """Set variables for one test, in a project that leaves the account to them."""
    configure(HELPDESK_SSO=WITHOUT_ACCOUNT)
    for name in os.environ:
        if name.startswith("HELPDESK_"):
            monkeypatch.delenv(name)

    def variables(**changes):
        for name, value in (VARIABLES | changes).items():
            monkeypatch.setenv(name, value)

    return variables


def found():
    return run_checks(tags=["sso_middleware"])


def test_they_are_read_when_the_middleware_is_made(browser, variables):
    """The setting was there before them."""
    variables()
    site = inside(browser)
    site.sign_in("jane")
    assert site.get("/sso/helpdesk").claims["email"] == JANE
    assert site.get("/sso/logout")["location"] == "/"
    assert found() == []


def test_none_is_a_warning(browser):
    """The commands that serve nothing work without them, and no server starts."""
    (warning,) = found()
    assert (warning.id, warning.level) == ("sso_middleware.W007", 30)
    assert all(name in warning.msg for name in REQUIRED)
    assert warning.hint
    with pytest.raises(ConfigError) as caught:
        inside(browser)
    assert caught.value.problems == dict.fromkeys(REQUIRED, "is not set")


def test_empty_ones_are_none(variables):
    """As for from_env, so that a deployment can leave them empty."""
    variables(**dict.fromkeys(VARIABLES, ""))
    assert [warning.id for warning in found()] == ["sso_middleware.W007"]


def test_none_and_other_mistakes(configure):
    """The rest of the setting is checked all the same."""
    configure(HELPDESK_SSO={"verified": None, "logout": {"path": "x"}})
    assert sorted(message.id[-4:] for message in found()) == ["E012", "E016", "W007"]


def test_variables_that_stand_in_the_setting(configure):
    """They are fields there, with names of their own."""
    configure(HELPDESK_SSO={**WITHOUT_ACCOUNT, "HELPDESK_SSO_TOKEN": SSO_TOKEN})
    error, warning = sorted(found(), key=lambda message: message.id)
    assert "HELPDESK_SSO['HELPDESK_SSO_TOKEN'] is not a setting: did you mean 'sso_token'" in error.msg
    assert warning.id == "sso_middleware.W007"


@pytest.mark.parametrize(
    ("changes", "number", "words"),
    [
        ({"HELPDESK_SSO_TOKEN": f"{SSO_TOKEN} "}, 3, "HELPDESK_SSO_TOKEN starts or ends with white space"),
        ({"HELPDESK_SSO_TOKEN": "", "HELPDESK_SSO_TOKEN_FILE": "/no/where"}, 3, "TOKEN_FILE names a file"),
        ({"HELPDESK_SSO_AUTH_URL": ""}, 4, "HELPDESK_SSO_AUTH_URL is not set"),
        ({"HELPDESK_ACCOUNT_ID": " 1"}, 5, "HELPDESK_ACCOUNT_ID must not be empty"),
        ({"HELPDESK_AUTH_URL": "nowhere"}, 6, "HELPDESK_AUTH_URL must start with https"),
        ({"HELPDESK_LOGOUT_URL": "nowhere"}, 7, "HELPDESK_LOGOUT_URL must start with https"),
        ({"HELPDESK_BACKDATE": "soon"}, 8, "HELPDESK_BACKDATE must be a whole number"),
        ({"HELPDESK_ALLOW_HTTP": "maybe"}, 9, "HELPDESK_ALLOW_HTTP must be one of"),
    ],
)
def test_a_wrong_one(variables, changes, number, words):
    """It has the id of the field that it stands for, and no middleware is made."""
    variables(**changes)
    (error,) = found()
    assert error.id == f"sso_middleware.E{number:03}"
    assert words in error.msg
    assert error.hint
    assert SSO_TOKEN not in str(error)
    with pytest.raises(ConfigError):
        inside(WSGIBrowser)


def test_some(variables, monkeypatch):
    """Where one is set, each missing one is an error."""
    monkeypatch.setenv("HELPDESK_BACKDATE", "1")
    assert sorted(error.id[-4:] for error in found()) == ["E003", "E004", "E005", "E006"]


@pytest.mark.parametrize("given", [setting(), setting(sso_token=...)], ids=["whole", "in part"])
def test_fields_come_first(configure, variables, given):
    """Where the setting holds a field, the variables are not looked at."""
    configure(HELPDESK_SSO=given)
    variables(HELPDESK_AUTH_URL="nowhere")
    assert [error.id for error in found()] == ([] if "sso_token" in given else ["sso_middleware.E003"])


PROJECT = f"""
from pathlib import Path

SECRET_KEY = "the secret key of a project that exists in tests only"
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = [
    "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions",
    "django.contrib.staticfiles", "sso_middleware.django",
]
MIDDLEWARE = ["{SESSION}", "{AUTHENTICATION}", "{OURS}"]
DATABASES = {{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}}}}
STATIC_URL = "static/"
STATIC_ROOT = Path(__file__).parent / "static"
ROOT_URLCONF = "project"
WSGI_APPLICATION = "served.application"
urlpatterns = []
HELPDESK_SSO = {{"verified": "is_staff", "logout": True}}
"""
SERVED = "from django.core.wsgi import get_wsgi_application\napplication = get_wsgi_application()"


@pytest.fixture
def python(tmp_path):
    """Run Python in the directory of a project that has none of the variables."""
    (tmp_path / "project.py").write_text(PROJECT)
    (tmp_path / "served.py").write_text(SERVED)

    def python(*arguments):
        others = {name: value for name, value in os.environ.items() if not name.startswith("HELPDESK_")}
        return forks.run(*arguments, cwd=tmp_path, env=others, imports=forks.DJANGO)

    return python


COMMANDS = """
from django.core.management import execute_from_command_line

for command in ("check", "migrate", "collectstatic --no-input", "makemigrations --check"):
    execute_from_command_line(["manage.py", *command.split(), "--settings", "project", "--pythonpath", "."])
print("end")
"""


def test_commands_that_serve_nothing(python):
    """They work, with a warning at most: an image is built, and CI runs, without the account."""
    done = python("-c", COMMANDS)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout.endswith("end\n")


def test_the_server_does_not_start(python):
    """It names the variables."""
    project = ("--settings", "project", "--pythonpath", ".")
    done = python("-m", "django", "runserver", "--noreload", "127.0.0.1:0", *project)
    assert done.returncode == 1
    assert all(f"{name}: is not set" in done.stderr for name in REQUIRED)
