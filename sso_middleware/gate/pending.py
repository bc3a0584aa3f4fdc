"""Remember that a visitor was on the way to the Help Desk, for logins that ignore `next_param`.

A cookie stores the Auth URL and the forwarded parameters for ten minutes, but nothing about the person.
It is not signed: it can only lead to an Auth URL of this middleware.
"""

from __future__ import annotations

import re

from sso_middleware._urls import encode_path, is_plain_prefix

COOKIE = "sso_pending"
_LIFETIME = 600  # seconds
_LONGEST_VALUE = 3500  # bytes: browsers drop cookies of more than 4,096

_COOKIE = re.compile(rf"(?:^|[;,])[ \t]*{COOKIE}=([^;,]*)")
_VALUE = re.compile(r"([1-9][0-9]{0,3})(?:\.([!-~]*))?[ \t]*")


def read(header: str) -> tuple[int, str] | None:
    """Return the index of the opened path and the forwarded query; `None`: no such cookie.

    Args:
        header: the Cookie header, or several joined by commas.
    """
    cookie = _COOKIE.search(header)
    value = _VALUE.fullmatch(cookie[1]) if cookie else None
    return (int(value[1]) - 1, value[2] or "") if value else None


def set_cookie(index: int, query: str, prefix: str, *, secure: bool) -> tuple[str, str]:
    """Return the Set-Cookie header that stores the path's index and the forwarded `query`."""
    value = f"{index + 1}.{query}" if query and len(query) <= _LONGEST_VALUE else f"{index + 1}"
    return _header(f"{value}; Max-Age={_LIFETIME}", prefix, secure=secure)


def drop_cookie(prefix: str, *, secure: bool) -> tuple[str, str]:
    """Return the Set-Cookie header that deletes the cookie."""
    return _header("; Max-Age=0", prefix, secure=secure)


def _header(value: str, prefix: str, *, secure: bool) -> tuple[str, str]:
    path = encode_path(prefix) if prefix and is_plain_prefix(prefix) else "/"
    flags = "; Secure" if secure else ""
    return "Set-Cookie", f"{COOKIE}={value}; Path={path}; HttpOnly; SameSite=Lax{flags}"
