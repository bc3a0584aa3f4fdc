"""Detect that the Help Desk keeps sending a browser back, by a count in a cookie."""

from __future__ import annotations

import re

from sso_middleware._urls import encode_path

COOKIE = "sso_handoffs"
_WINDOW = 20  # seconds
_LIMIT = 8  # hand-offs within the window; this one is refused

# Read from the raw header: cookie parsers can be slow on hostile quoted values (CVE-2024-7592), and
# they differ on which of two cookies with the same name counts.
_COOKIE = re.compile(rf"(?:^|[;,])[ \t]*{COOKIE}=([^;,]*)")
_VALUE = re.compile(r"([0-9]{1,12})\.([1-7])[ \t]*")


def count(header: str, now: int) -> str | None:
    """Count one more hand-off.

    Args:
        header: the Cookie header, or several joined by commas; a malformed cookie is ignored.
        now: whole seconds since the epoch.

    Returns:
        The cookie's new value; `None`: this is a loop, and the cookie must be deleted.
    """
    cookie = _COOKIE.search(header)  # the first has the longest path (RFC 6265, section 5.4)
    seen = _VALUE.fullmatch(cookie[1]) if cookie else None
    first, number = (int(seen[1]), int(seen[2]) + 1) if seen else (now, 1)
    if not 0 <= now - first <= _WINDOW:
        first, number = now, 1
    if number >= _LIMIT:
        return None
    return f"{first}.{number}"


def set_cookie(value: str | None, public_path: str, *, secure: bool) -> tuple[str, str]:
    """Return the Set-Cookie header that stores `value`, or deletes the cookie."""
    kept = f"{COOKIE}=; Max-Age=0" if value is None else f"{COOKIE}={value}; Max-Age={_WINDOW}"
    flags = "; Secure" if secure else ""
    return "Set-Cookie", f"{kept}; Path={encode_path(public_path)}; HttpOnly; SameSite=Lax{flags}"
