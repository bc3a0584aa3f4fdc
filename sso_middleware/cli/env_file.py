"""The sandbox's settings as lines for a shell and in an env file."""

from __future__ import annotations

import os
import re
import shlex
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from sso_middleware._urls import is_loopback
from sso_middleware.cli.output import Failure, never_print

_LINE = re.compile(r"\s*(?:export\s+)?(\w+)=(.*)")

#: How a shell sets a variable, by the shell's name.
SHELLS: dict[str, Callable[[str, str], str]] = {
    "sh": lambda name, value: f"export {name}={shlex.quote(value)}",
    "powershell": lambda name, value: "$env:{} = '{}'".format(name, value.replace("'", "''")),
}
SHELL = "powershell" if os.name == "nt" else "sh"  # of this machine


def read_env_file(file: Path, prefix: str) -> dict[str, str]:
    """Return the variables in `file` whose names start with `prefix`; none if there is no such file.

    Raises:
        Failure: the file cannot be read, or it holds the settings of a real account.
    """
    try:
        found = [match for line in _lines_in(file) if (match := _set_by(line, prefix))]
        variables = {match[1]: "".join(shlex.split(match[2])) for match in found}
    except (OSError, ValueError) as error:  # ValueError: it is not text, or a quotation mark is not closed
        raise Failure(f"--env-file: cannot read {file} as NAME=value lines: {type(error).__name__}") from None
    url = variables.get(f"{prefix}SSO_AUTH_URL", "")
    if url and not is_loopback(urlsplit(url).hostname or ""):
        raise Failure(f"--env-file: {file} is for a real Help Desk ({url}): choose another file.")
    never_print(variables.get(f"{prefix}SSO_TOKEN", ""))
    return variables


def write_env_file(file: Path, variables: Mapping[str, str], prefix: str) -> None:
    """Replace the variables in `file` whose names start with `prefix` with `variables`; keep other lines.

    Only the file's owner can read the result. The file is replaced atomically.

    Raises:
        Failure: the file cannot be written.
    """
    target = file.resolve()  # keeps a symbolic link
    try:
        kept = [line for line in _lines_in(file) if not _set_by(line, prefix)]
        written = [f"{name}={shlex.quote(value)}" for name, value in variables.items()]
        with tempfile.NamedTemporaryFile(  # its mode is 0600
            "w", encoding="utf-8", dir=target.parent, prefix=f".{target.name}.", delete=False
        ) as output:
            output.writelines(f"{line}\n" for line in [*kept, *written])
        Path(output.name).replace(target)
    except OSError as error:
        raise Failure(f"--env-file: cannot write {file}: {error.strerror}") from None


def shell_lines(variables: Mapping[str, str], shell: str) -> str:
    """Return the lines that set `variables` in `shell`."""
    return "\n".join(SHELLS[shell](name, value) for name, value in variables.items())


def _lines_in(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []


def _set_by(line: str, prefix: str) -> re.Match[str] | None:
    match = _LINE.fullmatch(line)
    return match if match and match[1].startswith(prefix) else None
