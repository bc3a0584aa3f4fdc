"""Servers with worker processes, each running the wrapped applications of `sites.py`."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from visitors import (
    ACCOUNT_ID,
    AUTH_PATH,
    PATIENCE,
    SSO_AUTH_URL,
    SSO_TOKEN,
    Answer,
    Connection,
    Dropped,
    address,
    auth_url,
    get,
    jti_of,
)

from processes import process
from servers import HOST, free_port

HERE = Path(__file__).parent
THREADS = 32  # of a server that answers each request in a thread


@dataclass(frozen=True)
class Kind:
    """A server; `command` is how to start it, to which address and number of workers are added."""

    name: str
    command: tuple[str, ...]
    bind: Callable[[int], list[str]]
    threads: int  # in which a worker runs resolvers, 0: on its event loop
    one_socket: bool = True  # for all workers, so that it outlives each

    @property
    def crowd(self) -> int:
        """How many visitors may be inside one worker at once, with room for others."""
        return 200 if "asgi" in self.command[-1] else 3 * self.threads // 4


def _gunicorn(worker_class: str, *options: str, threads: int) -> Kind:
    settings = ("--preload", "--keep-alive", "75", "--graceful-timeout", "20", "--access-logfile", "-")
    return Kind(
        f"gunicorn {worker_class}",
        ("gunicorn", *settings, "--worker-class", worker_class, *options, "sites:wsgi"),
        lambda port: ["--bind", f"{HOST}:{port}"],
        threads,
    )


def _uvicorn(name: str, app: str, threads: int) -> Kind:
    # Of a worker that is slow to start on a loaded machine, uvicorn would else say that it hangs.
    patience = ("--timeout-worker-healthcheck", str(PATIENCE))
    settings = (*patience, "--timeout-keep-alive", "75", "--timeout-graceful-shutdown", "20")
    return Kind(
        name,
        ("uvicorn", *settings, f"sites:{app}"),
        lambda port: ["--host", HOST, "--port", str(port)],
        threads,
    )


def _granian(interface: str, *options: str, threads: int) -> Kind:
    settings = ("--respawn-failed-workers", "--respawn-interval", "0.1", "--workers-kill-timeout", "20")
    return Kind(
        f"granian {interface}",
        ("granian", *settings, "--access-log", "--interface", interface, *options, f"sites:{interface}"),
        lambda port: ["--host", HOST, "--port", str(port)],
        threads,
        one_socket=False,
    )


SYNC = _gunicorn("sync", threads=1)
GTHREAD = _gunicorn("gthread", "--threads", str(THREADS), threads=THREADS)
UVICORN = _uvicorn("uvicorn", "asgi", threads=0)
UVICORN_IN_THREADS = _uvicorn("uvicorn, sync resolver", "asgi_in_threads", threads=8)
GRANIAN_WSGI = _granian(
    "wsgi",
    *("--blocking-threads", str(THREADS), "--blocking-threads-idle-timeout", "600"),
    threads=THREADS,
)
GRANIAN_ASGI = _granian("asgi", threads=0)

FORKED_AND_SPAWNED = [SYNC, GTHREAD, UVICORN, GRANIAN_WSGI, GRANIAN_ASGI]
WITH_THREADS_OR_TASKS = [GTHREAD, UVICORN, UVICORN_IN_THREADS, GRANIAN_WSGI, GRANIAN_ASGI]


@dataclass(frozen=True)
class Running:
    """A server that runs."""

    kind: Kind
    port: int
    log: Path

    def get(self, path: str, visitor: str = "", mood: str = "") -> Answer:
        return get(self.port, path, visitor, mood)

    def json(self, path: str) -> dict[str, int]:
        answer = self.get(path)
        assert answer.status == 200
        return json.loads(answer.body)

    def hand_off(self, number: int, name: str = "single") -> str:
        """Be handed off, and return the identifier."""
        visitor = address(number, name)
        return jti_of(self.get(AUTH_PATH, visitor), visitor, self.port)

    def start_all_threads(self) -> None:
        """Let as many visitors meet in the resolver as it may have threads, so that all are started."""
        crowd = [(address(number, "met"), Connection(self.port)) for number in range(self.kind.threads)]
        for visitor, connection in crowd:
            connection.ask(AUTH_PATH, visitor, f"meet-{len(crowd)}")
        for visitor, connection in crowd:
            jti_of(connection.answer(), visitor, self.port)

    def is_unharmed(self) -> None:
        """The application's own routes and the Auth URL answer each visitor as themselves."""
        for number in range(20):
            answer = self.get("/plain")
            assert (answer.status, answer.body) == (200, b'"fine"')
            self.hand_off(number)
        assert self.get(AUTH_PATH).headers["location"] == f"/login?next={AUTH_PATH}"

    def wait_for(self, path: str, is_so: Callable[[dict[str, int]], bool]) -> dict[str, int]:
        """Ask `path` until it `is_so`."""
        deadline = time.monotonic() + PATIENCE
        while not is_so(state := self.json(path)):
            assert time.monotonic() < deadline, f"still {state}"
            time.sleep(0.005)
        return state

    def holds_no_more_than(self, before: dict[str, int], *, visits: int) -> None:
        """After so many visits it has no more of anything than `before`, once it has noticed who has left."""

        def is_as_before(now: dict[str, int]) -> bool:
            few_more = all(now[what] <= before[what] + 2 for what in ("files", "threads", "tasks"))
            # A block is a small object. Caches fill up by some hundreds, and threads that have just answered
            # keep some hundreds for a few more requests; one kept for each visit would be more.
            few_blocks = now["blocks"] - before["blocks"] < visits / 10 + 600
            return few_more and few_blocks and now["inside"] == now["resolving"] == 0

        after = self.wait_for("/state", is_as_before)
        assert after["memory"] - before["memory"] < 6 * 2**20, (before, after)

    def workers(self, count: int, other_than: frozenset[int] = frozenset()) -> frozenset[int]:
        """Wait until `count` workers answer, and none of `other_than` does; return their process ids."""
        deadline = time.monotonic() + 2 * PATIENCE
        while True:
            seen = self._workers_now()
            if len(seen) >= count and not seen & other_than:
                return seen
            assert time.monotonic() < deadline, f"only {seen} answer, other than {other_than}"
            time.sleep(0.05)

    def _workers_now(self) -> frozenset[int]:
        seen = set()
        for _ in range(5):
            with suppress(Dropped), ExitStack() as stack:  # by a worker that is leaving
                connections = [stack.enter_context(Connection(self.port)) for _ in range(16)]
                for connection in connections:
                    connection.ask("/counts")
                seen |= {connection.answer().worker for connection in connections}
        return frozenset(seen)

    def says_nothing_secret(self, mentions: str) -> None:
        """The log `mentions` what it should, and no address, token or hand-off."""
        log = self.log.read_text("utf-8", "replace")
        assert mentions in log
        for secret in ("visitor-", "@example.com", "%40example.com", "eyJ", "token=", SSO_TOKEN):
            assert secret not in log, f"{secret} is in the server's log"


