"""What surrounds every answer: who may ask, what may be sent, and the headers that go with it."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sso_middleware._urls import is_loopback
from sso_middleware.sandbox.account import Account

# No form-action: it would bind the redirects after a form, too, and signing out leads to the Logout URL
# and from there to wherever the application likes.
_POLICY = "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'"
_NOT_ASCII = re.compile(rb"[\x80-\xff]")
_IN_PROCESS = "testserver"  # what Starlette's TestClient calls its application; nobody's DNS has the name
_LONGEST_BODY = 65_536  # bytes; a form's longest text, percent-encoded, with room to spare


class Guard:
    """ASGI middleware: answers this machine only, and says what browsers may do with the pages.

    Starlette's TrustedHostMiddleware has no pattern for 127.0.0.0/8 and compares no port.

    Args:
        app: the sandbox's own application.
        account: knows where the sandbox is.
        allow_remote: whether other machines are answered too.
    """

    def __init__(self, app: ASGIApp, account: Account, *, allow_remote: bool) -> None:
        self._app = app
        self._account = account
        self._allow_remote = allow_remote

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request (ASGI HTTP spec)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif self._allow_remote or self._is_ours(scope):
            # Starlette cannot read a query that is not UTF-8; percent-encoded, it means the same.
            query = _NOT_ASCII.sub(lambda match: b"%%%02X" % match[0][0], scope["query_string"])
            await self._app({**scope, "query_string": query}, receive, _with_headers(send))
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
        own = self._account.base_url.partition("//")[2]
        return is_loopback(name) or (in_process and name == _IN_PROCESS) or host == own


class PostGuard:
    """ASGI middleware: takes POST requests from the application's own pages and from programs, up to 64 KB.

    A cookie does not tell whose page sent a form, and Starlette limits neither JSON nor, before 1.3.1,
    urlencoded forms.

    Args:
        app: a Starlette application, which answers the HTTPException of a body that is too long.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request (ASGI HTTP spec)."""
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
        elif _is_foreign(scope):
            answer = PlainTextResponse("This request came from a page of another site.\n", 403)
            await answer(scope, receive, send)
        else:
            await self._app(scope, _limited(receive), send)


def _is_foreign(scope: Scope) -> bool:
    """Whether a page of another site made the browser send it.

    Fetch Metadata where the browser sends it, ``Origin`` where it does not; neither is a program's
    request, such as a test's.
    """
    headers = Headers(scope=scope)
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    return headers.get("origin") not in (None, f"{scope['scheme']}://{headers.get('host', '')}")


def _limited(receive: Receive) -> Receive:
    received = 0

    async def receive_limited() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > _LONGEST_BODY:
            raise HTTPException(413, "That is too long.")
        return message

    return receive_limited


def _with_headers(send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=message["headers"])
            headers["Content-Security-Policy"] = _POLICY
            headers["Cache-Control"] = "no-store"
            headers["X-Content-Type-Options"] = "nosniff"
            headers.setdefault("Referrer-Policy", "same-origin")
        await send(message)

    return send_with_headers
