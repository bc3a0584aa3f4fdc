from sso_middleware import HelpDesk, Logout
from sso_middleware.resolvers.flask import end_session, login_user_email
from sso_middleware.wsgi import SSOMiddleware

desk = HelpDesk.from_env()
app.config.update(
    SESSION_COOKIE_SAMESITE="Lax",
    SESSION_COOKIE_SECURE=desk.auth_url.startswith("https:"),
    REMEMBER_COOKIE_SAMESITE="Lax",
    REMEMBER_COOKIE_SECURE=desk.auth_url.startswith("https:"),
)
app.wsgi_app = SSOMiddleware(
    app.wsgi_app,
    desk,
    # For a user_loader whose users have "email" and "email_verified".
    login_user_email(app, verified="email_verified"),
    login_url="/login",  # your login page, the same as login_manager.login_view
    logout=Logout(end_session(app)),
)
