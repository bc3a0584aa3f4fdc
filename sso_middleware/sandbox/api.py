"""What a program can ask of the sandbox, as JSON, and the failures that it can plan."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sso_middleware.sandbox.attempts import AttemptLog
from sso_middleware.sandbox.verifier import CODES, HandoffRejected, VerdictCode

_MOST = 1000  # failures planned at a time
_LONGEST_DELAY = 60  # seconds


class Failure(NamedTuple):
    """How one hand-off is to fail: a code to refuse it with, or none, and a delay in seconds."""

    code: VerdictCode | None = None
    delay: float = 0

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
    """The failures planned for the next hand-offs. Safe to share between threads, as a deque is."""

    def __init__(self) -> None:
        self._planned: deque[Failure] = deque()

    def plan(self, code: VerdictCode | None = None, *, times: int = 1, delay: float = 0) -> None:
        """Do what `Sandbox.fail_next` says.

        Raises:
            ValueError: an argument is out of bounds.
        """
        if code is not None and code not in CODES:
            raise ValueError(f"code must be one of {', '.join(CODES)}")
        if isinstance(times, bool) or not isinstance(times, int) or not 1 <= times <= _MOST:
            raise ValueError(f"times must be a whole number from 1 to {_MOST}")
        if isinstance(delay, bool) or not isinstance(delay, int | float) or not 0 <= delay <= _LONGEST_DELAY:
            raise ValueError(f"delay must be a number of seconds from 0 to {_LONGEST_DELAY}")
        if len(self._planned) + times > _MOST:
            raise ValueError(f"more than {_MOST} failures would be planned")
        self._planned.extend([Failure(code, delay)] * times)

    def next(self) -> Failure:
        """Return how the next hand-off is to fail; one that does not fail has no code and no delay."""
        try:
            return self._planned.popleft()
        except IndexError:
            return Failure()

    def clear(self) -> None:
        """Forget the failures that are planned."""
        self._planned.clear()


def routes(log: AttemptLog, failures: Failures, reset: Callable[[], None]) -> list[Route]:
    """Return the routes of the JSON interface."""

    async def handoffs(_: Request) -> Response:
        return _json({"handoffs": [attempt.as_json() for attempt in log.kept()]})

    async def clear(_: Request) -> Response:
        reset()
        return _json({"ok": True})

    async def fail(request: Request) -> Response:
        wanted = await _object_in(request)
        if unknown := wanted.keys() - {"code", "times", "delay"}:
            raise HTTPException(
                400, f"unknown: {', '.join(sorted(unknown))}; known are code, times and delay"
            )
        try:
            failures.plan(**wanted)
        except ValueError as problem:
            raise HTTPException(400, str(problem)) from None
        return _json({"ok": True})

    async def healthz(_: Request) -> Response:
        return _json({"status": "ok"})

    return [
        Route("/api/handoffs", handoffs),
        Route("/api/reset", clear, methods=["POST"]),
        Route("/api/fail", fail, methods=["POST"]),
        Route("/healthz", healthz),
    ]


def error(detail: str, status: int) -> Response:
    """Answer what went wrong."""
    return _json({"error": detail}, status)


async def _object_in(request: Request) -> dict[str, Any]:
    # A form of another site cannot have this type.
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise HTTPException(415, "The body has to be application/json.")
    try:
        value = await request.json()
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise HTTPException(400, "The body has to be a JSON object.")
    return value  # pyright: ignore[reportUnknownVariableType] - what JSON holds is looked at by the caller


def _json(content: Any, status: int = 200) -> Response:
    # Escaped, because claims may hold text that UTF-8 cannot carry (lone surrogates).
    return Response(json.dumps(content, allow_nan=False), status, media_type="application/json")
