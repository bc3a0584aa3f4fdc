"""Exit codes, failures, and output for people and programs."""

from __future__ import annotations

import json
import os
import re
import sysconfig
import traceback
from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

import click
from rich.console import Console
from rich.text import Text

Json: TypeAlias = "str | float | bool | Mapping[str, Json] | Sequence[Json] | None"

Decorator: TypeAlias = Callable[[Callable[..., Any]], Callable[..., Any]]
"""Adds an option to a command."""

json_option: Decorator = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


class Exit(IntEnum):
    """The exit codes of the commands."""

    FINE = 0
    FINDINGS = 1  # or rejected
    USAGE = 2  # click's own
    SETTINGS = 3  # or the application could not be imported
    NETWORK = 4


class Failure(click.ClickException):
    """The settings or the application cannot be used; click prints `message` to standard error."""

    exit_code: ClassVar[int] = Exit.SETTINGS

    def __init__(self, message: str) -> None:
        super().__init__("\n".join(printable(line) for line in message.split("\n")))


_MAYBE_JWT = re.compile(r"eyJ[\w.-]+")  # cannot backtrack, so it takes linear time
_DOTS_OF_A_JWT = 2
_never_printed: set[str] = set()
_PACKAGE = Path(__file__).parents[1]
_LIBRARIES = (_PACKAGE, Path(sysconfig.get_path("stdlib")), Path(sysconfig.get_path("purelib")))
_NARROWEST = 20  # characters of a wrapped line
_SHORTEST_HIDDEN = 6  # characters; a shorter "secret" is part of many words


def never_print(secret: str) -> None:
    """Hide `secret` in all further output."""
    if len(secret) >= _SHORTEST_HIDDEN:
        _never_printed.add(secret)


def printable(text: str) -> str:
    """Return `text` as one line, without secrets and signed tokens and with control characters escaped.

    The text may be untrusted, such as a claim: it must not control the terminal or start a new line.
    """
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in _without_secrets(text)
    )


def describe(error: BaseException) -> str:
    """Return the type, message and location of `error` as one line."""
    frames = traceback.extract_tb(error.__traceback__)
    # Prefer a line of the user's code to one of a library.
    frame = next((frame for frame in reversed(frames) if _is_of_user(frame.filename)), None)
    frame = frame or (frames[-1] if frames else None)
    place = f" ({_place_of(frame.filename)}, line {frame.lineno})" if frame else ""
    return printable(f"{type(error).__name__}: {error}{place}")


def _is_of_user(filename: str) -> bool:
    path = Path(filename)
    is_library = "site-packages" in path.parts or any(path.is_relative_to(each) for each in _LIBRARIES)
    return path.exists() and not is_library


def _place_of(filename: str) -> str:
    """Return the dotted name of a module in this package, or the file's name."""
    path = Path(filename)
    if path.is_relative_to(_PACKAGE):
        return ".".join(path.relative_to(_PACKAGE.parent).with_suffix("").parts)
    return path.name


def _without_secrets(text: str) -> str:
    for secret in _never_printed:
        text = text.replace(secret, "[SSO Token]")
    return _MAYBE_JWT.sub(
        lambda match: "[token]" if match[0].count(".") >= _DOTS_OF_A_JWT else match[0], text
    )


def say(*parts: str | tuple[str, str], to_stderr: bool = False, indent: int | None = None) -> None:
    """Print one line. Each part is a text, or a text with a rich style.

    With `indent`, wrap it to the width of the terminal and indent the following lines.
    """
    # Created for each line, because click's test runner and redirections replace sys.stdout.
    console = Console(
        stderr=to_stderr,
        soft_wrap=True,
        highlight=False,
        emoji=False,
        # With FORCE_COLOR set, Rich itself keeps bold and similar styles despite NO_COLOR.
        color_system=None if os.environ.get("NO_COLOR") else "auto",
    )
    styled = [(part, "") if isinstance(part, str) else part for part in parts]
    line = Text.assemble(*((printable(text), style) for text, style in styled))
    if indent is None or not console.is_terminal or len(line) <= console.width:
        console.print(line)
        return
    first, *rest = line.wrap(console, console.width)
    for each in (first, *rest):
        each.rstrip()
    console.print(first)
    for each in Text(" ").join(rest).wrap(console, max(console.width - indent, _NARROWEST)):
        each.rstrip()
        console.print(Text(" " * indent), each, sep="")


def say_json(value: Json) -> None:
    """Print `value` as ASCII JSON without secrets."""
    click.echo(json.dumps(_without_secrets_in(value), indent=2))


def _without_secrets_in(value: Json) -> Json:
    if isinstance(value, str):
        return _without_secrets(value)
    if isinstance(value, Mapping):
        return {_without_secrets(name): _without_secrets_in(item) for name, item in value.items()}
    if isinstance(value, Sequence):
        return [_without_secrets_in(item) for item in value]
    return value
