from fullauth_site import router

from sso_middleware import HelpDesk, Logout
from sso_middleware.resolvers.pyramid import end_session, request_email
from sso_middleware.wsgi import SSOMiddleware

# <recipe>
application = SSOMiddleware(
    router,
    HelpDesk.from_env(),
    request_email(router, lambda request: request.user, verified="is_active"),  # activated by a mail
    login_url="/login",
    resume_at="/",
    logout=Logout(end_session(router)),
)
# </recipe>
