"""Run any command that listens, and Debian's nginx, in processes of their own."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from servers import clean_environment, stop, wait_until_up

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")

CONFIG = """
daemon off;
master_process off;
pid nginx.pid;
events {{ }}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    {servers}
}}
"""


@contextmanager
def nginx(directory: Path, port: int, servers: str) -> Iterator[None]:
    """Run nginx in the foreground, with nothing but `directory`; `servers` listen on `port`."""
    config = directory / "nginx.conf"
    config.write_text(CONFIG.format(servers=servers))
    command = [str(NGINX), "-e", "stderr", "-p", f"{directory}/", "-c", str(config)]
    with process(command, port, directory / "nginx.txt", {}):
        yield


@contextmanager
def process(command: list[str], port: int, log: Path, settings: dict[str, str]) -> Iterator[None]:
    """Run `command` until it listens on `port`, and stop it in the end; what it writes goes to `log`."""
    with log.open("wb") as output:
        started = subprocess.Popen(
            command,
            env=clean_environment(settings),
            cwd=log.parent,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        if not wait_until_up(started, port):
            pytest.fail(f"{command} did not start; it wrote:\n{log.read_text('utf-8', 'replace')}")
        yield
    finally:
        stop(started)
