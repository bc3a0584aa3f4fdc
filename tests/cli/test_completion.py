"""Completion in the real shells, as the help of the command says to set it up."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from cli_apps.entry_point import COMMAND, environment

pytestmark = [pytest.mark.shells, pytest.mark.slow]

PATH = os.pathsep.join([str(Path(COMMAND).parent), os.environ.get("PATH", "")])


def in_shell(shell, script):
    if not (found := shutil.which(shell)):
        pytest.skip(f"needs {shell}")
    done = subprocess.run(
        [found, "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env=environment({}, PATH=PATH, PYTHONWARNINGS=""),
    )
    return done.stdout.split()


def test_bash():
    """bash completes the name of a command."""
    words = in_shell(
        "bash",
        'eval "$(_SSO_MIDDLEWARE_COMPLETE=bash_source sso-middleware)"\n'
        "COMP_WORDS=(sso-middleware in) COMP_CWORD=1\n"
        "_sso_middleware_completion sso-middleware\n"
        'printf "%s\\n" "${COMPREPLY[@]}"\n',
    )
    assert words == ["init", "inspect"]


def test_fish():
    """fish completes the name of a command."""
    words = in_shell(
        "fish",
        '_SSO_MIDDLEWARE_COMPLETE=fish_source sso-middleware | source\ncomplete -C "sso-middleware in"\n',
    )
    assert {"init", "inspect"} <= set(words)
    assert "sandbox" not in words


def test_zsh(tmp_path):
    """zsh completes the name of a command, at its prompt."""
    if not (zsh := shutil.which("zsh")):
        pytest.skip("needs zsh")
    process, terminal = pytest.importorskip("pty").fork()
    if process == 0:  # pragma: no cover - the shell
        os.execve(zsh, ["zsh", "-f", "-i"], environment({}, PATH=PATH, ZDOTDIR=str(tmp_path), TERM="dumb"))
    try:
        setup = 'eval "$(_SSO_MIDDLEWARE_COMPLETE=zsh_source sso-middleware)"'
        os.write(terminal, f"autoload -U compinit; compinit -u -D; {setup}; print rea''dy\n".encode())
        assert "ready" in _until(terminal, "ready")
        os.write(terminal, b"print -r sso-middleware; sso-middleware insp\t")
        assert "inspect" in _until(terminal, "inspect")
    finally:
        os.close(terminal)
        os.waitpid(process, 0)


def _until(terminal, text):
    """Return what the terminal shows, until it shows `text`."""
    shown, end = "", time.monotonic() + 60
    while text not in shown and time.monotonic() < end:
        if select.select([terminal], [], [], 1)[0]:
            shown += os.read(terminal, 4096).decode(errors="replace")
    return shown
