"""Check the order of Django's ``MIDDLEWARE``."""

# Django comes without type information.
# mypy: disable-error-code="import-untyped"
# pyright: reportMissingTypeStubs=false, reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from typing import NamedTuple

from sso_middleware.resolvers.django import REMOTE_USER, middleware_lines

SESSION = "django.contrib.sessions.middleware.SessionMiddleware"
AUTHENTICATION = "django.contrib.auth.middleware.AuthenticationMiddleware"
#: Middlewares that open the session or set the user; those of other packages by their documented names.
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
    """The order of the lines in ``MIDDLEWARE``.

    Attributes:
        ours: our line; `None` if it is missing.
        after: middlewares that open the session or set the user, but wrongly come after ours.
        has_authentication: whether there is an authentication middleware.
    """

    ours: str | None
    after: list[str]
    has_authentication: bool

    @property
    def problem(self) -> str | None:
        """The line to move and where to, or `None`."""
        if not self.after:
            return None
        return (
            f"in MIDDLEWARE, {' and '.join(map(repr, self.after))} must come before {self.ours!r}: "
            f"move the line {self.ours!r} below {self.after[-1]!r}"
        )


def read_order(ours: type) -> Order:
    """Return the order of ``MIDDLEWARE`` around `ours`, the class or a subclass."""
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
