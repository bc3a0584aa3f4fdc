"""A browser, as far as `check` needs one: it opens pages in process, and knows what SSOMiddleware said."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt

from sso_middleware.cli.check.client import Client, NoAnswer
from sso_middleware.cli.check.login_page import LoginPage
from sso_middleware.cli.output import describe
from sso_middleware.events import logger

HEADERS = {
    "Accept": "text/html",
    "User-Agent": "sso-middleware check",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Dest": "document",
}


class Answer(NamedTuple):
    """What came of a visit.

    Attributes:
        response: the response, if there was one.
        error: what happened instead.
        outcome: of SSOMiddleware's event; `None`: the request did not reach it.
        reason: of the event.
        body: the begin of the response's body.
        missed: what a resolver did not find in the session.
    """

    response: httpx.Response | None
    error: str
    outcome: str | None
    reason: str | None
    body: bytes = b""
    missed: str = ""

    @property
    def page(self) -> LoginPage:
        """What a browser would show; nothing if it is no HTML."""
        headers = self.response.headers if self.response else httpx.Headers()
        is_html = "html" in headers.get("content-type", "") and "content-encoding" not in headers
        return LoginPage(self.body.decode(errors="replace") if is_html else "")

    @property
    def policies(self) -> list[str]:
        """The policies for the page."""
        return self.response.headers.get_list("content-security-policy") if self.response else []

    @property
    def asks_by_http(self) -> bool:
        """Whether the browser itself asks for name and password (RFC 9110, section 11.6.1)."""
        return self.response is not None and "www-authenticate" in self.response.headers

    @property
    def status(self) -> int | None:
        """The status; `None` without a response."""
        return self.response.status_code if self.response else None

    @property
    def location(self) -> str:
        """Where a redirect leads, as the application wrote it, or ""."""
        return self.response.headers.get("location", "") if self.response else ""

    @property
    def said(self) -> str:
        """The answer in a few words; a hand-off's without its token."""
        where = self.location
        if "token=" in where:
            where = f"{where.partition('?')[0]}?token=..."
        return self.error or (f"{self.status} to {where}" if where else str(self.status))

    @property
    def email(self) -> str:
        """The address in a hand-off, for showing."""
        token = parse_qs(urlsplit(self.location).query).get("token", [""])[0]
        try:
            return str(jwt.decode(token, options={"verify_signature": False})["email"])
        except (jwt.InvalidTokenError, KeyError):
            return "an address"


class Browser:
    """Opens pages of an application: keeps cookies, and leaves each redirect to be looked at."""

    def __init__(self, client: Client) -> None:
        self._client = client
        # Browsers send Secure cookies to http://localhost, too.
        policy = DefaultCookiePolicy(secure_protocols=("https", "http"))
        self._cookies = httpx.Cookies(CookieJar(policy))

    @property
    def cookies(self) -> frozenset[tuple[str, str | None]]:
        """Names and values of the cookies it has."""
        return frozenset((cookie.name, cookie.value) for cookie in self._cookies.jar)

    def open(
        self, url: str, headers: Iterable[tuple[str, str]] = (), asked: set[str] | None = None
    ) -> Answer:
        """Open `url`, and see what comes of it, whatever that is.

        Args:
            url: of the application.
            headers: beside those that every visit has.
            asked: collects the names of the headers that a WSGI application looks for.
        """
        response, error = None, ""
        body = bytearray()
        with _events() as (events, missed):
            try:
                more = [(name.encode(), value.encode(errors="surrogateescape")) for name, value in headers]
                request = httpx.Request(
                    "GET",
                    url,
                    headers=[*httpx.Headers(HEADERS).raw, *more],
                    cookies=self._cookies,
                    extensions={"asked": asked, "body": body},
                )
                response = self._client(request)
                response.request = request
                self._cookies.extract_cookies(response)
            except NoAnswer as missing:
                error = str(missing)
            except (Exception, SystemExit) as raised:  # noqa: BLE001 - this is what is looked for
                error = f"raised {describe(raised)}"
        outcome, reason = events[-1] if events else (None, None)
        return Answer(response, error, outcome, reason, bytes(body), missed[-1] if missed else "")


@contextmanager
def _events() -> Generator[tuple[list[tuple[str | None, str | None]], list[str]], None, None]:
    """Collect what SSOMiddleware logs: outcome and reason of its events, and what a resolver missed."""
    seen: list[tuple[str | None, str | None]] = []
    missed: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            fields: dict[str, Any] = vars(record)
            if "sso_outcome" in fields:
                seen.append((fields["sso_outcome"], fields["sso_reason"]))
            if "sso_missed" in fields:
                missed.append(fields["sso_missed"])

    collector = Collector()
    level, disabled = logger.level, logger.disabled
    logger.addHandler(collector)
    logger.setLevel(logging.DEBUG)
    logger.disabled = False  # logging.config disables loggers that exist already, if not told otherwise
    try:
        yield seen, missed
    finally:
        logger.removeHandler(collector)
        logger.setLevel(level)
        logger.disabled = disabled
