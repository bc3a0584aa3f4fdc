"""A browser, cookies and all, in front of an application in this process."""

from __future__ import annotations

import asyncio
import re

import httpx
import jwt

from clients import DESK, SSO_TOKEN
from sso_middleware import asgi, wsgi

PATH = "/sso/helpdesk"
OPTIONS = {"helpdesk": DESK, "login_url": "/login"}
JOE = "joe@example.com"


class InLoop(httpx.BaseTransport):
    """Gives each request an event loop of its own."""

    def __init__(self, app) -> None:
        self.transport = httpx.ASGITransport(app)

    def handle_request(self, request):
        async def exchange():
            response = await self.transport.handle_async_request(request)
            return httpx.Response(
                response.status_code, headers=response.headers, content=await response.aread()
            )

        return asyncio.run(exchange())


def wsgi_browser(app) -> httpx.Client:
    return httpx.Client(transport=httpx.WSGITransport(app), base_url="https://app.example.com")


def asgi_browser(app) -> httpx.Client:
    return httpx.Client(transport=InLoop(app), base_url="https://app.example.com")


def protect_wsgi(app, resolve_email, **options):
    return wsgi.SSOMiddleware(app, resolve_email=resolve_email, **{**OPTIONS, **options})


def protect_asgi(app, resolve_email, **options):
    return asgi.SSOMiddleware(app, resolve_email=resolve_email, **{**OPTIONS, **options})


def visit(browser: httpx.Client, **request) -> str:
    """Open the Help Desk; return the address signed for it, ``"login"``, or the reason of a refusal."""
    response = browser.get(PATH, **request)
    if response.status_code == 403:
        return re.search("Code: ([a-z0-9_]+)<", response.text)[1]
    assert response.status_code == 303
    location = httpx.URL(response.headers["location"])
    if location.path == "/login":
        return "login"
    return jwt.decode(location.params["token"], SSO_TOKEN, algorithms=["HS256"])["email"]


def tamper(browser: httpx.Client, name: str) -> None:
    """Change one character in the middle of a cookie's value."""
    (cookie,) = [cookie for cookie in browser.cookies.jar if cookie.name == name]
    middle = len(cookie.value) // 3
    cookie.value = (
        cookie.value[:middle] + ("A" if cookie.value[middle] != "A" else "B") + cookie.value[middle + 1 :]
    )
