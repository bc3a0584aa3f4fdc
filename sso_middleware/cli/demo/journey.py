"""`demo --self-test`: walk a visitor's whole journey without a browser."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from html import unescape
from http import HTTPStatus

import httpx

from sso_middleware.cli.demo.sample import AUTH_PATH, EMAIL, LOGOUT_PATH

_TIMEOUT = 10  # seconds
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')


class Broken(Exception):
    """A step failed."""


def journey(app_url: str, helpdesk_url: str) -> Iterator[str]:
    """Walk from the Help Desk's sign-in page to the sign-out, and yield a sentence for each step.

    Raises:
        Broken: a step failed.
    """
    auth_url = f"{app_url}{AUTH_PATH}"
    login = f"{app_url}/login?next={AUTH_PATH}"
    tickets = f"{helpdesk_url}/tickets"
    # Redirects are checked, not followed. Both servers are plain http on this machine: they need no proxy,
    # and no certificates, which take 70 ms to load for each client.
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with (
        httpx.Client(verify=tls, trust_env=False, timeout=_TIMEOUT) as browser,
        httpx.Client(verify=tls, trust_env=False, timeout=_TIMEOUT) as another,
    ):
        links = f'href="{auth_url}"' in browser.get(helpdesk_url).text
        _expect(links, "the page does not link to the Auth URL")
        _redirect(browser.get(auth_url), login)
        _redirect(browser.post(login), auth_url)
        yield f"sign in: the Help Desk sent the visitor to the application, which signed in {EMAIL}"

        handoff_url = _redirect(browser.get(auth_url), f"{helpdesk_url}/sso?token=")
        yield "hand-off: the application answered 303 to the Help Desk, with a signed token"

        page = browser.get(handoff_url)
        _expect_verdict(browser, helpdesk_url, "accepted")
        _redirect(page, tickets)
        yield "verdict: accepted, and the visitor is signed in to the Help Desk"

        csrf = _csrf(browser.get(tickets))
        fields = {"csrf": csrf, "subject": "A first ticket", "text": "Does it work?"}
        ticket = _redirect(browser.post(tickets, data=fields), f"{tickets}/")
        _expect("Does it work?" in browser.get(ticket).text, "the ticket is not there")
        yield f"ticket: {EMAIL} opened a ticket"

        status = another.get(handoff_url).status_code
        _expect(status == HTTPStatus.FORBIDDEN, f"a replayed token was answered with {status}")
        _expect_verdict(browser, helpdesk_url, "replayed")
        yield "replay: the same token, from another browser, was refused"

        page = browser.post(f"{helpdesk_url}/logout", data={"csrf": csrf})
        _redirect(browser.get(_redirect(page, f"{app_url}{LOGOUT_PATH}")), f"{app_url}/")
        _redirect(browser.get(auth_url), f"{app_url}/login")
        yield "logout: the visitor is signed out of the Help Desk and of the application"


def _expect_verdict(browser: httpx.Client, helpdesk_url: str, expected: str) -> None:
    latest = browser.get(f"{helpdesk_url}/api/handoffs").json()["handoffs"][-1]
    _expect(latest["verdict"] == expected, f"{latest['verdict']}: {latest['message']} {latest['hint']}")


def _csrf(page: httpx.Response) -> str:
    found = _CSRF.search(page.text)
    if not found:
        raise Broken("the Help Desk shows no form")
    return unescape(found[1])


def _redirect(page: httpx.Response, start: str) -> str:
    """Expect a redirect to a URL that starts with `start`, and return the URL."""
    url = str(page.next_request.url) if page.next_request else ""
    where = url.partition("token=")[0] or "nowhere"
    _expect(url.startswith(start), f"{page.status_code} to {where} instead of {start}")
    return url


def _expect(fine: bool, otherwise: str) -> None:
    if not fine:
        raise Broken(otherwise)
