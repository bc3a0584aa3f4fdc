"""`init` and `check` for Django: in a project as `startproject` makes it, on real servers."""

from __future__ import annotations

import json
import os
import sys

import pytest

from cli_apps.django_projects import manage, run
from cli_apps.entry_point import SETTINGS
from cli_apps.handoffs import address_in
from processes import process
from servers import HOST, free_port, local_client

pytestmark = pytest.mark.slow

WALK = ["anonymous visit", "login page", "forged identity headers", "signed-in visit", "logout"]
SERVERS = {
    "waitress": ["--listen={host}:{port}", "mysite.wsgi:application"],
    "uvicorn": ["--host={host}", "--port={port}", "mysite.asgi:application"],
}
SIGN_IN = """
from django.test import Client
client = Client()
client.get("/accounts/login/?name=jane", headers={"Host": "app.example.com"})
print("session:", client.cookies["sessionid"].OutputString())
"""


@pytest.fixture(scope="session")
def cookie(project):
    """The cookie of Jane, who is signed in."""
    printed = manage(project, "shell", "-c", SIGN_IN).stdout
    return printed.partition("session: ")[2].partition(";")[0]


def check(project, target, *args, settings_module="mysite.settings", **options):
    """Return exit code, ids of the findings, and the whole report."""
    options = {"DJANGO_SETTINGS_MODULE": settings_module, **options}
    done = run(project, "check", target, *args, "--json", **options)
    assert done.stdout, done.stderr
    report = json.loads(done.stdout)
    return done.returncode, [finding["id"] for finding in report["findings"]], report


# The printed lines.


@pytest.mark.server
@pytest.mark.parametrize("server", SERVERS)
def test_the_printed_lines_lead_from_login_to_the_help_desk(server, project, tmp_path):
    port = free_port()
    command = [sys.executable, "-m", server, *(word.format(host=HOST, port=port) for word in SERVERS[server])]
    paths = os.pathsep.join([str(project), *filter(None, [os.environ.get("PYTHONPATH")])])
    with (
        process(command, port, tmp_path / "log.txt", SETTINGS | {"PYTHONPATH": paths}),
        local_client(f"http://{HOST}:{port}") as browser,
    ):
        anonymous = browser.get("/sso/helpdesk")
        assert anonymous.status_code == 303
        assert anonymous.headers["location"] == "/accounts/login/?next=/sso/helpdesk"

        assert browser.get("/accounts/login/?name=jane").status_code == 200
        signed_in = browser.get("/sso/helpdesk")
        assert signed_in.status_code == 303
        assert address_in(signed_in.headers["location"]) == "jane@example.com"

        assert browser.get("/sso/logout").headers["location"] == "/"
        assert browser.get("/sso/helpdesk").headers["location"] == anonymous.headers["location"]


def test_manage_py_finds_nothing_wrong_with_the_printed_lines(project):
    done = manage(project, "check")
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


# A project that is right.


@pytest.mark.parametrize("target", ["mysite.wsgi:application", "mysite.asgi:application"])
def test_a_right_project(target, project, cookie):
    code, found, report = check(project, target, "--cookie", cookie)
    assert (code, found) == (0, [])
    assert [step["step"] for step in report["walk"]] == WALK
    said = [step["said"] for step in report["walk"]]
    assert said[0] == "303 to /accounts/login/?next=/sso/helpdesk"
    assert said[1] == "200"
    assert said[2].startswith("not trusted: ")
    assert said[3] == "303 to https://acme.example/sso?token=..., as jane@example.com"
    assert said[4].startswith("303 to /, then 200; not tested whether the session ends")


@pytest.mark.parametrize(
    ("target", "settings_module"),
    [
        ("mysite.wsgi:application", "mysite.function_outside"),
        ("mysite.asgi:application", "mysite.function_outside"),
        ("mysite.channels:application", "mysite.settings"),
        ("mysite.outside:application", "mysite.not_in_use"),
        ("mysite.outside:application", "mysite.settings"),
    ],
)
def test_the_middleware_is_found_wherever_it_is(target, settings_module, project, cookie):
    args = ("--cookie", cookie, "--ignore", "SSO.E047", "--ignore", "sso_middleware.w002")
    code, _, report = check(project, target, *args, settings_module=settings_module)
    assert code == 0
    assert report["panel"]["Auth URL"] == SETTINGS["HELPDESK_AUTH_URL"]
    assert [step["step"] for step in report["walk"]] == WALK


# A project with a mistake.


