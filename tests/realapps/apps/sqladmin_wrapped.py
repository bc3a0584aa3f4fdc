from sqladmin_site import SECRET, Login, Session, User, app, engine, make_admin
from starlette.middleware import Middleware

from sso_middleware import HelpDesk, Logout
from sso_middleware.asgi import SSOMiddleware
from sso_middleware.resolvers.starlette import end_session, request_email


# <recipe>
def find_user(request):
    with Session(engine) as db:
        return db.get(User, request.session.get("user_id", 0))


# The session is open inside SQLAdmin alone, so the Auth URL is below /admin.
sso = {"login_url": "/login", "resume_at": "/", "logout": Logout(end_session(), then="/login")}
sso |= {"helpdesk": HelpDesk.from_env(), "resolve_email": request_email(find_user, verified="email_verified")}
login = Login(SECRET)
login.middlewares.append(Middleware(SSOMiddleware, **sso))
# </recipe>
make_admin(login)
application = app
