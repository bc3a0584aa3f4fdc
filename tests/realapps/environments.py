"""Installs an application from the package index into an environment of its own, and keeps it there."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
APPS = HERE / "apps"
ROOT = HERE.parents[1]


class Environment:
    """An environment with one application, our requirements, and this checkout of the package.

    Args:
        folder: where environments are kept; several processes may share it.
        name: of the application.
        requirements: what pip installs, pinned.
    """

    def __init__(self, folder: Path, name: str, requirements: str) -> None:
        self._requirements = [*requirements.split(), *_our_requirements()]
        known_by = hashlib.sha256("\n".join([sys.version, *self._requirements]).encode()).hexdigest()[:12]
        self.folder = folder / f"{name}-{known_by}"
        self.python = self.folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    def prepare(self, site: str) -> Path:
        """Create the environment and the application's data, unless they are there already.

        Args:
            site: the module that makes the data in the current folder when it is run.

        Returns:
            The folder with the data, to be copied.
        """
        written = hashlib.sha256((APPS / f"{site}.py").read_bytes()).hexdigest()[:12]
        data = self.folder / f"data-{written}"
        with _locked(self.folder.with_suffix(".lock")):
            self._install()
            if not data.exists():
                making = self.folder / "making"
                shutil.rmtree(making, ignore_errors=True)
                making.mkdir()
                run([self.python, "-m", site], cwd=making, env={**os.environ, "REALAPPS_PREFIX": ""})
                making.rename(data)
        return data

    def _install(self) -> None:
        done = self.folder / "installed"
        if not done.exists():
            shutil.rmtree(self.folder, ignore_errors=True)
            run([sys.executable, "-m", "venv", "--without-pip", self.folder])
            if shutil.which("uv"):
                run(["uv", "pip", "install", "-q", "--python", self.python, *self._requirements])
            else:
                pip = [sys.executable, "-m", "pip", "--python", self.python, "--disable-pip-version-check"]
                run([*pip, "install", "-q", "--no-compile", *self._requirements])
            (packages,) = self.folder.rglob("site-packages")
            (packages / "here.pth").write_text(f"{ROOT}\n{APPS}\n", encoding="utf-8")
            done.touch()


def _our_requirements() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return [*project["dependencies"], *project["optional-dependencies"]["sandbox"]]


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Let one process in at a time."""
    import fcntl  # noqa: PLC0415 - not on Windows

    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def run(command: list[object], **options: object) -> str:
    """Run a command, and return what it wrote; its failure is an error that quotes it."""
    done = subprocess.run(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
        **options,
    )
    if done.returncode:
        raise RuntimeError(f"{command[:4]} failed:\n{done.stdout[-3000:]}")
    return done.stdout
