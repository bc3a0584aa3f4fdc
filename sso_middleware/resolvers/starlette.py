"""Resolvers for Starlette and FastAPI, from the ASGI scope.

The middleware that opens the session or loads the user must be outside SSOMiddleware. The resolvers are
coroutine functions that only read the scope, so they need no thread and change neither the session nor
headers. A `verified` predicate runs on the event loop.

They only see what outer middlewares have set: middlewares inside SSOMiddleware and FastAPI's dependencies
do not run. If one of these ends sessions or changes the user, move the middleware outside, or return
`sso_middleware.asgi.handoff_response` from a route.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any, TypeAlias

from starlette.datastructures import State
from starlette.exceptions import HTTPException
from starlette.requests import Request

from sso_middleware._calls import is_async, is_awaitable
from sso_middleware._secret import Secret
from sso_middleware.errors import MiddlewareOrderError, ResolverError
from sso_middleware.resolvers._addresses import email_from, email_if_signed_in, email_in
from sso_middleware.resolvers._errors import explain_missing_hooks, http_errors_as_refusals
from sso_middleware.resolvers._headers import is_environ
from sso_middleware.resolvers._settings import check_settings, getter_problem
from sso_middleware.resolvers._types import ASGIEndSession, ASGIResolver, Scope
from sso_middleware.resolvers._verification import Verified

__all__ = ["end_session", "request_email", "session_email", "user_email"]

RequestEmailResolver: TypeAlias = Callable[[Scope], str | Awaitable[str | None] | None]


def session_email(*keys: str, verified: Verified) -> ASGIResolver:
    """Take the address from the session of Starlette's SessionMiddleware, or of a compatible one.

    For example, ``session_email("user", "email", verified="email_verified")`` if Authlib's
    ``token["userinfo"]`` is stored in ``session["user"]``.

    Args:
        keys: the keys that lead to the address, outermost mapping first.
        verified: see `Verified`; the name or predicate applies to the mapping that holds the address.

    Raises:
        ConfigError: a setting is wrong; the error lists all of them.
    """
    check_settings(verified, keys=keys)

    async def resolve(scope: Scope) -> str | None:
        # HTTPConnection(scope).session would record an access, which adds a Vary header.
        return email_in(_outside(scope, "session", "SessionMiddleware"), keys, verified)

    return resolve


def request_email(getter: Callable[[Request], Any], *, verified: Verified) -> RequestEmailResolver:
    """Ask `getter` for the visitor, given their request.

    ``request_email(lambda request: find_user(request.session.get("user_id")), verified="email_verified")``,
    if the session, a cookie or a header only holds a key into a database.

    Args:
        getter: ``(request) -> user``, sync or async: an object or mapping with an ``email``, or the address
            itself; `None` for an anonymous visitor, or a user whose ``is_authenticated`` is false. A
            coroutine function is awaited on the event loop; any other function runs in a worker thread, and
            its result is awaited if necessary. FastAPI does not resolve its ``Depends()``. An
            ``HTTPException`` 401 counts as `None`, and 403 as ``HandoffRefused("forbidden")``. It cannot
            read the request's body.
        verified: see `Verified`; the name or predicate applies to what `getter` returns.

    Returns:
        The resolver. It raises `MiddlewareOrderError` if `getter` reads from the request what no outer
        middleware has set: ``session``, ``user``, ``auth``, or an attribute of ``state``.

    Raises:
        ConfigError: a setting is wrong; the error lists all of them.
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


def user_email(attr: str = "email", *, verified: Verified) -> ASGIResolver:
    """Take the address from the user that Starlette's AuthenticationMiddleware has set.

    Args:
        attr: the attribute of the user that holds the address.
        verified: see `Verified`; the name or predicate applies to the user.

    Raises:
        ConfigError: a setting is wrong; the error lists all of them.
    """
    check_settings(verified, attr=attr)

    async def resolve(scope: Scope) -> str | None:
        user = Secret(_outside(scope, "user", "AuthenticationMiddleware", _SESSION_OUTSIDE))
        return email_if_signed_in(user, attr, verified, hint=_HINT_ATTR)

    return resolve


def end_session() -> ASGIEndSession:
    """Return an `end_session` for `Logout` that empties ``scope["session"]``.

    The outer session middleware sends the cookie, with its own settings. Sessions on the server, such as
    those of starsessions, are deleted. Starlette's own session is all in the cookie: a copy of the cookie
    still works after the logout.

    Returns:
        ``async (scope) -> []``. It raises `MiddlewareOrderError` if no session middleware is outside.
    """

    async def end(scope: Scope) -> list[tuple[str, str]]:
        _outside(scope, "session", "SessionMiddleware").clear()
        return []

    return end


_HINT_ATTR = "set attr= to the attribute that holds the address, or use request_email(getter, verified=...)"
_NO_STATE = (
    "request.state has no {name!r} yet: the middleware that sets it must be outside SSOMiddleware. With "
    "app.add_middleware() the last one added is outermost; with Starlette(middleware=[...]) the first one "
    "is. If a dependency sets it, find the value in the getter instead"
)
_SESSION_OUTSIDE = (
    " If its backend reads the session, SessionMiddleware must be outside AuthenticationMiddleware."
)


class _VisitorsRequest(Request):
    """A request whose errors say which middleware is missing."""

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
    with (
        http_errors_as_refusals(HTTPException),
        explain_missing_hooks(State, _NO_STATE, MiddlewareOrderError),
    ):
        yield


def _own(scope: Scope) -> Scope:
    """Return a copy, because a request adds to its scope."""
    return {**_checked(scope)}


def _checked(scope: Scope) -> Scope:
    if not isinstance(scope, Mapping) or is_environ(scope):
        raise ResolverError(f"resolvers.starlette needs an ASGI scope, not a {type(scope).__name__}")
    return scope


def _outside(scope: Scope, key: str, middleware: str, also: str = "") -> Any:
    _checked(scope)
    try:
        return scope[key]
    except KeyError:
        raise MiddlewareOrderError(
            f"scope[{key!r}] is missing: add {middleware} outside SSOMiddleware. With "
            f"app.add_middleware() the last one added is outermost: move app.add_middleware({middleware}, "
            "...) below app.add_middleware(SSOMiddleware, ...). With Starlette(middleware=[...]) the first "
            f"one is outermost: move Middleware({middleware}, ...) above Middleware(SSOMiddleware, ...). "
            "Add both in the same way; SSOMiddleware(app, ...) around the whole application is too far "
            f"out.{also}"
        ) from None
