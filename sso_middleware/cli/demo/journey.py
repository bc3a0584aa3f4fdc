"""`demo --self-test`: walk a visitor's whole journey without a browser."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import unescape

import httpx

from sso_middleware.cli.demo.sample import AUTH_PATH, EMAIL, LOGOUT_PATH

_TIMEOUT = 10  # seconds
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')


class Broken(Exception):
    """A step failed."""


class Journey:
    """Walks from the Help Desk's sign-in page to the sign-out.

    Args:
        app_url: base URL of the sample application.
        helpdesk_url: base URL of the sandbox.
    """

    def __init__(self, app_url: str, helpdesk_url: str) -> None:
        self._app = app_url
        self._helpdesk = helpdesk_url
        self._browser = _browser()
        self._handoff_url = ""

    def walk(self) -> Iterator[str]:
        """Take the steps and yield a sentence for each.

        Raises:
            Broken: a step failed.
        """
        steps: tuple[Callable[[], str], ...] = (
            self._sign_in,
            self._hand_off,
            self._verdict,
            self._ticket,
            self._replay,
            self._logout,
        )
        with self._browser:
            for step in steps:
                yield step()

    def _sign_in(self) -> str:
        auth_url = f"{self._app}{AUTH_PATH}"
        _expect(
            f'href="{auth_url}"' in self._browser.get(self._helpdesk).text,
            "the page does not link to the Auth URL",
        )
        login = f"{self._app}/login?next={AUTH_PATH}"
        self._expect_redirect(self._browser.get(auth_url), login)
        self._expect_redirect(self._browser.post(login), auth_url)
        return f"sign in: the Help Desk sent the visitor to the application, which signed in {EMAIL}"

    def _hand_off(self) -> str:
        page = self._browser.get(f"{self._app}{AUTH_PATH}")
        self._expect_redirect(page, f"{self._helpdesk}/sso?token=")
        self._handoff_url = _location(page)
        return "hand-off: the application answered 303 to the Help Desk, with a signed token"

    def _verdict(self) -> str:
        page = self._browser.get(self._handoff_url)
        self._expect_verdict("accepted")
        self._expect_redirect(page, f"{self._helpdesk}/tickets")
        return "verdict: accepted, and the visitor is signed in to the Help Desk"

    def _ticket(self) -> str:
        tickets = f"{self._helpdesk}/tickets"
        fields = {"csrf": self._csrf(), "subject": "A first ticket", "text": "Does it work?"}
        page = self._browser.post(tickets, data=fields)
        self._expect_redirect(page, f"{tickets}/")
        _expect("Does it work?" in self._browser.get(_location(page)).text, "the ticket is not there")
        return f"ticket: {EMAIL} opened a ticket"

    def _replay(self) -> str:
        with _browser() as another:
            page = another.get(self._handoff_url)
        _expect(page.status_code == 403, f"a replayed token was answered with {page.status_code}")  # noqa: PLR2004 - HTTP
        self._expect_verdict("replayed")
        return "replay: the same token, from another browser, was refused"

    def _logout(self) -> str:
        page = self._browser.post(f"{self._helpdesk}/logout", data={"csrf": self._csrf()})
        self._expect_redirect(page, f"{self._app}{LOGOUT_PATH}")
        self._expect_redirect(self._browser.get(_location(page)), f"{self._app}/")
        self._expect_redirect(self._browser.get(f"{self._app}{AUTH_PATH}"), f"{self._app}/login")
        return "logout: the visitor is signed out of the Help Desk and of the application"

    def _csrf(self) -> str:
        found = _CSRF.search(self._browser.get(f"{self._helpdesk}/tickets").text)
        if not found:
            raise Broken("the Help Desk shows no form")
        return unescape(found[1])

    def _expect_redirect(self, page: httpx.Response, start: str) -> None:
        where = _location(page).partition("token=")[0] or "nowhere"
        _expect(_location(page).startswith(start), f"{page.status_code} to {where} instead of {start}")

    def _expect_verdict(self, expected: str) -> None:
        latest = self._browser.get(f"{self._helpdesk}/api/handoffs").json()["handoffs"][-1]
        _expect(latest["verdict"] == expected, f"{latest['verdict']}: {latest['message']} {latest['hint']}")


def _browser() -> httpx.Client:
    # Redirects are checked, not followed. No proxy: both servers are on this machine.
    return httpx.Client(trust_env=False, timeout=_TIMEOUT)


def _location(page: httpx.Response) -> str:
    return str(page.next_request.url) if page.next_request else ""


def _expect(fine: bool, otherwise: str) -> None:
    if not fine:
        raise Broken(otherwise)
