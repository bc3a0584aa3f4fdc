"""Resolvers and `end_session` for a middleware around a Django application.

Inside Django, in ``MIDDLEWARE``, `sso_middleware.django` finds the user itself. Around the WSGI or ASGI
handler, these resolvers open the session as Django's own middlewares would, but only read it: no session
is ever saved, renewed or ended. Inactive users are refused.

They only see the session. They do not see what the project's middlewares decide, such as impersonation, an
idle timeout, a pending second factor or an access token. If you have such a middleware, add
`sso_middleware.django.SSOMiddleware` below it in ``MIDDLEWARE`` instead. A ``RemoteUserMiddleware`` in
``MIDDLEWARE`` is a ConfigError.
"""

# Django comes without type information.
# mypy: disable-error-code="import-untyped"
# pyright: reportMissingTypeStubs=false, reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from importlib import import_module
from typing import Any

import django
from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user, user_logged_out
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse
from django.utils.module_loading import import_string

from sso_middleware._secret import Secret
from sso_middleware.errors import ConfigError, ResolverError
from sso_middleware.resolvers._addresses import email_if_signed_in
from sso_middleware.resolvers._django import call, call_in_thread, session_to_read
from sso_middleware.resolvers._headers import is_environ
from sso_middleware.resolvers._settings import check_settings
from sso_middleware.resolvers._verification import Verified

__all__ = ["allauth_verified", "end_session", "user_email", "user_email_async"]

if django.VERSION < (5, 2):
    raise ConfigError({"Django": f"is {django.get_version()}: upgrade to 5.2 or later"})

REMOTE_USER = "django.contrib.auth.middleware.RemoteUserMiddleware"

_HINT_ATTR = (
    "set attr= to the attribute that holds the address; in MIDDLEWARE, set EMAIL_FIELD of the user model"
)
_INSIDE = "inside, remove resolve_email from HELPDESK_SSO, and set verified there"


def user_email(attr: str = "email", *, verified: Verified) -> Callable[[Mapping[str, Any]], str | None]:
    """Return a WSGI resolver that returns the address of Django's signed-in user.

    It only sees the session, not what the project's middlewares decide. Before the first request, the
    settings must be configured and the apps loaded, as by ``get_wsgi_application()``.

    Args:
        attr: the attribute of the user that holds the address.
        verified: `True` if your sign-up verifies every address; or the name of an attribute of the
            user; or a predicate of the user, such as `allauth_verified`.

    Raises:
        ConfigError: a setting is wrong, or ``MIDDLEWARE`` has a ``RemoteUserMiddleware`` or a subclass; the
            error lists all of them. Raised at the first request if Django is not set up yet.
    """
    find = _finder(attr, verified)

    def resolve_email(environ: Mapping[str, Any]) -> str | None:
        _require_outside(environ, _INSIDE)
        if not is_environ(environ):
            raise ConfigError({"resolve_email": "user_email is for WSGI: under ASGI, use user_email_async"})
        return call(find, environ)

    return resolve_email


def user_email_async(
    attr: str = "email", *, verified: Verified
) -> Callable[[Mapping[str, Any]], Awaitable[str | None]]:
    """Return an ASGI resolver that returns the address of Django's signed-in user.

    It runs `user_email` in a thread, as Django's handler does with sync code.

    Args:
        attr: see `user_email`.
        verified: see `user_email`.

    Raises:
        ConfigError: see `user_email`.
    """
    find = _finder(attr, verified)

    async def resolve_email(scope: Mapping[str, Any]) -> str | None:
        _require_outside(scope, _INSIDE)
        return await call_in_thread(find, scope)

    return resolve_email


def end_session() -> Callable[[Mapping[str, Any]], Any]:
    """Return an `end_session` for `Logout` that ends Django's session, for WSGI and ASGI.

    Like `django.contrib.auth.logout`, it sends the signal ``user_logged_out`` and flushes the session. It
    returns the headers with which Django's SessionMiddleware expires the cookie. A copy of the cookie no
    longer works, except with the engine ``signed_cookies``, where it is valid until it expires.

    Receivers of the signal get a request that has not passed through the project's middlewares. Django logs
    their errors; the session ends anyway.

    Raises:
        ResolverError: it is called inside Django.
    """

    def end(source: Mapping[str, Any]) -> Any:
        _require_outside(source, "inside, HELPDESK_SSO uses sso_middleware.django.end_session by default")
        return (call if is_environ(source) else call_in_thread)(_end_session, source)

    return end


