"""The lines that `sso-middleware init` prints for frameworks that speak ASGI."""

from __future__ import annotations

QUART = """\
from quart import session

from sso_middleware import HelpDesk, Logout
from sso_middleware.asgi import SSOMiddleware
from sso_middleware.resolvers.quart import context_email, end_session

desk = HelpDesk.from_env()
app.config["SESSION_COOKIE_SAMESITE"] = "Lax"
app.config["SESSION_COOKIE_SECURE"] = desk.auth_url.startswith("https:")
app.asgi_app = SSOMiddleware(
    app.asgi_app,
    desk,
    # For session["user"] = {"email": ..., "email_verified": ...}.
    context_email(app, lambda: session.get("user"), verified="email_verified"),
    login_url="/login",  # your login page
    logout=Logout(end_session(app)),
)
"""

_WITH_STARLETTE_SESSION = """\
from starlette.middleware.sessions import SessionMiddleware

from sso_middleware import HelpDesk, Logout
from sso_middleware.asgi import SSOMiddleware
from sso_middleware.resolvers.starlette import end_session, session_email

desk = HelpDesk.from_env()
"""

STARLETTE = f"""\
from starlette.applications import Starlette
from starlette.middleware import Middleware
{_WITH_STARLETTE_SESSION}
# routes: yours.
# SECRET: that of your sessions, 32 characters or more.
app = Starlette(
    routes=routes,
    middleware=[
        # The first of the list is outermost; yours, if you have one already.
        Middleware(SessionMiddleware, secret_key=SECRET, https_only=desk.auth_url.startswith("https:")),
        Middleware(
            SSOMiddleware,
            helpdesk=desk,
            # For session["user"] = {{"email": ..., "email_verified": ...}}.
            resolve_email=session_email("user", "email", verified="email_verified"),
            login_url="/login",  # your login page
            logout=Logout(end_session()),
        ),
    ],
)
"""

FASTAPI = f"""\
{_WITH_STARLETTE_SESSION}
app.add_middleware(
    SSOMiddleware,
    helpdesk=desk,
    # For session["user"] = {{"email": ..., "email_verified": ...}}.
    resolve_email=session_email("user", "email", verified="email_verified"),
    login_url="/login",  # your login page
    logout=Logout(end_session()),
)
# Added last is outermost: move yours here, if you have one already.
# SECRET: that of your sessions, 32 characters or more.
app.add_middleware(SessionMiddleware, secret_key=SECRET, https_only=desk.auth_url.startswith("https:"))
"""
