"""Protection for every request: who may send it, its size, and the response headers."""

from __future__ import annotations

import string
from urllib.parse import quote, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sso_middleware._urls import is_loopback
from sso_middleware.sandbox.account import Account

# No form-action: it also restricts redirects after a form, and signing out redirects to the Logout URL and
# from there to any page of the application's choice.
_POLICY = "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'"
_IN_PROCESS = "testserver"  # the host name of Starlette's TestClient; not a public DNS name
_LONGEST_BODY = 65_536  # bytes; more than the longest percent-encoded form


class Guard:
    """ASGI middleware that only answers this machine and adds security headers.

    The host of the account's base URL is answered, too. With `allow_remote`, all machines and names are.
    Starlette's TrustedHostMiddleware has no pattern for 127.0.0.0/8 and ignores ports.
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
            # Starlette cannot read a query that is not UTF-8. Percent-encoding keeps its meaning.
            query = quote(scope["query_string"], safe=string.punctuation).encode()
            await self._app({**scope, "query_string": query}, receive, _with_headers(send))
        else:
            answer = PlainTextResponse("This sandbox answers its own machine only.\n", 403)
            await answer(scope, receive, send)

    def _is_ours(self, scope: Scope) -> bool:
        host = Headers(scope=scope).get("host", "")
        # A server with a socket has an IP address here, not a name.
        in_process = (scope.get("server") or ("",))[0] == _IN_PROCESS
        # If any name were accepted, a page could read ours by DNS rebinding.
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        own = self._account.base_url.partition("//")[2]
        return is_loopback(name) or (in_process and name == _IN_PROCESS) or host == own


class PostGuard:
    """ASGI middleware that only accepts POST from the application's own pages and programs, up to 64 KB.

    A cookie does not tell which page sent a form, and Starlette before 1.6 cannot limit a body. The
    application handles the HTTPException for a long body.
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
            await self._app(scope, _limited(receive, scope), send)


def _is_foreign(scope: Scope) -> bool:
    """Whether a page of another site made the browser send it.

    This uses Fetch Metadata, or ``Origin`` if the browser sends none. A request with neither comes from a
    program, such as a test.
    """
    headers = Headers(scope=scope)
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    return headers.get("origin") not in (None, f"{scope['scheme']}://{headers.get('host', '')}")


def _limited(receive: Receive, scope: Scope) -> Receive:
    # The announced length counts first, so that the answer does not depend on how the body arrives.
    announced = Headers(scope=scope).get("content-length", "")
    is_too_long = len(announced) > len(str(_LONGEST_BODY)) or (
        announced.isdecimal() and int(announced) > _LONGEST_BODY
    )
    received = 0

    async def receive_limited() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if is_too_long or received > _LONGEST_BODY:
            raise HTTPException(413, "The request is too long.")
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
