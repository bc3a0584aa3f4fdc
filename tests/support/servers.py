"""Run a script that listens on 127.0.0.1 in a process of its own, on a free port."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

import forks

HOST = "127.0.0.1"
PATIENCE = 30  # seconds, for a loaded machine


#: All servers of the tests speak plain HTTP. Loading certificates takes 70 ms for each client.
NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def local_client(base_url: str = "", **options) -> httpx.Client:
    """Return a client for servers on this machine; it follows no redirect and uses no proxy."""
    return httpx.Client(
        base_url=base_url, timeout=PATIENCE, trust_env=False, verify=NO_CERTIFICATES, **options
    )


@dataclass(frozen=True)
class Server:
    """A running server; what it has written so far is in `log`."""

    base_url: str
    log: Path

    @property
    def output(self) -> str:
        return self.log.read_text("utf-8", "replace")


@contextmanager
def serving(
    script: Path,
    settings: Callable[[int], Mapping[str, str]],
    log: Path,
    *,
    runner: Path | None = None,
    forked: bool = False,
) -> Iterator[Server]:
    """Start `script` with the variables `settings(port)`, wait until it accepts, stop it in the end.

    `runner` is another script, which runs the first. With `forked`, no new interpreter has to import it all.
    """
    command = [runner, script] if runner else [script]
    for _ in range(3):
        port = free_port()
        with log.open("wb") as output, Path(os.devnull).open() as nothing:
            where = {"env": clean_environment(settings(port)), "cwd": log.parent}
            if forked:
                streams = [stream.fileno() for stream in (nothing, output, output)]
                process = forks.start(*command, **where, streams=streams, imports=forks.imported_by(script))
            else:
                process = subprocess.Popen(
                    [sys.executable, *command], **where, stdin=nothing, stdout=output, stderr=output
                )
        try:
            if wait_until_up(process, port):
                yield Server(f"http://{HOST}:{port}", log)
                return
        finally:
            stop(process)
        if not accepts(port):  # else somebody was faster, and has the port now
            break
    pytest.fail(f"{script.name} did not start; it wrote:\n{log.read_text('utf-8', 'replace')}")


def clean_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment with `settings`, and without settings of the user's own."""
    ours = ("HELPDESK_", "SESSION_SECRET", "DEMO_PASSWORD", "PORT")
    others = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**others, "PYTHONUNBUFFERED": "1", **settings}


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        return listener.getsockname()[1]


def accepts(port: int) -> bool:
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True


def wait_until_up(process: subprocess.Popen | forks.Fork, port: int) -> bool:
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        if accepts(port):
            return process.poll() is None
        time.sleep(0.02)
    return False


def stop(process: subprocess.Popen | forks.Fork) -> None:
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
