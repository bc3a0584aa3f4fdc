from appbuilder_site import app

from sso_middleware import HelpDesk, Logout
from sso_middleware.resolvers.flask import end_session, login_user_email
from sso_middleware.wsgi import SSOMiddleware

# <recipe>
app.wsgi_app = SSOMiddleware(
    app.wsgi_app,
    HelpDesk.from_env(),
    login_user_email(app, verified=True),  # only administrators enter addresses
    login_url="/login/",
    logout=Logout(end_session(app)),
)
# </recipe>
application = app
