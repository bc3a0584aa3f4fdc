"""The sandbox's JSON API, including planned failures."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sso_middleware.sandbox.attempts import AttemptLog
from sso_middleware.sandbox.verifier import CODES, VerdictCode

_MOST = 1000  # planned failures
_LONGEST_DELAY = 60  # seconds


class Failures:
    """The failures planned for the next hand-offs. Thread-safe, like a deque."""

    def __init__(self) -> None:
        self._planned: deque[tuple[VerdictCode | None, float]] = deque()

    def plan(self, code: VerdictCode | None = None, *, times: int = 1, delay: float = 0) -> None:
        """See `Sandbox.fail_next`."""
        if code is not None and code not in CODES:
            raise ValueError(f"code must be one of {', '.join(CODES)}")
        if type(times) is not int or not 1 <= times <= _MOST:
            raise ValueError(f"times must be a whole number from 1 to {_MOST}")
        if type(delay) not in (int, float) or not 0 <= delay <= _LONGEST_DELAY:
            raise ValueError(f"delay must be a number of seconds from 0 to {_LONGEST_DELAY}")
        if len(self._planned) + times > _MOST:
            raise ValueError(f"times must not bring the planned failures above {_MOST}")
        self._planned.extend((code, delay) for _ in range(times))

    def next(self) -> tuple[VerdictCode | None, float]:
        """Return the code to refuse the next hand-off with, or `None`, and the delay in seconds."""
        try:
            return self._planned.popleft()
        except IndexError:
            return None, 0

    def clear(self) -> None:
        """Forget the planned failures."""
        self._planned.clear()


def routes(log: AttemptLog, failures: Failures, reset: Callable[[], None]) -> list[Route]:
    """Return the routes of the JSON API."""

    async def handoffs(_: Request) -> Response:
        return json_response({"handoffs": [attempt.as_json() for attempt in log.kept()]})

    async def clear(_: Request) -> Response:
        reset()
        return json_response({"ok": True})

    async def fail(request: Request) -> Response:
        # A form on another site cannot send this type.
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise HTTPException(415, "The body must be application/json.")
        try:
            wanted: dict[str, Any] | None = await request.json()
        except (ValueError, RecursionError):
            wanted = None
        if not isinstance(wanted, dict):
            raise HTTPException(400, "The body must be a JSON object.")
        if unknown := wanted.keys() - {"code", "times", "delay"}:
            raise HTTPException(
                400, f"unknown names: {', '.join(sorted(unknown))}; use code, times and delay"
            )
        try:
            failures.plan(**wanted)
        except ValueError as problem:
            raise HTTPException(400, str(problem)) from None
        return json_response({"ok": True})

    async def healthz(_: Request) -> Response:
        return json_response({"status": "ok"})

    return [
        Route("/api/handoffs", handoffs),
        Route("/api/reset", clear, methods=["POST"]),
        Route("/api/fail", fail, methods=["POST"]),
        Route("/healthz", healthz),
    ]


def json_response(content: Any, status: int = 200) -> Response:
    """Return `content` as ASCII JSON: claims may hold lone surrogates, which UTF-8 cannot encode."""
    return Response(json.dumps(content, allow_nan=False), status, media_type="application/json")
