"""Visitors by raw sockets: fast, able to vanish, each with an address of their own.

Run as a script, it is a process of many visitors (see `main`).
"""

from __future__ import annotations

import json
import socket
import struct
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self
from urllib.parse import parse_qsl

import jwt

HOST = "127.0.0.1"
PATIENCE = 60  # seconds, for a loaded machine
SSO_TOKEN = "an SSO Token of at least thirty-two bytes"
SSO_AUTH_URL = "https://helpdesk.example/sso"
ACCOUNT_ID = "4711"
AUTH_PATH = "/sso/helpdesk"
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: a close that does not wait is a reset


class Dropped(Exception):
    """The connection ended before the first byte of an answer, as it does when a server stops."""


class Cut(Exception):
    """The connection ended within an answer."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def worker(self) -> int:
        return int(self.headers["x-worker"])


def address(number: int, name: str = "") -> str:
    """Return the address of one visitor; no two are the same, and the number can be read from it."""
    return f"visitor-{name}-{number}@example.com"


def auth_url(port: int) -> str:
    return f"http://{HOST}:{port}{AUTH_PATH}"


def request(path: str, visitor: str = "", mood: str = "", keep: bool = False) -> bytes:
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: {HOST}",
        f"Connection: {'keep-alive' if keep else 'close'}",
        *([f"X-Visitor: {visitor}"] if visitor else []),
        *([f"X-Mood: {mood}"] if mood else []),
    ]
    return "\r\n".join([*lines, "", ""]).encode()


class Connection:
    """One connection to the server; used for one request after the other."""

    def __init__(self, port: int) -> None:
        try:
            self.socket = socket.create_connection((HOST, port), timeout=PATIENCE)
        except ConnectionError as error:
            raise Dropped from error
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.closed = False
        self._keep = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(self, path: str, visitor: str = "", mood: str = "", keep: bool = False) -> None:
        self.send(request(path, visitor, mood, keep), keep)

    def send(self, message: bytes, keep: bool) -> None:
        self._keep = keep
        try:
            self.socket.sendall(message)
        except ConnectionError as error:
            self.close()
            raise Dropped from error

    def answer(self) -> Answer:
        received = b""
        try:
            while b"\r\n\r\n" not in received:
                received += self._receive()
            head, _, body = received.partition(b"\r\n\r\n")
            status, *lines = head.decode("latin-1").split("\r\n")
            headers = {}
            for line in lines:
                name, _, value = line.partition(":")
                headers[name.lower()] = value.strip()
            length = int(headers.get("content-length", "0"))
            while len(body) < length:
                body += self._receive()
        except ConnectionError as error:
            self.close()
            raise (Cut if received else Dropped) from error
        if not self._keep or headers.get("connection", "").lower() == "close":
            self.close()
        return Answer(int(status.split()[1]), headers, body)

    def _receive(self) -> bytes:
        received = self.socket.recv(65536)
        if not received:
            raise ConnectionResetError
        return received

    def vanish(self, by_reset: bool) -> None:
        """Go without waiting for the answer."""
        if by_reset:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.close()

    def close(self) -> None:
        self.socket.close()
        self.closed = True


def get(port: int, path: str, visitor: str = "", mood: str = "") -> Answer:
    with Connection(port) as connection:
        connection.ask(path, visitor, mood)
        return connection.answer()


def jti_of(answer: Answer, visitor: str, port: int) -> str:
    """Check that `answer` hands off `visitor`, and nobody else, by a valid token; return its identifier."""
    assert answer.status == 303, (answer.status, answer.body)
    endpoint, _, query = answer.headers["location"].partition("?")
    token, account_id, back = parse_qsl(query, strict_parsing=True)
    assert endpoint == SSO_AUTH_URL
    assert (account_id, back) == (("account_id", ACCOUNT_ID), ("auth_url", auth_url(port)))
    name, signed = token
    assert name == "token"
    claims = jwt.decode(signed, SSO_TOKEN, algorithms=["HS256"])
    assert set(claims) == {"email", "iat", "jti"}
    assert claims["email"] == visitor, f"{visitor} was handed off as {claims['email']}"
    assert time.time() - 3600 < claims["iat"] <= time.time()
    assert len(claims["jti"]) == 32
    return claims["jti"]


def hand_offs(port: int, numbers: range, name: str, mood: str = "") -> Iterator[tuple[str, Answer]]:
    """Visit the Auth URL once for each number, on several connections at once; yield visitor and answer."""
    abreast, refresh = 16, 100  # connections; visits until a new connection is made
    connections: list[Connection] = []
    for start in range(0, len(numbers), abreast):
        if start % (abreast * refresh) == 0:
            for connection in connections:
                connection.close()
        batch = [address(number, name) for number in numbers[start : start + abreast]]
        open_ones = [connection for connection in connections if not connection.closed]
        connections = open_ones + [Connection(port) for _ in range(abreast - len(open_ones))]
        for connection, visitor in zip(connections, batch, strict=False):
            connection.ask(AUTH_PATH, visitor, mood, keep=True)
        for connection, visitor in zip(connections, batch, strict=False):
            yield visitor, connection.answer()
    for connection in connections:
        connection.close()


def main() -> None:
    """`visitors.py PORT COUNT NAME`: be handed off COUNT times, and write what came out as JSON."""
    port, count, name = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    answers = list(hand_offs(port, range(count), name))  # judged later, so as not to spare the server
    json.dump(
        {
            "jtis": [jti_of(answer, visitor, port) for visitor, answer in answers],
            "workers": sorted({answer.worker for _, answer in answers}),
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
