"""`sso-middleware demo`: the README's first command, through the real servers."""

import re
import signal
import socket
from contextlib import ExitStack, contextmanager

import click
import pytest

from cli_apps.entry_point import JWT, SETTINGS, run, running
from demo_site import running_site
from servers import local_client
from sso_middleware.cli.demo.command import run_self_test
from sso_middleware.cli.demo.journey import Broken, journey
from sso_middleware.cli.demo.sample import EMAIL
from sso_middleware.cli.serving import start

pytestmark = pytest.mark.server

STEPS = ["sign in", "hand-off", "verdict", "ticket", "replay", "logout"]
PORTS = ("--port", "0", "--helpdesk-port", "0")


@pytest.fixture
def browser():
    """Follows redirects and keeps cookies, as a person's does."""
    with local_client(follow_redirects=True) as client:
        yield client


@pytest.fixture(scope="module")
def site():
    with running_site() as site:
        yield site


@pytest.fixture
def demo(site, browser):
    """What the command runs, in this process: the sandbox, and the addresses of application and Help Desk."""
    browser.post(f"{site.app_url}/break", data={"mistake": ""})
    site.sandbox.reset()
    return site.sandbox, site.app_url, site.url


def test_self_test_walks_the_whole_journey():
    done = run("demo", "--self-test", settings={})
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert [line.partition(":")[0] for line in lines] == [f"ok      {step}" for step in STEPS]
    assert done.stderr == ""


