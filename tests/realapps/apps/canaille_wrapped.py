from canaille.app.session import current_user_session
from canaille_site import app

from sso_middleware import HelpDesk, Logout
from sso_middleware.resolvers.flask import context_email, end_session
from sso_middleware.wsgi import SSOMiddleware


# <recipe>
def find_address():
    with app.backend.session():
        session = current_user_session()
        return session.user.preferred_email if session else None


app.wsgi_app = SSOMiddleware(
    app.wsgi_app,
    HelpDesk.from_env(),
    context_email(app, find_address, verified=True),
    login_url="/login",
    resume_at="/",
    logout=Logout(end_session(app)),
)
# </recipe>
application = app
