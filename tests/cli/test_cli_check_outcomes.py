"""`sso-middleware check` always ends, and prints JSON for every outcome."""

import json

import pytest

from cli_apps.entry_point import SETTINGS, run, run_process

KEYS = ["source", "settings", "panel", "walk", "online", "findings", "error"]


def error_of(done):
    """Return the error of a report that has no more to say."""
    report = json.loads(done.stdout)
    assert list(report) == KEYS
    assert report["findings"] == []
    return report["error"]


@pytest.mark.parametrize("args", [(), ("--json",)])
def test_a_thread_of_the_application_does_not_keep_the_command_alive(args):
    done = run_process("check", "login_apps:with_a_thread()", *args)
    assert (done.returncode, done.stderr) == (0, "")
    assert "anonymous visit" in done.stdout


def test_an_import_that_blocks_is_given_up():
    done = run_process("check", "blocking:app", "--timeout", "0.1")
    assert done.returncode == 3
    assert "Error: blocking:app timed out after 0.1 seconds: its import blocks" in done.stderr
    assert 'if __name__ == "__main__":' in done.stderr
    assert done.stdout == ""


def test_an_import_that_blocks_is_json_too():
    done = run_process("check", "blocking:app", "--timeout", "0.1", "--json")
    assert done.returncode == 3
    assert error_of(done).startswith("blocking:app timed out after 0.1 seconds: its import blocks")


@pytest.mark.slow
def test_an_event_loop_that_is_blocked_is_given_up():
    done = run_process("check", "asgi_apps:blocking_its_event_loop()", "--timeout", "0.5")
    assert done.returncode == 3
    assert "asgi_apps:blocking_its_event_loop() timed out after 3 seconds: it blocks" in done.stderr


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (("no_such_module:app",), 3, "no_such_module:app cannot be imported: ModuleNotFoundError"),
        (("exiting:app",), 3, "SystemExit: 5"),
        (("wsgi_apps",), 2, "must have the form module:app"),
        (("wsgi_apps:application", "--no-such-option"), 2, "No such option"),
        (("--ignore", "SSO.W999"), 2, "there is no finding SSO.W999"),
        (("wsgi_apps:several_accounts()", "--online"), 2, "--online needs an account"),
        (("asgi_apps:does_not_start()",), 3, "the application does not start: RuntimeError: no database"),
    ],
)
def test_what_ends_the_command_is_json_too(args, code, said):
    done = run("check", *args, "--json")
    assert done.returncode == code
    assert said in error_of(done)
    assert said in done.stderr.replace("\n", " ")


def test_settings_that_are_missing_are_json_too():
    done = run("check", "--json", settings={})
    assert done.returncode == 3
    assert "HELPDESK_SSO_TOKEN: is not set" in error_of(done)


def test_a_network_that_is_not_there_is_json_too():
    settings = SETTINGS | {"HELPDESK_SSO_AUTH_URL": "http://127.0.0.1:9/sso"}
    done = run("check", "--online", "--json", settings=settings)
    report = json.loads(done.stdout)
    assert done.returncode == 4
    assert list(report) == KEYS
    assert report["findings"][0]["id"] == "SSO.E060"
    assert report["error"].startswith("127.0.0.1: ")
