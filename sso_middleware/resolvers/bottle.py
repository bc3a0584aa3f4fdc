"""For Bottle: who is signed in, by Beaker's session or by a signed cookie.

The resolvers see the session or cookie, and not what the application decides later: its plugins and
``before_request`` hooks do not run. If one of these ends a session or chooses another user, return
`sso_middleware.wsgi.handoff_response` from a route.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeAlias
from wsgiref.types import WSGIEnvironment

import bottle  # type: ignore[import-untyped]

from sso_middleware.errors import MiddlewareOrderError, ResolverError
from sso_middleware.resolvers.headers import require_environ
from sso_middleware.resolvers.verification import Verified, check_settings, email_from, email_in

__all__ = ["beaker_session_email", "signed_cookie_email"]

EmailResolver: TypeAlias = Callable[[WSGIEnvironment], str | None]


def beaker_session_email(*keys: str, verified: Verified) -> EmailResolver:
    """Take the address from the session of Beaker's SessionMiddleware, which stands outside.

    Args:
        keys: the keys that lead to the address, each into the mapping that the one before it gave.
        verified: see `Verified`; the name or predicate is that of the mapping that holds the address.

    Raises:
        ConfigError: naming every wrong setting at once.
    """
    check_settings(verified, keys=keys)

    def resolve(environ: WSGIEnvironment) -> str | None:
        require_environ(environ, "bottle.beaker_session_email")
        try:
            session = environ["beaker.session"]
        except KeyError:
            raise MiddlewareOrderError(
                "there is no environ['beaker.session'] yet: Beaker's SessionMiddleware has to stand outside "
                "SSOMiddleware. Wrap in this order: app = SSOMiddleware(app, ...), then "
                "app = SessionMiddleware(app, ...)"
            ) from None
        return email_in(dict(session), keys, verified)

    return resolve


def signed_cookie_email(name: str, secret: str | bytes, *, verified: Verified) -> EmailResolver:
    """Take the address from a cookie that ``response.set_cookie(name, value, secret=...)`` has set.

    The value is the address itself, or an object in JSON with an ``email``.

    Args:
        name: the name of the cookie.
        secret: the secret that signs it.
        verified: see `Verified`; the name or predicate is that of the object, the predicate also of the
            address. An address alone has nothing of a name.

    Raises:
        ConfigError: naming every wrong setting at once.
    """
    has_name, has_secret = isinstance(name, str) and name, isinstance(secret, str | bytes) and secret
    check_settings(
        verified,
        name=None if has_name else "must be the name of the cookie",
        # Bottle takes an empty secret for none, and then believes the cookie as it is.
        secret=None if has_secret else "must be the secret that signs the cookie, and not empty",
    )

    def resolve(environ: WSGIEnvironment) -> str | None:
        require_environ(environ, "bottle.signed_cookie_email")
        # A request of its own: Bottle notes what it has read in the environ, which is not ours.
        request: Any = bottle.BaseRequest({"HTTP_COOKIE": environ.get("HTTP_COOKIE", "")})
        value = request.get_cookie(name, secret=secret)
        if isinstance(value, str) and value.startswith("{"):
            with suppress(ValueError):  # an address may begin like that, too
                value = json.loads(value)
        if value and isinstance(value, str) and isinstance(verified, str):
            raise ResolverError(
                f"the cookie {name!r} holds an address alone, which has no {verified!r}: put the JSON of an "
                f"object with both, email and {verified}, there; or let verified be True, or a predicate"
            )
        return email_from(value, verified)

    return resolve
