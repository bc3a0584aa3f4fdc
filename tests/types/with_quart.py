"""Quart: what users write, and what a type checker has to refuse."""

from __future__ import annotations

from quart import Quart, session

from sso_middleware import HelpDesk, Logout
from sso_middleware.asgi import SSOMiddleware
from sso_middleware.resolvers.quart import context_email, end_session
from sso_middleware.wsgi import SSOMiddleware as WSGIMiddleware

desk = HelpDesk.from_env()
app = Quart(__name__)


def current_email() -> str | None:
    return session.get("email")


async def current_email_async() -> str | None:
    return session.get("email")


app.asgi_app = SSOMiddleware(  # type: ignore[method-assign]
    app.asgi_app,
    desk,
    context_email(app, current_email, verified=True),
    logout=Logout(end_session(app)),
)
SSOMiddleware(app, desk, context_email(app, current_email_async, verified="email_verified"))

context_email(app, current_email)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
context_email(app, "email", verified=True)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
context_email(current_email, app, verified=True)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
end_session("app")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
WSGIMiddleware(app, desk, context_email(app, current_email, verified=True))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
