"""Which email addresses may be signed, and how a resolver's answer becomes a plain string."""

from __future__ import annotations

import re
from types import NoneType
from typing import cast

from sso_middleware._lazy import exact
from sso_middleware._secret import Secret
from sso_middleware._urls import DOMAIN
from sso_middleware.errors import InvalidEmail, ResolverError

_MAX_ADDRESS = 254  # RFC 5321, section 4.5.3.1.3: a path of 256 octets less its angle brackets
_MAX_LOCAL_PART = 64  # RFC 5321, section 4.5.3.1.1

# The `email` production of the WHATWG HTML standard ("valid email address").
_ADDRESS = re.compile(rf"[a-zA-Z0-9.!#$%&'*+/=?^_`{{|}}~-]+@{DOMAIN}")


def check_email(value: object) -> str:
    """Return `value` as a plain `str` if it is an address that may be signed.

    It is passed on verbatim: never trimmed, lower-cased or repaired.

    Raises:
        InvalidEmail: it is anything else.
    """
    email = value if type(value) is str else exact(value)  # nearly always it is, and spares a call
    if type(email) is not str:
        raise InvalidEmail("not_a_string")
    if not email:
        raise InvalidEmail("empty")
    if not email.isascii():
        raise InvalidEmail("not_ascii")
    if len(email) > _MAX_ADDRESS:
        raise InvalidEmail("too_long")
    if not _ADDRESS.fullmatch(email):
        raise InvalidEmail("malformed")
    if email.index("@") > _MAX_LOCAL_PART:
        raise InvalidEmail("local_part_too_long")
    return email


def plain_string(returned: Secret[object]) -> Secret[str] | None:
    """Return the exact `str`, or `None`, that a resolver returned, or that it stands for.

    Raises:
        ResolverError: it stands for anything else.
    """
    plain = Secret(exact(returned()))
    if type(plain()) is str:
        return cast("Secret[str]", plain)
    if isinstance(returned(), NoneType):  # a proxy of None says so
        return None
    raise ResolverError(
        f"resolve_email returned {type(returned()).__name__}; it must return the visitor's address as a "
        "str, or None for an anonymous visitor"
    )
