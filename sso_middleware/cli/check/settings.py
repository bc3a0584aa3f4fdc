"""Findings about the settings of an account that are valid, and still look wrong."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from sso_middleware._urls import decoded_path_of, url_problem
from sso_middleware.cli.check.findings import Finding
from sso_middleware.cli.check.rules import found
from sso_middleware.helpdesk import HelpDesk
from sso_middleware.helpdesk.settings import SHORTEST_TOKEN

_MD5 = re.compile(r"[0-9a-f]{32}|[0-9A-F]{32}")
_PLACEHOLDER = re.compile(
    r"(?i)<.*>|\$\{.*\}|\{\{.*\}\}|\.+|x+|\*+|(your|my|the)[-_ ].*|change[-_ ]?me.*|secret|todo|test"
)


def check_token(sso_token: str) -> Iterator[Finding]:
    """Look at the SSO Token; no message shows it."""
    size = len(sso_token.encode())
    if _PLACEHOLDER.fullmatch(sso_token):
        yield found("SSO.W005", "the SSO Token reads like the placeholder of an example")
    elif size < SHORTEST_TOKEN:
        yield found("SSO.W001", f"the SSO Token has {size} bytes")
    if _MD5.fullmatch(sso_token):
        yield found("SSO.W003", "the SSO Token is 32 hexadecimal digits")
    elif _is_base64_of_text(sso_token):
        yield found("SSO.W004", "the SSO Token can be decoded as base64")


def _is_base64_of_text(token: str) -> bool:
    try:
        decoded = base64.b64decode(token, validate=True)
    except (binascii.Error, ValueError):
        return False
    # Letters and digits alone are often valid base64, but rarely of anything readable.
    return token.endswith("=") or (decoded.isascii() and decoded.decode().isprintable())


def check_account(helpdesk: HelpDesk) -> Iterator[Finding]:
    """Look at the URLs of an account."""
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
    if logout_url is None:
        yield found("SSO.I008", "logout_url is not set")
    elif _place(logout_url) == _place(helpdesk.sso_auth_url):
        yield found("SSO.E009", f"{logout_url} is the SSO Auth URL, too")
    elif _place(logout_url) == _place(helpdesk.auth_url):
        yield found("SSO.E009", f"{logout_url} is the Auth URL, too")


def _place(url: str) -> tuple[str, str]:
    return urlsplit(url).netloc.lower(), decoded_path_of(url)


def panel(helpdesk: HelpDesk) -> dict[str, str | None]:
    """Return what to enter in the vendor's panel, by the names of its fields."""
    return {"Auth URL": helpdesk.auth_url, "Logout URL": helpdesk.logout_url}
