"""The code in the Markdown documents, and what it takes to try it."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import logging
import sys
import time
from functools import cache
from http.cookiejar import http2time
from itertools import pairwise
from pathlib import Path

import itsdangerous
import jwt
from markdown_it import MarkdownIt
from markdown_it.token import Token

from clients import SSO_TOKEN, make_environ, make_scope

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
GUIDE = ROOT / "examples" / "README.md"
DOCUMENTS = [
    README,
    ROOT / "CHANGELOG.md",
    GUIDE,
    *sorted((ROOT / "tests").rglob("*.md")),
    *sorted((ROOT / ".github").rglob("*.md")),
]

SECRET = "a-secret-of-more-than-thirty-two-bytes"
ACCOUNT = {
    "SSO_TOKEN": SSO_TOKEN,
    "SSO_AUTH_URL": "https://acme.example/sso",
    "ACCOUNT_ID": "4711",
    "AUTH_URL": "https://app.example.com/sso/helpdesk",
    "LOGOUT_URL": "https://app.example.com/sso/logout",
}

FORM = "application/x-www-form-urlencoded"


@cache
def pairs(document: Path) -> list[tuple[Token, Token]]:
    return [*pairwise(MarkdownIt().enable("table").parse(document.read_text("utf-8")))]


def blocks(document: Path, language: str) -> dict[str, str]:
    """Return the fenced blocks in a language by the heading they are under."""
    found, heading = {}, ""
    for token, following in pairs(document):
        if token.type == "heading_open":
            heading = following.content
        elif token.type == "fence" and token.info == language:
            assert heading not in found, f"{heading}: one block in a language for each heading"
            found[heading] = token.content
    return found


def set_variables(monkeypatch) -> None:
    """Set what the documents ask for."""
    for prefix in ("HELPDESK_", "ACME_", "GLOBEX_"):
        for name, value in ACCOUNT.items():
            monkeypatch.setenv(prefix + name, value)
    monkeypatch.setenv("SESSION_SECRET", SECRET)
    monkeypatch.setenv("PROXY_SECRET", SECRET)


def execute(monkeypatch, code: str, title: str) -> dict:
    """Run a block as a module, and return its names."""
    namespace = {"__name__": "document"}
    for name, value in (("handlers", [*logging.root.handlers]), ("level", logging.root.level)):
        monkeypatch.setattr(logging.root, name, value)  # Litestar sets its own
    monkeypatch.setitem(sys.modules, "document", type(sys)("document"))
    exec(compile(code, title, "exec"), namespace)
    return namespace


def call_wsgi(app, path, headers=(), method="GET", query="", body=b""):
    started = []
    environ = make_environ(method, path, headers=headers, query=query, body=io.BytesIO(body))
    environ |= {"CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": FORM}
    iterable = app(environ, lambda *args: started.append(args))
    body = b"".join(iterable)
    getattr(iterable, "close", bool)()
    status, response_headers, *_ = started[-1]
    return int(status.split()[0]), response_headers, body


def call_asgi(app, path, headers=(), method="GET", query="", body=b""):
    sent = []

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message):
        sent.append(message)

    headers = [*headers, ("Content-Length", str(len(body))), ("Content-Type", FORM)]
    asyncio.run(app(make_scope(method, path, headers=headers, query=query), receive, send))
    response_headers = [(name.decode(), value.decode()) for name, value in sent[0]["headers"]]
    return sent[0]["status"], response_headers, b"".join(message.get("body", b"") for message in sent[1:])


CALL = {"wsgi": call_wsgi, "asgi": call_asgi}


def email_in(url: str) -> str:
    token = url.partition("token=")[2].partition("&")[0]
    return jwt.decode(token, SSO_TOKEN, algorithms=["HS256"])["email"]


def location(headers) -> str:
    return next(value for name, value in headers if name.lower() == "location")


def cookies_in(headers) -> list[str]:
    return [value for name, value in headers if name.lower() == "set-cookie"]


def is_over(cookie: str) -> bool:
    """Tell a cookie that ends with this response."""
    attributes = dict(part.strip().lower().partition("=")[::2] for part in cookie.split(";"))
    return attributes.get("max-age") == "0" or http2time(attributes["expires"]) < time.time()


def cookie_of_starlette(session, secret: str = SECRET) -> str:
    data = base64.b64encode(json.dumps(session).encode())
    return f"session={itsdangerous.TimestampSigner(secret).sign(data).decode()}"


def cookie_of_flask(app, session) -> str:
    serializer = app.session_interface.get_signing_serializer(app)
    return f"session={serializer.dumps(session)}"
