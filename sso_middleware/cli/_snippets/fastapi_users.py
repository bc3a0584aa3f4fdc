from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import RedirectResponse

from sso_middleware import HelpDesk
from sso_middleware.asgi import handoff_response

desk = HelpDesk.from_env()
# fastapi_users: your FastAPIUsers. auth_backend: your backend, with a CookieTransport.
Visitor = Annotated[Any, Depends(fastapi_users.authenticator.current_user_token(optional=True, active=True))]
Strategy = Annotated[Any, Depends(auth_backend.get_strategy)]


@app.get("/sso/helpdesk")
async def helpdesk(request: Request, visitor: Visitor):
    user, _ = visitor
    if user is None:
        return RedirectResponse("/login?next=/sso/helpdesk", 303)  # your login page
    if not user.is_verified:
        return RedirectResponse("/", 303)  # your page for verifying the address
    return handoff_response(request.scope, desk, user.email)


@app.get("/sso/logout")
async def logout(visitor: Visitor, strategy: Strategy):
    user, token = visitor
    answer = RedirectResponse("/", 303)
    if user is not None:
        signed_out = await auth_backend.logout(strategy, user, token)
        answer.headers["Set-Cookie"] = signed_out.headers["Set-Cookie"]
    return answer
