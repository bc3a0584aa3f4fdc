"""A pytest plugin for other people's suites: wraps every application that they drive in our middleware.

`SSO_TRANSPARENCY` holds JSON: `wrap`, whose applications to wrap (or null), and `report`, where to write
the outcome of each test and how often the middleware was called. Loaded with ``-p wrapping``.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from sso_middleware import HelpDesk, Logout, asgi, expire_cookies, wsgi

OPTIONS = json.loads(os.environ["SSO_TRANSPARENCY"])
DESK = HelpDesk(
    sso_token="an SSO Token of at least thirty-two bytes",
    sso_auth_url="https://acme.example/sso",
    account_id="4711",
    auth_url="https://app.example.com/no-suite-has-this/sso",
    logout_url="https://app.example.com/no-suite-has-this/bye",
)
calls: dict[str, int] = {}
outcomes: dict[str, str] = {}


def resolve_email(source):
    raise AssertionError("no suite asks for our paths")


SETTINGS = {
    "helpdesk": DESK,
    "resolve_email": resolve_email,
    "login_url": "/no-suite-has-this/login",
    "logout": Logout(expire_cookies("no-suite-has-this")),
}


def count(kind):
    calls[kind] = calls.get(kind, 0) + 1


class WSGIMiddleware(wsgi.SSOMiddleware):
    def __call__(self, environ, start_response):
        count("wsgi")
        return super().__call__(environ, start_response)


class ASGIMiddleware(asgi.SSOMiddleware):
    async def __call__(self, scope, receive, send):
        count(scope["type"])
        return await super().__call__(scope, receive, send)


def wrap_test_client(kind):
    """What Starlette's TestClient drives: by its transport, and by itself for the lifespan."""
    construct = kind.__init__

    def construct_wrapped(self, *args, **kwargs):
        construct(self, *args, **kwargs)
        self.app = self._transport.app = ASGIMiddleware(self.app, **SETTINGS)

    kind.__init__ = construct_wrapped


def wrap_wsgi(kind):
    """Every call of an application.

    Not once for all when it is made: that would be a circle of references, and Flask's suite sees to it
    that there is none.
    """
    call = kind.__call__

    def call_wrapped(self, environ, start_response):
        def app(environ, start_response):
            return call(self, environ, start_response)

        return WSGIMiddleware(app, **SETTINGS)(environ, start_response)

    kind.__call__ = call_wrapped


def pytest_configure():
    # Imported here because each suite has its own framework alone.
    match OPTIONS["wrap"]:
        case "starlette":
            from starlette.testclient import TestClient  # noqa: PLC0415

            wrap_test_client(TestClient)
        case "flask":
            from flask import Flask  # noqa: PLC0415

            wrap_wsgi(Flask)
        case "bottle":
            from bottle import Bottle  # noqa: PLC0415

            wrap_wsgi(Bottle)


def pytest_collectreport(report):
    if not report.passed:
        outcomes[f"{report.nodeid}, collected"] = report.outcome


def pytest_runtest_logreport(report):
    if report.when == "call" or not report.passed:
        outcomes[f"{report.nodeid}, {report.when}"] = (
            "xfailed" if hasattr(report, "wasxfail") else report.outcome
        )


def pytest_sessionfinish():
    Path(OPTIONS["report"]).write_text(json.dumps({"calls": calls, "outcomes": outcomes}), encoding="utf-8")
