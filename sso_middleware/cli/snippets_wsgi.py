"""The lines that `sso-middleware init` prints for Django and for frameworks that speak WSGI."""

from __future__ import annotations

WSGI = """\
from werkzeug.http import parse_cookie

from sso_middleware import HandoffRefused, HelpDesk, Logout, expire_cookies
from sso_middleware.wsgi import SSOMiddleware


def resolve_email(environ):
    session_id = parse_cookie(environ).get("session")  # the name of your session cookie
    user = find_user(session_id) if session_id else None  # your own look-up of a session
    if user is None:
        return None  # nobody is signed in
    if not user.email_verified:
        raise HandoffRefused("email_not_verified")
    return user.email


application = SSOMiddleware(
    application,
    HelpDesk.from_env(),
    resolve_email,
    login_url="/login",  # your login page
    # Enough if the cookie is the whole session; else end the session on the server, too.
    logout=Logout(expire_cookies("session")),
)
"""

BOTTLE = """\
from sso_middleware import HelpDesk, Logout, expire_cookies
from sso_middleware.resolvers.bottle import signed_cookie_email
from sso_middleware.wsgi import SSOMiddleware

# SECRET: that of your session cookie, 32 characters or more.
# Serve `application`: bottle.run(app=application), or name it to your server.
application = SSOMiddleware(
    app,
    HelpDesk.from_env(),
    # For response.set_cookie("session", json.dumps({"email": ..., "email_verified": ...}), secret=SECRET).
    signed_cookie_email("session", SECRET, verified="email_verified"),
    login_url="/login",  # your login page
    logout=Logout(expire_cookies("session")),
)
"""

DJANGO = """\
INSTALLED_APPS += ["sso_middleware.django"]
# After what decides who the user is; before a middleware of yours that looks up request.path in the URLconf.
MIDDLEWARE += ["sso_middleware.django.SSOMiddleware"]
HELPDESK_SSO = {
    # Choose how your site knows that an address was verified, because Django itself verifies none:
    # - "sso_middleware.resolvers.django.allauth_verified", with django-allauth;
    # - the name of an attribute of your user model, such as "email_verified";
    # - the dotted path of your own function, which is given the user and returns True or False.
    # The server does not start before.
    "verified": None,
    "logout": True,
}
"""

FLASK = """\
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
    # With Flask-Login: login_user_email(app, verified="email_verified").
    # For session["user_id"]: context_email(app, getter, verified=...), whose getter looks the user up.
    session_email(app, "user", "email", verified="email_verified"),
    login_url="/login",  # your login page
    logout=Logout(end_session(app)),
)
"""

PYRAMID = """\
from sso_middleware import HelpDesk, Logout
from sso_middleware.resolvers.pyramid import end_session, request_email
from sso_middleware.wsgi import SSOMiddleware

router = config.make_wsgi_app()
# Serve `application`; main(global_config, **settings) returns it.
# For `check`, where pserve starts it: a module with
#     application = pyramid.paster.get_app("development.ini")
application = SSOMiddleware(
    router,
    HelpDesk.from_env(),
    # For a security policy whose identity has "email" and "email_verified".
    request_email(router, lambda request: request.identity, verified="email_verified"),
    login_url="/login",  # your login page
    logout=Logout(end_session(router)),
)
"""
