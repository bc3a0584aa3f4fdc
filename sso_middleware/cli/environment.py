"""Settings as lines for a shell and in an env file."""

from __future__ import annotations

import os
import re
import shlex
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

_LINE = re.compile(r"\s*(?:export\s+)?(\w+)=(.*)")

#: How a shell sets a variable, by the shell's name.
SHELLS: dict[str, Callable[[str, str], str]] = {
    "sh": lambda name, value: f"export {name}={shlex.quote(value)}",
    "powershell": lambda name, value: "$env:{} = '{}'".format(name, value.replace("'", "''")),
}
SHELL = "powershell" if os.name == "nt" else "sh"  # of this machine


def read(file: Path, prefix: str) -> dict[str, str]:
    """Return the variables in `file` whose names start with `prefix`; none if there is no such file.

    Raises:
        OSError: the file cannot be read.
        ValueError: the file is not text, or a quotation mark is not closed.
    """
    found = [match for line in _lines(file) if (match := _set_by(line, prefix))]
    return {match[1]: "".join(shlex.split(match[2])) for match in found}


def write(file: Path, variables: Mapping[str, str], prefix: str) -> None:
    """Replace the variables in `file` whose names start with `prefix` with `variables`; keep other lines.

    Only the file's owner can read the result. The file is replaced atomically.

    Raises:
        OSError: the file cannot be written.
    """
    kept = [line for line in _lines(file) if not _set_by(line, prefix)]
    lines = [*kept, *(f"{name}={shlex.quote(value)}" for name, value in variables.items())]
    target = file.resolve()  # keeps a symbolic link
    with tempfile.NamedTemporaryFile(  # its mode is 0600
        "w", encoding="utf-8", dir=target.parent, prefix=f".{target.name}.", delete=False
    ) as output:
        output.write("".join(f"{line}\n" for line in lines))
    Path(output.name).replace(target)


def _lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []


def _set_by(line: str, prefix: str) -> re.Match[str] | None:
    match = _LINE.fullmatch(line)
    return match if match and match[1].startswith(prefix) else None
