"""`demo --self-test`: the whole journey of a visitor, walked without a browser."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from html import unescape
from http.client import HTTPMessage
from http.cookiejar import CookieJar
from typing import IO, Any, NamedTuple
from urllib.error import HTTPError
from urllib.parse import urlencode, urljoin
from urllib.request import HTTPCookieProcessor, HTTPRedirectHandler, ProxyHandler, Request, build_opener

from sso_middleware.cli.demo.sample import AUTH_PATH, EMAIL, LOGOUT_PATH

_TIMEOUT = 10  # seconds
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')


class Broken(Exception):
    """A step did not come out as it should."""


class _Page(NamedTuple):
    status: int
    location: str
    text: str


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        """Leave each redirect to be looked at."""


class _Browser:
    """Keeps cookies and follows nothing."""

    def __init__(self) -> None:
        # No proxy: both servers are on this machine, whatever the environment says.
        self._opener = build_opener(ProxyHandler({}), HTTPCookieProcessor(CookieJar()), _NoRedirects())

    def open(self, url: str, fields: dict[str, str] | None = None) -> _Page:
        body = None if fields is None else urlencode(fields).encode()
        try:
            answer: Any = self._opener.open(Request(url, body), timeout=_TIMEOUT)  # noqa: S310 - our own http URLs
        except HTTPError as error:  # how urllib spells any status but 200
            answer = error
        with answer:
            location = urljoin(url, answer.headers.get("Location", ""))
            return _Page(answer.status, location, answer.read().decode())


class Journey:
    """Walks from the Help Desk's sign-in page to signing out again.

    Args:
        app_url: where the sample application is.
        helpdesk_url: where the sandbox is.
    """

    def __init__(self, app_url: str, helpdesk_url: str) -> None:
        self._app = app_url
        self._helpdesk = helpdesk_url
        self._browser = _Browser()
        self._handoff_url = ""

    def walk(self) -> Iterator[str]:
        """Take the steps; gives a sentence for each.

        Raises:
            Broken: a step went wrong.
        """
        steps: tuple[Callable[[], str], ...] = (
            self._sign_in,
            self._hand_off,
            self._verdict,
            self._ticket,
            self._replay,
            self._logout,
        )
        for step in steps:
            yield step()

    def _sign_in(self) -> str:
        auth_url = f"{self._app}{AUTH_PATH}"
        _expect(f'href="{auth_url}"' in self._browser.open(self._helpdesk).text, "no button to the Auth URL")
        login = f"{self._app}/login?next={AUTH_PATH}"
        self._expect_redirect(self._browser.open(auth_url), login)
        self._expect_redirect(self._browser.open(login, {}), auth_url)
        return f"sign in: the Help Desk sent the visitor to the application, which signed in {EMAIL}"

    def _hand_off(self) -> str:
        page = self._browser.open(f"{self._app}{AUTH_PATH}")
        self._expect_redirect(page, f"{self._helpdesk}/sso?token=")
        self._handoff_url = page.location
        return "hand-off: the application answered 303 to the Help Desk, with a signed token"

    def _verdict(self) -> str:
        page = self._browser.open(self._handoff_url)
        self._expect_verdict("accepted")
        self._expect_redirect(page, f"{self._helpdesk}/tickets")
        return "verdict: accepted, and the visitor is signed in to the Help Desk"

    def _ticket(self) -> str:
        tickets = f"{self._helpdesk}/tickets"
        fields = {"csrf": self._csrf(), "subject": "A first ticket", "text": "Does it work?"}
        page = self._browser.open(tickets, fields)
        self._expect_redirect(page, f"{tickets}/")
        _expect("Does it work?" in self._browser.open(page.location).text, "the ticket is not there")
        return f"ticket: {EMAIL} opened one"

    def _replay(self) -> str:
        page = _Browser().open(self._handoff_url)
        _expect(page.status == 403, f"the same token again was answered {page.status}")  # noqa: PLR2004 - HTTP
        self._expect_verdict("replayed")
        return "replay: the same token again, from another browser, was refused"

    def _logout(self) -> str:
        page = self._browser.open(f"{self._helpdesk}/logout", {"csrf": self._csrf()})
        self._expect_redirect(page, f"{self._app}{LOGOUT_PATH}")
        self._expect_redirect(self._browser.open(page.location), f"{self._app}/")
        self._expect_redirect(self._browser.open(f"{self._app}{AUTH_PATH}"), f"{self._app}/login")
        return "logout: the visitor is signed out of the Help Desk and of the application"

    def _csrf(self) -> str:
        found = _CSRF.search(self._browser.open(f"{self._helpdesk}/tickets").text)
        if not found:
            raise Broken("the Help Desk shows no form")
        return unescape(found[1])

    def _expect_redirect(self, page: _Page, start: str) -> None:
        where = page.location.partition("token=")[0] or "nowhere"
        _expect(page.location.startswith(start), f"{page.status} to {where} in place of {start}")

    def _expect_verdict(self, expected: str) -> None:
        log: list[dict[str, Any]] = json.loads(self._browser.open(f"{self._helpdesk}/api/handoffs").text)[
            "handoffs"
        ]
        latest = log[-1]
        _expect(latest["verdict"] == expected, f"{latest['verdict']}: {latest['message']} {latest['hint']}")


def _expect(fine: bool, otherwise: str) -> None:
    if not fine:
        raise Broken(otherwise)
