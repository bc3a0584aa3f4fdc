"""Whether the lines of Django's ``MIDDLEWARE`` stand in the right order."""

# Django comes without type information.
# mypy: disable-error-code="import-untyped"
# pyright: reportMissingTypeStubs=false, reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from typing import NamedTuple

from sso_middleware.resolvers.django import REMOTE_USER, middleware_lines

SESSION = "django.contrib.sessions.middleware.SessionMiddleware"
AUTHENTICATION = "django.contrib.auth.middleware.AuthenticationMiddleware"
#: What opens the session or decides who the user is. Other packages' by their documented names.
_BEFORE_US = {
    SESSION,
    AUTHENTICATION,
    REMOTE_USER,
    "django_otp.middleware.OTPMiddleware",
    "impersonate.middleware.ImpersonateMiddleware",
    "oauth2_provider.middleware.OAuth2TokenMiddleware",
    "sesame.middleware.AuthenticationMiddleware",
}


class Order(NamedTuple):
    """How the lines of ``MIDDLEWARE`` stand to each other.

    Attributes:
        ours: our line; `None` if it is not there.
        after: the lines of the middlewares that open the session or say who the user is, and wrongly
            stand after it.
        has_authentication: whether there is an authentication middleware at all.
    """

    ours: str | None
    after: list[str]
    has_authentication: bool

    @property
    def problem(self) -> str | None:
        """Say which line to move, or return `None`."""
        if not self.after:
            return None
        return (
            f"in MIDDLEWARE, {' and '.join(map(repr, self.after))} must come before {self.ours!r}: "
            f"move the line {self.ours!r} to below {self.after[-1]!r}"
        )


def read_order(ours: type) -> Order:
    """Look where `ours`, the class or a subclass, stands in ``MIDDLEWARE``."""
    line: str | None = None
    after: list[str] = []
    has_authentication = False
    for path, names in middleware_lines():
        has_authentication |= AUTHENTICATION in names
        if f"{ours.__module__}.{ours.__qualname__}" in names:
            line = path
        elif line is not None and not names.isdisjoint(_BEFORE_US):
            after.append(path)
    return Order(line, after, has_authentication)
