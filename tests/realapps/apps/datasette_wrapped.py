from datasette_site import datasette
from itsdangerous import BadSignature

from sso_middleware import HelpDesk, Logout, expire_cookies
from sso_middleware.asgi import SSOMiddleware
from sso_middleware.resolvers.starlette import request_email


# <recipe>
def find_actor(request):
    try:
        return datasette.unsign(request.cookies.get("ds_actor", ""), "actor")["a"]
    except BadSignature:
        return None


application = SSOMiddleware(
    datasette.app(),
    HelpDesk.from_env(),
    request_email(find_actor, verified=True),
    login_url="/-/login",
    resume_at="/",
    logout=Logout(expire_cookies("ds_actor")),
)
# </recipe>
