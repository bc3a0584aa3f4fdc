"""Opening a hand-off at the real Help Desk as a browser does, and recording where it ends.

Redirects are followed up to a limit: never from https to http, never to another origin with the token in the
URL, and not to the application, which may not be running. An `Ending` is safe to show: it holds a URL without
query, path parameters and fragment, the names of cookies, and no token.
"""

from __future__ import annotations

import html
import logging
import re
import ssl
import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from http.cookiejar import CookieJar
from typing import TypeAlias
from urllib.parse import unquote

import httpx

from sso_middleware._secret import Secret
from sso_middleware.cli.check.trial.judging import Ending
from sso_middleware.cli.check.walk import BROWSER_HEADERS
from sso_middleware.helpdesk import HelpDesk

_HOPS = 10  # redirects
_ENOUGH = 100_000  # bytes of a body; a title comes early
_LONGEST_SHOWN = 200  # characters of a URL or a title
_TITLE = re.compile(r"<title\b[^>]{0,500}>([^<]*)", re.IGNORECASE)
_PASSWORD = re.compile(r"<input\b[^>]{0,500}\btype\s*=\s*[\"']?password\b", re.IGNORECASE)

_Place: TypeAlias = tuple[str | bytes, int | None, str | bytes]


@dataclass(frozen=True)
class Pace:
    """How fast a trial goes.

    Attributes:
        patience: seconds to wait for each response.
        pause: seconds between two hand-offs.
        sleep: waits for a number of seconds.
    """

    patience: float = 10
    pause: float = 1
    sleep: Callable[[float], None] = time.sleep


class Visitor:
    """A browser with its own cookies.

    Args:
        helpdesk: the account; tokens are sent only to the origin of its SSO Auth URL.
        patience: seconds to wait for each response.
        tls: returns how certificates are verified.
    """

    def __init__(self, helpdesk: HelpDesk, patience: float, tls: Callable[[], ssl.SSLContext]) -> None:
        self._here = Secret(httpx.URL(helpdesk.sso_auth_url))
        self._origin = _origin(self._here())
        self._application: set[_Place] = set()  # where it stops
        for url in filter(None, (helpdesk.auth_url, helpdesk.logout_url)):
            with suppress(httpx.InvalidURL):  # a host that no redirect can lead to
                self._application.add(_place(httpx.URL(url)))
        self._patience = patience
        self._tls = tls
        self._cookies = CookieJar()
        self._token = Secret("")

    def open(self, url: Secret[str], token: Secret[str] | None = None) -> Ending:
        """Open `url`, which may carry `token`, and follow its redirects."""
        self._token = token or self._token
        self._here = Secret(httpx.URL(url()))
        status = None
        with _unlogged():
            for _ in range(_HOPS + 1):
                try:
                    with self._request() as response:
                        status = response.status_code
                        target = Secret(response.next_request.url if response.next_request else None)
                        text = "" if target() else self._text(response)
                except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:  # the last: IDNA
                    return self._ending(None, stopped=_describe(error, self._patience))
                following = target()
                if following is None:
                    title = _TITLE.search(text)
                    return self._ending(
                        status,
                        title=" ".join(html.unescape(title[1]).split()) if title else "",
                        asks_password=_PASSWORD.search(text) is not None,
                    )
                if _place(following) in self._application:
                    self._here = Secret(following)
                    return self._ending(status, came_back=True, stopped="it led back to the application")
                if objection := self._objection(following):
                    return self._ending(status, stopped=objection)
                self._here = Secret(following)
        return self._ending(status, stopped=f"more than {_HOPS} redirects")

    def ended_at(self) -> Secret[str]:
        """Return the URL of the last page or, if it carries the token, of that site's start page."""
        here = self._here
        return Secret(str(here().join("/") if self._carries_token(here()) else here()))

    def _request(self) -> AbstractContextManager[httpx.Response]:
        return httpx.stream(
            "GET",
            self._here(),
            cookies=self._cookies,
            headers=BROWSER_HEADERS | {"Accept-Encoding": "identity"},
            timeout=self._patience,
            verify=self._tls() if self._here().scheme == "https" else False,  # http has no certificates
            trust_env=False,  # a proxy would read the token of a plain http hand-off
        )

    def _text(self, response: httpx.Response) -> str:
        deadline = time.monotonic() + self._patience
        body = b""
        for chunk in response.iter_raw():
            body += chunk
            if len(body) > _ENOUGH or time.monotonic() > deadline:
                break
        return body[:_ENOUGH].decode(errors="replace")

    def _objection(self, target: httpx.URL) -> str:
        """Return why a redirect to `target` is not followed, or ""."""
        if target.scheme not in ("http", "https") or target.userinfo:
            return "it redirected to something other than a plain web address"
        if (self._here().scheme, target.scheme) == ("https", "http"):
            return "it redirected from https to http"
        if _origin(target) != self._origin and self._carries_token(target):
            host = target.raw_host.decode()
            return f"it redirected to {host} with the token, which may only go to the SSO Auth URL"
        return ""

    def _carries_token(self, url: httpx.URL) -> bool:
        signature = self._token().rpartition(".")[2]
        return bool(signature) and signature in unquote(str(url))

    def _ending(
        self,
        status: int | None,
        *,
        title: str = "",
        asks_password: bool = False,
        came_back: bool = False,
        stopped: str = "",
    ) -> Ending:
        where = str(self._here().copy_with(query=None, fragment=None, userinfo=b"")).partition(";")[0]
        names = tuple(sorted({self._shown(cookie.name) for cookie in self._cookies}))
        return Ending(
            status, self._shown(where), self._shown(title), names, asks_password, came_back, stopped
        )

    def _shown(self, text: str) -> str:
        for part in self._token().split(".")[1:]:  # the claims and the signature
            text = text.replace(part, "...")
        return text[:_LONGEST_SHOWN]


def _origin(url: httpx.URL) -> _Place:
    return url.scheme, url.port, url.raw_host


def _place(url: httpx.URL) -> _Place:
    return url.raw_host, url.port, unquote(url.path).rstrip("/")


def _describe(error: Exception, patience: float) -> str:
    """Return why there is no response; messages of other errors may quote a URL."""
    if isinstance(error, httpx.TimeoutException):
        return f"no response within {patience:g} seconds"
    reason = str(error) if isinstance(error, httpx.ConnectError) else ""
    return f"no usable response: {reason or type(error).__name__}"


@contextmanager
def _unlogged() -> Generator[None]:
    """Silence HTTPX and its dependencies: they log whole URLs at INFO and headers at DEBUG."""
    before = logging.root.manager.disable
    logging.disable()
    try:
        yield
    finally:
        logging.disable(before)
