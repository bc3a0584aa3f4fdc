"""A request to an intercepted path as the gate sees it, and the responses it can give."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from sso_middleware._urls import is_plain_prefix
from sso_middleware.gate.pages import POLICY, render

_EVERY_ANSWER = (
    ("Cache-Control", "no-store, private"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Robots-Tag", "noindex, nofollow"),
    ("Content-Type", "text/html; charset=utf-8"),
)
_REDIRECT = (*_EVERY_ANSWER, ("Content-Length", "0"), ("Cross-Origin-Resource-Policy", "same-origin"))
_PAGE = (*_EVERY_ANSWER, ("Content-Security-Policy", POLICY))
_OURS = frozenset(name.lower() for name, _ in (*_REDIRECT, *_PAGE, ("Location", ""), ("Refresh", "")))
# These belong to the connection, which is the server's (RFC 9110, section 7.6.1), or to CGI.
_NOT_OURS = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-connection",
        "status",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)

# A header that holds one of these words says that no person is opening the page, and for this reason.
# https://html.spec.whatwg.org/multipage/speculative-loading.html, and what came before it or imitates it;
# RFC 6455, section 4.1; https://www.w3.org/TR/fetch-metadata/
_WITHOUT_A_PERSON = {
    "Sec-Purpose": ({"prefetch"}, "prefetch"),
    "X-Sec-Purpose": ({"prefetch"}, "prefetch"),  # Turbo 8: a script cannot set Sec-Purpose
    "Purpose": ({"prefetch"}, "prefetch"),
    "X-Moz": ({"prefetch"}, "prefetch"),
    "X-Purpose": ({"preview"}, "prefetch"),
    "Upgrade": ({"websocket"}, "embedded"),
    "Sec-Fetch-Mode": ({"cors", "no-cors", "websocket"}, "embedded"),
}
_PAGE_DESTINATIONS = frozenset({"", "document", "empty"})  # a service worker makes a document "empty"
_FRAMES = frozenset({"iframe", "frame"})
_OWN_SITES = frozenset({"same-origin", "same-site"})
_SEPARATOR = re.compile(r"[\s,;/]+")


class Visit:
    """A request to an intercepted path.

    Attributes:
        source: the environ or scope, for the application's callables and for nothing else.
        method: the HTTP method.
        prefix: the mount prefix, as decoded text.
        path: the app-relative path, as decoded text.
        header: gives a request header, "" if there is none.
    """

    __slots__ = ("header", "method", "path", "prefix", "source")

    def __init__(
        self, source: Any, method: str, prefix: str, path: str, header: Callable[[str], str]
    ) -> None:
        self.source = source
        self.method = method
        self.prefix = prefix
        self.path = path
        self.header = header

    def __repr__(self) -> str:  # for tracebacks with locals: the source holds the visitor's cookies
        return f"{type(self).__name__}({self.method})"

    @property
    def public_path(self) -> str:
        """The path as the browser knows it, decoded."""
        return self.prefix + self.path

    def speculative_or_embedded(self, *, own_frames: bool) -> str | None:
        """Return a reason code if the browser says that no person is opening this page.

        Args:
            own_frames: accept a frame on a page of the same site.
        """
        for name, (words, reason) in _WITHOUT_A_PERSON.items():
            if (value := self.header(name)) and not words.isdisjoint(_words(value)):
                return reason
        # With a WebSocket handshake Chromium sends no Sec-Fetch headers, and a proxy may drop Upgrade.
        if self.header("Sec-WebSocket-Key"):
            return "embedded"
        destination = self.header("Sec-Fetch-Dest").lower()
        if destination in _PAGE_DESTINATIONS:
            return None
        own_frame = destination in _FRAMES and self.header("Sec-Fetch-Site").lower() in _OWN_SITES
        return None if own_frame and own_frames else "embedded"


def _words(value: str) -> list[str]:
    return _SEPARATOR.split(value.lower())


class Answer:
    """A response: HTTP status code, headers, body."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    def __repr__(self) -> str:  # for tracebacks with locals: a Location holds the token
        return f"{type(self).__name__}({self.status})"


def redirect(location: str, *more: tuple[str, str]) -> Answer:
    """Answer 303 (RFC 9110, section 15.4.4) with an empty body.

    Headers in `more` that the answer sets itself, or that say something about its body or the
    connection, are left out.
    """
    return Answer(303, [*_REDIRECT, ("Location", location), *filter(_may_be_added, more)], b"")


def _may_be_added(header: tuple[str, str]) -> bool:
    name = header[0].lower()
    return name not in _OURS and name not in _NOT_OURS and not name.startswith("content-")


def page(reason: str, prefix: str, *more: tuple[str, str], by_resolver: bool = False) -> Answer:
    """Answer with the page for `reason`, linked to the start page of the application.

    A resolver chooses its reason codes freely; `by_resolver` keeps them apart from our own.
    """
    status, body = render(reason, f"{prefix if is_plain_prefix(prefix) else ''}/", by_resolver=by_resolver)
    return Answer(status, [*_PAGE, ("Content-Length", str(len(body))), *more], body)


def empty() -> Answer:
    """Answer 200 to HEAD, without saying where GET would lead."""
    return Answer(200, [*_PAGE, ("Content-Length", "0")], b"")
