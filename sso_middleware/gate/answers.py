"""The responses that the gate can send."""

from __future__ import annotations

from sso_middleware._urls import encode_path, is_plain_prefix
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
# These belong to the server's connection (RFC 9110, section 7.6.1) or to CGI.
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


class Answer:
    """A response: HTTP status code, headers, body."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.status: int = status
        self.headers: list[tuple[str, str]] = headers
        self.body: bytes = body

    def __repr__(self) -> str:  # for tracebacks: a Location holds the token
        return f"{type(self).__name__}({self.status})"


def redirect(location: str, *more: tuple[str, str]) -> Answer:
    """Answer 303 (RFC 9110, section 15.4.4) with an empty body.

    Drop headers in `more` that the answer sets itself or that describe its body or the connection.
    """
    return Answer(303, [*_REDIRECT, ("Location", location), *filter(_may_be_added, more)], b"")


def _may_be_added(header: tuple[str, str]) -> bool:
    name = header[0].lower()
    return name not in _OURS and name not in _NOT_OURS and not name.startswith("content-")


def page(reason: str, prefix: str, *more: tuple[str, str], by_resolver: bool = False) -> Answer:
    """Answer with the page for `reason`, with a link to the application's start page.

    Resolvers choose their own reason codes; `by_resolver` keeps them apart from this package's.
    """
    status, body = render(
        reason, f"{encode_path(prefix) if is_plain_prefix(prefix) else ''}/", by_resolver=by_resolver
    )
    return Answer(status, [*_PAGE, ("Content-Length", str(len(body))), *more], body)


def empty() -> Answer:
    """Answer 200 to HEAD, without revealing where GET would redirect."""
    return Answer(200, [*_PAGE, ("Content-Length", "0")], b"")
