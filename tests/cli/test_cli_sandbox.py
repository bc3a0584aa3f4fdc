"""`sso-middleware sandbox`: a Help Desk of one's own, through the real server."""

import json
import signal
import socket
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import pytest

from cli_apps.entry_point import JWT, READY, SETTINGS, SSO_TOKEN, run, running, serve
from sso_middleware import HelpDesk

pytestmark = pytest.mark.server


def fetch(url, **headers):
    """Return status and body; the redirect after an accepted hand-off is followed."""
    try:
        with build_opener(ProxyHandler({})).open(Request(url, headers=headers), timeout=10) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()


def settings_of(sandbox):
    """Return base URL and printed settings of a running sandbox."""
    sandbox.read_until(READY)
    return base_url_in(sandbox.printed), settings_in(sandbox.printed)


def base_url_in(printed):
    return printed.partition("The Help Desk: ")[2].partition("\n")[0]


def settings_in(printed):
    lines = [line for line in printed.splitlines() if line.startswith("export HELPDESK_")]
    return dict(line.removeprefix("export ").split("=", 1) for line in lines)


def stopped(*options, **how):
    """Run a sandbox in this process; see `serve`. Return what it printed."""
    done = serve("sandbox", "--port", "0", *options, **how)
    assert done.returncode == 0
    assert done.stderr.endswith("Stopped.\n")
    return done


def test_the_logout_url_is_beside_the_auth_url():
    printed = settings_in(stopped("--auth-url", "http://127.0.0.1:5000/help/desk").stdout)
    assert printed["HELPDESK_LOGOUT_URL"] == "http://127.0.0.1:5000/sso/logout"


def test_the_printed_settings_make_hand_offs_it_accepts():
    with running("sandbox", "--port", "0", "--access-log") as sandbox:
        base_url, settings = settings_of(sandbox)
        assert list(settings) == list(SETTINGS)
        assert settings["HELPDESK_AUTH_URL"] == "http://127.0.0.1:8000/sso/helpdesk"
        assert settings["HELPDESK_LOGOUT_URL"] == "http://127.0.0.1:8000/sso/logout"
        desk = HelpDesk.from_env(settings)
        handoff = desk.handoff("jane@example.com")
        assert handoff.url.startswith(base_url)
        assert fetch(handoff.url)[0] == 200
        sandbox.read_until("Hand-off 1: accepted")
        assert fetch(handoff.url)[0] == 403
        sandbox.read_until("Hand-off 2: replayed. This jti was used before")
        assert sandbox.stop() == 0
    assert sandbox.printed.endswith("Stopped.\n")
    assert "GET /sso?[hidden] HTTP" in sandbox.printed
    assert not JWT.search(sandbox.printed)
    assert "Traceback" not in sandbox.printed


def test_standard_output_is_the_settings_and_nothing_else(tmp_path):
    """``sso-middleware sandbox > sandbox.env &`` and then ``. sandbox.env``, after hand-offs, too."""
    with (
        (tmp_path / "sandbox.env").open("w") as output,
        running("sandbox", "--port", "0", stdout=output) as sandbox,
    ):
        sandbox.read_until("The Help Desk: ")
        sandbox.read_until("Press Ctrl-C to stop.")
        lines = (tmp_path / "sandbox.env").read_text().splitlines()
        desk = HelpDesk.from_env(dict(line.removeprefix("export ").split("=", 1) for line in lines))
        fetch(desk.handoff_url("jane@example.com"))
        sandbox.read_until("Hand-off 1: accepted")
        assert sandbox.stop() == 0
    assert (tmp_path / "sandbox.env").read_text().splitlines() == lines
    assert all(line.startswith("export HELPDESK_") for line in lines)


def test_requests_are_shown_only_if_asked_for():
    def visit(_, errors):
        assert fetch(base_url_in(errors))[0] == 200

    done = stopped(visit=visit)
    assert "GET /" not in done.stdout + done.stderr


def test_hand_offs_are_told_again_after_a_reset():
    with running("sandbox", "--port", "0") as sandbox:
        base_url, settings = settings_of(sandbox)
        desk = HelpDesk.from_env(settings)
        fetch(desk.handoff_url("jane@example.com"))
        sandbox.read_until("Hand-off 1: accepted")
        opener = build_opener(ProxyHandler({}))
        with opener.open(Request(f"{base_url}/api/reset", b"", method="POST"), timeout=10) as answer:
            assert json.load(answer) == {"ok": True}
        fetch(f"{base_url}/sso")
        sandbox.read_until("Hand-off 1: missing_token")
        assert sandbox.stop() == 0


