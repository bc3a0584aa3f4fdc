"""For Starlette and FastAPI: who is signed in, read from the ASGI scope.

The middleware that opens the session or loads the user has to stand outside SSOMiddleware. The
resolvers are coroutine functions that only read the scope, so they cost no thread and change neither
session nor headers. A `verified` predicate runs on the event loop.

They see what the middlewares outside have set, and not what the application decides later: a middleware
inside SSOMiddleware and FastAPI's dependencies do not run. If one of these ends a session or chooses another
user, move the middleware outside, or return `sso_middleware.asgi.handoff_response` from a route.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any, TypeAlias

from starlette.datastructures import State
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Scope

from sso_middleware._calls import is_async, is_awaitable
from sso_middleware._secret import Secret
from sso_middleware.errors import MiddlewareOrderError, ResolverError
from sso_middleware.resolvers._asking import answers_by, without_hooks
from sso_middleware.resolvers._verification import (
    Verified,
    check_settings,
    email_from,
    email_if_signed_in,
    email_in,
    getter_problem,
)

__all__ = ["end_session", "request_email", "session_email", "user_email"]

EmailResolver: TypeAlias = Callable[[Scope], Awaitable[str | None]]
RequestEmailResolver: TypeAlias = Callable[[Scope], str | Awaitable[str | None] | None]
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


def request_email(getter: Callable[[Request], Any], *, verified: Verified) -> RequestEmailResolver:
    """Ask `getter` for the visitor, given their request.

    ``request_email(lambda request: find_user(request.session.get("user_id")), verified="email_verified")``,
    where the session, a cookie or a header holds no more than who it is, and a database the rest.

    Args:
        getter: ``(request) -> user``, sync or async: an object or mapping with an ``email``, or the address
            itself; `None` if nobody is signed in, or a user whose ``is_authenticated`` says so. A coroutine
            function is awaited on the event loop; any other function runs in a worker thread, and what it
            returns is awaited where it has to be. FastAPI resolves no ``Depends()`` of it. An
            ``HTTPException`` 401 counts as `None`, and 403 as ``HandoffRefused("forbidden")``. It cannot read
            the request's body.
        verified: see `Verified`; the name or predicate is that of what `getter` returns.

    Returns:
        The resolver. It raises `MiddlewareOrderError` if `getter` reads from the request what no middleware
        outside has put there: ``session``, ``user``, ``auth``, or an attribute of ``state``.

    Raises:
        ConfigError: naming every wrong setting at once.
    """
    check_settings(verified, getter=getter_problem(getter, "(request) -> user", may_be_async=True))

    async def awaited(answer: Awaitable[Any]) -> str | None:
        with _getter():
            return email_from(await answer, verified)
        return None

    def resolve(scope: Scope) -> str | Awaitable[str | None] | None:
        with _getter():
            answer = Secret(getter(_VisitorsRequest(_own(scope))))
            return awaited(answer()) if is_awaitable(answer()) else email_from(answer(), verified)
        return None

    async def resolve_async(scope: Scope) -> str | None:
        with _getter():
            return email_from(await getter(_VisitorsRequest(_own(scope))), verified)
        return None

    return resolve_async if is_async(getter) else resolve


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
        user = Secret(_outside(scope, "user", "AuthenticationMiddleware", _SESSION_OUTSIDE))
        return email_if_signed_in(user, attr, verified, hint=_HINT_ATTR)

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


_HINT_ATTR = (
    "attr= names the attribute that holds the address, or request_email(getter, verified=...) finds it"
)
_NO_STATE = (
    "request.state has no {name!r} yet: the middleware that sets it has to stand outside SSOMiddleware. With "
    "app.add_middleware() the last one added is outermost; with Starlette(middleware=[...]) the first one "
    "is. What a dependency sets is never there: find it in the getter"
)
_SESSION_OUTSIDE = (
    " If its backend reads the session, SessionMiddleware has to stand outside AuthenticationMiddleware."
)


class _VisitorsRequest(Request):
    """A request that says which middleware is missing."""

    @property
    def session(self) -> Any:
        _outside(self.scope, "session", "SessionMiddleware")
        return super().session

    @property
    def user(self) -> Any:
        return _outside(self.scope, "user", "AuthenticationMiddleware", _SESSION_OUTSIDE)

    @property
    def auth(self) -> Any:
        return _outside(self.scope, "auth", "AuthenticationMiddleware", _SESSION_OUTSIDE)


@contextmanager
def _getter() -> Generator[None]:
    with answers_by(HTTPException), without_hooks(State, _NO_STATE, MiddlewareOrderError):
        yield


def _own(scope: Scope) -> Scope:
    """Return a copy, as a request leaves notes in its scope."""
    return {**_checked(scope)}


def _checked(scope: Scope) -> Scope:
    if not isinstance(scope, Mapping) or "REQUEST_METHOD" in scope:
        raise ResolverError(f"resolvers.starlette reads an ASGI scope, and a {type(scope).__name__} is none")
    return scope


def _outside(scope: Scope, key: str, middleware: str, also: str = "") -> Any:
    _checked(scope)
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
