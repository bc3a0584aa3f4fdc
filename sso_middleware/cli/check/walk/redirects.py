"""Following redirects inside an application, and judging where the login page and the Logout URL lead."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urljoin, urlsplit

import httpx

from sso_middleware._urls import decoded_path_of, origin
from sso_middleware.cli.check.findings import Finding, Step, found
from sso_middleware.cli.check.walk.browser import Browser, Reply
from sso_middleware.cli.check.walk.login_page import LoginPage

_SERVER_ERROR = 500
_AN_ERROR = 400
_NO_PAGE = frozenset({404, 405, 410})
_WANTS_SIGN_IN = frozenset({401, 403})
_MOST_HOPS = 10  # a browser gives up at 20
_SHOWN = 3  # hops
_DEEPEST = 3  # levels of return addresses inside return addresses


class Hop(NamedTuple):
    """A visit to `url`."""

    url: str
    reply: Reply

    @property
    def target(self) -> str:
        """Where the reply sends the visitor, or ""."""
        response = self.reply.response
        if not (response and response.has_redirect_location and self.reply.location):
            return ""
        try:
            target = urljoin(self.url, self.reply.location)
            httpx.URL(target)
            origin(target)
        except (ValueError, httpx.InvalidURL):  # not a URL
            return ""
        return target


class Trail(NamedTuple):
    """The visits that follow from one URL.

    Attributes:
        hops: the visits, at least one.
        is_circle: whether they form a redirect loop.
    """

    hops: list[Hop]
    is_circle: bool

    @property
    def last(self) -> Hop:
        """The last visit."""
        return self.hops[-1]

    @property
    def said(self) -> str:
        """The replies in a few words."""
        said = ", then ".join(hop.reply.said for hop in self.hops[:_SHOWN])
        return f"{said}, ..." if len(self.hops) > _SHOWN else said

    def touches(self, path: str) -> bool:
        """Whether `path` is among the visited paths."""
        return any(decoded_path_of(hop.url) == path for hop in self.hops)


def follow(browser: Browser, url: str, is_inside: Callable[[str], bool]) -> Trail:
    """Open `url`, and follow redirects while they stay inside the application."""
    hops: list[Hop] = []
    been: set[tuple[str, frozenset[tuple[str, str | None]]]] = set()
    while True:
        # A URL may answer differently with other cookies, for example to test whether they are kept.
        here = (url, browser.cookies)
        if here in been or len(hops) == _MOST_HOPS:
            return Trail(hops, is_circle=True)
        been.add(here)
        hop = Hop(url, browser.open(url))
        hops.append(hop)
        if not hop.target or not is_inside(hop.target):
            return Trail(hops, is_circle=False)
        url = hop.target.partition("#")[0]


def _depth_of(path: str, query: str) -> int | None:
    """Return how deep `path` is in `query`: 0 in a value, 1 in the query of a value."""
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


def is_no_page(reply: Reply) -> bool:
    """Whether the reply gives a visitor no way to continue."""
    if reply.status in _WANTS_SIGN_IN:
        # The browser may ask for user name and password itself (RFC 9110, section 11.6.1).
        return not ("www-authenticate" in reply.headers or LoginPage(reply.html).offers_login)
    return reply.status in _NO_PAGE


def is_failure(reply: Reply) -> bool:
    """Whether the application failed, or did not answer."""
    return reply.status is None or reply.status >= _SERVER_ERROR


def login_step(trail: Trail, auth_path: str, judge_page: Callable[[Hop], Finding | None]) -> Step:
    """Judge where an anonymous visitor is sent to sign in.

    Args:
        trail: the visits, starting with the login page.
        auth_path: the path of the Auth URL, to which the visitor must return.
        judge_page: returns what is wrong with the page itself.
    """
    first, last = trail.hops[0], trail.last
    path, query = urlsplit(last.url).path, urlsplit(last.url).query
    finding = None
    if trail.is_circle:
        finding = found("SSO.E050", f"{urlsplit(first.url).path} answers {trail.said}, repeatedly")
    elif is_failure(last.reply):
        said = last.reply.error or f"answers {last.reply.said}"
        finding = found("SSO.E040", f"the login page {path} {said}")
    elif last.reply.outcome == "handed_off":
        finding = found("SSO.E042", f"{urlsplit(first.url).path} signs everyone in as {last.reply.email}")
    elif is_no_page(last.reply):
        finding = found("SSO.E043", f"the login page {path} answers {last.reply.said}")
    elif _depth_of(auth_path, query):
        finding = found("SSO.I051", f"{path}?{query}")
    else:
        finding = judge_page(last)
    return Step("login page", trail.said, finding)


def logout_step(trail: Trail, auth_path: str) -> Step:
    """Judge where the Help Desk sends its visitors after they log out.

    Args:
        trail: an anonymous visitor's visits, starting with the Logout URL.
        auth_path: the path of the Auth URL.
    """
    first, last = trail.hops[0], trail.last
    path, status = decoded_path_of(first.url), last.reply.status
    ours = first.reply.outcome == "signed_out"
    said = trail.said
    finding = None
    if status is None:
        finding = found("SSO.E040", f"{last.url} {last.reply.said}")
    elif trail.is_circle or (trail.touches(auth_path) and not ours):
        finding = found("SSO.E052", f"{first.url} answers {said}")
    elif status >= _AN_ERROR and status not in _WANTS_SIGN_IN:
        finding = found("SSO.E047", f"{last.url} answers {last.reply.said}", case="then" if ours else "")
    elif ours:
        said += "; not tested whether the session ends, because this visit is made without the cookie"
    elif status in _WANTS_SIGN_IN or _depth_of(path, urlsplit(last.url).query) is not None:
        finding = found("SSO.W053", f"{first.url} answers {said}")
    else:
        finding = found("SSO.I054", f"{first.url} answers {said}")
    return Step("logout", said, finding)
