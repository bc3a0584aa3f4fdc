"""An application with an SSO Token of its own, which is short."""

from sso_middleware import HelpDesk
from sso_middleware.wsgi import SSOMiddleware


def site(environ, start_response):
    start_response("200 OK", [])
    return [b"hello"]


desk = HelpDesk(
    sso_token="short",
    sso_auth_url="https://acme.example/sso",
    account_id=1,
    auth_url="https://app.example.com/sso/helpdesk",
)
app = SSOMiddleware(site, desk, lambda _: None, login_url="/login")
