"""The whole hand-off through servers people run, one worker each, driven by wrk.

A server's applications run side by side, and wrk asks one after the other, so that they take turns
here, too. wrk shares the machine with them: besides the requests a second there are the requests that
the server has answered in a second of its own processor time, and the goals refer to these.
"""

from __future__ import annotations

import http.client
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from account import EMAILS, PATH, WrongAnswerError
from handoffs import check_answer
from measuring import Series, ratio, spread
from report import Goal, Section, Table
from routes import APPLICATIONS, pairs

from servers import HOST, clean_environment, free_port, stop, wait_until_up

HERE = Path(__file__).resolve().parent
CONNECTIONS = 16
BUSY = 0.5  # seconds of the server's processor time that make a turn
LONGEST = 10  # seconds


@dataclass(frozen=True)
class Kind:
    """A server; `options(port)` follow its name."""

    name: str
    protocol: str
    options: Callable[[int], list[str]]

    def command(self, port: int) -> list[str]:
        return [sys.executable, "-m", self.name.partition(" ")[0], *self.options(port), "served:app"]


def _uvicorn(port: int) -> list[str]:
    return ["--host", HOST, "--port", str(port), "--no-access-log", "--log-level", "warning"]


def _granian(interface: str) -> Callable[[int], list[str]]:
    return lambda port: ["--interface", interface, "--host", HOST, "--port", str(port), "--workers", "1"]


def _gunicorn(worker: str) -> Callable[[int], list[str]]:
    return lambda port: ["--worker-class", worker, "--bind", f"{HOST}:{port}", "--no-control-socket"]


KINDS = [
    Kind("uvicorn", "ASGI", _uvicorn),
    Kind("granian", "ASGI", _granian("asgi")),
    Kind("gunicorn (asgi)", "ASGI", _gunicorn("asgi")),
    Kind("granian", "WSGI", _granian("wsgi")),
    Kind("gunicorn (sync)", "WSGI", _gunicorn("sync")),
]


def problem() -> str | None:
    """Say what is missing."""
    if shutil.which("wrk") is None:
        return "wrk is not installed (Debian: apt-get install wrk)"
    return None


def goals(kind: Kind) -> dict[tuple[str, str], str]:
    """Return who is to be ahead of whom through that server, and how the goal is called."""
    return {
        (ours, rival): f"{kind.name}, {kind.protocol}: {ours} / {rival}"
        for ours, rival in pairs(_served(kind))
    }


def _served(kind: Kind) -> list[str]:
    return [
        name
        for name, application in APPLICATIONS.items()
        if application.protocol == kind.protocol and application.is_served
    ]


def section(rounds: int) -> Section:
    result = Section("servers")
    for kind in KINDS:
        with tempfile.TemporaryDirectory() as logs, ExitStack() as stack:
            servers = {
                name: stack.enter_context(_running(kind, name, Path(logs) / f"{number}.txt"))
                for number, name in enumerate(_served(kind))
            }
            for name, server in servers.items():
                server.wait()
                check_answer(f"{name} on {kind.name}", _ask(server), EMAILS[0])
            _measure(result, kind, servers, rounds)
    return result


@dataclass(frozen=True)
class Server:
    """A server that has been started."""

    process: subprocess.Popen
    port: int
    headers: dict[str, str]
    log: Path

    def wait(self) -> None:
        if not wait_until_up(self.process, self.port):
            sys.exit(f"a server did not start; it wrote:\n{self.log.read_text('utf-8', 'replace')}")


def _measure(result: Section, kind: Kind, servers: dict[str, Server], rounds: int) -> None:
    per_second: dict[str, Series] = {name: [] for name in servers}
    per_cpu_second: dict[str, Series] = {name: [] for name in servers}
    for _ in range(rounds):
        for name, server in servers.items():
            before = _cpu_seconds(server.process.pid)
            answered, taken = _wrk(server, until=None if before is None else before + BUSY)
            per_second[name].append(answered / taken)
            if before is not None:
                per_cpu_second[name].append(answered / (_cpu_seconds(server.process.pid) - before))
    compared = per_cpu_second if all(per_cpu_second.values()) else per_second
    rows = {}
    for name in servers:
        rival = APPLICATIONS[name].rival
        rows[name] = (
            spread(per_second[name]).median,
            spread(per_cpu_second[name]).median if per_cpu_second[name] else None,
            ratio(per_second[name], per_second[rival]).median if rival else None,
            ratio(compared[name], compared[rival]).median if rival else None,
        )
    columns = ("requests/s", "requests/CPU s", "ours / by hand, /s", "ours / by hand, /CPU s")
    result.tables.append(Table(f"Hand-off through {kind.name}, {kind.protocol}", columns, rows))
    for (ours, rival), text in goals(kind).items():
        at_least = APPLICATIONS[ours].aim if kind.name == "granian" else 1
        result.goals.append(Goal(text, ratio(compared[ours], compared[rival]), at_least=at_least))


@contextmanager
def _running(kind: Kind, name: str, log: Path) -> Iterator[Server]:
    port = free_port()
    paths = os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    with log.open("wb") as output:
        process = subprocess.Popen(
            kind.command(port),
            env=clean_environment({"BENCHMARK_APPLICATION": name, "PYTHONPATH": paths}),
            cwd=log.parent,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield Server(process, port, APPLICATIONS[name].headers(EMAILS[0]), log)
    finally:
        stop(process)


def _ask(server: Server) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(HOST, server.port, timeout=60)
    connection.request("GET", PATH, headers=server.headers)
    response = connection.getresponse()
    answer = response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
    connection.close()
    return answer


def _wrk(server: Server, until: float | None) -> tuple[int, float]:
    """Return how many requests were answered, and the seconds it took.

    It ends when the server has used `until` processor seconds, so that a loaded machine shortens no
    turn; where these are not known, after a while.
    """
    options = ["-t", "1", "-c", str(CONNECTIONS), "-d", "1h"]
    for name, value in server.headers.items():
        options += ["-H", f"{name}: {value}"]
    command = ["wrk", *options, f"http://{HOST}:{server.port}{PATH}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as wrk:
        deadline = time.monotonic() + (BUSY if until is None else LONGEST)
        while time.monotonic() < deadline and wrk.poll() is None:
            time.sleep(0.1)
            if until is not None and _cpu_seconds(server.process.pid) >= until:
                break
        wrk.send_signal(signal.SIGINT)  # it ends, and sums up
        output, _ = wrk.communicate()
    summary = re.search(r"(\d+) requests in ([\d.]+)(ms|s|m)\b", output)
    if summary is None or summary[1] == "0" or "Non-2xx or 3xx" in output:
        raise WrongAnswerError(f"wrk says:\n{output}")
    return int(summary[1]), float(summary[2]) * {"ms": 0.001, "s": 1, "m": 60}[summary[3]]


def _cpu_seconds(pid: int) -> float | None:
    """Return the processor time of a process and all below it, where there is a /proc (proc(5))."""
    children: dict[int, list[int]] = {}
    ticks: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text("utf-8", "replace").rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        number = int(stat.parent.name)
        children.setdefault(int(fields[1]), []).append(number)
        ticks[number] = int(fields[11]) + int(fields[12])
    if pid not in ticks:
        return None
    family = [pid]
    for number in family:  # it grows on the way
        family += children.get(number, [])
    return sum(ticks[number] for number in family) / os.sysconf("SC_CLK_TCK")
