"""Flask: what users write, and what a type checker has to refuse."""

from __future__ import annotations

from flask import Flask, session

from sso_middleware import HelpDesk, Logout
from sso_middleware.resolvers.flask import context_email, end_session, login_user_email, session_email
from sso_middleware.wsgi import SSOMiddleware

desk = HelpDesk.from_env()
app = Flask(__name__)


def current_email() -> str | None:
    return session.get("email")


app.wsgi_app = SSOMiddleware(  # type: ignore[method-assign]
    app.wsgi_app,
    desk,
    session_email(app, "user", "email", verified="email_verified"),
    login_url="/login",
    logout=Logout(end_session(app)),
)
SSOMiddleware(app, desk, context_email(app, current_email, verified=True))
SSOMiddleware(app, desk, login_user_email(app, "mail", verified=lambda user: user.confirmed_at is not None))

session_email(app, "email")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
session_email("email", verified=True)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
context_email(app, "email", verified=True)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
login_user_email(app, verified=False)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Logout(end_session)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
end_session()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
