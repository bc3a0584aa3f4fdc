"""`sso-middleware demo`: the README's first command, through the real servers."""

import json
import re
import signal
import socket
from contextlib import ExitStack, contextmanager
from http.cookiejar import CookieJar
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, ProxyHandler, Request, build_opener

import anyio
import click
import httpx
import pytest

from cli_apps.entry_point import JWT, SETTINGS, run, running
from sso_middleware.cli.demo.command import walk
from sso_middleware.cli.demo.journey import Broken, Journey
from sso_middleware.cli.demo.sample import EMAIL, SampleApplication
from sso_middleware.cli.serving import start

pytestmark = pytest.mark.server

STEPS = ["sign in", "hand-off", "verdict", "ticket", "replay", "logout"]
PORTS = ("--port", "0", "--helpdesk-port", "0")


class Browser:
    """Follows redirects and keeps cookies, as a person's does."""

    def __init__(self):
        self._opener = build_opener(ProxyHandler({}), HTTPCookieProcessor(CookieJar()))

    def open(self, url, **fields):
        body = urlencode(fields).encode() if fields else None
        try:
            answer = self._opener.open(url, body, timeout=10)
        except HTTPError as error:
            answer = error
        with answer:
            return answer.status, answer.url, answer.read().decode()


@contextmanager
def demo(*args):
    with running("demo", *PORTS, *args) as process:
        app_url = process.read_until("Sample application").split()[-1]
        helpdesk_url = process.read_until("Help Desk").split()[-1]
        process.read_until("Ctrl-C stops both.")
        yield process, app_url.rstrip("/"), helpdesk_url.rstrip("/")


def test_self_test_walks_the_whole_journey():
    done = run("demo", "--self-test", settings={})
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert [line.partition(":")[0] for line in lines] == [f"ok      {step}" for step in STEPS]
    assert done.stderr == ""


