"""A long run of everything that can happen at the Auth URL, by one worker: memory reaches a plateau."""

from __future__ import annotations

import pytest
from scale import on_linux, scaled
from visitors import AUTH_PATH, Connection, address, jti_of, request
from workers import WITH_THREADS_OR_TASKS, Running, each, running

pytestmark = [pytest.mark.reliability, pytest.mark.server, pytest.mark.slow, on_linux]

VISITORS = scaled(400, 5_000)  # to fill caches, and then twice as many; each goes ten ways


def ways(number: int) -> list[tuple[bytes, int]]:
    """Return requests by a visitor never seen before, each with the status of its answer."""
    visitor = address(number, "long")
    plain = request(AUTH_PATH, visitor, keep=True)
    return [
        (plain, 303),
        (request(f"{AUTH_PATH}?number={number}", visitor, keep=True), 303),
        (plain.replace(b"\r\n", f"\r\nCookie: c{number}=1; sso_handoffs={number}.1\r\n".encode(), 1), 303),
        (plain.replace(b"\r\n", b"\r\nSec-Purpose: prefetch\r\n", 1), 403),
        (plain.replace(b"GET", b"POST", 1), 303),
        (plain.replace(b"GET", b"DELETE", 1), 405),
        (request(AUTH_PATH, f"no address {number}", keep=True), 403),
        (request(AUTH_PATH, keep=True), 303),
        (request(f"/nowhere/{number}", visitor, keep=True), 404),
        (request("/plain", keep=True), 200),
    ]


def walk(server: Running, numbers: range) -> None:
    """Let each of the visitors go all ways, each on a connection of its own."""
    connections = [Connection(server.port) for _ in ways(0)]
    for number in numbers:
        asked = ways(number)
        connections = [Connection(server.port) if old.closed else old for old in connections]
        for connection, (message, _) in zip(connections, asked, strict=True):
            connection.send(message, keep=True)
        answers = [connection.answer() for connection in connections]
        assert [answer.status for answer in answers] == [status for _, status in asked]
        jti_of(answers[0], address(number, "long"), server.port)
    for connection in connections:
        connection.close()


@each(WITH_THREADS_OR_TASKS)
def test_memory_plateau(kind, tmp_path):
    """After a while the worker needs no more memory, however many new visitors come."""
    with running(kind, tmp_path, workers=1) as server:
        server.start_all_threads()
        walk(server, range(VISITORS))
        before = server.json("/state")
        walk(server, range(VISITORS, 3 * VISITORS))
        server.holds_no_more_than(before, visits=2 * VISITORS)
