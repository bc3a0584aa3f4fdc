"""A headless Chromium, and a sample application that hands its users off to a sandbox."""

import os
import secrets
import shutil
from contextlib import contextmanager
from html import escape
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from starlette.applications import Starlette
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, RedirectResponse
from starlette.routing import Route

from sso_middleware import Logout, expire_cookies
from sso_middleware.asgi import SSOMiddleware
from sso_middleware.sandbox import Sandbox
from sso_middleware.sandbox.server import serving

HERE = Path(__file__).parent
CHROMIUM = os.environ.get("SSO_TEST_CHROMIUM") or shutil.which("chromium")
EMAIL = "jane@example.com"

QUIET = [
    "--no-sandbox",  # the tests may run as root, in a container
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-dev-shm-usage",
]


def pytest_collection_modifyitems(items):
    """Mark the tests of this directory."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.server)
            item.add_marker(pytest.mark.slow)


class SampleApp:
    """Start page, login form and session of an application; the middleware answers the rest."""

    def __init__(self, helpdesk):
        self.sessions = set()
        app = Starlette(
            routes=[
                Route("/", self.start),
                Route("/login", self.login_form),
                Route("/login", self.login, methods=["POST"]),
            ]
        )
        self.app = SSOMiddleware(
            app, helpdesk, self.email, login_url="/login", logout=Logout(expire_cookies("app_session"))
        )

    async def email(self, scope):
        return EMAIL if HTTPConnection(scope).cookies.get("app_session") in self.sessions else None

    async def start(self, request):
        email = await self.email(request.scope)
        return self.page("Sample application", f"<p>{email or 'Nobody'} is signed in.</p>")

    async def login_form(self, request):
        action = f"/login?{request.url.query}"
        return self.page(
            "Log in", f'<form method="post" action="{escape(action)}"><button>Log in</button></form>'
        )

    async def login(self, request):
        session = secrets.token_urlsafe()
        self.sessions.add(session)
        answer = RedirectResponse(parse_qs(request.url.query)["next"][0], 303)
        answer.set_cookie("app_session", session, httponly=True)
        return answer

    def page(self, title, body):
        return HTMLResponse(
            f'<!doctype html><html lang="en"><title>{title}</title><link rel="icon" href="data:,">'
            f"<main><h1>{title}</h1>{body}</main></html>"
        )


class Site:
    """The sandbox and the application, both running."""

    def __init__(self, sandbox, url, app_url):
        self.sandbox, self.url, self.app_url = sandbox, url, app_url


@contextmanager
def running_site():
    apps = []

    async def app(scope, receive, send):
        # The Help Desk has to know the application's address first, and the application the Help Desk's.
        await apps[0](scope, receive, send)

    with serving(app, "127.0.0.1", 0) as app_url:
        sandbox = Sandbox(auth_url=f"{app_url}/sso/helpdesk", logout_url=f"{app_url}/sso/logout")
        with sandbox.run() as url:
            apps.append(SampleApp(sandbox.helpdesk).app)
            yield Site(sandbox, url, app_url)


@pytest.fixture(scope="module")  # no longer: while Playwright runs, no other test can run an event loop
def chromium():
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright (pip install playwright)")
    if not CHROMIUM:
        pytest.skip("needs chromium: on the PATH, or named in SSO_TEST_CHROMIUM")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def axe():
    """The source of axe-core."""
    modules = os.environ.get("SSO_TEST_NODE_MODULES")
    if not modules:
        pytest.skip("needs the npm package axe-core: name its node_modules in SSO_TEST_NODE_MODULES")
    return Path(modules, "axe-core", "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture
def site(chromium):  # no servers where there is no browser
    with running_site() as site:
        yield site


@pytest.fixture
def open_page(chromium):
    """Open a page in a context of its own; whatever its console complains about fails the test."""
    contexts, complaints = [], []

    def open_page(**options):
        context = chromium.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console", lambda message: complaints.append(message.text) if message.type == "error" else None
        )
        return page

    yield open_page
    for context in contexts:
        context.close()
    # Chromium logs each answer of 400 and more; that is asserted on where it matters.
    assert [text for text in complaints if "Failed to load resource" not in text] == []
