"""The user and the session of a request inside Django, as views see them."""

# Django comes without type information.
# mypy: disable-error-code="import-untyped"
# pyright: reportMissingTypeStubs=false, reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from asgiref.sync import async_to_sync
from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model, logout
from django.core.exceptions import ImproperlyConfigured

from sso_middleware._secret import Secret
from sso_middleware.django.order import AUTHENTICATION, SESSION
from sso_middleware.errors import MiddlewareOrderError
from sso_middleware.resolvers.django import email_field, email_of_user

Request: TypeAlias = Any
"""Django's ``HttpRequest``."""


def end_session(request: Request) -> list[tuple[str, str]]:
    """End the session with `django.contrib.auth.logout`: an `end_session` for `Logout`.

    Return no headers: Django's SessionMiddleware sends the cookie.

    Raises:
        MiddlewareOrderError: the session is not open here.
    """
    _require(request, "session")
    logout(request)
    return []


def default_resolver(verified: Any) -> Callable[[Request], str | None]:
    """Return a resolver that reads ``request.user``.

    Args:
        verified: see `Verified`.
    """

    def resolve_email(request: Request) -> str | None:
        user = Secret(_user_of(request))
        return email_of_user(user, email_field(user()), verified)

    return resolve_email


def _user_of(request: Request) -> Any:
    """Return the user as views see it.

    ``request.auser()`` would keep its first answer, even if other middlewares change the user later.
    """
    if not hasattr(request, "user") and hasattr(request, "auser"):
        return async_to_sync(request.auser)()
    return _require(request, "user")


def _require(request: Request, attribute: str) -> Any:
    try:
        return getattr(request, attribute)
    except AttributeError:
        pass
    raise MiddlewareOrderError(
        f"request.{attribute} is missing: in MIDDLEWARE, put {SESSION!r} and {AUTHENTICATION!r} above "
        "SSOMiddleware, in this order"
    )


def user_model() -> Any | None:
    """Return the user model; `None` before the apps are loaded, or if there is none, as Django reports."""
    try:
        return get_user_model() if apps.ready else None
    except ImproperlyConfigured:
        return None


def user_model_problem() -> str | None:
    """Return why `default_resolver` would find no address on the user model, or `None`."""
    model = user_model() if AUTHENTICATION in settings.MIDDLEWARE else None
    if model is None:
        return None
    name = getattr(model, "get_email_field_name", lambda: "email")()
    if hasattr(model, name) or hasattr(model, "__getattr__"):
        return None
    return f"is {settings.AUTH_USER_MODEL}, which has no {name!r} field for the address"