def test_sigterm_stops_it_cleanly():
    with running("sandbox", "--port", "0") as sandbox:
        settings_of(sandbox)
        assert sandbox.stop(signal.SIGTERM) == 0
    assert sandbox.printed.endswith("Stopped.\n")


def test_every_assumption_is_an_option():
    options = [
        "--freshness",
        "60",
        "--leeway",
        "5",
        "--shortest-jti",
        "4",
        "--reuse-jti",
        "--longest-token",
        "900",
    ]

    def visit(printed, errors):
        page = fetch(f"{base_url_in(errors)}/settings")[1]
        for rule in (
            "60 seconds from its iat",
            "5 seconds",
            "4 characters",
            "any number of times",
            "900 characters",
        ):
            assert rule in page
        desk = HelpDesk.from_env(settings_in(printed))
        handoff = desk.handoff("jane@example.com", jti="five5")
        assert [fetch(handoff.url)[0], fetch(handoff.url)[0]] == [200, 200]

    stopped(*options, visit=visit)


def test_account_and_urls_are_options_and_what_needs_quotes_has_them():
    auth_url = "https://app.example.com/sso?a=b&c=d"
    options = ["--account-id", "4711", "--auth-url", auth_url, "--logout-url", "http://app.example.com/bye"]
    printed = stopped("--prefix", "SUPPORT_", *options).stdout
    assert f"\nexport SUPPORT_AUTH_URL='{auth_url}'\n" in printed
    assert "\nexport SUPPORT_ACCOUNT_ID=4711\n" in printed
    assert "\nexport SUPPORT_LOGOUT_URL=http://app.example.com/bye\nexport SUPPORT_ALLOW_HTTP=1\n" in printed


def test_with_the_settings_of_the_environment_it_prints_no_token():
    def visit(stdout, _):
        printed = settings_in(stdout)
        assert "HELPDESK_SSO_TOKEN" not in printed
        assert printed["HELPDESK_ACCOUNT_ID"] == "4711"
        desk = HelpDesk.from_env(printed | {"HELPDESK_SSO_TOKEN": SSO_TOKEN})
        assert fetch(desk.handoff_url("jane@example.com"))[0] == 200

    settings = SETTINGS | {"HELPDESK_SSO_AUTH_URL": ""}
    done = stopped("--from-env", settings=settings, visit=visit, until="Hand-off 1: accepted")
    assert SSO_TOKEN not in done.stdout + done.stderr


def test_it_is_another_site_than_an_application_at_127_0_0_1():
    assert base_url_in(stopped().stderr).startswith("http://localhost:")


def started_with(file, *options):
    """Run the sandbox with --env-file until its settings are written; return what the file holds then."""
    written = []
    done = stopped("--env-file", str(file), *options, visit=lambda *_: written.append(file.read_text()))
    assert "export " not in done.stdout + done.stderr
    return dict(line.split("=", 1) for line in written[0].splitlines()), done.stdout + done.stderr


def test_a_file_keeps_token_and_account_over_a_restart(tmp_path):
    file = tmp_path / "sandbox.env"
    first, printed = started_with(file, "--account-id", "4711", "--auth-url", "http://127.0.0.1:1/a?b=c&d=e")
    assert file.stat().st_mode & 0o777 == 0o600
    assert first["HELPDESK_AUTH_URL"] == "'http://127.0.0.1:1/a?b=c&d=e'"
    assert first["HELPDESK_SSO_TOKEN"] not in printed
    again, printed = started_with(file)
    kept = ("HELPDESK_SSO_TOKEN", "HELPDESK_ACCOUNT_ID")
    assert [again[name] for name in kept] == [first[name] for name in kept]
    assert again["HELPDESK_AUTH_URL"] == "http://127.0.0.1:8000/sso/helpdesk"
    assert again["HELPDESK_SSO_TOKEN"] not in printed
    assert started_with(file, "--account-id", "7")[0]["HELPDESK_ACCOUNT_ID"] == "7"
    assert [path.name for path in tmp_path.iterdir()] == ["sandbox.env"]


