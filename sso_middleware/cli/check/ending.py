"""Making sure that `check` always ends and can report any error as JSON."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager, redirect_stdout, suppress
from threading import Timer
from typing import Any, NoReturn

import click

from sso_middleware.cli.output import Exit, Failure, Json, say_json

BLOCKED_IMPORT = (
    "its import blocks. A call that serves the application, such as ui.run() or app.run(), never returns: "
    'move it under if __name__ == "__main__":. If the import is just slow, pass a longer --timeout.'
)
BLOCKED_VISIT = "it blocks its event loop or a thread. Start it, and find the page that never loads."


def leave(code: str | int | None) -> NoReturn:
    """End the process at once, because the application's threads and processes may keep it alive."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, OSError, ValueError):  # missing, closed, or a broken pipe
            stream.flush()
    os._exit(code if isinstance(code, int) else Exit.SETTINGS)


@contextmanager
def limit(target: str, seconds: float, words: str, *, as_json: bool) -> Generator[None, None, None]:
    """Keep what the block prints out of our output, and end the process if it takes longer than `seconds`.

    An import, which runs in the main thread as in servers, cannot be interrupted. Neither can a blocked event
    loop. The error message ends with `words`.
    """
    stdout = sys.stdout

    def give_up() -> NoReturn:
        sys.stdout = stdout
        unit = "second" if seconds == 1 else "seconds"
        failure = Failure(f"{target} timed out after {seconds:g} {unit}: {words}")
        if as_json:
            say_json(_report_of(target, failure))
        failure.show()
        leave(Exit.SETTINGS)

    timer = Timer(seconds, give_up)
    timer.daemon = True
    timer.start()
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        timer.cancel()


class ReportCommand(click.Command):
    """A command whose ``--json`` also prints errors as an object with the keys of a report."""

    def make_context(self, info_name: str | None, args: list[str], *more: Any, **extra: Any) -> click.Context:
        """Read the arguments."""
        with _told(None, as_json="--json" in args):
            return super().make_context(info_name, args, *more, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        with _told(ctx.params["target"], as_json=ctx.params["as_json"]):
            return super().invoke(ctx)


@contextmanager
def _told(target: str | None, *, as_json: bool) -> Generator[None, None, None]:
    try:
        yield
    except click.ClickException as error:  # click prints it to standard error
        if as_json:
            say_json(_report_of(target, error))
        raise


def _report_of(target: str | None, error: click.ClickException) -> dict[str, Json]:
    """Return what ``--json`` prints for `error`."""
    nothing: dict[str, Json] = {"settings": None, "panel": None, "walk": [], "online": None, "findings": []}
    return {"source": target, **nothing, "error": error.format_message()}