def allauth_verified(user: Any) -> bool:
    """Return whether django-allauth has verified the user's current address: a predicate for ``verified``.

    In ``HELPDESK_SSO``, write ``"verified": "sso_middleware.resolvers.django.allauth_verified"``.

    Args:
        user: a user from the database, with the address in its email field.

    Returns:
        Whether one of the user's own ``EmailAddress`` rows is verified and holds that address. Case is
        ignored, because allauth stores addresses in lower case.
    """
    user = Secret(user)  # a database may raise: see `_secret`
    addresses = import_module("allauth.account.models").EmailAddress.objects.filter(
        user_id=user().pk, email__iexact=getattr(user(), email_field(user())), verified=True
    )
    # A database may match other letters, such as the long s for an s.
    return any(email.isascii() for email in addresses.values_list("email", flat=True))


def check_verified(verified: object) -> None:
    """Check the `verified` of ``HELPDESK_SSO``.

    Raises:
        ConfigError: it is wrong.
    """
    check_settings(verified)


def email_of_user(user: Secret[Any], attr: str, verified: Verified) -> str | None:
    """Return the address of a Django user, or `None` for an anonymous one.

    Raises:
        HandoffRefused: the user is inactive, or the address is not verified.
    """
    return email_if_signed_in(user, attr, verified, hint=_HINT_ATTR)


def email_field(user: Any) -> str:
    """Return the name of the email field, as Django's own password reset does."""
    # Look at the class, because some users answer to any name.
    return user.get_email_field_name() if hasattr(user.__class__, "get_email_field_name") else "email"


def middleware_lines() -> Iterator[tuple[str, set[str]]]:
    """Return the lines of ``MIDDLEWARE``, each with the names of its class and base classes.

    By name, because Django's own cannot be imported if their applications are not installed.
    """
    for path in settings.MIDDLEWARE:
        try:
            middleware = import_string(path) if apps.ready else None
        except ImportError:
            middleware = None  # Django reports it
        bases = getattr(middleware, "__mro__", ())
        yield path, {path, *(f"{base.__module__}.{base.__qualname__}" for base in bases)}


def _finder(attr: str, verified: Verified) -> Callable[[Any], str | None]:
    """Return a function that finds the address of the user of a request's session.

    Raises:
        ConfigError: a setting is wrong; the error lists all of them.
    """
    is_set_up = apps.ready
    check_settings(verified, attr=attr, MIDDLEWARE=_middleware_problem() if settings.configured else None)

    def find(request: Any) -> str | None:
        if not is_set_up and (problem := _middleware_problem()):
            raise ConfigError({"MIDDLEWARE": problem})
        request.session = session_to_read(request.COOKIES.get(settings.SESSION_COOKIE_NAME))
        user = Secret(get_user(request))
        if verified is allauth_verified and user().is_authenticated and attr != email_field(user()):
            raise ResolverError(f"allauth_verified does not apply to {attr!r}: write your own predicate")
        return email_of_user(user, attr, verified)

    return find


def _middleware_problem() -> str | None:
    """Return which line sets the user where an outer resolver cannot see it, or `None`."""
    for path, names in middleware_lines():
        if REMOTE_USER in names:
            return (
                f"contains {path!r}, which sets the user after the session is opened: instead of a "
                f"middleware around Django, add 'sso_middleware.django.SSOMiddleware' below that line"
            )
    return None


def _end_session(request: Any) -> list[tuple[str, str]]:
    def log_out(request: Any) -> Any:
        request.user = get_user(request)
        user = Secret(request.user if request.user.is_authenticated else None)
        user_logged_out.send_robust(sender=user().__class__, request=request, user=user())
        request.session.flush()
        return HttpResponse()

    response: Any = SessionMiddleware(log_out)(request)
    return [("Set-Cookie", cookie.OutputString()) for cookie in response.cookies.values()]


def _require_outside(source: object, instead: str) -> None:
    """Reject Django's own request, which already has the user.

    Raises:
        ResolverError: `source` is Django's own request.
    """
    if isinstance(source, HttpRequest):
        raise ResolverError(f"resolvers.django is for a middleware around Django: {instead}")
