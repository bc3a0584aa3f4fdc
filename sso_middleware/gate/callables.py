"""Check what an application's callables return: each check returns the plain value or raises `ResolverError`.

The messages name the type of the result, never its value.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable
from types import NoneType
from typing import Any, cast

from sso_middleware._secret import Secret
from sso_middleware._text import exact
from sso_middleware.errors import ResolverError
from sso_middleware.helpdesk import HelpDesk
from sso_middleware.logout import TOKEN

_FIELD_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")  # RFC 9110, section 5.5


def address_or_none(returned: Secret[object]) -> Secret[str] | None:
    """Return the result of `resolve_email` as an exact `str` or `None`; lazy proxies are forced."""
    # The first is the usual case, without a call.
    plain = returned if type(returned()) is str else Secret(exact(returned()))
    if type(plain()) is str:
        return cast("Secret[str]", plain)
    if isinstance(returned(), NoneType):  # also true of a proxy for None
        return None
    raise ResolverError(
        f"resolve_email returned {type(returned()).__name__}; it must return the visitor's address as a "
        "str, or None for an anonymous visitor"
    )


def helpdesk_only(returned: Secret[Any]) -> HelpDesk:
    """Return the `HelpDesk` that the `helpdesk` callable returned."""
    if isinstance(returned(), HelpDesk):
        helpdesk: HelpDesk = copy.copy(returned())  # returns itself; a lazy proxy returns its target
        return helpdesk
    raise ResolverError(
        f"the helpdesk callable returned {type(returned()).__name__}; it must return a HelpDesk"
    )


def header_list(returned: Secret[object]) -> list[tuple[str, str]]:
    """Return the result of `end_session` as a list of valid HTTP headers."""
    pairs = Secret(returned() if isinstance(returned(), Iterable) else [returned()])
    headers = [_header(pair) for pair in cast("Iterable[object]", pairs())]
    if None in headers:
        raise ResolverError(
            "end_session must return an iterable of (name, value) pairs of str, such as "
            "[('Set-Cookie', 'session=; Max-Age=0; Path=/')], and [] if there is nothing to send"
        )
    return cast("list[tuple[str, str]]", headers)


def _header(pair: object) -> tuple[str, str] | None:
    match pair:
        case (str(name), str(value)) if TOKEN.fullmatch(name) and _FIELD_VALUE.fullmatch(value):
            return str.__str__(name), str.__str__(value)
        case _:
            return None
