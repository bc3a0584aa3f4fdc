"""The middleware for ASGI applications: Starlette, FastAPI, Django, Quart, Litestar (ASGI 3.0)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, TypeAlias, cast

from starlette.responses import Response
from starlette.types import Scope

from sso_middleware._calls import Call, Check, app_problem, from_loop
from sso_middleware._secret import Secret
from sso_middleware._threads import in_thread
from sso_middleware._urls import split_mount
from sso_middleware.events import EventHook
from sso_middleware.gate import HEADERS, Answer, Gate, Visit, answer_in_route
from sso_middleware.helpdesk import HelpDesk
from sso_middleware.logout import Logout

__all__ = ["Application", "EmailResolver", "HelpDeskChooser", "SSOMiddleware", "handoff_response"]

Application: TypeAlias = Callable[[Any, Any, Any], Awaitable[Any]]
"""An ASGI application: each framework types scope, receive and send in its own way."""

EmailResolver: TypeAlias = Callable[[Scope], str | Awaitable[str | None] | None]
"""Takes the scope and returns the visitor's email address, or `None` for an anonymous visitor."""

HelpDeskChooser: TypeAlias = Callable[[Scope, str], HelpDesk | Awaitable[HelpDesk]]
"""Takes the scope and the visitor's address and returns the HelpDesk to hand off to."""

_HEADERS = {name.lower().encode(): name for name in HEADERS}


class SSOMiddleware:
    """ASGI middleware that answers the intercepted paths with a signed redirect to the Help Desk.

    Every other request, ``websocket`` and ``lifespan`` go to `app` with the same scope, receive and
    send. A callable that is a coroutine function, or an object whose ``__call__`` is one, is awaited
    on the event loop; any other runs in a worker thread, with the context variables.

    Args:
        app: the ASGI application.
        helpdesk: the HelpDesk, or a callable ``(scope, email) -> HelpDesk``, sync or async.
        resolve_email: ``(scope) -> str | None``, sync or async: the visitor's address, `None` if
            anonymous. It may raise `HandoffRefused` (403) or `ResolverUnavailable` (503); anything
            else propagates.
        paths: the intercepted paths, app-relative and decoded: one str, or several. Default: the
            path of `auth_url`, as the browser sees it. Required if `helpdesk` is a callable.
        login_url: where anonymous visitors are sent: app-relative, or an absolute http(s) URL. `None`:
            the application's own route at the intercepted path answers.
        next_param: the query parameter that tells `login_url` where to return to.
        resume_at: the app-relative path or paths where your login lands if it ignores `next_param`,
            such as ``/``. From there, visitors who were sent to the login continue to the Auth URL.
        logout: also answer the Logout URL.
        on_event: called with each `SSOEvent`; must be sync and not block.

    Raises:
        ConfigError: a setting is wrong; the error lists all of them.
    """

    def __init__(
        self,
        app: Application,
        helpdesk: HelpDesk | HelpDeskChooser,
        resolve_email: EmailResolver,
        *,
        paths: str | Iterable[str] | None = None,
        login_url: str | None = None,
        next_param: str = "next",
        resume_at: str | Iterable[str] | None = None,
        logout: Logout | None = None,
        on_event: EventHook | None = None,
    ) -> None:
        problem = app_problem(app, "asgi")
        self.app = app
        self.gate: Gate = Gate(
            helpdesk,
            resolve_email,
            paths=paths,
            login_url=login_url,
            next_param=next_param,
            resume_at=resume_at,
            logout=logout,
            on_event=on_event,
            wrap=_wrap,
            also_wrong={"app": problem} if problem else {},
        )
        self._paths = self.gate.interception.tails() | self.gate.interception.prefixed()
        self._relative = tuple(self.gate.interception.relative)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> Any:
        """Answer an intercepted path, or pass the request to the application (ASGI HTTP spec)."""
        try:  # faster than get(), or checking the type first
            path = scope["path"]
            # Under a mount, some servers include the prefix in the path.
            may_hit = path in self._paths or (self._relative and path.endswith(self._relative))
        except (KeyError, TypeError, AttributeError):  # not HTTP: path may be missing, or anything
            may_hit = False
        if may_hit and scope["type"] == "http":
            answer = await self._answer(scope)
            if answer is not None:
                return await _response_of(answer)(scope, receive, send)
        return await self.app(scope, receive, send)

    async def _answer(self, scope: Scope) -> Answer | None:
        prefix, path = _where(scope)
        handler = self.gate.find(prefix, path)
        return await handler(_visit_of(scope, prefix, path)) if handler else None


def handoff_response(
    scope: Scope,
    helpdesk: HelpDesk,
    email: str,
    *,
    claims: Mapping[str, Any] | None = None,
    on_event: EventHook | None = None,
) -> Response:
    """Hand off a signed-in user from your own route, as the middleware does.

    Prefetches, scripts, WebSocket handshakes and HEAD get no token; loops are broken; an address that may
    not be signed gets an error page; the event is reported; `forward_params` are passed on.

    Args:
        scope: the ASGI scope of the request: ``request.scope``.
        helpdesk: the HelpDesk.
        email: the verified address of the signed-in user; "" if the user has none.
        claims: extra claims for the token, JSON values by name.
        on_event: called with the `SSOEvent`; must be sync and not block.

    Raises:
        ConfigError: a parameter is wrong.
        ResolverError: `email` is not a `str`.
    """
    visit, address, further = _visit_of(scope, *_where(scope)), Secret(email), Secret(claims)
    del email, claims  # keep out of tracebacks
    return _response_of(answer_in_route(visit, helpdesk, address, claims=further, on_event=on_event))


def _where(scope: Scope) -> tuple[str, str]:
    return split_mount(scope.get("root_path") or "", scope["path"])


def _visit_of(scope: Scope, prefix: str, path: str) -> Visit:
    query = scope.get("query_string", b"").decode("latin-1")
    return Visit(scope, scope["method"], prefix, path, query, _headers_in(scope))


def _headers_in(scope: Scope) -> dict[str, str]:
    found: dict[str, str] = {}
    headers: Any = scope["headers"]
    if not isinstance(headers, list):  # ASGI allows any iterable, which others may not be able to read again
        headers = scope["headers"] = [*headers]
    for raw, value in cast("list[tuple[bytes, bytes]]", headers):
        if name := _HEADERS.get(raw.lower()):  # the spec requires lower case; not every server complies
            text = value.decode("latin-1")
            found[name] = f"{found[name]},{text}" if name in found else text
    return found


def _response_of(answer: Answer) -> Response:
    response = Response(answer.body, answer.status)
    response.raw_headers = [
        (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers
    ]
    return response


def _wrap(function: Callable[..., Any], check: Check) -> Call:
    return from_loop(function, check, in_thread)
