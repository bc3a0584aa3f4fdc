"""Resolvers for a middleware that stands outside a Django application, around its WSGI or ASGI handler.

Inside Django, in ``MIDDLEWARE``, `sso_middleware.django` finds the user by itself. From outside, these
open the session as Django's own middlewares would, and read only: no session is saved, renewed or ended,
whatever is in the cookie. Inactive users are anonymous.
"""

# Django comes without type information.
# mypy: disable-error-code="import-untyped"
# pyright: reportMissingTypeStubs=false, reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from importlib import import_module
from io import BytesIO
from typing import Any

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.conf import settings
from django.contrib.auth import get_user
from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.wsgi import WSGIRequest
from django.db import connections
from django.http import HttpRequest

from sso_middleware.errors import ConfigError, ResolverError
from sso_middleware.resolvers.headers import is_environ
from sso_middleware.resolvers.verification import Verified, check_settings, email_of, is_signed_in

__all__ = ["user_email", "user_email_async"]

_WRITES = ("save", "create", "delete", "flush", "cycle_key")


def user_email(attr: str = "email", *, verified: Verified) -> Callable[[Mapping[str, Any]], str | None]:
    """Return a WSGI resolver that gives the address of Django's signed-in user.

    The settings must be configured and the apps loaded by the first request, as they are once
    ``get_wsgi_application()`` has been called.

    Args:
        attr: the attribute of the user that holds the address.
        verified: `True`: your sign-up verifies every address; or the name of an attribute of the
            user; or a predicate of the user.

    Raises:
        ConfigError: naming every wrong setting at once.
    """
    check_settings(verified, attr=attr)

    def resolve_email(environ: Mapping[str, Any]) -> str | None:
        _require_outside(environ)
        if not is_environ(environ):
            raise ConfigError({"resolve_email": "user_email is for WSGI: under ASGI, use user_email_async"})
        request = WSGIRequest({**environ})  # a copy: Django rewrites SCRIPT_NAME and PATH_INFO in it
        return _find(request, attr, verified)

    return resolve_email


def user_email_async(
    attr: str = "email", *, verified: Verified
) -> Callable[[Mapping[str, Any]], Awaitable[str | None]]:
    """Return an ASGI resolver that gives the address of Django's signed-in user.

    It is `user_email` in a thread, which Django's handler would use for the same things, too.

    Args:
        attr: see `user_email`.
        verified: see `user_email`.

    Raises:
        ConfigError: naming every wrong setting at once.
    """
    check_settings(verified, attr=attr)

    async def resolve_email(scope: Mapping[str, Any]) -> str | None:
        _require_outside(scope)
        request = ASGIRequest(scope, BytesIO())
        async with ThreadSensitiveContext():
            return await sync_to_async(_find_and_leave)(request, attr, verified)

    return resolve_email


def email_of_user(user: Any, attr: str, verified: Verified) -> str | None:
    """Return the address of a Django user, `None` of one who is anonymous or inactive.

    Raises:
        HandoffRefused: the address is not verified.
    """
    return email_of(user, attr, verified) if is_signed_in(user) else None


def email_field(user: Any) -> str:
    """Return the name of the attribute where Django's own password reset looks for the address."""
    # Of the class, because some users answer to any name.
    return user.get_email_field_name() if hasattr(user.__class__, "get_email_field_name") else "email"


def _require_outside(source: object) -> None:
    """Refuse Django's own request, with which the user comes already.

    Raises:
        ResolverError: so it is.
    """
    if isinstance(source, HttpRequest):
        raise ResolverError(
            "resolvers.django is for a middleware around Django: inside, leave resolve_email out of "
            "HELPDESK_SSO, and give verified there"
        )


def _find(request: Any, attr: str, verified: Verified) -> str | None:
    # Django's handler does this between requests, and this is not yet, or no longer, one of its own.
    _close_old_connections()
    try:
        request.session = _session_to_read(request.COOKIES.get(settings.SESSION_COOKIE_NAME))
        return email_of_user(get_user(request), attr, verified)
    finally:
        _close_old_connections()


def _find_and_leave(request: Any, attr: str, verified: Verified) -> str | None:
    try:
        return _find(request, attr, verified)
    finally:
        # The thread ends with this request, so a connection that is kept for a while would be lost.
        for connection in _own_connections():
            connection.close()


def _close_old_connections() -> None:
    for connection in _own_connections():
        connection.close_if_unusable_or_obsolete()


def _own_connections() -> list[Any]:
    # A transaction that is open already is somebody else's, such as that of Django's TestCase, and
    # would be lost: Django's own close_old_connections does not look.
    opened = connections.all(initialized_only=True)
    return [connection for connection in opened if not connection.in_atomic_block]


def _session_to_read(session_key: str | None) -> Any:
    """Open a session that cannot be written to, nor be ended.

    Django's `get_user` changes the key of a session that was signed with one of SECRET_KEY_FALLBACKS,
    and ends one that is not valid. From here the browser would not learn the new key, and so be
    signed out. The methods are replaced on the instance: a subclass would have another signing salt.
    Their async twins are called by nothing here.
    """
    session: Any = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    for name in _WRITES:
        setattr(session, name, _do_nothing)
    return session


def _do_nothing(*_: object, **__: object) -> None:
    pass
