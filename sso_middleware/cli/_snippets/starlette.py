from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware

from sso_middleware import HelpDesk, Logout
from sso_middleware.asgi import SSOMiddleware
from sso_middleware.resolvers.starlette import end_session, session_email

desk = HelpDesk.from_env()
# routes: your routes.
# SECRET: the secret of your sessions, at least 32 characters.
app = Starlette(
    routes=routes,
    middleware=[
        # The first is outermost. If you already have a SessionMiddleware, put it here.
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
