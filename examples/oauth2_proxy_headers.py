# /// script
# requires-python = ">=3.11"
# dependencies = ["sso-middleware", "bottle>=0.13", "waitress>=3.0"]
# ///
"""Bottle behind nginx and oauth2-proxy, which send the signed-in user in a header: no login page here.

`oauth2_proxy_headers.conf` configures nginx. It removes any header that a visitor sends under the same
name, and sends a secret to prove that the request comes from nginx.

To run it, take the first three values from the vendor's panel (Settings > Security > Single
sign-on), enter the next one there, and choose the last one::

    export HELPDESK_SSO_TOKEN=...                                # SSO Token
    export HELPDESK_SSO_AUTH_URL=...                             # SSO Auth URL
    export HELPDESK_ACCOUNT_ID=...                               # Account ID
    export HELPDESK_AUTH_URL=http://127.0.0.1:8080/sso/helpdesk  # Auth URL: at nginx
    export PROXY_SECRET=...                                      # visible ASCII without a comma
    python examples/oauth2_proxy_headers.py
"""

import logging
import os
import sys
from html import escape

from bottle import Bottle
from waitress import serve

from sso_middleware import HelpDesk
from sso_middleware.resolvers.proxy import OAUTH2_PROXY_AUTH_REQUEST, trusted_header
from sso_middleware.wsgi import SSOMiddleware


def required(variable: str) -> str:
    return os.environ.get(variable) or sys.exit(f"{variable} is not set")


desk = HelpDesk.from_env()
resolve_email = trusted_header(OAUTH2_PROXY_AUTH_REQUEST, secret=("X-Proxy-Secret", required("PROXY_SECRET")))

site = Bottle()


@site.get("/")
def start() -> str:
    return f"""<!doctype html><html lang="en"><title>Demo</title>
<p><a href="{escape(desk.auth_url)}">Support</a>
"""


# oauth2-proxy's own sign-in page, and its parameter for the return URL.
app = SSOMiddleware(site, desk, resolve_email, login_url="/oauth2/start", next_param="rd")


def main() -> None:
    logging.basicConfig(level=logging.INFO)  # logs each hand-off, without address or token
    serve(app, host="127.0.0.1", port=int(os.environ.get("PORT", "8000")))


if __name__ == "__main__":
    main()
