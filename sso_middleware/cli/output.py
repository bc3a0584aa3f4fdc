"""How the commands speak: exit codes, failures, lines for people and JSON for programs."""

from __future__ import annotations

import json
from enum import IntEnum

import click
from rich.console import Console
from rich.text import Text

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


class Exit(IntEnum):
    """What the command's exit code says."""

    FINE = 0
    FINDINGS = 1  # or rejected
    USAGE = 2  # click's own
    SETTINGS = 3  # or the application could not be imported
    NETWORK = 4


class Failure(click.ClickException):
    """The command cannot do its work; click prints `message` to standard error.

    Args:
        message: what is wrong.
        code: the exit code.
    """

    def __init__(self, message: str, code: Exit) -> None:
        super().__init__(printable(message))
        self.exit_code = code


def printable(text: str) -> str:
    """Return `text` with control characters escaped: it may come from anywhere, and a terminal obeys them."""
    return "".join(
        character
        if character.isprintable() or character == "\n"
        else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def say(*parts: str | tuple[str, str], to_stderr: bool = False) -> None:
    """Print one line: each part a text, or a text and a rich style. `NO_COLOR` is rich's own."""
    # Made anew each time: click's test runner and redirections change sys.stdout.
    console = Console(stderr=to_stderr, soft_wrap=True, highlight=False, emoji=False)
    styled = [(printable(part), "") if isinstance(part, str) else (printable(part[0]), part[1]) for part in parts]
    console.print(Text.assemble(*styled))


def say_json(value: object) -> None:
    """Print `value` as JSON, ASCII only."""
    click.echo(json.dumps(value, indent=2))
