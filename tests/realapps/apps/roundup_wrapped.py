from http.cookies import SimpleCookie

from roundup_site import COOKIE, app, opened

from sso_middleware import HelpDesk, Logout, expire_cookies
from sso_middleware.wsgi import SSOMiddleware


# <recipe>
def session_id(environ):
    cookie = SimpleCookie(environ.get("HTTP_COOKIE", "")).get(COOKIE)
    return cookie.value if cookie else ""


def resolve_email(environ):
    with opened() as db:  # tracker.open("admin"), and db.close() in the end
        name = db.getSessionManager().get(session_id(environ), "user", None)
        return db.user.get(db.user.lookup(name), "address") if name else None


def end_session(environ):
    with opened() as db:
        db.getSessionManager().destroy(session_id(environ))
        db.commit()
    return expire_cookies(COOKIE, path=f"{environ['SCRIPT_NAME']}/")(environ)


application = SSOMiddleware(
    app, HelpDesk.from_env(), resolve_email, login_url="/", resume_at="/", logout=Logout(end_session)
)
# </recipe>
