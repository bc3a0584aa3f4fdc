"""Requests as servers present them, what answers them in the end, and how an answer is looked at."""

from __future__ import annotations

import base64
import io
import json
import sys
from collections.abc import Callable, Iterable
from typing import Any

import flask
import itsdangerous
from account import WrongAnswerError
from django.core.signing import TimestampSigner
from flask.sessions import SecureCookieSessionInterface
from measuring import LOOP

#: What a browser sends along.
HEADERS = {
    "Host": "app.example.com",
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "en-GB,en;q=0.5",
    "Accept-Encoding": "gzip, deflate, br, zstd",
    "Cookie": "theme=dark; consent=1",
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Site": "same-origin",
}
USER_HEADER = "X-User"
#: What the applications sign their sessions with.
SECRET = "a secret of the session's own, of more than thirty-two bytes"
PATHS = (
    "/",
    "/static/app.css",
    "/api/tickets/17",
    "/dashboard",
    "/assets/logo.svg",
    "/search",
    "/login",
    "/a",
)
BODY = b"Hello, world"


def scope(path: str, root_path: str = "", **headers: str) -> dict[str, Any]:
    """Make an ASGI scope; `headers` are further ones, with underscores for hyphens."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.5"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "https",
        "path": root_path + path,
        "raw_path": (root_path + path).encode(),
        "query_string": b"",
        "root_path": root_path,
        "headers": [(name.lower().encode(), value.encode()) for name, value in _all(headers).items()],
        "client": ("192.0.2.7", 51234),
        "server": ("127.0.0.1", 8000),
        "state": {},
    }


def environ(path: str, **headers: str) -> dict[str, Any]:
    """Make a WSGI environ; `headers` as for `scope`."""
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "192.0.2.7",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in _all(headers).items()},
    }


def _all(headers: dict[str, str]) -> dict[str, str]:
    return HEADERS | {name.replace("_", "-"): value for name, value in headers.items()}


def by_header(email: str) -> dict[str, str]:
    """Make the headers by which a visitor is signed in where a header is believed."""
    return {USER_HEADER: email}


def by_flask_session(email: str) -> dict[str, str]:
    """Make the headers that carry a session of Flask's own."""
    app = flask.Flask(__name__)
    app.secret_key = SECRET
    signer = SecureCookieSessionInterface().get_signing_serializer(app)
    return _cookie("session", signer.dumps(_session(email)))


def by_starlette_session(email: str) -> dict[str, str]:
    """Make the headers that carry a session of Starlette's SessionMiddleware."""
    data = base64.b64encode(json.dumps(_session(email)).encode())
    return _cookie("session", itsdangerous.TimestampSigner(SECRET).sign(data).decode())


def by_django_session(email: str) -> dict[str, str]:
    """Make the headers that carry a session of Django's signed_cookies."""
    salt = "django.contrib.sessions.backends.signed_cookies"
    signer = TimestampSigner(key=SECRET, salt=salt, fallback_keys=())
    return _cookie("sessionid", signer.sign_object(_session(email), compress=True))


def _session(email: str) -> dict[str, Any]:
    return {"user": {"email": email, "email_verified": True}}


def _cookie(name: str, value: str) -> dict[str, str]:
    return {"Cookie": f"{HEADERS['Cookie']}; {name}={value}"}


_START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"text/plain"), (b"content-length", b"12")],
}
_END = {"type": "http.response.body", "body": BODY}


async def bare_asgi(scope: Any, receive: Any, send: Any) -> None:
    """Answer as cheaply as an application can."""
    await send({**_START, "headers": [*_START["headers"]]})  # as some middlewares add headers to it
    await send(_END)


def bare_wsgi(environ: Any, start_response: Any) -> list[bytes]:
    """Answer as cheaply as an application can."""
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "12")])
    return [BODY]


def asgi_answer(app: Any, scope: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
    """Call an ASGI application once: status, headers (lower case), body."""
    messages = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        messages.append(message)

    LOOP.run_until_complete(app(scope, receive, send))
    headers = {name.decode().lower(): value.decode() for name, value in messages[0]["headers"]}
    return messages[0]["status"], headers, b"".join(message.get("body", b"") for message in messages[1:])


def wsgi_answer(
    app: Callable[..., Iterable[bytes]], environ: dict[str, Any]
) -> tuple[int, dict[str, str], bytes]:
    """Call a WSGI application once: status, headers (lower case), body."""
    started = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> None:
        started[:] = [int(status[:3]), {name.lower(): value for name, value in headers}]

    body = b"".join(app(environ, start_response))
    return started[0], started[1], body


def check_passed_through(who: str, answer: tuple[int, dict[str, str], bytes]) -> None:
    """Raise `WrongAnswerError` unless the bare application has answered."""
    if (answer[0], answer[2]) != (200, BODY):
        raise WrongAnswerError(f"{who} answers {answer}")
