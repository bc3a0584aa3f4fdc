from sso_middleware import HelpDesk, Logout, expire_cookies
from sso_middleware.resolvers.bottle import signed_cookie_email
from sso_middleware.wsgi import SSOMiddleware

# SECRET: the secret of your session cookie, at least 32 characters.
# Serve `application`: bottle.run(app=application), or pass it to your server.
application = SSOMiddleware(
    app,
    HelpDesk.from_env(),
    # For response.set_cookie("session", json.dumps({"email": ..., "email_verified": ...}), secret=SECRET).
    signed_cookie_email("session", SECRET, verified="email_verified"),
    login_url="/login",  # your login page
    logout=Logout(expire_cookies("session")),
)
