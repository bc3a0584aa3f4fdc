"""Bottle, without types of its own: what users write, and what a type checker has to refuse."""

# mypy: disable-error-code="import-untyped"
# pyright: reportMissingTypeStubs=false, reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from typing import Any

import bottle

from sso_middleware import HelpDesk, Logout, expire_cookies
from sso_middleware.resolvers.bottle import beaker_session_email, end_beaker_session, signed_cookie_email
from sso_middleware.wsgi import SSOMiddleware

app: Any = bottle.Bottle()
desk = HelpDesk.from_env()

SSOMiddleware(app, desk, signed_cookie_email("account", "a secret", verified=True))
SSOMiddleware(app, desk, signed_cookie_email("account", b"a secret", verified=True))
SSOMiddleware(
    app,
    desk,
    beaker_session_email("user", "email", verified="email_verified"),
    logout=Logout(end_beaker_session()),
)
Logout(expire_cookies("account"))

signed_cookie_email("account", "a secret")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
signed_cookie_email("account", verified=True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
signed_cookie_email("account", 1, verified=True)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
beaker_session_email("email")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
beaker_session_email(1, verified=True)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Logout(end_beaker_session)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Logout(expire_cookies)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
