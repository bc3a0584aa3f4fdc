"""Resolver for Pyramid, for a middleware around the application.

It only sees the session and the security policy: the application's tweens and ``NewRequest`` subscribers do
not run. If one of these ends sessions or changes the user, do the same in the getter, or return
`sso_middleware.wsgi.handoff_response` from a view.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, cast
from wsgiref.types import WSGIEnvironment

from pyramid.httpexceptions import (  # type: ignore[import-untyped]
    HTTPException,  # pyright: ignore[reportMissingTypeStubs]
)
from pyramid.interfaces import (  # type: ignore[import-untyped]
    ISessionFactory,  # pyright: ignore[reportMissingTypeStubs]
)
from pyramid.router import (  # type: ignore[import-untyped]
    Router,  # pyright: ignore[reportMissingTypeStubs]
)
from pyramid.security import forget  # type: ignore[import-untyped]

from sso_middleware.errors import ConfigError
from sso_middleware.resolvers._addresses import email_from
from sso_middleware.resolvers._errors import explain_missing_hooks, http_errors_as_refusals
from sso_middleware.resolvers._headers import require_environ
from sso_middleware.resolvers._settings import check_settings, getter_problem, release_problem
from sso_middleware.resolvers._types import WSGIEndSession, WSGIResolver
from sso_middleware.resolvers._verification import Verified

__all__ = ["end_session", "request_email"]


_NO_ROUTER = (
    "must be the result of config.make_wsgi_app(), before any filter (in an INI file, use "
    "egg:sso-middleware#with_app as the last filter before the application)"
)


def request_email(router: Any, getter: Callable[[Any], Any], *, verified: Verified) -> WSGIResolver:
    """Ask `getter` for the visitor in a request of the application.

    For example, ``request_email(app, lambda request: request.identity, verified="email_verified")``, if the
    security policy's identity has an ``email``. Sessions, the security policy and request methods work
    as in a view. ``NewRequest`` subscribers and tweens do not run, but with pyramid_tm, `getter` runs in a
    transaction of ``request.tm``, which is then aborted. Without a security policy, Pyramid's
    ``request.identity`` is always `None`.

    Args:
        router: the result of ``config.make_wsgi_app()``, before any filter wraps it.
        getter: ``(request) -> user``, sync: an object or mapping with an ``email``, or the address itself;
            `None` for an anonymous visitor, or a user whose ``is_authenticated`` is false.
            ``HTTPUnauthorized`` counts as `None`, and ``HTTPForbidden`` as ``HandoffRefused("forbidden")``.
        verified: see `Verified`; the name or predicate applies to what `getter` returns.

    Raises:
        ConfigError: a setting is wrong; the error lists all of them.
    """
    is_router = isinstance(router, Router)
    check_settings(
        verified,
        router=None if is_router else _NO_ROUTER,
        pyramid=release_problem("pyramid"),
        getter=getter_problem(getter, "(request) -> user"),
    )

    def resolve(environ: WSGIEnvironment) -> str | None:
        require_environ(environ, "pyramid.request_email")
        with (
            http_errors_as_refusals(HTTPException),
            _request(router, environ) as request,
            _transaction(request),
        ):
            return email_from(getter(request), verified)
        return None

    return resolve


def end_session(router: Any) -> WSGIEndSession:
    """Return an `end_session` for `Logout` that invalidates the session and makes the policy forget the user.

    In a request of the application, it calls ``request.session.invalidate()`` and
    ``pyramid.security.forget(request)``; with pyramid_tm, in a transaction that is committed. A session on
    the server is deleted. A session that is all in the cookie (``SignedCookieSessionFactory``,
    ``AuthTktCookieHelper``) only ends in this browser: a copy of the cookie still works after the logout.

    Args:
        router: the result of ``config.make_wsgi_app()``, before any filter wraps it.

    Returns:
        ``(environ) -> headers``: those of ``forget``, and each ``Set-Cookie`` of the session.

    Raises:
        ConfigError: `router` is something else.
    """
    if not isinstance(router, Router):
        raise ConfigError({"end_session(router)": _NO_ROUTER})

    def end(environ: WSGIEnvironment) -> list[tuple[str, str]]:
        require_environ(environ, "pyramid.end_session")
        with _request(router, environ) as request, _transaction(request, keep=True):
            headers: list[tuple[str, str]] = [*forget(request)]
            if request.registry.queryUtility(ISessionFactory) is not None:
                session = request.session
                # Beaker's sessions also have delete(); their invalidate() leaves the old one in the store.
                getattr(session, "delete", session.invalidate)()
            response = request.response
            while request.response_callbacks:
                request.response_callbacks.popleft()(request, response)
            return headers + [("Set-Cookie", cookie) for cookie in response.headers.getall("Set-Cookie")]

    return end


_NO_HOOKS = (
    "the request has no {name!r} here, because no route is matched, and tweens and NewRequest subscribers do "
    "not run. Add it with config.add_request_method(function, {name!r}, reify=True), or find the user in the "
    "getter"
)


@contextmanager
def _request(router: Any, environ: WSGIEnvironment) -> Generator[Any]:
    """Make the application's request from `environ`, and call its finished callbacks at the end.

    The router does this after each response; callbacks may return database connections.
    """
    with router.request_context({**environ}) as request:  # a copy: WebOb adds to it
        try:
            with explain_missing_hooks(type(cast("object", request)), _NO_HOOKS):
                yield request
        finally:
            while request.finished_callbacks:
                request.finished_callbacks.popleft()(request)


@contextmanager
def _transaction(request: Any, *, keep: bool = False) -> Generator[None]:
    """Begin a transaction as pyramid_tm's tween does; commit it if `keep`, or else abort it.

    Database sessions then return their connections.
    """
    manager = None if "repoze.tm.active" in request.environ else getattr(request, "tm", None)
    if manager is None:
        yield
    elif keep:
        with manager:  # commits, or aborts after an error
            yield
    else:
        manager.begin()
        try:
            yield
        finally:
            manager.abort()
