from sso_middleware import HelpDesk, Logout
from sso_middleware.resolvers.flask import end_session, session_email
from sso_middleware.wsgi import SSOMiddleware

desk = HelpDesk.from_env()
app.config["SESSION_COOKIE_SAMESITE"] = "Lax"
app.config["SESSION_COOKIE_SECURE"] = desk.auth_url.startswith("https:")
app.wsgi_app = SSOMiddleware(
    app.wsgi_app,
    desk,
    # For session["user"] = {"email": ..., "email_verified": ...}.
    session_email(app, "user", "email", verified="email_verified"),
    login_url="/login",  # your login page
    # Deletes the session on the server: call Session(app) above.
    logout=Logout(end_session(app)),
)
