"""A visit to an application, and its answer."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit

PEER = "192.0.2.1"  # nobody's address (RFC 5737): no trusted proxy


class Request(NamedTuple):
    """A GET that opens a page.

    Attributes:
        origin: scheme and authority of the application.
        root_path: the mount prefix the server announces.
        path: the public path, as decoded text.
        query: the query string.
        headers: beside those that every visit has.
        asked: collects the names of the headers that the application looks for, as far as that can be seen.
    """

    origin: str
    root_path: str
    path: str
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    asked: set[str] | None = None

    def all_headers(self) -> list[tuple[str, str]]:
        """Return the headers a browser would send."""
        return [
            ("Host", urlsplit(self.origin).netloc),
            ("Accept", "text/html"),
            ("User-Agent", "sso-middleware check"),
            ("Sec-Fetch-Mode", "navigate"),
            ("Sec-Fetch-Dest", "document"),
            *self.headers,
        ]

    @property
    def server(self) -> tuple[str | None, int]:
        """Host and port of the application."""
        parts = urlsplit(self.origin)
        return parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)

    @property
    def scheme(self) -> str:
        """``http`` or ``https``."""
        return urlsplit(self.origin).scheme


class Reply(NamedTuple):
    """What the application answered."""

    status: int
    headers: list[tuple[str, str]]

    @property
    def location(self) -> str:
        """Where a redirect leads, or ""."""
        return next((value for name, value in self.headers if name.lower() == "location"), "")


class NoAnswer(Exception):
    """The application did not answer a visit; the text says what it did instead."""

    @classmethod
    def within(cls, seconds: float) -> NoAnswer:
        """Return it for an application that takes too long."""
        return cls(f"brought no answer: the application was not done after {seconds:g} seconds")


def is_below(prefix: str, path: str) -> bool:
    """Whether `path` is that of the mount `prefix`, or one under it."""
    return path == prefix or path.startswith(f"{prefix}/")
