"""For Starlette and FastAPI: who is signed in, read from the ASGI scope.

The middleware that opens the session or loads the user has to stand outside SSOMiddleware. The
resolvers are coroutine functions that only read the scope, so they cost no thread and change neither
session nor headers. A `verified` predicate runs on the event loop.

They see what the middlewares outside have set, and not what the application decides later: a middleware
inside SSOMiddleware and FastAPI's dependencies do not run. If one of these ends a session or chooses another
user, move the middleware outside, or return `sso_middleware.asgi.handoff_response` from a route.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from starlette.types import Scope

from sso_middleware.errors import MiddlewareOrderError, ResolverError
from sso_middleware.resolvers._verification import (
    Verified,
    check_settings,
    email_in,
    email_of,
    is_signed_in,
)

__all__ = ["end_session", "session_email", "user_email"]

EmailResolver: TypeAlias = Callable[[Scope], Awaitable[str | None]]
EndSession: TypeAlias = Callable[[Scope], Awaitable[list[tuple[str, str]]]]


def session_email(*keys: str, verified: Verified) -> EmailResolver:
    """Take the address from the session of Starlette's SessionMiddleware, or of one that works alike.

    ``session_email("user", "email", verified="email_verified")`` suits what Authlib's
    ``token["userinfo"]`` is usually kept as.

    Args:
        keys: the keys that lead to the address, each into the mapping that the one before it gave.
        verified: see `Verified`; the name or predicate is that of the mapping that holds the address.

    Raises:
        ConfigError: naming every wrong setting at once.
    """
    check_settings(verified, keys=keys)

    async def resolve(scope: Scope) -> str | None:
        # Not HTTPConnection(scope).session: it notes an access, which becomes a Vary header.
        return email_in(_outside(scope, "session", "SessionMiddleware"), keys, verified)

    return resolve


def user_email(attr: str = "email", *, verified: Verified) -> EmailResolver:
    """Take the address from the user that Starlette's AuthenticationMiddleware has found.

    Args:
        attr: the attribute of the user that holds the address.
        verified: see `Verified`; the name or predicate is that of the user.

    Raises:
        ConfigError: naming every wrong setting at once.
    """
    check_settings(verified, attr=attr)

    async def resolve(scope: Scope) -> str | None:
        user = _outside(scope, "user", "AuthenticationMiddleware", _SESSION_OUTSIDE)
        return email_of(user, attr, verified) if is_signed_in(user) else None

    return resolve


def end_session() -> EndSession:
    """Return an `end_session` for `Logout` that empties ``scope["session"]``.

    The session middleware outside sends the cookie, with its own settings. If it keeps its sessions on the
    server, as starsessions does, they are deleted there. Starlette's own session is all in the cookie:
    a copy of the cookie still works after the logout.

    Returns:
        ``async (scope) -> []``. It raises `MiddlewareOrderError` if no session middleware is outside.
    """

    async def end(scope: Scope) -> list[tuple[str, str]]:
        _outside(scope, "session", "SessionMiddleware").clear()
        return []

    return end


_SESSION_OUTSIDE = (
    " If its backend reads the session, SessionMiddleware has to stand outside AuthenticationMiddleware."
)


def _outside(scope: Scope, key: str, middleware: str, also: str = "") -> Any:
    if not isinstance(scope, Mapping):
        raise ResolverError(f"resolvers.starlette reads an ASGI scope, and a {type(scope).__name__} is none")
    try:
        return scope[key]
    except KeyError:
        raise MiddlewareOrderError(
            f"there is no scope[{key!r}] yet: {middleware} has to be there, outside SSOMiddleware. With "
            f"app.add_middleware() the last one added is outermost: move app.add_middleware({middleware}, "
            "...) below app.add_middleware(SSOMiddleware, ...). With Starlette(middleware=[...]) the first "
            f"one is outermost: move Middleware({middleware}, ...) above Middleware(SSOMiddleware, ...). "
            "Add both in the same one of these ways; SSOMiddleware(app, ...) around the whole application "
            f"is too far out.{also}"
        ) from None
