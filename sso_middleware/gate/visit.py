"""A request to an intercepted path, as the gate sees it."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any, Literal

from sso_middleware.events import logger
from sso_middleware.helpdesk.forwarding import read_query


def _any_of(*words: str) -> re.Pattern[str]:
    return re.compile(rf"(?:\A|[\s,;/])(?:{'|'.join(words)})(?:[\s,;/]|\Z)", re.IGNORECASE)


# A header with one of these words means that no person is opening the page; the reason follows.
# https://html.spec.whatwg.org/multipage/speculative-loading.html, its forerunners and imitations;
# RFC 6455, section 4.1; https://www.w3.org/TR/fetch-metadata/
_WITHOUT_A_PERSON: dict[str, tuple[re.Pattern[str], Literal["prefetch", "embedded"]]] = {
    "Sec-Purpose": (_any_of("prefetch"), "prefetch"),
    "X-Sec-Purpose": (_any_of("prefetch"), "prefetch"),  # Turbo 8: a script cannot set Sec-Purpose
    "Purpose": (_any_of("prefetch"), "prefetch"),
    "X-Moz": (_any_of("prefetch"), "prefetch"),
    "X-Purpose": (_any_of("preview"), "prefetch"),
    "Upgrade": (_any_of("websocket"), "embedded"),
    "Sec-Fetch-Mode": (_any_of("cors", "no-cors", "websocket"), "embedded"),
}
_PAGE_DESTINATIONS = frozenset({"", "document", "empty"})  # a service worker makes a document "empty"
_FRAMES = frozenset({"iframe", "frame"})
_OWN_SITES = frozenset({"same-origin", "same-site"})

#: The request headers that a `Visit` needs.
HEADERS: tuple[str, ...] = (
    *_WITHOUT_A_PERSON,
    "Sec-WebSocket-Key",
    "Sec-Fetch-Dest",
    "Sec-Fetch-Site",
    "Cookie",
)


class Visit:
    """A request to an intercepted path.

    Attributes:
        source: the environ, scope or request; only for the application's callables.
        method: the HTTP method.
        prefix: the mount prefix, as decoded text.
        path: the app-relative path, as decoded text.
        public_path: the path as the browser sees it, decoded.
        query: the query string without the question mark; raw bytes as Latin-1.
        headers: the request's headers among `HEADERS`; repeated ones are joined by commas.
    """

    __slots__ = ("headers", "method", "path", "prefix", "public_path", "query", "source")

    def __init__(
        self, source: Any, method: str, prefix: str, path: str, query: str, headers: Mapping[str, str]
    ) -> None:
        self.source: Any = source
        self.method: str = method
        self.prefix: str = prefix
        self.path: str = path
        self.public_path: str = prefix + path
        self.query: str = query
        self.headers: Mapping[str, str] = headers

    def __repr__(self) -> str:  # for tracebacks: the source holds the visitor's cookies
        return f"{type(self).__name__}({self.method})"

    def speculative_or_embedded(self, *, own_frames: bool) -> Literal["prefetch", "embedded"] | None:
        """Return a reason code if the headers show that no person is opening this page.

        Args:
            own_frames: accept a frame on the same site.
        """
        get = self.headers.get
        for name, (words, reason) in _WITHOUT_A_PERSON.items():
            if (value := get(name)) and words.search(value):
                return reason
        # Chromium sends no Sec-Fetch headers with a WebSocket handshake, and a proxy may drop Upgrade.
        if get("Sec-WebSocket-Key"):
            return "embedded"
        destination = get("Sec-Fetch-Dest", "").lower()
        if destination in _PAGE_DESTINATIONS:
            return None
        own_frame = destination in _FRAMES and get("Sec-Fetch-Site", "").lower() in _OWN_SITES
        return None if own_frame and own_frames else "embedded"

    def read_parameters(self, names: tuple[str, ...]) -> dict[str, str]:
        """Return the query parameters to forward. Log the names of all others, never their values."""
        if not self.query or not (names or logger.isEnabledFor(logging.DEBUG)):
            return {}
        found = read_query(self.query, names)
        if found.dropped:
            logger.warning("not forwarded, because the value is too long or not printable: %a", found.dropped)
        if found.others:
            logger.debug("query parameters at %a that are not forwarded: %a", self.public_path, found.others)
        return found.forwarded