@pytest.mark.parametrize(
    ("settings_module", "rule_ids", "said"),
    [
        ("not_in_use", ["sso_middleware.W002", "SSO.E020"], "is not in MIDDLEWARE: nothing is intercepted"),
        ("silenced", ["SSO.E020"], "is WSGIHandler"),
        (
            "no_authentication",
            ["sso_middleware.W003", "SSO.E040"],
            "raised MiddlewareOrderError: request.user",
        ),
        ("raising", ["SSO.E040"], "raised KeyError: 'email' (raising.py, line"),
        ("promised", ["sso_middleware.W006"], "is True, but Django itself does not verify addresses"),
        ("other_hosts", ["SSO.E041", "SSO.E047"], "is answered with 400, not by SSOMiddleware"),
        ("short_token", ["SSO.W001", "SSO.I008"], "about it during the import"),
    ],
)
def test_a_mistake(settings_module, rule_ids, said, project):
    code, found, report = check(
        project, "mysite.wsgi:application", settings_module=f"mysite.{settings_module}"
    )
    assert (code, found) == (1, rule_ids)
    assert any(said in finding["message"] for finding in report["findings"])


def test_a_system_check_for_people(project):
    module = "mysite.no_authentication"
    done = run(project, "check", "mysite.wsgi:application", DJANGO_SETTINGS_MODULE=module)
    assert "sso_middleware.W003 warning: Django's system check: The default resolver reads" in done.stdout
    assert "    Add 'django.contrib.sessions.middleware.SessionMiddleware' and" in done.stdout


def test_channels_without_http(project):
    assert check(project, "mysite.channels:without_http")[:2] == (1, ["SSO.E020"])


def test_an_error_is_the_same_under_asgi(project):
    # Without warnings, because Django leaves the request's body open.
    options = {"DJANGO_SETTINGS_MODULE": "mysite.raising", "PYTHONWARNINGS": ""}
    done = run(project, "check", "mysite.asgi:application", **options)
    assert done.returncode == 1
    assert "raised KeyError: 'email' (raising.py, line" in done.stdout


@pytest.mark.parametrize(
    ("settings_module", "said"),
    [
        ("wrong_order", ["sso_middleware.E018: in MIDDLEWARE, ", "Move the line"]),
        (
            "not_chosen",
            ["sso_middleware.E012: HELPDESK_SSO['verified'] must be", "resolvers.django.allauth_verified"],
        ),
    ],
)
@pytest.mark.parametrize("target", ["mysite.wsgi:application", "mysite.asgi:application"])
def test_what_django_cannot_load_exits_3_with_its_system_checks(target, settings_module, said, project):
    done = run(project, "check", target, DJANGO_SETTINGS_MODULE=f"mysite.{settings_module}")
    assert (done.returncode, done.stdout) == (3, "")
    assert f"the settings in {target} are wrong:" in done.stderr
    assert all(text in done.stderr for text in said)


def test_an_error_of_another_kind_is_followed_by_the_system_checks(project):
    done = run(project, "check", "mysite.wsgi:application", DJANGO_SETTINGS_MODULE="mysite.other_class")
    assert (done.returncode, done.stdout) == (3, "")
    error, finding = done.stderr.splitlines()
    assert "mysite.wsgi:application cannot be imported: TypeError: SSOMiddleware.__init__() missing" in error
    assert finding.startswith("sso_middleware.W002: HELPDESK_SSO is set, and ")
    assert "Use 'sso_middleware.django.SSOMiddleware' instead of 'sso_middleware.wsgi." in finding


def test_system_checks_that_fail_as_the_application_does_add_nothing(project):
    done = run(project, "check", "mysite.wsgi:application", DJANGO_SETTINGS_MODULE="mysite.broken_import")
    assert (done.returncode, done.stdout) == (3, "")
    (error,) = done.stderr.splitlines()
    assert "cannot be imported: RuntimeError: broken (broken.py, line 1)" in error


def test_settings_that_are_missing_in_the_environment_exit_3(project):
    done = run(project, "check", "mysite.wsgi:application", settings={})
    assert done.returncode == 3
    assert "takes the account from variables, but none is set: HELPDESK_ACCOUNT_ID, " in done.stderr


def test_what_has_nothing_to_do_with_our_settings_is_told_as_it_is(project):
    done = run(project, "check", "mysite.wsgi:application", DJANGO_SETTINGS_MODULE="mysite.nowhere")
    assert done.returncode == 3
    assert "mysite.wsgi:application cannot be imported: ModuleNotFoundError" in done.stderr
