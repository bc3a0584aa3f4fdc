"""For Quart: who is signed in, asked of the application from outside.

The resolver sees the session, and not what the application decides later: its ``before_request`` functions
do not run. If one of these ends a session, asks for a second factor or chooses another user, await
``app.preprocess_request()`` in the getter, which runs them, or return
`sso_middleware.asgi.handoff_response` from a view.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from quart import Quart
from werkzeug.datastructures import Headers

from sso_middleware.callables import is_awaitable
from sso_middleware.resolvers.verification import Verified, check_settings, email_from

__all__ = ["context_email"]

EmailResolver: TypeAlias = Callable[[dict[str, Any]], Awaitable[str | None]]


def context_email(app: Quart, getter: Callable[[], Any], *, verified: Verified) -> EmailResolver:
    """Ask `getter` for the visitor within a request context of the application.

    ``context_email(app, lambda: session.get("user"), verified="email_verified")``, with
    ``quart.session``. The resolver is for ``app.asgi_app = SSOMiddleware(app.asgi_app, ...)``.

    Args:
        app: the Quart application.
        getter: ``() -> user``, sync or async: an object or mapping with an ``email``, or the address
            itself; `None` if nobody is signed in, or a user whose ``is_authenticated`` says so
            (Quart-Auth's ``current_user``: await its ``is_authenticated`` first). ``quart.request``,
            ``session`` and ``g`` are those of the visitor. It runs on the event loop.
        verified: see `Verified`; the name or predicate is that of what `getter` returns.

    Raises:
        ConfigError: naming every wrong setting at once.
    """
    check_settings(
        verified,
        app=None if isinstance(app, Quart) else "must be the Quart application itself, not its asgi_app",
        getter=None if callable(getter) else "must be a callable () -> user",
    )

    async def resolve(scope: dict[str, Any]) -> str | None:
        context = app.request_context(_request(app, scope))
        # Not `async with`: that stays behind, with a database connection perhaps, if the session cannot be
        # opened, and after an error under PRESERVE_CONTEXT_ON_EXCEPTION.
        try:
            await context.push()
            user = getter()
            return email_from(await user if is_awaitable(user) else user, verified)
        finally:
            await context.pop()

    return resolve


def _request(app: Quart, scope: Any) -> Any:
    """Make the request that Quart itself would make of `scope`; its body is empty."""
    root_path, path = scope.get("root_path", ""), scope["path"]
    if root_path and path.startswith(f"{root_path}/"):
        path = path[len(root_path) :]
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
    """Take a server push of HTTP/2, which belongs to a response that is never sent."""
