from starlette.middleware.sessions import SessionMiddleware

from sso_middleware import HelpDesk, Logout
from sso_middleware.asgi import SSOMiddleware
from sso_middleware.resolvers.starlette import end_session, session_email

desk = HelpDesk.from_env()

app.add_middleware(
    SSOMiddleware,
    helpdesk=desk,
    # For session["user"] = {"email": ..., "email_verified": ...}.
    resolve_email=session_email("user", "email", verified="email_verified"),
    login_url="/login",  # your login page
    logout=Logout(end_session()),
)
# The middleware added last is outermost. If you already have a SessionMiddleware, move it here.
# SECRET: the secret of your sessions, at least 32 characters.
app.add_middleware(SessionMiddleware, secret_key=SECRET, https_only=desk.auth_url.startswith("https:"))
