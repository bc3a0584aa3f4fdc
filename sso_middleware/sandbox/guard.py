"""What surrounds every answer of the sandbox: who may ask, and the headers that go with it."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sso_middleware._urls import is_loopback, origin_of
from sso_middleware.helpdesk import HelpDesk

# No form-action: it would bind the redirects after a form, too, and signing out leads to the Logout URL
# and from there to wherever the application likes.
_POLICY = "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'"
_NOT_ASCII = re.compile(rb"[\x80-\xff]")
_IN_PROCESS = "testserver"  # what Starlette's TestClient calls its application; nobody's DNS has the name


class Guard:
    """ASGI middleware: answers this machine only, and says what browsers may do with the pages.

    Args:
        app: the sandbox's own application.
        helpdesk: gives the account as it is just now; it knows where the sandbox is.
        allow_remote: whether other machines are answered too.
    """

    def __init__(self, app: ASGIApp, *, helpdesk: Callable[[], HelpDesk], allow_remote: bool) -> None:
        self._app = app
        self._helpdesk = helpdesk
        self._allow_remote = allow_remote

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request (ASGI HTTP spec)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif self._allow_remote or self._is_ours(scope):
            # Starlette cannot read a query that is not UTF-8; percent-encoded, it means the same.
            query = _NOT_ASCII.sub(lambda match: b"%%%02X" % match[0][0], scope["query_string"])
            await self._app({**scope, "query_string": query}, receive, self._with_headers(send))
        else:
            answer = PlainTextResponse("This sandbox answers its own machine only.\n", 403)
            await answer(scope, receive, send)

    def _is_ours(self, scope: Scope) -> bool:
        host = Headers(scope=scope).get("host", "")
        # By the server's own address, which is no name where there is a socket.
        in_process = (scope.get("server") or ("",))[0] == _IN_PROCESS
        # A name that somebody's DNS points to this machine would let their page read ours.
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        own = origin_of(self._helpdesk().sso_auth_url).partition("//")[2]
        return is_loopback(name) or (in_process and name == _IN_PROCESS) or host == own

    def _with_headers(self, send: Send) -> Send:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message["headers"])
                headers["Content-Security-Policy"] = _POLICY
                headers["Cache-Control"] = "no-store"
                headers["X-Content-Type-Options"] = "nosniff"
                headers.setdefault("Referrer-Policy", "same-origin")
            await send(message)

        return send_with_headers
