"""Starlette, FastAPI and plain ASGI: what users write, and what a type checker has to refuse."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, assert_type

from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from sso_middleware import HelpDesk, Logout, SSOEvent
from sso_middleware.asgi import EmailResolver, HelpDeskChooser, SSOMiddleware
from sso_middleware.resolvers.starlette import end_session, session_email, user_email

desk = HelpDesk.from_env()


async def app(scope: Scope, receive: Receive, send: Send) -> None: ...


async def resolve_email(scope: Scope) -> str | None:
    return None


def resolve_in_thread(scope: Scope) -> str | None:
    return None


async def choose(scope: Scope, email: str) -> HelpDesk:
    return desk


def on_event(event: SSOEvent) -> None: ...


chooser: HelpDeskChooser = choose
resolvers: list[EmailResolver] = [resolve_email, resolve_in_thread]

protected: ASGIApp = SSOMiddleware(app, desk, resolve_email)
SSOMiddleware(app, desk, resolve_in_thread, login_url="/login", on_event=on_event)
SSOMiddleware(Starlette(), choose, session_email("user", "email", verified="email_verified"), paths="/sso")
SSOMiddleware(FastAPI(), desk, user_email(verified=lambda user: user.verified), logout=Logout(end_session()))
Starlette(middleware=[Middleware(SSOMiddleware, helpdesk=desk, resolve_email=resolve_email)])
FastAPI().add_middleware(SSOMiddleware, helpdesk=desk, resolve_email=resolve_email)
assert_type(user_email("mail", verified=True), Callable[[Scope], Awaitable[str | None]])


async def resolve_number(scope: Scope) -> int:
    return 1


def wsgi_app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    return []


SSOMiddleware(app, desk)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
SSOMiddleware(app, desk, resolve_number)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
SSOMiddleware(wsgi_app, desk, resolve_email)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
SSOMiddleware(app, desk, resolve_email, login=None)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
Middleware(SSOMiddleware, desk)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
session_email("email")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
session_email("email", verified=False)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
user_email(verified=None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Logout(end_session)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
