"""An issuer of assertions: its key server on a free port of this machine, and what it signs with."""

from __future__ import annotations

import json
import socket
import threading
import time
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

AUDIENCE = "the-audience-tag-of-the-application"
ISSUER = "https://issuer.example"


def rsa_key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def ec_key(curve=ec.SECP256R1):
    return ec.generate_private_key(curve())


def public_jwk(key_id: str, private: Any, **more: str) -> dict[str, Any]:
    kind = "RS256" if isinstance(private, rsa.RSAPrivateKey) else "ES256"
    jwk = jwt.get_algorithm_by_name(kind).to_jwk(private.public_key(), as_dict=True)
    return {**jwk, "kid": key_id, "use": "sig", **more}


class DrippingServer:
    """Accepts connections, and sends each of them `head`, then `piece` again and again, without an end.

    Attributes:
        connections: those that the client has not closed.
    """

    def __init__(self, head: bytes, piece: bytes) -> None:
        self.head, self.piece = head, piece
        self.connections: dict[socket.socket, bytes] = {}  # and what comes next

    @contextmanager
    def serving(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(0.02)
            ended = threading.Event()
            thread = threading.Thread(target=self._drip, args=[listener, ended])
            thread.start()
            try:
                yield f"127.0.0.1:{listener.getsockname()[1]}"
            finally:
                ended.set()
                thread.join()

    def _drip(self, listener, ended):
        while not ended.is_set():
            with suppress(TimeoutError):
                connection, _ = listener.accept()
                connection.setblocking(False)
                self.connections[connection] = self.head
            for connection, rest in [*self.connections.items()]:
                try:
                    with suppress(BlockingIOError):
                        sent = connection.send(rest)
                        self.connections[connection] = rest[sent:] or self.piece
                    with suppress(BlockingIOError):
                        if not connection.recv(65536):
                            raise ConnectionError
                except OSError:
                    del self.connections[connection]
                    connection.close()
        for connection in self.connections:
            connection.close()


class Issuer:
    """Signs assertions, and answers with `keys`; `fetches` counts how often it was asked."""

    def __init__(self, **private: Any) -> None:
        self.private = private
        self.keys = [public_jwk(key_id, key) for key_id, key in private.items()]
        self.answer: bytes | None = None  # instead of the keys
        self.status = 200
        self.headers: dict[str, str] = {}
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.delay_of_a_byte = 0.0
        self.status_without_end = False
        self.fetches = 0
        self.asked_again = threading.Condition()
        self.paths: list[str] = []
        self.asked: Any = {}  # the headers of the last request

    def sign(self, key_id="rsa", *, algorithm=None, headers=None, key=None, **changes):
        now = int(time.time())
        claims = {"aud": AUDIENCE, "iss": ISSUER, "iat": now, "exp": now + 60, "email": "jane@example.com"}
        claims = {name: value for name, value in (claims | changes).items() if value is not None}
        key = key or self.private[key_id]
        algorithm = algorithm or ("RS256" if isinstance(key, rsa.RSAPrivateKey) else "ES256")
        return jwt.encode(claims, key, algorithm, headers={"kid": key_id} | (headers or {}))

    @contextmanager
    def hanging(self):
        """Answer nothing before the block ends."""
        self.may_answer.clear()
        try:
            yield
        finally:
            self.may_answer.set()

    def wait_until_asked(self, fetches: int):
        """Wait until that many fetches have begun."""
        with self.asked_again:
            assert self.asked_again.wait_for(lambda: self.fetches >= fetches, timeout=10)

    @contextmanager
    def serving(self, port: int = 0, tls=None):
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                with issuer.asked_again:
                    issuer.fetches += 1
                    issuer.asked_again.notify_all()
                issuer.paths.append(self.path)
                issuer.asked = self.headers
                issuer.may_answer.wait(60)
                for _ in range(600):  # half a minute: a client that waits for its end fails then
                    if not issuer.status_without_end:
                        break
                    self.wfile.write(b"x")
                    time.sleep(0.05)
                answer = issuer.answer
                body = json.dumps({"keys": issuer.keys}).encode() if answer is None else answer
                self.send_response(issuer.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                for name, value in issuer.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                with suppress(OSError):  # the client may not have waited
                    self.write_slowly(body) if issuer.delay_of_a_byte else self.wfile.write(body)

            def write_slowly(self, body):
                for byte in body:
                    self.wfile.write(bytes([byte]))
                    time.sleep(issuer.delay_of_a_byte)

            def do_CONNECT(self):
                # A forward proxy that answers for whatever server is asked for.
                issuer.paths.append(self.path)
                self.send_response(200)
                self.end_headers()
                plain = self.rfile, self.wfile
                with tls.wrap_socket(self.connection, server_side=True) as tunnel:
                    self.rfile, self.wfile = tunnel.makefile("rb"), tunnel.makefile("wb", buffering=0)
                    with self.rfile, self.wfile:
                        self.handle_one_request()
                self.rfile, self.wfile = plain
                self.close_connection = True

            def log_message(self, *args):
                pass

        with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            try:
                yield f"http://127.0.0.1:{server.server_port}/certs"
            finally:
                server.shutdown()
                thread.join()
