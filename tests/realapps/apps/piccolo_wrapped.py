from piccolo_site import BaseUser, SessionsBase, app
from starlette.requests import Request

from sso_middleware import HelpDesk, Logout, expire_cookies
from sso_middleware.asgi import SSOMiddleware
from sso_middleware.resolvers.starlette import request_email


# <recipe>
async def find_user(request):
    user_id = await SessionsBase.get_user_id(request.cookies.get("id", ""))
    return await BaseUser.objects().get(BaseUser.id == user_id) if user_id else None


async def end_session(scope):
    await SessionsBase.remove_session(Request(scope).cookies.get("id", ""))
    return expire_cookies("id")(scope)


sso = {"login_url": "/login/", "resume_at": "/", "logout": Logout(end_session)}
sso |= {"helpdesk": HelpDesk.from_env(), "resolve_email": request_email(find_user, verified="active")}
app.add_middleware(SSOMiddleware, **sso)
# </recipe>
application = app
