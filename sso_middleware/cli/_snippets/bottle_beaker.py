from beaker.middleware import SessionMiddleware

from sso_middleware import HelpDesk, Logout
from sso_middleware.resolvers.bottle import beaker_session_email, end_beaker_session
from sso_middleware.wsgi import SSOMiddleware

desk = HelpDesk.from_env()
# Serve `application`: bottle.run(app=application), or pass it to your server.
application = SSOMiddleware(
    app,
    desk,
    # For session["user"] = {"email": ..., "email_verified": ...}, where
    # session = request.environ["beaker.session"].
    beaker_session_email("user", "email", verified="email_verified"),
    login_url="/login",  # your login page
    logout=Logout(end_beaker_session()),
)
# The last wrapper is outermost. If you already have a SessionMiddleware, move it here.
# SECRET: the secret of your sessions, at least 32 characters.
application = SessionMiddleware(
    application,
    {
        "session.type": "memory",  # with several workers, a shared store
        "session.key": "session",
        "session.secret": SECRET,
        "session.httponly": True,
        "session.samesite": "Lax",
        "session.secure": desk.auth_url.startswith("https:"),
    },
)