def test_other_lines_of_the_file_stay(tmp_path):
    file = tmp_path / ".env"
    file.write_text("# mine\nDEBUG='it\nexport HELPDESK_ACCOUNT_ID=9\nHELPDESK_ALLOW_HTTP=1\n")
    file.chmod(0o644)
    (tmp_path / "link").symlink_to(file)
    stopped("--env-file", str(tmp_path / "link"))
    lines = file.read_text().splitlines()
    assert lines[:2] == ["# mine", "DEBUG='it"]
    assert [line.partition("=")[0] for line in lines[2:]] == list(SETTINGS)
    assert "HELPDESK_ACCOUNT_ID=9" in lines
    assert (tmp_path / "link").is_symlink()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"HELPDESK_SSO_AUTH_URL=https://acme.example/sso\n", "is for a real Help Desk"),
        (b"HELPDESK_SSO_TOKEN='x\n", "as NAME=value lines"),
        (b"\xff", "as NAME=value lines"),
    ],
)
def test_a_file_of_something_else_is_left_alone(tmp_path, content, said):
    file = tmp_path / ".env"
    file.write_bytes(content)
    done = run("sandbox", "--port", "0", "--env-file", str(file))
    assert done.returncode == 3
    assert said in done.stderr
    assert file.read_bytes() == content


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    done = run("sandbox", "--port", "0", "--env-file", str(tmp_path / "nowhere" / "file"))
    assert done.returncode == 3
    assert "nowhere/file: No such file or directory" in done.stderr


def test_a_file_and_the_environment_exclude_each_other(tmp_path):
    done = run("sandbox", "--from-env", "--env-file", str(tmp_path / "file"))
    assert done.returncode == 2
    assert "cannot be used together" in done.stderr


def test_powershell_has_lines_of_its_own():
    done = stopped("--shell", "powershell", "--account-id", "it's")
    assert "\n$env:HELPDESK_ACCOUNT_ID = 'it''s'\n" in done.stdout
    assert "export" not in done.stdout + done.stderr


def test_key_and_return_page_are_options():
    def visit(printed, errors):
        base_url, settings = base_url_in(errors), settings_in(printed)
        assert settings["HELPDESK_FORWARD_PARAMS"] == "return_page"
        assert "the md5 of the SSO Token" in fetch(f"{base_url}/settings")[1]
        assert "return_page=%2Ftickets" in fetch(base_url)[1]
        fetch(HelpDesk.from_env(settings).handoff_url("jane@example.com"))

    said = "bad_signature. The JWT is signed with your SSO Token unchanged."
    stopped("--key", "md5", "--sends", "return_page", visit=visit, until=said)


def test_a_taken_port_is_a_usage_error_that_says_what_to_do():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = run("sandbox", "--port", port)
    assert done.returncode == 2
    assert f"cannot use port {port} (" in done.stderr
    assert "try --port 0." in done.stderr


@pytest.mark.parametrize(
    "args", [("sandbox", "--port"), ("demo", "--port"), ("demo", "--helpdesk-port")], ids=" ".join
)
@pytest.mark.parametrize("port", ["-1", "65536"])
def test_a_port_that_is_none_is_a_usage_error(args, port):
    done = run(*args, port)
    assert done.returncode == 2
    assert f"{port} is not in the range 0<=x<=65535" in done.stderr


def test_other_machines_only_if_allowed():
    done = run("sandbox", "--host", "0.0.0.0", "--port", "0")
    assert done.returncode == 2
    assert "add --allow-remote" in done.stderr

    def visit(_, errors):
        assert fetch(base_url_in(errors), Host="helpdesk.example")[0] == 200

    done = stopped("--host", "0.0.0.0", "--allow-remote", visit=visit)
    assert "Warning: anyone who can reach this Help Desk can read its SSO Token" in done.stderr


def test_ones_own_token_is_not_shown_to_other_machines():
    done = run("sandbox", "--from-env", "--allow-remote", "--port", "0")
    assert done.returncode == 2
    assert "would show your SSO Token to other machines" in done.stderr


@pytest.mark.parametrize(
    ("option", "value", "name"),
    [
        ("--auth-url", "nowhere", "auth_url"),
        ("--freshness", "-1", "freshness"),
        ("--account-id", "", "account_id"),
    ],
)
def test_a_wrong_option_is_a_usage_error(option, value, name):
    done = run("sandbox", "--port", "0", option, value)
    assert done.returncode == 2
    assert f"{name}: " in done.stderr


def test_wrong_settings_exit_3():
    assert run("sandbox", "--from-env", settings={}).returncode == 3
