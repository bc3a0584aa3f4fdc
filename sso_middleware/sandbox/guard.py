"""What surrounds every answer of the sandbox: who may ask, and the headers that go with it."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sso_middleware.urls import is_loopback

_IN_PROCESS = "testserver"  # what Starlette's TestClient calls its application; nobody's DNS has the name


class Guard:
    """ASGI middleware: answers this machine only, and says what browsers may do with the pages.

    Args:
        app: the sandbox's own application.
        host: gives the host and port of its base URL, as it is just now.
        policy: gives the Content-Security-Policy, as it is just now.
        allow_remote: whether other machines are answered too.
    """

    def __init__(
        self, app: ASGIApp, *, host: Callable[[], str], policy: Callable[[], str], allow_remote: bool
    ) -> None:
        self._app = app
        self._host = host
        self._policy = policy
        self._allow_remote = allow_remote

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request (ASGI HTTP spec)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif self._allow_remote or self._is_ours(Headers(scope=scope).get("host", "")):
            await self._app(scope, receive, self._with_headers(send))
        else:
            answer = PlainTextResponse("This sandbox answers its own machine only.\n", 403)
            await answer(scope, receive, send)

    def _is_ours(self, host: str) -> bool:
        # A name that somebody's DNS points to this machine would let their page read ours.
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        return is_loopback(name) or name == _IN_PROCESS or host == self._host()

    def _with_headers(self, send: Send) -> Send:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message["headers"])
                headers["Content-Security-Policy"] = self._policy()
                headers["Cache-Control"] = "no-store"
                headers["X-Content-Type-Options"] = "nosniff"
                headers.setdefault("Referrer-Policy", "same-origin")
            await send(message)

        return send_with_headers
