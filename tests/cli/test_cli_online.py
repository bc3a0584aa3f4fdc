"""`sso-middleware check --online`: reaching the SSO Auth URL, against servers on this machine."""

import json
import ssl
import threading
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, HTTPServer
from time import time

import pytest

from cli_apps.entry_point import SETTINGS, run

pytestmark = pytest.mark.server


class Handler(BaseHTTPRequestHandler):
    status, clock, age = 200, 0, None

    def do_GET(self):
        self.server.requests.append(self.requestline)
        self.send_response_only(self.status)
        if self.clock is not None:
            self.send_header("Date", formatdate(time() + self.clock, usegmt=True))
        if self.age is not None:
            self.send_header("Age", self.age)
        self.end_headers()

    def log_message(self, *args):
        pass


@pytest.fixture
def serve():
    """Start a server; gives a function (tls, **what it answers) -> server."""
    servers = []

    def start(certificate=None, **answers):
        server = HTTPServer(("127.0.0.1", 0), type("Answering", (Handler,), answers))
        server.requests = []
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        servers.append((server, thread))
        scheme = "https" if certificate else "http"
        server.url = f"{scheme}://127.0.0.1:{server.server_port}"
        return server

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


def check(url, **more):
    done = run("check", "--online", "--json", settings=SETTINGS | {"HELPDESK_SSO_AUTH_URL": url}, **more)
    report = json.loads(done.stdout)
    return done.returncode, [finding["id"] for finding in report["findings"]], report["online"]


def test_over_tls(serve, certificate):
    server = serve(certificate)
    code, found, online = check(f"{server.url}/sso?brand=acme", SSL_CERT_FILE=str(certificate))
    assert (code, found) == (0, [])
    assert online["status"] == 200
    assert online["tls"] == "TLSv1.3"
    assert abs(online["clock_difference"]) <= 1
    assert server.requests == ["GET /sso?brand=acme HTTP/1.1"]


def test_an_unknown_certificate(serve, certificate):
    server = serve(certificate)
    code, found, online = check(server.url)
    assert (code, found) == (4, ["SSO.E061"])
    assert online == {"status": None, "tls": None, "clock_difference": None}
    assert server.requests == []


def test_tls_where_there_is_none(serve):
    server = serve()
    assert check(server.url.replace("http:", "https:"))[:2] == (4, ["SSO.E061"])


def test_nobody_there(serve):
    done = run("check", "--online", settings=SETTINGS | {"HELPDESK_SSO_AUTH_URL": "http://127.0.0.1:9"})
    assert done.returncode == 4
    assert "SSO.E060 error: The SSO Auth URL cannot be reached: 127.0.0.1: " in done.stdout
    assert "no response" in done.stdout
    assert check("https://no-such-host.invalid/sso")[:2] == (4, ["SSO.E060"])


def test_what_is_no_http(serve):
    class NotHttp(Handler):
        def handle(self):
            self.request.recv(1000)
            self.request.sendall(b"220 mail.example ESMTP\r\n")

    server = serve(handle=NotHttp.handle)
    assert check(server.url)[:2] == (4, ["SSO.E060"])


@pytest.mark.parametrize(
    ("status", "found"), [(302, []), (400, []), (403, []), (404, ["SSO.W062"]), (503, ["SSO.W062"])]
)
def test_the_status(serve, status, found):
    code, rule_ids, online = check(serve(status=status).url)
    assert (code, rule_ids, online["status"]) == (len(found), found, status)


@pytest.mark.parametrize(
    ("clock", "age", "said"),
    [
        (-60, None, "this machine's clock is 60 seconds ahead"),
        (60, None, "this machine's clock is 60 seconds behind"),
        (-600, "540", "this machine's clock is 60 seconds ahead"),
    ],
)
def test_the_clock(serve, clock, age, said):
    server = serve(clock=clock, age=age)
    done = run("check", "--online", settings=SETTINGS | {"HELPDESK_SSO_AUTH_URL": server.url})
    assert done.returncode == 1
    # A second more or less, depending on when in a second it was asked.
    words = [said, said.replace("60", "59"), said.replace("60", "61")]
    assert any(
        f"SSO.W063 warning: This machine's clock and the Help Desk's differ: {word}" in done.stdout
        for word in words
    )


def test_a_cached_answer_is_as_old_as_it_says(serve):
    server = serve(clock=-600, age="600")
    assert check(server.url)[:2] == (0, [])


@pytest.mark.parametrize("answers", [{"clock": None}, {"age": "old"}])
def test_no_clock_in_the_answer(serve, answers):
    server = serve(**answers)
    done = run("check", "--online", settings=SETTINGS | {"HELPDESK_SSO_AUTH_URL": server.url})
    assert done.returncode == 0
    assert "answers 200, no TLS, no Date header" in done.stdout


def test_an_application_is_walked_first(serve):
    server = serve()
    settings = SETTINGS | {"HELPDESK_SSO_AUTH_URL": server.url}
    done = run("check", "wsgi_apps:application", "--online", "--json", settings=settings)
    report = json.loads(done.stdout)
    assert report["walk"][0]["step"] == "anonymous visit"
    assert report["online"]["status"] == 200
