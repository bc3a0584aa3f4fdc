"""Resolvers for Bottle, from Beaker's session or a signed cookie.

They only see the session or cookie: the application's plugins and ``before_request`` hooks do not run. If
one of these ends sessions or changes the user, return `sso_middleware.wsgi.handoff_response` from a route.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any
from wsgiref.types import WSGIEnvironment

import bottle  # type: ignore[import-untyped]

from sso_middleware._secret import Secret
from sso_middleware._text import text_problem
from sso_middleware.errors import MiddlewareOrderError, ResolverError
from sso_middleware.resolvers._addresses import email_from, email_in
from sso_middleware.resolvers._headers import require_environ
from sso_middleware.resolvers._settings import check_settings, release_problem
from sso_middleware.resolvers._types import WSGIEndSession, WSGIResolver
from sso_middleware.resolvers._verification import Verified

__all__ = ["beaker_session_email", "end_beaker_session", "signed_cookie_email"]


def beaker_session_email(*keys: str, verified: Verified) -> WSGIResolver:
    """Take the address from the session of an outer Beaker SessionMiddleware.

    A hand-off only reads: Beaker neither writes the session nor sends a cookie, even with ``session.auto``.

    Args:
        keys: the keys that lead to the address, outermost mapping first.
        verified: see `Verified`; the name or predicate applies to the mapping that holds the address.

    Raises:
        ConfigError: a setting is wrong; the error lists all of them.
    """
    check_settings(verified, keys=keys, beaker=release_problem("beaker"))

    def resolve(environ: WSGIEnvironment) -> str | None:
        session = _beaker_session(environ, "bottle.beaker_session_email")
        return email_in(dict(_read_only(session, environ)), keys, verified)

    return resolve


def end_beaker_session() -> WSGIEndSession:
    """Return an `end_session` for `Logout` that deletes the session of an outer Beaker SessionMiddleware.

    It is deleted from the store, and Beaker expires the cookie. With ``session.type = "cookie"`` the whole
    session is in the cookie: a copy of the cookie still works after the logout.

    Returns:
        ``(environ) -> []``. It raises `MiddlewareOrderError` if Beaker's SessionMiddleware is not outside.
    """

    def end(environ: WSGIEnvironment) -> list[tuple[str, str]]:
        session = _beaker_session(environ, "bottle.end_beaker_session")
        read_only = _read_only(session, environ)
        if read_only is session or not read_only.is_new:  # deleting a new one would store it
            session.delete()
        return []

    return end


def _beaker_session(environ: WSGIEnvironment, name: str) -> Any:
    require_environ(environ, name)
    try:
        return environ["beaker.session"]
    except KeyError:
        raise MiddlewareOrderError(
            "environ['beaker.session'] is missing: Beaker's SessionMiddleware must be outside "
            "SSOMiddleware. Wrap in this order: app = SSOMiddleware(app, ...), then "
            "app = SessionMiddleware(app, ...)"
        ) from None


def _read_only(session: Any, environ: WSGIEnvironment) -> Any:
    """Return a second session of the same request, which is never saved.

    Beaker's middleware saves the request's own session after any access, and with ``auto`` also creates
    one. If it has been accessed already, or is not Beaker's SessionObject, return the session itself.
    """
    parameters = getattr(session, "__dict__", {}).get("_params")
    return session if parameters is None or session.accessed() else type(session)(environ, **parameters)


def signed_cookie_email(name: str, secret: str | bytes, *, verified: Verified) -> WSGIResolver:
    """Take the address from a cookie set by ``response.set_cookie(name, value, secret=...)``.

    The value is the address itself, or a JSON object with an ``email``.

    Args:
        name: the name of the cookie.
        secret: the secret that signs it.
        verified: see `Verified`; the name or predicate applies to the object, a predicate also to a
            bare address, which has no attribute that could be named.

    Raises:
        ConfigError: a setting is wrong; the error lists all of them.
    """
    has_secret = isinstance(secret, str | bytes) and secret
    check_settings(
        verified,
        name=text_problem(name),
        bottle=release_problem("bottle"),
        # Bottle treats an empty secret as none, and then trusts the unsigned cookie.
        secret=None if has_secret else "must be the secret that signs the cookie, not empty",
    )

    def resolve(environ: WSGIEnvironment) -> str | None:
        require_environ(environ, "bottle.signed_cookie_email")
        # A copy of the environ: Bottle stores what it has read in it.
        request: Any = bottle.BaseRequest({"HTTP_COOKIE": environ.get("HTTP_COOKIE", "")})
        value = request.get_cookie(name, secret=secret)
        if isinstance(value, str) and value.startswith("{"):
            with suppress(ValueError):  # an address may start like that too
                value = json.loads(value)
        if value and isinstance(value, str) and isinstance(verified, str):
            raise ResolverError(
                f"the cookie {name!r} holds only an address, which has no {verified!r}: store a JSON object "
                f"with email and {verified}, or set verified to True or a predicate"
            )
        value = Secret(value)  # a predicate may raise
        return email_from(value(), verified)

    return resolve
