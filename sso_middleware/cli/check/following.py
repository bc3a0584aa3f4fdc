"""Following redirects inside an application, as a browser would."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeAlias
from urllib.parse import parse_qsl, unquote, urljoin, urlsplit

from sso_middleware._urls import decoded_path_of, origin_of
from sso_middleware.cli.check.visits import Visit

_MOST_HOPS = 10  # a browser gives up at 20
_SHOWN = 3  # hops; in a circle, ways back may grow with each
_DEEPEST = 3  # ways back in ways back that are looked into

MakeVisit: TypeAlias = Callable[..., Visit]
"""Given path, query and headers, makes the visit."""

Cookies: TypeAlias = dict[str, str]


class Hop(NamedTuple):
    """A visit to `url`."""

    url: str
    visit: Visit

    @property
    def target(self) -> str:
        """Where the answer sends the visitor, or ""."""
        reply = self.visit.reply
        if reply is None or not 300 <= reply.status < 400:  # noqa: PLR2004 - HTTP's redirects
            return ""
        try:
            return reply.location and urljoin(self.url, reply.location)
        except ValueError:  # no address at all
            return ""


class Trail(NamedTuple):
    """The visits that came of one address.

    Attributes:
        hops: the visits, at least one.
        is_circle: whether it would go on like that.
    """

    hops: list[Hop]
    is_circle: bool

    @property
    def last(self) -> Hop:
        """The visit at its end."""
        return self.hops[-1]

    @property
    def said(self) -> str:
        """The answers in a few words."""
        said = ", then ".join(hop.visit.said for hop in self.hops[:_SHOWN])
        return f"{said}, ..." if len(self.hops) > _SHOWN else said

    def touches(self, path: str) -> bool:
        """Whether `path` is among its addresses."""
        return any(decoded_path_of(hop.url) == path for hop in self.hops)


def follow(visit: MakeVisit, url: str, origin: str, cookies: Cookies | None = None) -> Trail:
    """Visit `url`, and go where a browser would, for as long as that is within `origin`.

    Args:
        visit: makes a visit.
        url: where to start.
        origin: that of the application.
        cookies: what the visitor's browser has already; what is set on the way is added.
    """
    cookies = {} if cookies is None else cookies
    hops: list[Hop] = []
    been: set[tuple[str, frozenset[tuple[str, str]]]] = set()
    while True:
        # With other cookies the same address may answer otherwise: a look whether a browser keeps them.
        here = (url, frozenset(cookies.items()))
        if here in been or len(hops) == _MOST_HOPS:
            return Trail(hops, is_circle=True)
        been.add(here)
        sent = "; ".join(f"{name}={value}" for name, value in cookies.items())
        headers = [("Cookie", sent)] if sent else []
        hop = Hop(url, visit(decoded_path_of(url), urlsplit(url).query, *headers))
        hops.append(hop)
        keep_cookies(hop.visit, cookies)
        if not hop.target or origin_of(hop.target) != origin:
            return Trail(hops, is_circle=False)
        url = hop.target.partition("#")[0]


def keep_cookies(visit: Visit, cookies: Cookies) -> None:
    """Add the cookies that an answer sets to `cookies`, whatever their path; take off what it expires."""
    for header, line in visit.reply.headers if visit.reply else []:
        if header.lower() == "set-cookie":
            name, _, rest = line.partition("=")
            value, _, attributes = rest.partition(";")
            if value and "max-age=0" not in attributes.lower().replace(" ", ""):
                cookies[name.strip()] = value.strip()
            else:
                cookies.pop(name.strip(), None)


def depth_of(path: str, query: str) -> int | None:
    """Say how deep in `query` an address with `path` is: 0 for a value, 1 for one in a value's own query."""
    queries: Iterable[str] = [query]
    for depth in range(_DEEPEST):
        values = [unquote(value) for each in queries for _, value in parse_qsl(each)]
        if path in map(_path_in, values):
            return depth
        queries = [value.partition("?")[2] for value in values]
    return None


def _path_in(value: str) -> str:
    before = value.partition("?")[0].partition("#")[0]
    _, separator, rest = before.partition("://")
    return f"/{rest.partition('/')[2]}" if separator else before
