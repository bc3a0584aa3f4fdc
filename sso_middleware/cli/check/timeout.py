"""Making sure that `check` always ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager, redirect_stdout, suppress
from threading import Timer
from typing import NoReturn

from sso_middleware.cli.check.report import print_error
from sso_middleware.cli.output import Exit, Failure

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
            print_error(target, failure)
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
