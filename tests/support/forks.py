"""Run Python programs as processes of their own, without the time that their imports take.

A server, which is one process for all tests of a worker, imports what a program is known to import, and
forks. The fork is the program from then on, with variables, directory, standard streams and end of its own.
Where there is no fork, each program is a new interpreter.
"""

from __future__ import annotations

import ast
import atexit
import functools
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NoReturn

#: What each Django project imports, and that needs no settings.
DJANGO = [
    "django.core.handlers.asgi",
    "django.core.management.commands.migrate",
    "django.db.backends.sqlite3.base",
    "django.test",
]


def run(
    *arguments: str | Path,
    env: Mapping[str, str] | None = None,
    cwd: str | Path | None = None,
    stdin: str | bytes = b"",
    imports: Iterable[str] = (),
    patience: float = 60,
) -> subprocess.CompletedProcess[str]:
    """Run ``python arguments`` to its end; `imports` are names of modules that it imports anyway."""
    with (
        tempfile.TemporaryFile() as given,
        tempfile.TemporaryFile() as output,
        tempfile.TemporaryFile() as errors,
    ):
        given.write(stdin if isinstance(stdin, bytes) else stdin.encode())
        given.seek(0)
        streams = [stream.fileno() for stream in (given, output, errors)]
        program = start(*arguments, env=env, cwd=cwd, streams=streams, imports=imports)
        try:
            code = program.wait(patience)
        finally:
            if program.poll() is None:
                program.kill()
                program.wait()
        for stream in (output, errors):
            stream.seek(0)
        return subprocess.CompletedProcess(arguments, code, output.read().decode(), errors.read().decode())


def start(
    *arguments: str | Path,
    env: Mapping[str, str] | None = None,
    cwd: str | Path | None = None,
    streams: Iterable[int],
    imports: Iterable[str] = (),
) -> subprocess.Popen | Fork:
    """Start ``python arguments``; `streams` are the descriptors of its three standard streams."""
    words, directory = [str(argument) for argument in arguments], str(cwd or Path.cwd())
    variables = dict(os.environ if env is None else env)
    if not hasattr(os, "fork"):
        stdin, stdout, stderr = streams
        return subprocess.Popen(
            [sys.executable, *words], env=variables, cwd=directory, stdin=stdin, stdout=stdout, stderr=stderr
        )
    request = {"arguments": words, "variables": variables, "directory": directory, "imports": [*imports]}
    return Fork(ask(request, streams))


def imported_by(script: Path) -> list[str]:
    """Return the modules that a script imports."""
    names = []
    for node in ast.walk(ast.parse(script.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names.append(node.module)
        elif isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
    return names


class Fork:
    """A running program, with the methods of `subprocess.Popen` that tests use."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None:
            self.returncode = ask({"poll": self.pid})
        return self.returncode

    def wait(self, timeout: float = 60) -> int:
        deadline = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired("a fork", timeout)
            time.sleep(0.003)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


@functools.cache
def connection() -> socket.socket:
    """Start the server, which ends with this process."""
    ours, theirs = socket.socketpair()
    with theirs:
        server = subprocess.Popen(
            [sys.executable, __file__, str(theirs.fileno())],
            env={name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"},
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
        )

    def close() -> None:
        ours.close()
        server.wait()

    atexit.register(close)
    return ours


def ask(request: object, descriptors: Iterable[int] = ()):
    """Send a request to the server, and return its answer."""
    line = json.dumps(request).encode() + b"\n"
    sent = socket.send_fds(connection(), [line], [*descriptors])
    connection().sendall(line[sent:])
    return json.loads(receive(connection())[0])


def receive(peer: socket.socket) -> tuple[bytes, list[int]]:
    """Return a line, and the descriptors that came with it; without a peer the line is empty."""
    line, descriptors, *_ = socket.recv_fds(peer, 65536, 3)
    while line and not line.endswith(b"\n"):
        line += peer.recv(65536)
    return line, descriptors


def serve(peer: socket.socket) -> list[str] | None:
    """Answer until nobody asks any more; return the arguments of a program only in its fork."""
    while True:
        line, descriptors = receive(peer)
        if not line:
            return None
        request = json.loads(line)
        if "poll" in request:
            pid, status = os.waitpid(request["poll"], os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if pid else None
        else:
            for name in request["imports"]:
                importlib.import_module(name)
            gc.freeze()
            answer = os.fork()
            if answer == 0:
                peer.close()
                become(request, descriptors)
                return request["arguments"]
            for descriptor in descriptors:
                os.close(descriptor)
        peer.sendall(json.dumps(answer).encode() + b"\n")


def become(request, descriptors: list[int]) -> None:
    """Make this process what the interpreter would have made it."""
    for stream, descriptor in enumerate(descriptors):
        os.dup2(descriptor, stream)
        os.close(descriptor)
    # How they are read and written depends on what they are: a file, or a pipe.
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False)
    sys.stdout.reconfigure(write_through="PYTHONUNBUFFERED" in request["variables"])
    os.chdir(request["directory"])
    os.environ.clear()
    os.environ.update(request["variables"])
    if action := os.environ.get("PYTHONWARNINGS"):
        warnings.simplefilter(action)
    sys.path[:1] = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))


def execute(arguments: list[str]) -> None:
    """Do what ``python arguments`` does."""
    match arguments:
        case ["-c", code, *rest]:
            sys.argv = ["-c", *rest]
            sys.path.insert(0, "")
            exec(code, {"__name__": "__main__"})
        case ["-m", module, *rest]:
            sys.argv = [module, *rest]
            sys.path.insert(0, str(Path.cwd()))
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        case [script, *rest]:
            sys.argv = [script, *rest]
            sys.path.insert(0, str(Path(script).parent))
            runpy.run_path(script, run_name="__main__")


def end(arguments: list[str]) -> NoReturn:
    """Execute a program, and end as the interpreter does, without the time it takes to take modules apart."""
    code = 0
    try:
        execute(arguments)
    except SystemExit as ending:
        code = ending.code if isinstance(ending.code, int) else int(ending.code is not None)
        if isinstance(ending.code, str):
            sys.stderr.write(f"{ending.code}\n")
    except BaseException:  # noqa: BLE001 - as the interpreter does at the top
        code = 1
        traceback.print_exc()
    threading._shutdown()  # noqa: SLF001 - it waits for threads
    atexit._run_exitfuncs()  # noqa: SLF001
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    program = serve(socket.socket(fileno=int(sys.argv[1])))
    if program is not None:
        end(program)
