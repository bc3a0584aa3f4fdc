"""For Pyramid: who is signed in, asked of the application from outside.

The resolver sees the session and the security policy, and not what the application decides later: its tweens
and ``NewRequest`` subscribers do not run. If one of these ends a session or chooses another user, do the same
in the getter, or return `sso_middleware.wsgi.handoff_response` from a view.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, TypeAlias
from wsgiref.types import WSGIEnvironment

from pyramid.router import (  # type: ignore[import-untyped]
    Router,  # pyright: ignore[reportMissingTypeStubs]
)

from sso_middleware.resolvers.headers import require_environ
from sso_middleware.resolvers.verification import Verified, check_settings, email_from, getter_problem

__all__ = ["request_email"]

EmailResolver: TypeAlias = Callable[[WSGIEnvironment], str | None]


_NO_ROUTER = (
    "must be what config.make_wsgi_app() returns, before any filter (by INI file: use = "
    "egg:sso-middleware#with_app, the last filter before the application)"
)


def request_email(router: Any, getter: Callable[[Any], Any], *, verified: Verified) -> EmailResolver:
    """Ask `getter` for the visitor within a request of the application.

    ``request_email(app, lambda request: request.identity, verified="email_verified")``, where the
    security policy's identity has an ``email``. Sessions, the security policy and request methods
    work as in a view. Tweens do not run, except that where pyramid_tm is, `getter` is within a
    transaction of ``request.tm``, which is aborted in the end. Without a security policy Pyramid's
    ``request.identity`` is `None` for everybody.

    Args:
        router: what ``config.make_wsgi_app()`` returns, before any filter is put around it.
        getter: ``(request) -> user``, sync: an object or mapping with an ``email``, or the address itself;
            `None` if nobody is signed in, or a user whose ``is_authenticated`` says so.
        verified: see `Verified`; the name or predicate is that of what `getter` returns.

    Raises:
        ConfigError: naming every wrong setting at once.
    """
    is_router = isinstance(router, Router)
    check_settings(
        verified,
        router=None if is_router else _NO_ROUTER,
        getter=getter_problem(getter, "(request) -> user"),
    )

    def resolve(environ: WSGIEnvironment) -> str | None:
        require_environ(environ, "pyramid.request_email")
        with router.request_context({**environ}) as request:  # a copy: WebOb leaves notes in it
            try:
                with _transaction(request):
                    return email_from(getter(request), verified)
            finally:
                # They are the router's to call after a response; database connections hang on them.
                while request.finished_callbacks:
                    request.finished_callbacks.popleft()(request)

    return resolve


@contextmanager
def _transaction(request: Any) -> Generator[None]:
    """Begin and abort what pyramid_tm's tween would: database sessions return their connections with it."""
    manager = None if "repoze.tm.active" in request.environ else getattr(request, "tm", None)
    if manager is None:
        yield
        return
    manager.begin()
    try:
        yield
    finally:
        manager.abort()
