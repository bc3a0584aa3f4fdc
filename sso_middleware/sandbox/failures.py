"""Failing on demand: what the application does when the Help Desk refuses or dawdles."""

from __future__ import annotations

from collections import deque
from threading import Lock
from typing import NamedTuple

from sso_middleware.sandbox.verifier.verdicts import CODES, HandoffRejected, VerdictCode

_MOST = 1000  # failures planned at a time
_LONGEST_DELAY = 60  # seconds


class Failure(NamedTuple):
    """How one hand-off is to fail: a code to refuse it with, or none, and a delay in seconds."""

    code: VerdictCode | None
    delay: float

    def refuse(self) -> None:
        """Refuse the hand-off if that is what was asked for.

        Raises:
            HandoffRejected: it was.
        """
        if self.code:
            raise HandoffRejected(
                self.code,
                "This hand-off is refused because the sandbox was asked to; it was not looked at.",
                "It says nothing about your settings. POST /api/fail or fail_next() planned it, and POST "
                "/api/reset or reset() ends it.",
            )


class Failures:
    """The failures planned for the next hand-offs. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._planned: deque[Failure] = deque()

    def plan(self, code: VerdictCode | None = None, *, times: int = 1, delay: float = 0) -> None:
        """Let the next hand-offs fail.

        Args:
            code: the verdict to refuse them with; `None` judges them as ever.
            times: how many hand-offs.
            delay: seconds to wait before each answer.

        Raises:
            ValueError: one of them is out of bounds.
        """
        if code is not None and code not in CODES:
            raise ValueError(f"code must be one of {', '.join(CODES)}")
        if isinstance(times, bool) or not isinstance(times, int) or not 1 <= times <= _MOST:
            raise ValueError(f"times must be a whole number from 1 to {_MOST}")
        if isinstance(delay, bool) or not isinstance(delay, int | float) or not 0 <= delay <= _LONGEST_DELAY:
            raise ValueError(f"delay must be a number of seconds from 0 to {_LONGEST_DELAY}")
        with self._lock:
            if len(self._planned) + times > _MOST:
                raise ValueError(f"more than {_MOST} failures would be planned")
            self._planned.extend([Failure(code, delay)] * times)

    def next(self) -> Failure:
        """Return how the next hand-off is to fail; one that does not fail has no code and no delay."""
        with self._lock:
            return self._planned.popleft() if self._planned else Failure(None, 0)

    def clear(self) -> None:
        """Plan no failure any more."""
        with self._lock:
            self._planned.clear()
