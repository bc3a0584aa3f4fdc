from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware

from sso_middleware import HelpDesk, Logout
from sso_middleware.asgi import SSOMiddleware
from sso_middleware.resolvers.starlette import end_session, session_email

desk = HelpDesk.from_env()
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
            # For session["user"] = {"email": ..., "email_verified": ...}.
            resolve_email=session_email("user", "email", verified="email_verified"),
            login_url="/login",  # your login page
            logout=Logout(end_session()),
        ),
    ],
)
