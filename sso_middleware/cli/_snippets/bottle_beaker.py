from beaker.middleware import SessionMiddleware

from sso_middleware import HelpDesk, Logout
from sso_middleware.resolvers.bottle import beaker_session_email, end_beaker_session
from sso_middleware.wsgi import SSOMiddleware

desk = HelpDesk.from_env()
# Serve `application`: bottle.run(app=application), or name it to your server.
application = SSOMiddleware(
    app,
    desk,
    # For session["user"] = {"email": ..., "email_verified": ...}, where
    # session = request.environ["beaker.session"].
    beaker_session_email("user", "email", verified="email_verified"),
    login_url="/login",  # your login page
    logout=Logout(end_beaker_session()),
)
# Wrapped around last is outermost: move yours here, if you have one already.
# SECRET: that of your sessions, 32 characters or more.
application = SessionMiddleware(
    application,
    {
        "session.type": "memory",  # with several workers, one that they share
        "session.key": "session",
        "session.secret": SECRET,
        "session.httponly": True,
        "session.samesite": "Lax",
        "session.secure": desk.auth_url.startswith("https:"),
    },
)