def test_self_test_is_not_led_astray_by_a_proxy_or_settings_of_ones_own():
    proxy = {"http_proxy": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
    assert run("demo", "--self-test", *PORTS, settings=SETTINGS | proxy).returncode == 0


def test_a_person_goes_from_the_help_desk_to_the_application_and_back():
    with demo("--access-log") as (process, app_url, helpdesk_url):
        assert app_url != helpdesk_url
        browser = Browser()
        auth_url = re.search(r'class="button" href="([^"]+)"', browser.open(helpdesk_url)[2])[1]
        status, url, page = browser.open(auth_url)
        assert (status, url) == (200, f"{app_url}/login?next=/sso/helpdesk")
        assert f"Sign in as {EMAIL}" in page
        status, url, page = browser.open(url, sign="in")
        assert (status, url) == (200, f"{helpdesk_url}/tickets")
        assert EMAIL in page
        process.read_until("Hand-off 1: accepted")
        assert process.stop() == 0
    assert process.printed.endswith("Stopped.\n")
    assert "GET /sso?[hidden] HTTP" in process.printed
    assert not JWT.search(process.printed)
    assert "Traceback" not in process.printed


def test_signing_in_starts_and_ends_at_the_application():
    with demo() as (process, app_url, _):
        browser = Browser()
        assert "You are not signed in." in browser.open(app_url)[2]
        assert browser.open(f"{app_url}/login?next=//evil.example/", sign="in")[1] == f"{app_url}/"
        assert f"Signed in as <b>{EMAIL}</b>" in browser.open(app_url)[2]
        assert browser.open(f"{app_url}/sso/logout")[1] == f"{app_url}/"
        assert "You are not signed in." in browser.open(app_url)[2]
        assert process.stop(signal.SIGTERM) == 0


@pytest.mark.parametrize(
    ("mistake", "verdict", "said"),
    [
        ("cut", "bad_signature", "the first 60 of your SSO Token&#39;s 64 bytes"),
        ("md5", "bad_signature", "md5"),
        ("account", "unknown_account", "4711"),
        ("slash", "auth_url_mismatch", "a slash at its end"),
    ],
)
def test_a_setting_that_is_broken_on_purpose_is_explained_by_the_help_desk(mistake, verdict, said):
    with demo() as (process, app_url, helpdesk_url):
        browser = Browser()
        browser.open(f"{app_url}/login", sign="in")
        page = browser.open(f"{app_url}/break", mistake=mistake)[2]
        assert f'value="{mistake}" checked' in page
        status, url, page = browser.open(f"{app_url}/sso/helpdesk")
        assert status == 403
        assert url.startswith(f"{helpdesk_url}/sso?token=")
        assert said in page
        log = json.loads(browser.open(f"{helpdesk_url}/api/handoffs")[2])["handoffs"]
        assert [attempt["verdict"] for attempt in log] == [verdict]

        assert 'value="nothing" checked' in browser.open(f"{app_url}/break", mistake="nothing")[2]
        assert browser.open(f"{app_url}/sso/helpdesk")[1] == f"{helpdesk_url}/tickets"
        assert 'value="nothing" checked' in browser.open(f"{app_url}/break", mistake="unheard of")[2]
        process.read_until("Hand-off 2: accepted")
        assert process.stop() == 0


@pytest.mark.parametrize("path", ["/break", "/login"])
def test_a_page_of_another_site_cannot_break_a_setting_nor_sign_in(path):
    with demo() as (process, app_url, _):
        browser = Browser()
        browser.open(f"{app_url}/login", sign="in")
        request = Request(f"{app_url}{path}", b"mistake=md5", {"Origin": "https://evil.example"})
        assert browser.open(request)[0] == 403
        assert 'value="nothing" checked' in browser.open(app_url)[2]
        assert process.stop() == 0


def test_a_setting_of_no_sensible_length_is_not_read():
    with demo() as (process, app_url, _):
        assert Browser().open(f"{app_url}/break", mistake="x" * 100_000)[0] == 413
        assert process.stop() == 0


def test_the_sample_application_forgets_the_oldest_of_many_sessions():
    async def sign_in_often():
        transport = httpx.ASGITransport(SampleApplication())
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            first = (await client.post("/login")).headers["Set-Cookie"].partition(";")[0]
            answers = [await client.get("/", headers={"Cookie": first})]
            for _ in range(1000):
                client.cookies.clear()
                await client.post("/login")
            client.cookies.clear()
            answers.append(await client.get("/", headers={"Cookie": first}))
            return ["Signed in as" in answer.text for answer in answers]

    assert anyio.run(sign_in_often) == [True, False]


def test_self_test_fails_where_a_setting_is_broken(capsys):
    with demo() as (process, app_url, helpdesk_url):
        Browser().open(f"{app_url}/break", mistake="md5")
        assert walk(Journey(app_url, helpdesk_url)) == 1
        printed = capsys.readouterr().out
        assert process.stop() == 0
    assert [line.partition(":")[0] for line in printed.splitlines()] == [
        "ok      sign in",
        "ok      hand-off",
        "FAILED  bad_signature",
    ]


def test_self_test_fails_where_nothing_is_right(capsys):
    with demo() as (process, app_url, helpdesk_url):
        assert walk(Journey(helpdesk_url, app_url)) == 1
        assert "FAILED  no button to the Auth URL" in capsys.readouterr().out
        assert process.stop() == 0


def test_self_test_fails_where_the_session_is_lost_on_the_way():
    with demo() as (process, app_url, helpdesk_url):
        steps = Journey(app_url, helpdesk_url).walk()
        assert [next(steps).partition(":")[0] for _ in range(3)] == STEPS[:3]
        with build_opener(ProxyHandler({})).open(f"{helpdesk_url}/api/reset", b"", timeout=10):
            pass
        with pytest.raises(Broken, match="the Help Desk shows no form"):
            next(steps)
        assert process.stop() == 0


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
    assert f"Invalid value for {option}: port {port} cannot be used (" in done.stderr
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
