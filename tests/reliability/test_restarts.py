"""Workers that are killed, and workers that are replaced gracefully, while visitors keep coming."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from scale import on_linux, scaled
from visitors import AUTH_PATH, PATIENCE, Cut, Dropped, address, get, jti_of
from workers import FORKED_AND_SPAWNED, Running, each, running

pytestmark = [pytest.mark.reliability, pytest.mark.server, pytest.mark.slow, on_linux]

VISITORS = 6
KILLS = scaled(2, 10)
RELOADS = scaled(2, 10)
BETWEEN = 200  # visits at least between two blows


class Load:
    """Visitors who come one after the other, each on a connection of their own; every answer is checked."""

    def __init__(self, server: Running) -> None:
        self._server = server
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._came = threading.Condition(self._lock)
        self.jtis: list[str] = []
        self.outcomes: Counter[str] = Counter()
        self.errors: list[BaseException] = []

    def _visit(self, name: str, number: int) -> tuple[str, str]:
        if number % 5 == 0:
            answer = get(self._server.port, "/plain")
            assert (answer.status, answer.body) == (200, b'"fine"')
            return "another route", ""
        visitor = address(number, name)
        return "handed off", jti_of(get(self._server.port, AUTH_PATH, visitor), visitor, self._server.port)

    def _visit_until_answered(self, name: str, number: int) -> None:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                outcome, jti = self._visit(name, number)
            except (Dropped, Cut) as error:
                assert time.monotonic() < deadline, "the server does not come back"
                with self._came:
                    self.outcomes[type(error).__name__] += 1
                time.sleep(0.1)  # a visitor who reloads the page
            else:
                with self._came:
                    self.outcomes[outcome] += 1
                    self.jtis += [jti] if jti else []
                    self._came.notify_all()
                return

    def _keep_coming(self, name: str) -> None:
        number = 0
        try:
            while not self._ended.is_set():
                self._visit_until_answered(name, number)
                number += 1
        except BaseException as error:  # noqa: BLE001 - it is raised by the test
            with self._came:
                self.errors.append(error)
                self._came.notify_all()

    @contextmanager
    def on(self) -> Iterator[None]:
        threads = [
            threading.Thread(target=self._keep_coming, args=(f"load-{number}",)) for number in range(VISITORS)
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._ended.set()
            for thread in threads:
                thread.join()
        assert not self.errors, self.errors

    def let_come(self, more: int) -> None:
        """Wait until so many more were handed off."""
        with self._came:
            target = len(self.jtis) + more
            assert self._came.wait_for(lambda: len(self.jtis) >= target or self.errors, timeout=120)
            assert not self.errors, self.errors


@each(FORKED_AND_SPAWNED)
def test_kill(kind, tmp_path):
    """A worker killed under load takes along what it was answering, and nothing else."""
    with running(kind, tmp_path, workers=2, log=True) as server:
        load = Load(server)
        with load.on():
            for _ in range(KILLS):
                load.let_come(BETWEEN)
                victim = min(server.workers(2))
                os.kill(victim, signal.SIGKILL)
                server.workers(2, other_than=frozenset({victim}))
            load.let_come(BETWEEN)
        assert len(set(load.jtis)) == len(load.jtis) >= KILLS * BETWEEN
        assert load.outcomes["another route"] > 0
        if kind.one_socket:  # else those are lost, too, who wait at the door of that worker
            assert load.outcomes["Dropped"] + load.outcomes["Cut"] <= KILLS * VISITORS, load.outcomes
        server.is_unharmed()
        server.says_nothing_secret(mentions="outcome='handed_off'")


@each(FORKED_AND_SPAWNED)
def test_graceful_reload(kind, tmp_path):
    """While workers are replaced, no answer is cut or wrong, and every visitor gets theirs."""
    with running(kind, tmp_path, workers=2, log=True) as server:
        load = Load(server)
        with load.on():
            for _ in range(RELOADS):
                load.let_come(BETWEEN)
                old = server.workers(2)
                os.kill(server.json("/counts")["parent"], signal.SIGHUP)
                server.workers(2, other_than=old)
            load.let_come(BETWEEN)
        assert len(set(load.jtis)) == len(load.jtis) >= RELOADS * BETWEEN
        assert load.outcomes["another route"] > 0
        assert load.outcomes["Cut"] == 0
        if kind.one_socket:  # uvicorn closes unread, on its way out, what it has just accepted
            assert load.outcomes["Dropped"] <= RELOADS * VISITORS * 2, load.outcomes
        server.is_unharmed()
        server.says_nothing_secret(mentions="outcome='handed_off'")
