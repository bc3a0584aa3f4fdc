"""Partitioned cookies (CHIPS) in a real browser: what expires one, and what does not."""

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from sso_middleware import HelpDesk, Logout, expire_cookies
from sso_middleware.asgi import SSOMiddleware
from sso_middleware.sandbox.server import serve

pytestmark = [pytest.mark.browser, pytest.mark.server, pytest.mark.slow]

SET = "session=jane; Path=/; Secure; HttpOnly; SameSite=Lax; Partitioned"
DESK = HelpDesk(
    sso_token="0123456789abcdef0123456789abcdef",
    sso_auth_url="https://acme.example/sso",
    account_id="4711",
    auth_url="http://127.0.0.1/sso/helpdesk",
    logout_url="http://127.0.0.1/sso/logout",
)


async def log_in(request):
    return PlainTextResponse("", headers={"Set-Cookie": SET})


async def start(request):
    return PlainTextResponse(request.cookies.get("session", "nobody"))


@pytest.mark.parametrize(("partitioned", "seen"), [(False, "jane"), (True, "nobody")])
def test_logout_of_a_partitioned_cookie(open_page, partitioned, seen):
    """Only a Partitioned Set-Cookie expires a Partitioned cookie."""
    app = SSOMiddleware(
        Starlette(routes=[Route("/", start), Route("/login", log_in)]),
        DESK,
        lambda scope: None,
        logout=Logout(expire_cookies("session", partitioned=partitioned)),
    )
    with serve(app, "127.0.0.1", 0) as url:
        page = open_page()
        page.goto(f"{url}/login")
        page.goto(f"{url}/sso/logout")
        page.wait_for_url(f"{url}/")
        assert page.locator("body").inner_text() == seen
