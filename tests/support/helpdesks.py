"""Help Desks that answer as they are told to, as real servers on this machine.

A `FakeHelpDesk` checks hand-offs by PyJWT and leaves the answer to a manner: a function that takes a `Visit`
and returns status, headers and body.
"""

from __future__ import annotations

import hashlib
import ssl
import sys
import threading
from contextlib import contextmanager
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import jwt

SSO_TOKEN = "kV9pXq2LmW7zRt4cYh8bNf3sDj6gAe1uQo5iTx0wPz2J"
AUTH_URL = "https://app.example.com/sso/helpdesk"
JANE = "jane@example.com"


class Server(ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        """Keep quiet about a connection that is closed: the traceback would be in the command's output."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        url = urlsplit(self.path)
        visit = SimpleNamespace(
            path=url.path,
            query={name: values[0] for name, values in parse_qs(url.query).items()},
            cookies={name: morsel.value for name, morsel in SimpleCookie(self.headers.get("Cookie")).items()},
            desk=self.server.desk,
            handler=self,
        )
        self.server.desk.visits.append(visit)
        answer = self.server.desk.manner(visit)
        if answer is None:  # it has written its own
            return
        status, headers, body = answer
        self.send_response_only(status)
        for name, value in [*headers, ("Content-Length", str(len(body.encode())))]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *args):
        pass


class FakeHelpDesk:
    """A Help Desk with an account of its own.

    Attributes:
        auth_url: the Auth URL registered there.
        visits: what it was asked, one for each request.
    """

    def __init__(self, manner, *, key="raw", auth_url=AUTH_URL, email=JANE):
        self.manner = manner
        self.visits = []
        self._key = SSO_TOKEN if key == "raw" else hashlib.md5(SSO_TOKEN.encode()).hexdigest()
        self.auth_url = auth_url
        self._email = email

    @property
    def handoffs(self):
        """The visits of the SSO Auth URL with an Account ID: hand-offs, with a token or without."""
        return [visit for visit in self.visits if visit.path == "/sso" and "account_id" in visit.query]

    @property
    def settings(self):
        return {
            "HELPDESK_SSO_TOKEN": SSO_TOKEN,
            "HELPDESK_SSO_AUTH_URL": f"{self.base_url}/sso",
            "HELPDESK_ACCOUNT_ID": "4711",
            "HELPDESK_AUTH_URL": AUTH_URL,
            "HELPDESK_LOGOUT_URL": "https://app.example.com/sso/logout",
        }

    def problem(self, query):
        """Return what is wrong with a hand-off, or ""."""
        if "token" not in query:
            return "missing"
        try:
            claims = jwt.decode(query["token"], self._key, algorithms=["HS256"])
        except jwt.InvalidSignatureError:
            return "signature"
        if query["auth_url"] != self.auth_url:
            return "auth_url"
        return "" if claims["email"] == self._email else "address"

    @contextmanager
    def running(self, certificate=None):
        """Serve while the block runs."""
        server = Server(("127.0.0.1", 0), Handler)
        server.desk = self
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        self.base_url = f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


# What it answers.


def page(title, status=200, body="", *headers):
    return status, [("Content-Type", "text/html"), *headers], f"<title>{title}</title>{body}"


def redirect(target, *headers):
    return 303, [("Location", target), *headers], ""


def cookie(name, value="1"):
    return "Set-Cookie", f"{name}={value}; Path=/"


# Manners.


def strict(visit, refuse=None):
    """Sign in by a session, let nobody else see the tickets; refuse with 403 or as `refuse` says."""
    if visit.path == "/sso":
        problem = visit.desk.problem(visit.query)
        if not problem:
            return redirect("/tickets", cookie("session"))
        return refuse(problem) if refuse else page("Refused", 403)
    if visit.path == "/tickets":
        return page("Tickets") if "session" in visit.cookies else redirect("/login")
    if visit.path == "/login":
        return page("Sign in", 200, "<input name=password type=password>")
    return page("Not found", 404)


def refusing(refuse):
    """As `strict`, but refuse as `refuse(problem)` says."""
    return lambda visit: strict(visit, refuse)


def always(*answer):
    """Give everybody the same answer."""
    return lambda visit: answer
