"""The middleware for WSGI applications: Flask, Django, Pyramid, Bottle (PEP 3333)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any, TypeAlias
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from werkzeug.datastructures import Headers
from werkzeug.wrappers import Response

from sso_middleware._calls import Call, Check, app_problem, is_async, run, without_loop
from sso_middleware._environ import cgi_names, headers_in, native, text_of
from sso_middleware._secret import Secret
from sso_middleware._urls import mount_prefix
from sso_middleware.events import EventHook
from sso_middleware.gate import HEADERS, Answer, Gate, Visit, answer_in_route
from sso_middleware.helpdesk import HelpDesk
from sso_middleware.logout import Logout

__all__ = ["EmailResolver", "HelpDeskChooser", "SSOMiddleware", "handoff_response"]

EmailResolver: TypeAlias = Callable[[WSGIEnvironment], str | None]
"""Takes the environ and returns the visitor's email address, or `None` for an anonymous visitor."""

HelpDeskChooser: TypeAlias = Callable[[WSGIEnvironment, str], HelpDesk]
"""Takes the environ and the visitor's address and returns the HelpDesk to hand off to."""

_HEADERS = cgi_names(HEADERS)
_STATUS = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


class SSOMiddleware:
    """WSGI middleware that answers the intercepted paths with a signed redirect to the Help Desk.

    Every other request goes to `app` with the same environ.

    Args:
        app: the WSGI application.
        helpdesk: the HelpDesk, or a callable ``(environ, email) -> HelpDesk``.
        resolve_email: ``(environ) -> str | None``: the visitor's address, `None` if anonymous. It may
            raise `HandoffRefused` (403) or `ResolverUnavailable` (503); anything else propagates.
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
        app: WSGIApplication,
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
        callables = {
            "helpdesk": helpdesk,
            "resolve_email": resolve_email,
            "logout": logout.end_session if isinstance(logout, Logout) else None,
        }
        also_wrong: dict[str, str] = {
            name: "must not be async under WSGI (sso_middleware.asgi is for ASGI applications)"
            for name, function in callables.items()
            if is_async(function)
        }
        if problem := app_problem(app, "wsgi"):
            also_wrong["app"] = problem
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
            also_wrong=also_wrong,
        )
        self._tails = self.gate.interception.tails(native)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer an intercepted path, or pass the request to the application (PEP 3333)."""
        try:  # faster than get()
            may_hit = environ["PATH_INFO"] in self._tails
        except KeyError:  # it may be absent if it is empty (PEP 3333)
            may_hit = "" in self._tails
        if may_hit:
            answer = self._answer(environ)
            if answer is not None:
                start_response(_STATUS[answer.status], answer.headers)
                return [answer.body]
        return self.app(environ, start_response)

    def _answer(self, environ: WSGIEnvironment) -> Answer | None:
        prefix, path = _where(environ)
        handler = self.gate.find(prefix, path)
        return run(handler(_visit_of(environ, prefix, path))) if handler else None


def handoff_response(
    environ: WSGIEnvironment,
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
        environ: the WSGI environ of the request: ``request.environ``.
        helpdesk: the HelpDesk.
        email: the verified address of the signed-in user; "" if the user has none.
        claims: extra claims for the token, JSON values by name.
        on_event: called with the `SSOEvent`; must be sync and not block.

    Raises:
        ConfigError: a parameter is wrong.
        ResolverError: `email` is not a `str`.
    """
    visit, address, further = _visit_of(environ, *_where(environ)), Secret(email), Secret(claims)
    del email, claims  # keep out of tracebacks
    answer = answer_in_route(visit, helpdesk, address, claims=further, on_event=on_event)
    return Response(answer.body, answer.status, Headers(answer.headers))


def _where(environ: WSGIEnvironment) -> tuple[str, str]:
    return mount_prefix(text_of(environ.get("SCRIPT_NAME", ""))), text_of(environ.get("PATH_INFO", ""))


def _visit_of(environ: WSGIEnvironment, prefix: str, path: str) -> Visit:
    query, headers = environ.get("QUERY_STRING", ""), headers_in(environ, _HEADERS)
    return Visit(environ, environ["REQUEST_METHOD"], prefix, path, query, headers)


def _wrap(function: Callable[..., Any], check: Check) -> Call:
    return without_loop(function, check, "an async callable cannot be awaited under WSGI: use a sync one")
