# /// script
# requires-python = ">=3.11"
# dependencies = [
#   "sso-middleware",
#   "fastapi>=0.133",
#   "PyJWT>=2.13",
#   "python-multipart>=0.0.31",
#   "uvicorn>=0.30",
# ]
# ///
"""FastAPI behind a single-page app with bearer tokens: a route returns the URL, and a script opens it.

A browser sends no bearer token when it opens an address, so a middleware has nothing to
ask. Instead, the app's page at the Auth URL fetches the hand-off URL and opens it.

To run it, take the first three values from the vendor's panel (Settings > Security > Single
sign-on), enter the next two there, and choose the last two::

    export HELPDESK_SSO_TOKEN=...                                # SSO Token
    export HELPDESK_SSO_AUTH_URL=...                             # SSO Auth URL
    export HELPDESK_ACCOUNT_ID=...                               # Account ID
    export HELPDESK_AUTH_URL=http://127.0.0.1:8000/sso/helpdesk  # Auth URL
    export HELPDESK_LOGOUT_URL=http://127.0.0.1:8000/sso/logout  # Logout URL
    export SESSION_SECRET=...                                    # 32 characters or more
    export DEMO_PASSWORD=...                                     # signs in jane and joe
    python examples/fastapi_bearer.py
"""

import os
import sys
import time
from html import escape
from secrets import compare_digest
from typing import Annotated, NamedTuple
from urllib.parse import urlsplit

import jwt
import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Response
from fastapi.responses import HTMLResponse
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm

from sso_middleware import HelpDesk


class User(NamedTuple):
    email: str
    verified: bool


USERS = {
    "jane": User("jane@example.com", verified=True),
    "joe": User("joe@example.com", verified=False),
}


def required(variable: str) -> str:
    return os.environ.get(variable) or sys.exit(f"{variable} is not set")


desk = HelpDesk.from_env()
logout_url = desk.logout_url or required("HELPDESK_LOGOUT_URL")
demo_password = required("DEMO_PASSWORD").encode()
session_secret = required("SESSION_SECRET")

app = FastAPI()


def current_user(token: Annotated[str, Depends(OAuth2PasswordBearer(tokenUrl="token"))]) -> User:
    try:
        claims = jwt.decode(token, session_secret, ["HS256"], options={"require": ["exp", "sub"]})
        return USERS[claims["sub"]]
    except (jwt.InvalidTokenError, KeyError):
        raise HTTPException(401, "Sign in again", {"WWW-Authenticate": "Bearer"}) from None


@app.post("/token")
def token(form: Annotated[OAuth2PasswordRequestForm, Depends()]) -> dict[str, str]:
    if form.username not in USERS or not compare_digest(form.password.encode(), demo_password):
        raise HTTPException(401, "Name or password is wrong", {"WWW-Authenticate": "Bearer"})
    claims = {"sub": form.username, "exp": int(time.time()) + 3600}
    return {"access_token": jwt.encode(claims, session_secret), "token_type": "bearer"}


@app.post("/support")  # not GET: each answer is a new sign-in, which must not be prefetched or cached
def support(user: Annotated[User, Depends(current_user)], response: Response) -> dict[str, str]:
    if not user.verified:
        raise HTTPException(403, "email_not_verified")  # Joe may have typed in someone else's address
    response.headers["Cache-Control"] = "no-store"
    return {"url": desk.handoff(user.email).url}


@app.get("/", response_class=HTMLResponse)
@app.get(urlsplit(desk.auth_url).path, response_class=HTMLResponse)
@app.get(urlsplit(logout_url).path, response_class=HTMLResponse)
def page() -> str:
    return f"""<!doctype html><html lang="en"><title>Demo</title>
<p><a id="support" href="{escape(desk.auth_url)}">Support</a>
<a id="sign-out" href="{escape(logout_url)}">Sign out</a>
<p id="notice" role="alert">
<form id="login" hidden>
<label>Name <input name="username" required></label>
<label>Password <input name="password" type="password" required></label>
<button>Sign in</button>
</form>
<script type="module">{SCRIPT}</script>
"""


SCRIPT = """
const [support, signOut, notice, login] =
  document.querySelectorAll("#support, #sign-out, #notice, #login");

async function visit() {
  login.hidden = localStorage.getItem("token") !== null;
  if (location.pathname === signOut.pathname) {
    localStorage.removeItem("token");
    location.replace("/");
  } else if (location.pathname === support.pathname && login.hidden) {
    await openHelpDesk();
  }
}

async function openHelpDesk() {
  const headers = { Authorization: `Bearer ${localStorage.getItem("token")}` };
  const response = await fetch("/support", { method: "POST", headers });
  const answer = await response.json();
  if (response.ok) {
    location.replace(answer.url); // assign() would trap the Back button here
  } else {
    login.hidden = response.status !== 401; // the token has expired
    notice.textContent = `The Help Desk did not open: ${answer.detail}`;
  }
}

login.addEventListener("submit", async (event) => {
  event.preventDefault();
  const response = await fetch("/token", { method: "POST", body: new URLSearchParams(new FormData(login)) });
  const answer = await response.json();
  notice.textContent = response.ok ? "" : answer.detail;
  if (response.ok) {
    localStorage.setItem("token", answer.access_token);
    await visit();
  }
});

await visit();
"""


def main() -> None:
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ.get("PORT", "8000")))


if __name__ == "__main__":
    main()
