"""What a program can ask of the sandbox, as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sso_middleware.sandbox import forms
from sso_middleware.sandbox.attempts import AttemptLog
from sso_middleware.sandbox.failures import Failures


def routes(log: AttemptLog, failures: Failures, reset: Callable[[], None]) -> list[Route]:
    """Return the routes of the JSON interface."""

    async def handoffs(_: Request) -> Response:
        return _json({"handoffs": [attempt.as_json() for attempt in reversed(log.latest_first())]})

    async def clear(request: Request) -> Response:
        forms.check_origin(request)
        reset()
        return _json({"ok": True})

    async def fail(request: Request) -> Response:
        wanted = await forms.read_json(request)
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


def _json(content: Any, status: int = 200) -> Response:
    # Escaped, because claims may hold text that UTF-8 cannot carry (lone surrogates).
    return Response(json.dumps(content, allow_nan=False), status, media_type="application/json")
