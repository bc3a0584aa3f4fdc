"""Which email addresses may be signed."""

from __future__ import annotations

import re

from sso_middleware._text import exact
from sso_middleware._urls import DOMAIN
from sso_middleware.errors import InvalidEmail

_MAX_ADDRESS = 254  # RFC 5321, section 4.5.3.1.3: a path of 256 octets less its angle brackets
_MAX_LOCAL_PART = 64  # RFC 5321, section 4.5.3.1.1

# The `email` production of the WHATWG HTML standard ("valid email address").
_ADDRESS = re.compile(rf"[a-zA-Z0-9.!#$%&'*+/=?^_`{{|}}~-]+@{DOMAIN}")


def check_email(value: object) -> str:
    """Return `value` as a plain `str` if it is an address that may be signed.

    The address is passed on verbatim: never trimmed, lower-cased or repaired.

    Raises:
        InvalidEmail: `value` is anything else.
    """
    email = value if type(value) is str else exact(value)  # the usual case, without a call
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
