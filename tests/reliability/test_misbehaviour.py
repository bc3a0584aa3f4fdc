"""Resolvers that fail, resolvers that hang, and visitors who do not wait for the answer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from scale import on_linux, scaled
from visitors import AUTH_PATH, PATIENCE, Connection, address, hand_offs, jti_of
from workers import FORKED_AND_SPAWNED, UVICORN_IN_THREADS, WITH_THREADS_OR_TASKS, Running, each, running

from clients import DESK, make_scope
from sso_middleware.asgi import SSOMiddleware

pytestmark = [pytest.mark.reliability, pytest.mark.server, pytest.mark.slow, on_linux]

VISITS = scaled(2_000, 20_000)
VANISHING = scaled(1_000, 10_000)
FAILURES = [500, 403, 503]  # what `sites.answer` raises, in turn


@each([*FORKED_AND_SPAWNED, UVICORN_IN_THREADS])
def test_failing_resolver(kind, tmp_path):
    """A resolver that fails for one visitor in ten harms these alone, and leaves nothing behind."""

    def visit(numbers, name):
        for visitor, answer in hand_offs(server.port, numbers, name, mood="tenth"):
            number = int(visitor.partition("@")[0].rpartition("-")[2])
            if number % 10 == 7:
                assert answer.status == FAILURES[number // 10 % 3]
                assert "location" not in answer.headers
            else:
                jtis.append(jti_of(answer, visitor, server.port))

    jtis: list[str] = []
    with running(kind, tmp_path, workers=1, log=True) as server:
        server.start_all_threads()
        visit(range(500), "first")
        before = server.json("/state")
        visit(range(VISITS), "second")
        server.holds_no_more_than(before, visits=VISITS)
        assert len(set(jtis)) == len(jtis) == (500 + VISITS) * 9 // 10
        server.is_unharmed()
        server.says_nothing_secret(mentions="the database is down")


@contextmanager
def holding(server: Running) -> Iterator[None]:
    """Let the resolver hang for visitors in that mood."""
    server.json("/hold")
    try:
        yield
    finally:
        server.json("/release")


def arrive(server: Running, numbers: range) -> list[tuple[str, Connection]]:
    """Let visitors come in whose resolver hangs, and wait until they are all there."""
    crowd = []
    for number in numbers:
        connection = Connection(server.port)
        connection.ask(AUTH_PATH, address(number, "held"), "held")
        crowd.append((address(number, "held"), connection))
    resolving = min(len(crowd), server.kind.threads or len(crowd))
    server.wait_for("/counts", lambda now: now["inside"] == len(crowd) and now["resolving"] == resolving)
    return crowd


@each(WITH_THREADS_OR_TASKS)
def test_hanging_resolver(kind, tmp_path):
    """While resolvers hang, everybody else is served; when they go on, each visitor gets their own answer."""
    hanging = min(kind.crowd, 60)  # more than the 40 threads that Starlette has for an application's routes
    with running(kind, tmp_path, workers=1, log=True) as server:
        server.is_unharmed()
        with holding(server):
            crowd = arrive(server, range(hanging))
            for _ in range(100):
                answer = server.get("/plain")
                assert (answer.status, answer.body) == (200, b'"fine"')
            if kind is not UVICORN_IN_THREADS:  # where all threads of resolvers hang
                server.is_unharmed()
            assert server.json("/counts")["inside"] == hanging
            for number, (_, connection) in enumerate(crowd[: hanging // 2]):
                connection.vanish(by_reset=number % 2 == 0)
        patient = crowd[hanging // 2 :]
        jtis = {jti_of(connection.answer(), visitor, server.port) for visitor, connection in patient}
        assert len(jtis) == len(patient)
        server.wait_for("/counts", lambda now: now["inside"] == now["resolving"] == 0)
        server.is_unharmed()
        server.says_nothing_secret(mentions="outcome='handed_off'")


@each(WITH_THREADS_OR_TASKS)
def test_vanishing_visitors(kind, tmp_path):
    """Visitors who leave while the resolver is at work, by a close or a reset, leave nothing behind."""

    def come_and_vanish(count):
        for start in range(0, count, kind.crowd):
            with holding(server):
                crowd = arrive(server, range(start, min(start + kind.crowd, count)))
                for number, (_, connection) in enumerate(crowd):
                    connection.vanish(by_reset=number % 2 == 0)
            server.wait_for("/counts", lambda now: now["inside"] == now["resolving"] == 0)

    with running(kind, tmp_path, workers=1, log=True) as server:
        server.start_all_threads()
        come_and_vanish(2 * kind.crowd)
        server.is_unharmed()
        before = server.json("/state")
        come_and_vanish(VANISHING)
        server.is_unharmed()
        server.holds_no_more_than(before, visits=VANISHING)
        assert server.json("/counts")["resolved"] >= before["resolved"] + VANISHING
        server.says_nothing_secret(mentions="outcome=")


class Visit:
    """A visit to the Auth URL of a middleware in this process, which its server may cancel."""

    def __init__(self, resolver):
        self.sent = []
        middleware = SSOMiddleware(self.send, DESK, resolver)
        self.task = asyncio.create_task(
            middleware(make_scope("GET", "/sso/helpdesk"), self.receive, self.send)
        )

    async def receive(self):
        return {"type": "http.disconnect"}

    async def send(self, message):
        self.sent.append(message)

    async def cancel(self):
        self.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await self.task
        assert not self.sent


def other_tasks():
    return asyncio.all_tasks() - {asyncio.current_task()}


def test_server_that_cancels():
    """A server that cancels a visit ends its resolver at once, and no task stays behind."""
    began, ended = asyncio.Event(), asyncio.Event()

    async def hang(scope):
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def cancelled():
        visit = Visit(hang)
        await began.wait()
        await visit.cancel()
        assert ended.is_set()
        assert not other_tasks()

    asyncio.run(cancelled())


def test_server_that_cancels_while_threads_resolve():
    """A cancelled visit ends at once; its thread goes on, eight at most; then others are handed off."""
    began, go_on = threading.Semaphore(0), threading.Event()

    def hang(scope):
        began.release()
        go_on.wait()
        return "visitor-0@example.com"

    async def cancelled():
        async with asyncio.timeout(PATIENCE):
            for _ in range(8):  # as many as there are threads for resolvers
                visit = Visit(hang)
                await asyncio.to_thread(began.acquire)
                await visit.cancel()
            waiting = [Visit(hang) for _ in range(12)]
            await asyncio.sleep(0)
            for visit in waiting:
                await visit.cancel()
        assert not began.acquire(blocking=False)
        go_on.set()
        patient = [Visit(hang) for _ in range(20)]
        await asyncio.gather(*(visit.task for visit in patient))
        assert [visit.sent[0]["status"] for visit in patient] == [303] * 20
        assert not other_tasks()

    before = set(threading.enumerate())
    try:
        asyncio.run(cancelled())
    finally:
        go_on.set()
    for thread in set(threading.enumerate()) - before:
        thread.join(PATIENCE)
        assert not thread.is_alive()
