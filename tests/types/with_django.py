"""Django, which has no types of its own: what users write, and what a type checker has to refuse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sso_middleware import HelpDesk, Logout, asgi, wsgi
from sso_middleware.django import SSOMiddleware, end_session
from sso_middleware.resolvers import django as resolvers


def get_response(request: Any) -> Any:
    return None


def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    return []


async def asgi_application(scope: Any, receive: Any, send: Any) -> None: ...


def is_verified(user: Any) -> bool:
    return True


HELPDESK_SSO: Mapping[str, object] = {
    "helpdesk": HelpDesk.from_env(),
    "verified": resolvers.allauth_verified,
    "logout": Logout(end_session),
}
SSOMiddleware(get_response)
wsgi.SSOMiddleware(application, HelpDesk.from_env(), resolvers.user_email(verified=is_verified))
asgi.SSOMiddleware(
    asgi_application,
    HelpDesk.from_env(),
    resolvers.user_email_async("mail", verified="is_verified"),
    logout=Logout(resolvers.end_session()),
)

SSOMiddleware()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
SSOMiddleware("get_response")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
resolvers.user_email()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
resolvers.user_email(verified=False)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
wsgi.SSOMiddleware(application, HelpDesk.from_env(), resolvers.user_email_async(verified=True))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
