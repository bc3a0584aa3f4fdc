"""The errors that this package raises, under one base class.

::

    SSOError
     ├── ConfigError(ValueError)            a setting is wrong
     ├── InvalidEmail(ValueError)           not an address that may be signed
     ├── HandoffRefused                     raised by a resolver: this visitor may not enter
     ├── ResolverUnavailable                raised by a resolver: the identity source is down
     ├── ResolverError(TypeError)           one of your callables returned something unusable
     └── MiddlewareOrderError(RuntimeError) a session or auth middleware is on the wrong side

    ShortTokenWarning(UserWarning)          the SSO Token is shorter than HS256 requires

No message and no argument of these errors holds the SSO Token, a signed token or an address.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

__all__ = [
    "ConfigError",
    "HandoffRefused",
    "InvalidEmail",
    "MiddlewareOrderError",
    "ResolverError",
    "ResolverUnavailable",
    "SSOError",
    "ShortTokenWarning",
]

_REASON = re.compile(r"[a-z0-9_]{1,64}")


class SSOError(Exception):
    """The base class of this package's errors."""


class ConfigError(SSOError, ValueError):
    """One or more settings are wrong.

    `problems` maps the name of each wrong setting to what is wrong and how to fix it.
    """

    def __init__(self, problems: Mapping[str, str]) -> None:
        self.problems: dict[str, str] = dict(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(f"{name}: {problem}" for name, problem in self.problems.items())


class InvalidEmail(SSOError, ValueError):
    """The value is not an email address that may be signed.

    `reason` is a stable code: ``not_a_string``, ``empty``, ``not_ascii``, ``too_long``,
    ``local_part_too_long`` or ``malformed``. The error does not keep the value.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)

    def __str__(self) -> str:
        return f"not an email address that may be signed ({self.reason})"


class HandoffRefused(SSOError):
    """Raised by a resolver: the visitor is signed in but may not use the Help Desk (403).

    Args:
        reason: a stable code for page, event and log that matches ``[a-z0-9_]{1,64}``. Visitors
            see it, so it must not reveal anything about the person.

    Attributes:
        reason: the code.
        detail: a second code, for the log only; the resolvers in `assertion` set it.

    Raises:
        ValueError: `reason` is not such a code.
    """

    detail: str | None = None

    def __init__(self, reason: str) -> None:
        if not isinstance(reason, str) or not _REASON.fullmatch(reason):
            raise ValueError("reason must be a code of 1 to 64 characters from a-z, 0-9 and _")
        self.reason: str = str.__str__(reason)  # the value of a str-Enum
        super().__init__(self.reason)


class ResolverUnavailable(SSOError):
    """Raised by a resolver: it cannot find out who is signed in right now (503).

    Args:
        message: for your own logs; the visitor never sees it.
        retry_after: whole seconds to wait before trying again, sent as ``Retry-After`` (RFC 9110,
            section 10.2.3).

    Raises:
        ValueError: `retry_after` is not a whole number of seconds, 0 or more.
    """

    def __init__(self, message: str = "the identity source is down", *, retry_after: int = 30) -> None:
        if type(retry_after) is not int or retry_after < 0:
            raise ValueError("retry_after must be a whole number of seconds, 0 or more")
        self.retry_after = retry_after
        super().__init__(message)


class ResolverError(SSOError, TypeError):
    """A resolver, `helpdesk` callable or `end_session` returned something unusable.

    The message names the type of the result, never its value.
    """


class MiddlewareOrderError(SSOError, RuntimeError):
    """A session or auth middleware is on the wrong side; the message says which line to move."""


class ShortTokenWarning(UserWarning):
    """The SSO Token has fewer than the 32 bytes that HS256 requires (RFC 7518, section 3.2)."""
