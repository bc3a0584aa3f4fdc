from contextlib import asynccontextmanager

from fastapi_users_site import app, backend, get_user_manager

from sso_middleware import HelpDesk, Logout, expire_cookies
from sso_middleware.asgi import SSOMiddleware
from sso_middleware.resolvers.starlette import request_email


# <recipe>
async def find_user(request):
    token = request.cookies.get(backend.transport.cookie_name)
    async with asynccontextmanager(get_user_manager)() as manager:
        return await backend.get_strategy().read_token(token, manager)


sso = {"login_url": "/login", "logout": Logout(expire_cookies(backend.transport.cookie_name))}
sso |= {"helpdesk": HelpDesk.from_env(), "resolve_email": request_email(find_user, verified="is_verified")}
app.add_middleware(SSOMiddleware, **sso)
# </recipe>
application = app
