"""Standard output that may not be there any more: a pipe closed early, a full disk."""

from __future__ import annotations

import errno
import io
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import cast

CLOSED_PIPE = 141  # what a shell says of a command that SIGPIPE ended
NOT_WRITTEN = 5  # Exit.OUTPUT, which stands where click is needed


class StandardOutput(io.TextIOWrapper):
    """Ends the process where nothing more can be written, with an exit code that means nothing else.

    Without it click and rich would end it with 1, "findings". SIGPIPE stays ignored, as Python has it:
    a server must outlive a browser that hangs up.
    """

    @classmethod
    def take_over(cls) -> None:
        """Put it in the place of `sys.stdout`, if there is one."""
        is_text_over_bytes = isinstance(sys.stdout, io.TextIOWrapper)
        if is_text_over_bytes:
            stream = cast("io.TextIOWrapper", sys.stdout)
            sys.stdout = cls(
                stream.buffer,
                encoding=stream.encoding,
                errors=stream.errors,
                line_buffering=stream.line_buffering,
                write_through=stream.write_through,
            )

    def write(self, text: str, /) -> int:
        """Write `text`, or end the process."""
        with self._ending():
            return super().write(text)

    def flush(self) -> None:
        """Flush what was written, or end the process."""
        with self._ending():
            super().flush()

    @contextmanager
    def _ending(self) -> Generator[None]:
        try:
            yield
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise SystemExit(CLOSED_PIPE) from None
            if sys.stderr is not None:  # else print() would take standard output
                with suppress(OSError):
                    print(f"sso-middleware: the output cannot be written: {error.strerror}", file=sys.stderr)
            raise SystemExit(NOT_WRITTEN) from None
