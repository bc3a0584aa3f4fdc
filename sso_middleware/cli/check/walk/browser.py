"""A minimal browser that opens pages in process, follows redirects and reads the events of SSOMiddleware."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx
import jwt

from sso_middleware._urls import origin
from sso_middleware.cli.output import describe
from sso_middleware.events import logger

BROWSER_HEADERS = {
    "Accept": "text/html",
    "User-Agent": "sso-middleware check",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Dest": "document",
}

_WANTS_SIGN_IN = frozenset({401, 403})
_SERVER_ERROR = 500
_MOST_HOPS = 10  # a browser gives up at 20
_SHOWN = 3  # replies

Client: TypeAlias = Callable[[httpx.Request], httpx.Response]
"""Answers a request. Its extension "body" collects the start of the body, and "asked" the names of the
headers that a WSGI application reads. It raises NoAnswer and what the application raises."""


class NoAnswer(Exception):
    """The application did not answer a visit; the message says what it did instead."""

    @classmethod
    def within(cls, seconds: float) -> NoAnswer:
        """Return the error for an application that takes too long."""
        return cls(f"got no answer: the application took longer than {seconds:g} seconds")


class Reply(NamedTuple):
    """The result of a visit.

    Attributes:
        url: what was visited.
        response: the response, if there was one.
        error: what happened instead.
        outcome: the outcome in SSOMiddleware's event; `None` if the request did not reach it.
        reason: the reason in the event.
        body: the start of the response's body.
        missed: what a resolver did not find in the session.
    """

    url: str
    response: httpx.Response | None
    error: str
    outcome: str | None
    reason: str | None
    body: bytes = b""
    missed: str = ""

    @property
    def status(self) -> int | None:
        """The status; `None` without a response."""
        return self.response.status_code if self.response else None

    @property
    def is_failure(self) -> bool:
        """Whether the application failed, or did not answer."""
        return self.status is None or self.status >= _SERVER_ERROR

    @property
    def wants_sign_in(self) -> bool:
        """Whether the status asks the visitor to sign in."""
        return self.status in _WANTS_SIGN_IN

    @property
    def headers(self) -> httpx.Headers:
        """The headers of the response; empty without one."""
        return self.response.headers if self.response else httpx.Headers()

    @property
    def html(self) -> str:
        """The start of the page, or "" if the response is not HTML."""
        is_html = "html" in self.headers.get("content-type", "") and "content-encoding" not in self.headers
        return self.body.decode(errors="replace") if is_html else ""

    @property
    def location(self) -> str:
        """The Location header as the application wrote it, or ""."""
        return str(self.headers.get("location", ""))

    @property
    def target(self) -> str:
        """Where the reply sends the visitor, or ""."""
        if not (self.response and self.response.has_redirect_location and self.location):
            return ""
        try:
            target = urljoin(self.url, self.location)
            httpx.URL(target)
            origin(target)
        except (ValueError, httpx.InvalidURL):  # not a URL
            return ""
        return target

    @property
    def said(self) -> str:
        """The reply in a few words, without the token of a hand-off."""
        where = self.location
        if "token=" in where:
            where = f"{where.partition('?')[0]}?token=..."
        return self.error or (f"{self.status} to {where}" if where else str(self.status))

    @property
    def email(self) -> str:
        """The email address in a hand-off, for display."""
        token = parse_qs(urlsplit(self.location).query).get("token", [""])[0]
        try:
            return str(jwt.decode(token, options={"verify_signature": False})["email"])
        except (jwt.InvalidTokenError, KeyError):
            return "an address"


class Trail(NamedTuple):
    """The replies to the visits that follow from one URL, at least one; `is_circle`: a redirect loop."""

    replies: list[Reply]
    is_circle: bool

    @property
    def last(self) -> Reply:
        """The last reply."""
        return self.replies[-1]

    @property
    def said(self) -> str:
        """The replies in a few words."""
        said = ", then ".join(reply.said for reply in self.replies[:_SHOWN])
        return f"{said}, ..." if len(self.replies) > _SHOWN else said


class Browser:
    """Opens pages of an application, and keeps cookies."""

    def __init__(self, client: Client) -> None:
        self._client = client
        # Browsers also send Secure cookies to http://localhost.
        policy = DefaultCookiePolicy(secure_protocols=("https", "http"))
        self._cookies = httpx.Cookies(CookieJar(policy))

    def open(self, url: str, headers: Iterable[tuple[str, str]] = (), asked: set[str] | None = None) -> Reply:
        """Open `url`, and return what happens, errors included.

        Args:
            url: a URL of the application.
            headers: in addition to those of every visit.
            asked: collects the names of the headers that a WSGI application reads.
        """
        response, error = None, ""
        body = bytearray()
        with _events() as event:
            try:
                more = [(name.encode(), value.encode(errors="surrogateescape")) for name, value in headers]
                request = httpx.Request(
                    "GET",
                    url,
                    headers=[*httpx.Headers(BROWSER_HEADERS).raw, *more],
                    cookies=self._cookies,
                    extensions={"asked": asked, "body": body},
                )
                response = self._client(request)
                response.request = request
                self._cookies.extract_cookies(response)
            except NoAnswer as missing:
                error = str(missing)
            except (Exception, SystemExit) as raised:  # noqa: BLE001 - reported as the reply
                error = f"raised {describe(raised)}"
        outcome, reason = event.get("sso_outcome"), event.get("sso_reason")
        return Reply(url, response, error, outcome, reason, bytes(body), event.get("sso_missed", ""))

    def follow(self, url: str, is_inside: Callable[[str], bool]) -> Trail:
        """Open `url`, and follow redirects while they stay inside the application."""
        replies: list[Reply] = []
        been: set[tuple[str, frozenset[tuple[str, str | None]]]] = set()
        while True:
            # A URL may answer differently with other cookies, for example to test whether they are kept.
            here = (url, frozenset((cookie.name, cookie.value) for cookie in self._cookies.jar))
            if here in been or len(replies) == _MOST_HOPS:
                return Trail(replies, is_circle=True)
            been.add(here)
            reply = self.open(url)
            replies.append(reply)
            if not reply.target or not is_inside(reply.target):
                return Trail(replies, is_circle=False)
            url = reply.target.partition("#")[0]


@contextmanager
def _events() -> Generator[dict[str, Any], None, None]:
    """Collect the last outcome and reason that SSOMiddleware logs, and what a resolver missed."""
    fields: dict[str, Any] = {}

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            fields.update(vars(record))

    collector = Collector()
    level, disabled = logger.level, logger.disabled
    logger.addHandler(collector)
    logger.setLevel(logging.DEBUG)
    logger.disabled = False  # logging.config disables existing loggers by default
    try:
        yield fields
    finally:
        logger.removeHandler(collector)
        logger.setLevel(level)
        logger.disabled = disabled