def test_self_test_is_not_led_astray_by_a_proxy_or_settings_of_ones_own():
    proxy = {"http_proxy": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
    assert run("demo", "--self-test", *PORTS, settings=SETTINGS | proxy).returncode == 0


def test_a_person_goes_from_the_help_desk_to_the_application_and_back(browser):
    with running("demo", *PORTS, "--access-log") as process:
        app_url = process.read_until("Sample application").split()[-1].rstrip("/")
        helpdesk_url = process.read_until("Help Desk").split()[-1].rstrip("/")
        process.read_until("Press Ctrl-C to stop both.")
        assert app_url != helpdesk_url
        auth_url = re.search(r'class="button" href="([^"]+)"', browser.get(helpdesk_url).text)[1]
        login = browser.get(auth_url)
        assert (login.status_code, login.url) == (200, f"{app_url}/login?next=/sso/helpdesk")
        assert f"Sign in as {EMAIL}" in login.text
        page = browser.post(login.url)
        assert (page.status_code, page.url) == (200, f"{helpdesk_url}/tickets")
        assert EMAIL in page.text
        process.read_until("Hand-off 1: accepted")
        assert process.stop() == 0
    assert process.printed.endswith("Stopped.\n")
    assert "GET /sso?[hidden] HTTP" in process.printed
    assert not JWT.search(process.printed)
    assert "Traceback" not in process.printed


def test_a_container_stops_it_as_ctrl_c_does():
    with running("demo", *PORTS) as process:
        process.read_until("Press Ctrl-C to stop both.")
        assert process.stop(signal.SIGTERM) == 0


def test_signing_in_starts_and_ends_at_the_application(browser, demo):
    _, app_url, _ = demo
    assert "You are not signed in." in browser.get(app_url).text
    assert browser.post(f"{app_url}/login?next=//evil.example/").url == f"{app_url}/"
    assert f"signed in as <b>{EMAIL}</b>" in browser.get(app_url).text
    assert browser.get(f"{app_url}/sso/logout").url == f"{app_url}/"
    assert "You are not signed in." in browser.get(app_url).text


@pytest.mark.parametrize(
    ("mistake", "verdict", "said"),
    [
        ("cut", "bad_signature", "the first 60 of your SSO Token&#39;s 64 bytes"),
        ("md5", "bad_signature", "md5"),
        ("account", "unknown_account", "4711"),
        ("slash", "auth_url_mismatch", "a trailing slash"),
    ],
)
def test_a_setting_that_is_broken_on_purpose_is_explained_by_the_help_desk(
    browser, demo, mistake, verdict, said
):
    sandbox, app_url, helpdesk_url = demo
    browser.post(f"{app_url}/login")
    page = browser.post(f"{app_url}/break", data={"mistake": mistake})
    assert page.status_code == 403
    assert str(page.url).startswith(f"{helpdesk_url}/sso?token=")
    assert said in page.text
    assert f'href="{app_url}/#broken">Try again' in page.text
    assert 'id="broken"' in browser.get(app_url).text

    for fine in ("", "unheard of"):
        page = browser.post(f"{app_url}/break", data={"mistake": fine})
        assert str(page.url) == f"{app_url}/#break"
        assert 'id="broken"' not in page.text
    assert browser.get(f"{app_url}/sso/helpdesk").url == f"{helpdesk_url}/tickets"
    assert [attempt.verdict for attempt in sandbox.handoffs] == [verdict, "accepted"]


def test_a_cookie_that_is_strict_is_explained_at_the_login(browser, demo):
    _, app_url, helpdesk_url = demo
    browser.post(f"{app_url}/login")
    page = browser.post(f"{app_url}/break", data={"mistake": "strict"})
    assert page.url == f"{helpdesk_url}/sign-in"
    assert "samesite=strict" in page.history[0].headers["set-cookie"]
    login = browser.get(f"{app_url}/login?next=/sso/helpdesk").text
    assert "SameSite=Strict" in login
    assert "SESSION_COOKIE_SAMESITE" in login
    fixed = browser.post(f"{app_url}/break", data={"mistake": ""})
    assert "samesite=lax" in fixed.history[0].headers["set-cookie"]


def test_a_login_that_forgets_next_is_explained_where_it_leads(browser, demo):
    _, app_url, helpdesk_url = demo
    browser.post(f"{app_url}/login")
    login = browser.post(f"{app_url}/break", data={"mistake": "next"})
    assert login.url == f"{app_url}/login?next=/sso/helpdesk"
    page = browser.post(login.url)
    assert page.url == f"{app_url}/lost"
    assert "The login forgot <code>next</code>" in page.text
    assert "resume_at" in page.text
    assert browser.post(f"{app_url}/login").url == f"{app_url}/"
    browser.post(f"{app_url}/break", data={"mistake": ""})
    assert browser.get(f"{app_url}/sso/helpdesk").url == f"{helpdesk_url}/tickets"


@pytest.mark.parametrize("path", ["/break", "/login"])
def test_a_page_of_another_site_cannot_break_a_setting_nor_sign_in(browser, demo, path):
    _, app_url, _ = demo
    browser.post(f"{app_url}/login")
    foreign = {"Origin": "https://evil.example"}
    assert browser.post(f"{app_url}{path}", data={"mistake": "md5"}, headers=foreign).status_code == 403
    assert 'id="broken"' not in browser.get(app_url).text


def test_a_setting_of_no_sensible_length_is_not_read(browser, demo):
    _, app_url, _ = demo
    assert browser.post(f"{app_url}/break", data={"mistake": "x" * 100_000}).status_code == 413


def test_self_test_fails_where_a_setting_is_broken(browser, demo, capsys):
    _, app_url, helpdesk_url = demo
    browser.post(f"{app_url}/break", data={"mistake": "md5"})
    assert run_self_test(app_url, helpdesk_url) == 1
    assert [line.partition(":")[0] for line in capsys.readouterr().out.splitlines()] == [
        "ok      sign in",
        "ok      hand-off",
        "FAILED  bad_signature",
    ]


def test_self_test_fails_where_nothing_is_right(demo, capsys):
    _, app_url, helpdesk_url = demo
    assert run_self_test(helpdesk_url, app_url) == 1
    assert "FAILED  the page does not link to the Auth URL" in capsys.readouterr().out


def test_self_test_fails_where_the_session_is_lost_on_the_way(demo):
    sandbox, app_url, helpdesk_url = demo
    steps = journey(app_url, helpdesk_url)
    assert [next(steps).partition(":")[0] for _ in range(3)] == STEPS[:3]
    sandbox.reset()
    with pytest.raises(Broken, match="the Help Desk shows no form"):
        next(steps)


def _taken():
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    taken.listen()
    return taken


@pytest.mark.parametrize(
    "ports", [("--port", "{}", "--helpdesk-port", "0"), ("--port", "0", "--helpdesk-port", "{}")]
)
def test_a_port_that_was_asked_for_and_is_taken_is_a_usage_error(ports):
    with _taken() as taken:
        port = taken.getsockname()[1]
        done = run("demo", *(word.format(port) for word in ports))
    assert done.returncode == 2
    option = ports[[*ports].index("{}") - 1]
    assert f"Invalid value for {option}: cannot use port {port} (" in done.stderr
    assert f"try {option} 0." in done.stderr


def test_a_default_port_that_is_taken_is_replaced(capsys):
    @contextmanager
    def serve(port):
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", port))
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"

    with _taken() as taken, ExitStack() as stack:
        port = taken.getsockname()[1]
        base_url = start(stack, serve, port, "--port", or_any=True)
        assert base_url != f"http://127.0.0.1:{port}"
        said = capsys.readouterr().err
        assert said.startswith(f"Port {port} cannot be used (")
        with pytest.raises(click.BadParameter):
            start(stack, serve, port, "--port", or_any=False)
