# /// script
# requires-python = ">=3.11"
# dependencies = ["sso-middleware[crypto]", "starlette>=0.40", "uvicorn>=0.30"]
# ///
"""Starlette behind Cloudflare Access, which signs assertions about the user: no login page, no session.

To run it, take the first three values from the vendor's panel (Settings > Security > Single
sign-on), enter the next one there, and take the last two from Cloudflare's dashboard::

    export HELPDESK_SSO_TOKEN=...                                # SSO Token
    export HELPDESK_SSO_AUTH_URL=...                             # SSO Auth URL
    export HELPDESK_ACCOUNT_ID=...                               # Account ID
    export HELPDESK_AUTH_URL=http://127.0.0.1:8000/sso/helpdesk  # Auth URL
    export ACCESS_TEAM=...                                       # acme of acme.cloudflareaccess.com
    export ACCESS_AUDIENCE=...                                   # the Access application's AUD tag
    python examples/cloudflare_assertion.py

To try it without Cloudflare, set ACCESS_JWKS_URL to your own key server, such as
http://127.0.0.1:9000/certs: assertions signed with its keys are trusted.
"""

import logging
import os
import sys
from html import escape

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from sso_middleware import HelpDesk
from sso_middleware.asgi import SSOMiddleware
from sso_middleware.resolvers.assertion import cloudflare_access, signed_assertion


def required(variable: str) -> str:
    return os.environ.get(variable) or sys.exit(f"{variable} is not set")


desk = HelpDesk.from_env()
team, audience = required("ACCESS_TEAM"), required("ACCESS_AUDIENCE")

if jwks_url := os.environ.get("ACCESS_JWKS_URL"):
    resolve_email = signed_assertion(
        "Cf-Access-Jwt-Assertion",
        jwks_url=jwks_url,
        audience=audience,
        issuer=f"https://{team}.cloudflareaccess.com",
        algorithms="RS256",
    )
else:
    resolve_email = cloudflare_access(team, audience)


def start(_: Request) -> HTMLResponse:
    return HTMLResponse(f"""<!doctype html><html lang="en"><title>Demo</title>
<p><a href="{escape(desk.auth_url)}">Support</a>
""")


def not_signed_in(_: Request) -> HTMLResponse:
    # Every request through Cloudflare Access has an assertion.
    return HTMLResponse("<!doctype html><title>Demo</title><p>Come here through Cloudflare Access.", 401)


app = Starlette(
    routes=[Route("/", start), Route("/sso/helpdesk", not_signed_in)],
    middleware=[Middleware(SSOMiddleware, helpdesk=desk, resolve_email=resolve_email)],
)


def main() -> None:
    logging.basicConfig(level=logging.INFO)  # logs each hand-off, without address or token
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ.get("PORT", "8000")))


if __name__ == "__main__":
    main()
