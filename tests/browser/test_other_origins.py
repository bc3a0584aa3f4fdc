"""What a page of another origin can do to a visitor who is signed in, in a real browser."""

import threading
from contextlib import contextmanager

import pytest
from starlette.responses import HTMLResponse
from werkzeug.serving import WSGIRequestHandler, make_server

from clients import JANE, make_desk
from sso_middleware import Logout, asgi, expire_cookies, wsgi
from sso_middleware.sandbox.server import serve

pytestmark = [pytest.mark.browser, pytest.mark.server, pytest.mark.slow]

DESK = make_desk(auth_url="http://127.0.0.1/sso/helpdesk", logout_url="http://127.0.0.1/sso/logout")
COOKIE = {"name": "session", "value": "jane", "sameSite": "Lax"}


class Silent(WSGIRequestHandler):
    def log(self, *args):
        """Write no access log."""


@contextmanager
def served_wsgi(options):
    def app(environ, start_response):
        start_response("404 Not Found", [("Content-Type", "text/plain")])
        return [b""]

    server = make_server(
        "127.0.0.1", 0, wsgi.SSOMiddleware(app, **options), threaded=True, request_handler=Silent
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def served_asgi(options):
    async def app(scope, receive, send):
        await HTMLResponse(status_code=404)(scope, receive, send)

    # This server has no WebSockets, and takes a handshake for a GET, as uvicorn does by itself where
    # no library for them is installed.
    with serve(asgi.SSOMiddleware(app, **options), "127.0.0.1", 0) as url:
        yield url


@pytest.fixture(params=[served_wsgi, served_asgi], ids=["wsgi", "asgi"])
def serve_middleware(request):
    return request.param


HANDSHAKE = """path => new Promise(done => {
    const socket = new WebSocket("ws" + APPLICATION.slice(4) + path)
    socket.onopen = socket.onclose = done
})"""
FRAME = """path => new Promise(done => {
    const frame = document.createElement("iframe")
    frame.hidden = true
    frame.onload = done
    frame.src = APPLICATION + path
    document.body.append(frame)
})"""


@pytest.mark.parametrize("sibling", [True, False], ids=["sibling origin", "foreign site"])
@pytest.mark.parametrize(
    ("attempt", "path"),
    [(HANDSHAKE, "/sso/helpdesk"), (HANDSHAKE, "/sso/logout"), (FRAME, "/sso/logout")],
    ids=["handshake at the Auth URL", "handshake at the Logout URL", "hidden frame at the Logout URL"],
)
def test_unseen(chromium, serve_middleware, attempt, path, sibling):
    """A page elsewhere signs no hand-off and ends no session by a WebSocket or a hidden frame."""
    events = []
    options = {
        "helpdesk": DESK,
        "resolve_email": lambda source: JANE,
        "login_url": "/login",
        "logout": Logout(expire_cookies("session")),
        "on_event": events.append,
    }
    page_elsewhere = HTMLResponse("<!DOCTYPE html><title>Elsewhere</title><body>")
    with serve_middleware(options) as url, serve(page_elsewhere, "127.0.0.1", 0) as sibling_url:
        context = chromium.new_context()
        try:
            context.add_cookies([COOKIE | {"url": url}])
            page = context.new_page()
            page.goto(sibling_url if sibling else sibling_url.replace("127.0.0.1", "localhost"))
            page.evaluate(f"globalThis.APPLICATION = '{url}'")
            page.evaluate(attempt, path)
            kept = context.cookies(url)
        finally:
            context.close()
    assert [(event.outcome, event.reason) for event in events] == [("ignored", "embedded")]
    assert [cookie["value"] for cookie in kept] == ["jane"]
