"""Resolver for Quart, for a middleware around the application.

It only sees the session: the application's ``before_request`` functions do not run. If one of these ends
sessions, asks for a second factor or changes the user, await ``app.preprocess_request()`` in the getter to
run them (since Quart 0.23: ``app.preprocess_request(quart.globals.app_ctx)``), or return
`sso_middleware.asgi.handoff_response` from a view.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

from quart import Quart, session
from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException

from sso_middleware._calls import is_awaitable
from sso_middleware._secret import Secret
from sso_middleware._text import forced
from sso_middleware._urls import split_mount
from sso_middleware.errors import ConfigError, MiddlewareOrderError
from sso_middleware.resolvers._addresses import email_from
from sso_middleware.resolvers._errors import explain_missing_hooks, http_errors_as_refusals
from sso_middleware.resolvers._settings import check_settings, getter_problem, release_problem
from sso_middleware.resolvers._types import ASGIEndSession, ASGIResolver, Scope
from sso_middleware.resolvers._verification import Verified

__all__ = ["context_email", "end_session"]


def context_email(app: Quart, getter: Callable[[], Any], *, verified: Verified) -> ASGIResolver:
    """Ask `getter` for the visitor in a request context of the application.

    For example, ``context_email(app, lambda: session.get("user"), verified="email_verified")``, with
    ``quart.session``. The resolver is for ``app.asgi_app = SSOMiddleware(app.asgi_app, ...)``.

    Args:
        app: the Quart application.
        getter: ``() -> user``, sync or async: an object or mapping with an ``email``, or the address
            itself; `None` for an anonymous visitor, or a user whose ``is_authenticated`` is false
            (for Quart-Auth's ``current_user``, await its ``is_authenticated`` first). ``quart.request``,
            ``session`` and ``g`` are the visitor's; ``before_request`` functions have not set anything in
            ``g``. ``abort(401)`` counts as `None`, and ``abort(403)`` as ``HandoffRefused("forbidden")``.
            It runs on the event loop.
        verified: see `Verified`; the name or predicate applies to what `getter` returns.

    Raises:
        ConfigError: a setting is wrong; the error lists all of them.
    """
    check_settings(
        verified,
        app=_problem(app),
        quart=release_problem("quart"),
        getter=getter_problem(getter, "() -> user", may_be_async=True),
    )

    async def resolve(scope: Scope) -> str | None:
        with http_errors_as_refusals(HTTPException):
            async with _request_context(app, scope):
                user = Secret(getter())
                return email_from(await user() if is_awaitable(user()) else user(), verified)
        return None

    return resolve


def end_session(app: Quart) -> ASGIEndSession:
    """Return an `end_session` for `Logout` that ends the session of `app` in a request context.

    The application's session interface saves the emptied session, so that a session on the server is
    deleted, and expires its cookie. Quart-Auth's cookies are expired too. Quart's own session and
    Quart-Auth's have no state on the server: a copy of the cookie still works after the logout.

    Args:
        app: the Quart application.

    Returns:
        ``async (scope) -> headers``, each a ``Set-Cookie``. It raises `MiddlewareOrderError` if the
        application has no session.

    Raises:
        ConfigError: `app` is not a Quart application.
    """
    if problem := _problem(app):
        raise ConfigError({"end_session(app)": problem})

    async def end(scope: Scope) -> list[tuple[str, str]]:
        async with _request_context(app, scope):
            interface, response = app.session_interface, cast("Any", app.response_class(""))
            current, config = cast("Any", forced(session)), cast("dict[str, Any]", app.config)
            if interface.is_null_session(current):
                raise MiddlewareOrderError("the Quart application has no session: set app.secret_key first")
            for extension in app.extensions.get("QUART_AUTH", []):
                if extension.mode == "cookie":
                    extension.logout_user()
                    response = await extension.after_request(response)
            current.clear()
            current.modified = True  # not every kind of session detects clear()
            await app.ensure_async(interface.save_session)(app, current, response)
            # Some interfaces do not expire the cookie of an empty session, or a Partitioned cookie.
            response.delete_cookie(
                interface.get_cookie_name(app),
                path=interface.get_cookie_path(app),
                domain=interface.get_cookie_domain(app),
                secure=interface.get_cookie_secure(app),
                httponly=interface.get_cookie_httponly(app),
                samesite=interface.get_cookie_samesite(app),
                partitioned=bool(config.get("SESSION_COOKIE_PARTITIONED")),
            )
            cookies = dict.fromkeys(response.headers.getlist("Set-Cookie"))
            return [("Set-Cookie", cookie) for cookie in cookies]

    return end


_NO_HOOKS = (
    "quart.g has no {name!r} here, because the application's before_request functions do not run. In a "
    "getter, find the user without quart.g.{name}, or first call the function that sets it; in a teardown "
    "function, use quart.g.pop({name!r}, None)"
)


@asynccontextmanager
async def _request_context(app: Quart, scope: Scope) -> AsyncGenerator[None]:
    """Push a request context of the application, and always pop it.

    Quart's own `async with` does not pop it, and may leak a database connection, if the session cannot be
    opened, or after an error under PRESERVE_CONTEXT_ON_EXCEPTION.
    """
    context = app.request_context(_request(app, scope))
    with explain_missing_hooks(app.app_ctx_globals_class, _NO_HOOKS):
        try:
            await context.push()
            yield
        finally:
            await context.pop(sys.exc_info()[1])  # since Quart 0.23, it does not look for the error itself


def _problem(app: object) -> str | None:
    return None if isinstance(app, Quart) else "must be the Quart application itself, not its asgi_app"


def _request(app: Quart, scope: Any) -> Any:
    """Make the request that Quart itself would make from `scope`, with an empty body."""
    root_path, path = split_mount(scope.get("root_path", ""), scope["path"])
    headers = Headers([("Remote-Addr", (scope.get("client") or ["<local>"])[0])])
    for name, value in scope["headers"]:
        headers.add(name.decode("latin-1").title(), value.decode("latin-1"))
    request = app.request_class(
        scope["method"],
        scope.get("scheme", "http"),
        path,
        scope["query_string"],
        headers,
        root_path,
        scope.get("http_version", "1.1"),
        scope,
        send_push_promise=_push_nothing,
    )
    request.body.set_complete()
    return request


async def _push_nothing(*_: object) -> None:
    """Ignore an HTTP/2 server push, because the response is never sent."""
