"""`check --online`: one request to the SSO Auth URL, without a token."""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import NamedTuple
from urllib.parse import urlsplit

from sso_middleware.cli.check.findings import Finding, found

_TIMEOUT = 10  # seconds
_TOLERATED = 5  # seconds of clock difference that are not reported
_GONE = frozenset({404, 410})
_SERVER_ERROR = 500


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
        reason = (
            (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
        )
        return Online(None, None, None, [found("SSO.E060", f"{host}: {reason}")])
    finally:
        connection.close()
    difference = _clock_difference(response, (sent + received) / 2)
    return Online(response.status, tls, difference, list(_judge(response.status, difference)))


def _clock_difference(response: http.client.HTTPResponse, now: float) -> int | None:
    try:
        date = parsedate_to_datetime(response.headers["Date"]).timestamp()
        age = int(response.headers.get("Age", 0))  # seconds in a cache (RFC 9111, section 5.1)
    except (TypeError, ValueError):
        return None
    return round(now - date - age - 0.5)  # Date is rounded down to a second: half a second on average


def _judge(status: int, difference: int | None) -> Iterator[Finding]:
    if status in _GONE or status >= _SERVER_ERROR:
        yield found("SSO.W062", f"it answers {status} {http.client.responses.get(status, '')}".rstrip())
    if difference is not None and abs(difference) > _TOLERATED:
        which = "ahead" if difference > 0 else "behind"
        yield found("SSO.W063", f"this machine's clock is {abs(difference)} seconds {which}")
