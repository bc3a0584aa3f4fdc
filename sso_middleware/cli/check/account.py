"""Findings about an account: settings that are valid but look wrong, and the response of its SSO Auth URL."""

from __future__ import annotations

import base64
import http.client
import re
import ssl
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import NamedTuple
from urllib.parse import urlsplit

from sso_middleware._urls import decoded_path_of, is_loopback, origin, origin_of, url_problem
from sso_middleware.cli.check.findings import Finding, found
from sso_middleware.helpdesk import HelpDesk
from sso_middleware.helpdesk.tokens import SHORTEST_TOKEN

_MD5 = re.compile(r"[0-9a-f]{32}|[0-9A-F]{32}")
_PLACEHOLDER = re.compile(
    r"(?i)<.*>|\$\{.*\}|\{\{.*\}\}|\.+|x+|\*+|(your|my|the)[-_ ].*|change[-_ ]?me.*|secret|todo|test"
)
_VENDOR = re.compile(r"(?:^|\.)proprofs[a-z]*\.[a-z]+$")
_TIMEOUT = 10  # seconds
_TOLERATED = 5  # seconds of clock difference that are not reported
_GONE = frozenset({404, 410})
_SERVER_ERROR = 500


def check_token(sso_token: str) -> Iterator[Finding]:
    """Check the SSO Token; no message shows it."""
    size = len(sso_token.encode())
    if _PLACEHOLDER.fullmatch(sso_token):
        yield found("SSO.W005", "the SSO Token reads like an example's placeholder")
    elif size < SHORTEST_TOKEN:
        yield found("SSO.W001", f"the SSO Token has {size} bytes")
    if _MD5.fullmatch(sso_token):
        yield found("SSO.W003", "the SSO Token is 32 hexadecimal digits")
    elif _is_base64_of_text(sso_token):
        yield found("SSO.W004", "the SSO Token can be decoded as base64")


def _is_base64_of_text(token: str) -> bool:
    try:
        decoded = base64.b64decode(token, validate=True)
    except ValueError:
        return False
    # Letters and digits are often valid base64, but rarely decode to readable text.
    return token.endswith("=") or (decoded.isascii() and decoded.decode().isprintable())


def check_account(helpdesk: HelpDesk) -> Iterator[Finding]:
    """Check the URLs of an account."""
    urls = {
        "SSO Auth URL": helpdesk.sso_auth_url,
        "Auth URL": helpdesk.auth_url,
        "Logout URL": helpdesk.logout_url,
    }
    for name, url in urls.items():
        if url is not None and url_problem(url, allow_http=False):
            yield found("SSO.W006", f"{name} {url}")
    if _place(helpdesk.sso_auth_url) == _place(helpdesk.auth_url):
        yield found("SSO.E007", f"both are {helpdesk.auth_url}")
    logout_url = helpdesk.logout_url
    if _are_swapped(helpdesk):
        yield found(
            "SSO.E010", f"the SSO Auth URL is {helpdesk.sso_auth_url}; the Auth URL is {helpdesk.auth_url}"
        )
    elif is_start_page(helpdesk.auth_url):
        yield found("SSO.E011", helpdesk.auth_url)
    if logout_url is None:
        yield found("SSO.I008", "logout_url is not set")
    elif _place(logout_url) == _place(helpdesk.sso_auth_url):
        yield found("SSO.E009", f"{logout_url} is also the SSO Auth URL")
    elif _place(logout_url) == _place(helpdesk.auth_url):
        yield found("SSO.E009", f"{logout_url} is also the Auth URL")
    elif _are_apart(logout_url, helpdesk.auth_url) and not _are_swapped(helpdesk):
        yield found("SSO.W012", f"{origin_of(logout_url)} is not {origin_of(helpdesk.auth_url)}")


def is_start_page(auth_url: str, mounted_at: str = "") -> bool:
    """Whether `auth_url` is the start page of an application mounted at `mounted_at`."""
    return decoded_path_of(auth_url).rstrip("/") == mounted_at


def _are_apart(logout_url: str, auth_url: str) -> bool:
    """Whether the hosts differ; a production Logout URL with a local Auth URL does not count."""
    local = [is_loopback(urlsplit(url).hostname or "") for url in (logout_url, auth_url)]
    return _host(logout_url) != _host(auth_url) and local[0] == local[1]


def _are_swapped(helpdesk: HelpDesk) -> bool:
    """Judge by the vendor's domain, or by the Logout URL, which belongs to the application."""
    if _host(helpdesk.sso_auth_url) == _host(helpdesk.auth_url):
        return False
    by_vendor = [
        _VENDOR.search(urlsplit(url).hostname or "") is not None
        for url in (helpdesk.sso_auth_url, helpdesk.auth_url)
    ]
    if any(by_vendor):
        return by_vendor == [False, True]
    if helpdesk.logout_url is None or _place(helpdesk.logout_url) == _place(helpdesk.sso_auth_url):
        return False
    return _host(helpdesk.logout_url) == _host(helpdesk.sso_auth_url)


def _place(url: str) -> tuple[str | None, int | None, str]:
    return (*_host(url), decoded_path_of(url))


def _host(url: str) -> tuple[str | None, int | None]:
    _, host, port = origin(url)
    return host, port


class Online(NamedTuple):
    """The SSO Auth URL's response; `clock_difference` is in seconds, positive if our clock is ahead."""

    status: int | None
    tls: str | None
    clock_difference: int | None
    findings: list[Finding]

    @property
    def reached(self) -> bool:
        """Whether there was a response."""
        return self.status is not None


def reach(sso_auth_url: str) -> Online:
    """Request `sso_auth_url` once, without following redirects."""
    parts = urlsplit(sso_auth_url)
    host = parts.hostname or ""
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(
            host, parts.port, timeout=_TIMEOUT, context=ssl.create_default_context()
        )
    else:
        connection = http.client.HTTPConnection(host, parts.port, timeout=_TIMEOUT)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.connect()
        tls = connection.sock.version() if isinstance(connection.sock, ssl.SSLSocket) else None
        sent = time.time()
        connection.request(
            "GET", target, headers={"User-Agent": "sso-middleware check", "Accept": "text/html"}
        )
        response = connection.getresponse()
        received = time.time()
    except ssl.SSLError as error:
        reason = getattr(error, "verify_message", "") or error.reason
        return Online(None, None, None, [found("SSO.E061", f"{host}: {reason}")])
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return Online(None, None, None, [found("SSO.E060", f"{host}: {reason}")])
    finally:
        connection.close()
    difference = _clock_difference(response, (sent + received) / 2)
    return Online(response.status, tls, difference, list(_check_response(response.status, difference)))


def _clock_difference(response: http.client.HTTPResponse, now: float) -> int | None:
    try:
        date = parsedate_to_datetime(response.headers["Date"]).timestamp()
        age = int(response.headers.get("Age", 0))  # seconds in a cache (RFC 9111, section 5.1)
    except (TypeError, ValueError):
        return None
    return round(now - date - age - 0.5)  # Date is rounded down to a second: half a second on average


def _check_response(status: int, difference: int | None) -> Iterator[Finding]:
    if status in _GONE or status >= _SERVER_ERROR:
        yield found("SSO.W062", f"it answers {status} {http.client.responses.get(status, '')}".rstrip())
    if difference is not None and abs(difference) > _TOLERATED:
        which = "ahead" if difference > 0 else "behind"
        yield found("SSO.W063", f"this machine's clock is {abs(difference)} seconds {which}")
