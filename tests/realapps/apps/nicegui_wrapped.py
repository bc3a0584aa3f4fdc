import fastapi
from nicegui import ui
from nicegui_site import app

from sso_middleware import HelpDesk, Logout
from sso_middleware.asgi import SSOMiddleware
from sso_middleware.resolvers.starlette import request_email


# <recipe>
def find_user(request):
    return app.storage.user.get("user")


def end_session(scope):
    app.storage.user.clear()
    return []


sso = {"login_url": "/login", "next_param": "redirect_to", "logout": Logout(end_session)}
sso |= {"helpdesk": HelpDesk.from_env(), "resolve_email": request_email(find_user, verified=True)}
app.add_middleware(SSOMiddleware, **sso)  # before ui.run() or ui.run_with(): those add the session outside
# </recipe>
application = fastapi.FastAPI()
ui.run_with(application, storage_secret="a secret of the session")