@contextmanager
def running(kind: Kind, directory: Path, *, workers: int, log: bool = False) -> Iterator[Running]:
    """Start the server, wait until all its workers answer, and stop it in the end."""
    port = free_port()
    settings = {
        "HELPDESK_SSO_TOKEN": SSO_TOKEN,
        "HELPDESK_SSO_AUTH_URL": SSO_AUTH_URL,
        "HELPDESK_ACCOUNT_ID": ACCOUNT_ID,
        "HELPDESK_AUTH_URL": auth_url(port),
        "RELIABILITY_LOG": "1" if log else "",
        "PYTHONPATH": os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")]).strip(os.pathsep),
        # What these servers run is covered by other tests, and measuring would be part of the measured.
        "COVERAGE_PROCESS_START": "",
        "COVERAGE_PROCESS_CONFIG": "",
    }
    command = [sys.executable, "-m", *kind.command, "--workers", str(workers), *kind.bind(port)]
    written = directory / "server.txt"
    with process(command, port, written, settings):
        server = Running(kind, port, written)
        try:
            server.workers(workers)
            yield server
        except BaseException:
            print(written.read_text("utf-8", "replace")[-10_000:])  # noqa: T201 - shown if the test fails
            raise


def each(kinds: list[Kind]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("kind", kinds, ids=lambda kind: kind.name)
