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
