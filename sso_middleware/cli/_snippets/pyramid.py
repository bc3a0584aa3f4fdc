from sso_middleware import HelpDesk, Logout
from sso_middleware.resolvers.pyramid import end_session, request_email
from sso_middleware.wsgi import SSOMiddleware

router = config.make_wsgi_app()
# Serve `application`; main(global_config, **settings) returns it.
# If you use pserve, pass `check` a module with
#     application = pyramid.paster.get_app("development.ini")
application = SSOMiddleware(
    router,
    HelpDesk.from_env(),
    # For a security policy whose identity has "email" and "email_verified".
    request_email(router, lambda request: request.identity, verified="email_verified"),
    login_url="/login",  # your login page
    logout=Logout(end_session(router)),
)
