"""`sso-middleware demo`, started as a person would."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import sysconfig
from pathlib import Path

import httpx
import pytest

from sso_middleware.cli import main

COMMAND = Path(sysconfig.get_path("scripts")) / "sso-middleware"


@pytest.fixture(scope="module")
def demo():
    """The demo on a free port: its address, and what it has printed once it is stopped."""
    process = subprocess.Popen(
        [COMMAND, "demo", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        bufsize=1,
    )
    printed = []
    while not (printed and "Ctrl-C" in printed[-1]):
        line = process.stdout.readline()
        assert line, printed
        printed.append(line)
    yield re.search(r"http://127\.0\.0\.1:\d+", printed[0])[0]
    process.send_signal(signal.SIGINT)
    rest = process.communicate(timeout=30)[0]
    assert "Traceback" not in rest
    assert "token=" not in "".join(printed) + rest


@pytest.mark.server
class TestDemo:
    @pytest.fixture
    def browser(self, demo):
        with httpx.Client(base_url=demo, follow_redirects=True) as client:
            yield client

    def test_journey(self, browser):
        """Sign in, follow Support, arrive with a valid token, sign out."""
        assert "You are not signed in" in browser.get("/").text
        way_to_login = browser.get("/sso/helpdesk")
        assert way_to_login.url.path == "/login"
        arrival = browser.post(way_to_login.url)
        assert arrival.url.path == "/stand-in-for-the-help-desk"
        assert "whose signature is valid" in arrival.text
        assert "email: <b>jane@example.com</b>" in arrival.text
        assert "Signed in as" in browser.get("/").text
        assert "You are not signed in" in browser.get("/sso/logout").text

    def test_way_back_stays_on_the_site(self, browser):
        """A next that leads elsewhere is not followed."""
        reply = browser.post("/login?next=//evil.example", follow_redirects=False)
        assert reply.headers["location"] == "/"

    def test_token_of_another_key(self, browser):
        """The stand-in refuses what it cannot verify."""
        assert browser.get("/stand-in-for-the-help-desk?token=x.y.z").status_code == 403


def test_port_taken():
    """A port that is taken is an error in one line."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = subprocess.run(
            [COMMAND, "demo", "--port", str(port)], capture_output=True, text=True, check=False
        )
    assert result.returncode == 1
    assert result.stderr.startswith(f"Error: port {port} cannot be used")
    assert "Traceback" not in result.stderr


def test_missing_extra(monkeypatch):
    """Without the extra the command says what to install."""
    monkeypatch.delitem(sys.modules, "sso_middleware.cli.commands", raising=False)
    monkeypatch.setitem(sys.modules, "click", None)
    with pytest.raises(
        SystemExit, match=r"^sso-middleware needs click: pip install 'sso-middleware\[sandbox\]'$"
    ):
        main()
