"""The middleware for ``MIDDLEWARE``: it translates between Django's requests and the gate."""

# Django comes without type information.
# mypy: disable-error-code="import-untyped"
# pyright: reportMissingTypeStubs=false, reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false
# Before Python 3.12, only asgiref's iscoroutinefunction recognises its own mark.
# pyright: reportDeprecated=false

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from asgiref.sync import async_to_sync, iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.core.exceptions import SynchronousOnlyOperation
from django.http import HttpResponse

from sso_middleware._calls import Arguments, Call, Check, from_loop, is_async, is_awaitable, run
from sso_middleware._secret import Secret
from sso_middleware.django.order import read_order
from sso_middleware.django.settings import read_setting
from sso_middleware.django.translation import response_of, visit_of
from sso_middleware.django.users import Request
from sso_middleware.errors import MiddlewareOrderError
from sso_middleware.events import EventHook
from sso_middleware.gate import Gate, Handler, Visit, answer_in_route
from sso_middleware.helpdesk import HelpDesk

__all__ = ["SSOMiddleware", "handoff_response"]

_SYNC_IN_ASYNC = (
    "An async callable in HELPDESK_SSO uses sync Django code, such as request.user. Write it as a plain def: "
    "it then runs in a thread, where Django runs sync code."
)


class SSOMiddleware:
    """Django middleware that answers the intercepted paths with a signed redirect to the Help Desk.

    All other requests pass through unchanged. The setting ``HELPDESK_SSO`` is a dict of

    * the fields of a `HelpDesk`; or ``helpdesk``: a HelpDesk, or a callable ``(request, email) ->
      HelpDesk``; or neither, to call ``HelpDesk.from_env()`` when the middleware is created;
    * ``verified``, for the default resolver, which reads ``request.user``: the name of an attribute of the
      user, or a predicate of the user, such as ``"sso_middleware.resolvers.django.allauth_verified"``; or
      `True`, if your sign-up and every change of an address verify it;
    * or ``resolve_email``: ``(request) -> str | None``, instead of the default resolver;
    * ``paths``, ``next_param``, ``resume_at`` and ``on_event``, as for the other middlewares;
    * ``login_url``: as for those, or the name of a URL pattern; default: the setting ``LOGIN_URL``;
    * ``logout``: `True` (log out at the Logout URL); or a dict of `Logout`'s parameters, where ``then``
      defaults to ``LOGOUT_REDIRECT_URL``, or ``/`` if that is not set; or a Logout, used unchanged.

    Callables take the ``HttpRequest``, may be sync or async, and may be written as a dotted path. Under
    ASGI, sync ones run where Django runs sync code (`asgiref.sync.sync_to_async`).

    Args:
        get_response: the rest of Django.

    Raises:
        ConfigError: a setting is wrong; the error lists all of them.
        MiddlewareOrderError: session or authentication comes after this one in ``MIDDLEWARE``.
    """

    sync_capable: bool = True
    async_capable: bool = True

    def __init__(self, get_response: Callable[[Request], Any]) -> None:
        self.get_response = get_response
        self._is_async: bool = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)
        if problem := read_order(SSOMiddleware).problem:
            raise MiddlewareOrderError(problem)
        self.gate: Gate = make_gate(is_async=self._is_async)
        self._tails = self.gate.interception.tails()

    def __call__(self, request: Request) -> Any:
        """Answer an intercepted path, or pass the request on; under ASGI, return an awaitable."""
        if self._is_async:
            return self.__acall__(request)
        if self._may_hit(request.path_info):
            handler, visit = self._find(request)
            answer = run(handler(visit)) if handler else None
            if answer is not None:
                return response_of(answer)
        return self.get_response(request)

    async def __acall__(self, request: Request) -> Any:
        """Do the same as `__call__`, on the event loop."""
        if self._may_hit(request.path_info):
            handler, visit = self._find(request)
            answer = await handler(visit) if handler else None
            if answer is not None:
                return response_of(answer)
        return await self.get_response(request)

    def _may_hit(self, path: str) -> bool:
        # Django may have cut it inside a segment: see visit_of
        return path in self._tails or not path.startswith("/")

    def _find(self, request: Request) -> tuple[Handler | None, Visit]:
        visit = visit_of(request)
        return self.gate.find(visit.prefix, visit.path), visit


def handoff_response(
    request: Request,
    helpdesk: HelpDesk,
    email: str,
    *,
    claims: Mapping[str, Any] | None = None,
    on_event: EventHook | None = None,
) -> HttpResponse:
    """Hand off a signed-in user from your own view, sync or async, as the middleware does.

    Prefetches, scripts, WebSocket handshakes and HEAD get no token; loops are broken; an address that may
    not be signed gets an error page; the event is reported; `forward_params` are passed on.

    Args:
        request: the ``HttpRequest``.
        helpdesk: the HelpDesk.
        email: the verified address of the signed-in user; "" if the user has none.
        claims: extra claims for the token, JSON values by name.
        on_event: called with the `SSOEvent`; must be sync and not block.

    Raises:
        ConfigError: a parameter is wrong.
        ResolverError: `email` is not a `str`.
    """
    address, further = Secret(email), Secret(claims)
    del email, claims  # keep out of tracebacks
    return response_of(
        answer_in_route(visit_of(request), helpdesk, address, claims=further, on_event=on_event)
    )


SSOMiddleware.__module__ = "sso_middleware.django"  # the name used in MIDDLEWARE and by `read_order`


def make_gate(*, is_async: bool) -> Gate:
    """Return the gate that ``HELPDESK_SSO`` describes.

    Raises:
        ConfigError: a setting is wrong; the error lists all of them.
    """
    return Gate(**read_setting(), wrap=_wrap_async if is_async else _wrap)


def _wrap(function: Callable[..., Any], check: Check) -> Call:
    async def call(arguments: Arguments) -> Any:
        returned = Secret(function(*arguments()))
        if is_awaitable(returned()):
            returned = Secret(async_to_sync(_wait)(returned()))
        return check(returned)

    return call


def _wrap_async(function: Callable[..., Any], check: Check) -> Call:
    call = from_loop(function, check, _in_thread, _is_async)

    async def call_with_advice(arguments: Arguments) -> Any:
        try:
            return await call(arguments)
        except SynchronousOnlyOperation as error:
            error.add_note(_SYNC_IN_ASYNC)
            raise

    return call_with_advice


def _is_async(function: object) -> bool:
    return is_async(function) or iscoroutinefunction(function)  # Django's functions may have asgiref's mark


async def _in_thread(function: Callable[..., Any], *args: Any) -> Any:
    return await sync_to_async(function)(*args)


async def _wait(awaitable: Any) -> Any:
    return await awaitable
