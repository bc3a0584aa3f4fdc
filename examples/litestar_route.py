# /// script
# requires-python = ">=3.11"
# dependencies = ["sso-middleware", "litestar>=2.12", "uvicorn>=0.30"]
# ///
"""Litestar: only routes know the signed-in user, so one of the app's routes hands off.

Litestar finds the route before it runs a middleware, and only opens its session in a route.

To run it, take the first three values from the vendor's panel (Settings > Security > Single
sign-on), enter the next two there, and choose the last one::

    export HELPDESK_SSO_TOKEN=...                                # SSO Token
    export HELPDESK_SSO_AUTH_URL=...                             # SSO Auth URL
    export HELPDESK_ACCOUNT_ID=...                               # Account ID
    export HELPDESK_AUTH_URL=http://127.0.0.1:8000/sso/helpdesk  # Auth URL
    export HELPDESK_LOGOUT_URL=http://127.0.0.1:8000/sso/logout  # Logout URL
    export DEMO_PASSWORD=...                                     # signs in jane and joe
    python examples/litestar_route.py
"""

import logging
import os
import sys
from html import escape
from secrets import compare_digest
from typing import Annotated, Any, NamedTuple
from urllib.parse import urlsplit

import uvicorn
from litestar import Litestar, MediaType, Request, Response, get, post
from litestar.di import Provide
from litestar.enums import RequestEncodingType
from litestar.exceptions import HTTPException
from litestar.middleware.session.server_side import ServerSideSessionConfig
from litestar.params import Body, Parameter
from litestar.types import ASGIApp

from sso_middleware import HelpDesk
from sso_middleware.asgi import handoff_response


class User(NamedTuple):
    name: str
    email: str
    verified: bool


USERS = {
    "jane": User("jane", "jane@example.com", verified=True),
    "joe": User("joe", "joe@example.com", verified=False),
}


def required(variable: str) -> str:
    return os.environ.get(variable) or sys.exit(f"{variable} is not set")


desk = HelpDesk.from_env()
logout_url = desk.logout_url or required("HELPDESK_LOGOUT_URL")
demo_password = required("DEMO_PASSWORD").encode()


async def current_user(request: Request) -> User | None:
    return USERS.get(request.session.get("name"))


@get(urlsplit(desk.auth_url).path)
async def support(request: Request, user: Any) -> ASGIApp:
    if user is None:
        raise HTTPException(status_code=303, headers={"Location": f"/login?next={request.url.path}"})
    if not user.verified:  # joe may have typed in somebody else's address
        raise HTTPException("email_not_verified", status_code=403)
    return handoff_response(request.scope, desk, user.email)


@get(urlsplit(logout_url).path)
async def sign_out(request: Request) -> Response:
    request.clear_session()
    return see_other("/")


@get("/", media_type=MediaType.HTML)
async def start(user: Any) -> str:
    return start_page(user and user.name)


@get("/login", media_type=MediaType.HTML)
async def login_form(way_back: Annotated[str, Parameter(query="next")] = "/") -> str:
    return login_page(way_back)


@post("/login")
async def login(
    request: Request,
    data: Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Response:
    name, way_back = data.get("name", ""), data.get("next", "/")
    if name not in USERS or not compare_digest(data.get("password", "").encode(), demo_password):
        page = login_page(way_back, "Name or password is wrong.")
        return Response(page, status_code=403, media_type=MediaType.HTML)
    request.set_session({"name": name})
    return see_other(way_back if is_own_path(way_back) else "/")


def see_other(target: str) -> Response:
    return Response(None, status_code=303, headers={"Location": target})


def start_page(name: str | None) -> str:
    return f"""<!doctype html><html lang="en"><title>Demo</title>
<p>You are {escape(name or "not signed in")}.
<p><a href="/login">Sign in</a> <a href="{escape(logout_url)}">Sign out</a>
<p><a href="{escape(desk.auth_url)}">Support</a>
"""


def login_page(way_back: str, notice: str = "") -> str:
    return f"""<!doctype html><html lang="en"><title>Sign in</title>
<p role="alert">{notice}
<form method="post" action="/login">
<input type="hidden" name="next" value="{escape(way_back)}">
<label>Name <input name="name" required></label>
<label>Password <input name="password" type="password" required></label>
<button>Sign in</button>
</form>
"""


def is_own_path(target: str) -> bool:
    """Return whether `target` is a path that every browser resolves to this site."""
    plain = target.isascii() and target.isprintable() and "\\" not in target
    return plain and target.startswith("/") and not target.startswith("//")


sessions = ServerSideSessionConfig(samesite="lax", secure=desk.auth_url.startswith("https:"))
app = Litestar(
    [support, sign_out, start, login_form, login],
    dependencies={"user": Provide(current_user)},
    middleware=[sessions.middleware],
)


def main() -> None:
    logging.basicConfig(level=logging.INFO)  # logs each hand-off, without address or token
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ.get("PORT", "8000")))


if __name__ == "__main__":
    main()
