# /// script
# requires-python = ">=3.11"
# dependencies = [
#   "sso-middleware",
#   "fastapi>=0.133",
#   "itsdangerous>=2.2",
#   "python-multipart>=0.0.31",
#   "starlette>=1.3.1",
#   "uvicorn>=0.30",
# ]
# ///
"""FastAPI with an OpenID Connect login: the provider's user info, stored in the session, is trusted.

Authlib keeps it as in ``request.session["user"] = token["userinfo"]``. Here a form stands in for the
provider, so that the example runs on its own.

To run it, take the first three values from the vendor's panel (Settings > Security > Single
sign-on), enter the next two there, and choose the last two::

    export HELPDESK_SSO_TOKEN=...                                # SSO Token
    export HELPDESK_SSO_AUTH_URL=...                             # SSO Auth URL
    export HELPDESK_ACCOUNT_ID=...                               # Account ID
    export HELPDESK_AUTH_URL=http://127.0.0.1:8000/sso/helpdesk  # Auth URL
    export HELPDESK_LOGOUT_URL=http://127.0.0.1:8000/sso/logout  # Logout URL
    export SESSION_SECRET=...                                    # 32 characters or more
    export DEMO_PASSWORD=...                                     # signs in jane and joe
    python examples/fastapi_userinfo.py
"""

import logging
import os
import sys
from html import escape
from secrets import compare_digest
from typing import Annotated

import uvicorn
from fastapi import FastAPI, Form, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.middleware.sessions import SessionMiddleware

from sso_middleware import HelpDesk, Logout
from sso_middleware.asgi import SSOMiddleware
from sso_middleware.resolvers.starlette import end_session, session_email

# What the provider would return. `email_verified` is its claim (OpenID Connect Core, section 5.1).
USERINFO = {
    "jane": {"sub": "1", "name": "jane", "email": "jane@example.com", "email_verified": True},
    "joe": {"sub": "2", "name": "joe", "email": "joe@example.com", "email_verified": False},
}


def required(variable: str) -> str:
    return os.environ.get(variable) or sys.exit(f"{variable} is not set")


desk = HelpDesk.from_env()
demo_password = required("DEMO_PASSWORD").encode()


app = FastAPI()
app.add_middleware(
    SSOMiddleware,
    helpdesk=desk,
    resolve_email=session_email("user", "email", verified="email_verified"),
    login_url="/login",
    logout=Logout(end_session()),
)
# The last one added is outermost, so the session is open when the address is read.
app.add_middleware(
    SessionMiddleware,
    secret_key=required("SESSION_SECRET"),
    https_only=desk.auth_url.startswith("https:"),
)


@app.get("/", response_class=HTMLResponse)
async def start(request: Request) -> str:
    return f"""<!doctype html><html lang="en"><title>Demo</title>
<p>You are {escape(request.session.get("user", {}).get("name", "not signed in"))}.
<p><a href="/login">Sign in</a> <a href="{escape(desk.logout_url)}">Sign out</a>
<p><a href="{escape(desk.auth_url)}">Support</a>
"""


@app.get("/login", response_class=HTMLResponse)
async def login_form(way_back: Annotated[str, Query(alias="next")] = "/") -> str:
    return login_page(way_back)


@app.post("/login")
async def login(
    request: Request,
    name: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    way_back: Annotated[str, Form(alias="next")] = "/",
) -> Response:
    if name not in USERINFO or not compare_digest(password.encode(), demo_password):
        return HTMLResponse(login_page(way_back, "Name or password is wrong."), 403)
    request.session["user"] = USERINFO[name]
    return RedirectResponse(way_back if is_own_path(way_back) else "/", 303)


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


def main() -> None:
    logging.basicConfig(level=logging.INFO)  # logs each hand-off, without address or token
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ.get("PORT", "8000")))


if __name__ == "__main__":
    main()
