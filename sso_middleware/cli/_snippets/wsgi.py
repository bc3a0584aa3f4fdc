from werkzeug.http import parse_cookie

from sso_middleware import HandoffRefused, HelpDesk, Logout, expire_cookies
from sso_middleware.wsgi import SSOMiddleware


def resolve_email(environ):
    session_id = parse_cookie(environ).get("session")  # the name of your session cookie
    user = find_user(session_id) if session_id else None  # your session lookup
    if user is None:
        return None  # not signed in
    if not user.email_verified:
        raise HandoffRefused("email_not_verified")
    return user.email


application = SSOMiddleware(
    application,
    HelpDesk.from_env(),
    resolve_email,
    login_url="/login",  # your login page
    # Enough if the cookie holds the whole session. Otherwise, end the session on the server too.
    logout=Logout(expire_cookies("session")),
)
