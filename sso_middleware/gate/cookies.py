"""The gate's two cookies.

One counts hand-offs, to detect that the Help Desk keeps sending a browser back. The other remembers a visitor
who was sent to the login, for logins that ignore `next_param`: it stores the Auth URL and the forwarded
parameters, but nothing about the person. Neither is signed: the second can only lead to an Auth URL of this
middleware.

They are read from the raw header: cookie parsers can be slow on hostile quoted values (CVE-2024-7592), and
they differ on which of two cookies with the same name counts.
"""

from __future__ import annotations

import re

from sso_middleware._urls import encode_path, is_plain_prefix

_WINDOW = 20  # seconds
_LIMIT = 8  # hand-offs within the window; this one is refused
_LIFETIME = 600  # seconds that a visitor has to sign in
_LONGEST_QUERY = 3500  # bytes: browsers drop cookies of more than 4,096

_COUNT, _PENDING = "sso_handoffs", "sso_pending"
_COUNT_IN, _PENDING_IN = (re.compile(rf"(?:^|[;,])[ \t]*{name}=([^;,]*)") for name in (_COUNT, _PENDING))
_COUNT_VALUE = re.compile(r"([0-9]{1,12})\.([1-7])[ \t]*")
_PENDING_VALUE = re.compile(r"([1-9][0-9]{0,3})(?:\.([!-~]*))?[ \t]*")


def count_handoff(header: str, now: int) -> str | None:
    """Count one more hand-off.

    Args:
        header: the Cookie header, or several joined by commas; a malformed cookie is ignored.
        now: whole seconds since the epoch.

    Returns:
        The cookie's new value; `None`: this is a loop, and the cookie must be deleted.
    """
    seen = _value(_COUNT_IN, _COUNT_VALUE, header)
    first, number = (int(seen[1]), int(seen[2]) + 1) if seen else (now, 1)
    if not 0 <= now - first <= _WINDOW:
        first, number = now, 1
    return None if number >= _LIMIT else f"{first}.{number}"


def count_cookie(count: str | None, public_path: str, *, secure: bool) -> tuple[str, str]:
    """Return the Set-Cookie header that stores `count`; `None` deletes the cookie."""
    return _header(_COUNT, count or "", _WINDOW if count else 0, encode_path(public_path), secure=secure)


def is_pending(header: str) -> bool:
    """Return whether the Cookie header may hold a pending hand-off."""
    return _PENDING in header


def read_pending(header: str) -> tuple[int, str] | None:
    """Return the index of the opened path and the forwarded query; `None`: no such cookie.

    Args:
        header: see `count_handoff`.
    """
    value = _value(_PENDING_IN, _PENDING_VALUE, header)
    return (int(value[1]) - 1, value[2] or "") if value else None


def pending_cookie(index: int, query: str, prefix: str, *, secure: bool) -> tuple[str, str]:
    """Return the Set-Cookie header that stores the path's index and the forwarded `query`."""
    value = f"{index + 1}.{query}" if query and len(query) <= _LONGEST_QUERY else f"{index + 1}"
    return _header(_PENDING, value, _LIFETIME, _prefix_path(prefix), secure=secure)


def no_longer_pending(prefix: str, *, secure: bool) -> tuple[str, str]:
    """Return the Set-Cookie header that deletes the pending cookie."""
    return _header(_PENDING, "", 0, _prefix_path(prefix), secure=secure)


def _value(cookie: re.Pattern[str], value: re.Pattern[str], header: str) -> re.Match[str] | None:
    found = cookie.search(header)  # the first has the longest path (RFC 6265, section 5.4)
    return value.fullmatch(found[1]) if found else None


def _prefix_path(prefix: str) -> str:
    return encode_path(prefix) if prefix and is_plain_prefix(prefix) else "/"


def _header(name: str, value: str, age: int, path: str, *, secure: bool) -> tuple[str, str]:
    flags = "; Secure" if secure else ""
    return "Set-Cookie", f"{name}={value}; Max-Age={age}; Path={path}; HttpOnly; SameSite=Lax{flags}"
