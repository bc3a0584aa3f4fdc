"""Pytest fixtures for testing an application's hand-off against a local Help Desk.

::

    def test_support_link(helpdesk_sandbox, client):
        client.login("jane@example.com")
        verified = helpdesk_sandbox.verify(client.get("/sso/helpdesk"))
        assert verified.email == "jane@example.com"

The Auth URL and Logout URL of the account come from the ini settings ``helpdesk_auth_url`` and
``helpdesk_logout_url``. To change more, override the fixture `helpdesk_sandbox_settings`.

If your application calls ``HelpDesk.from_env()`` when it is imported, put these lines above that import in
``conftest.py``. In Django, put them at the top of a settings module for tests, above
``from mysite.settings import *``. `helpdesk_sandbox` then has the same account::

    import os
    from sso_middleware.sandbox import Sandbox
    os.environ.update(Sandbox(auth_url="http://localhost/sso/helpdesk").environment)

This module only imports pytest at first, because every pytest run loads it if this package is installed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from sso_middleware.helpdesk import HelpDesk
    from sso_middleware.sandbox import Attempt, Sandbox, VerdictCode, VerifiedHandoff

__all__ = ["HelpDeskSandbox"]

_AUTH_URL = "http://localhost/sso/helpdesk"
_SSO_AUTH_URL = "http://helpdesk.localhost/sso"  # of a sandbox that is not served
_LOGOUT_URL = "http://localhost/sso/logout"
_OK = 200
_FOUND = 302
_REDIRECT = 303
_CODE = re.compile(rb"Code: ([a-z0-9_.-]+)</small>")  # at the end of the middleware's own pages
_TOKEN = re.compile(r"eyJ[\w%.=-]+")
_ABSOLUTE = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_WANTED = "response_or_url must be a URL, or a response with headers and a status"


class HelpDeskSandbox:
    """A local Help Desk and its account; the fixtures return it.

    Attributes:
        sandbox: the Help Desk, an ASGI application.
        base_url: its base URL; `None` if it is not served.
    """

    def __init__(self, sandbox: Sandbox, base_url: str | None = None) -> None:
        self.sandbox = sandbox
        self.base_url = base_url

    @property
    def helpdesk(self) -> HelpDesk:
        """The account, for the middleware of the application under test."""
        return self.sandbox.helpdesk

    @property
    def environment(self) -> dict[str, str]:
        """The account as the ``HELPDESK_*`` variables that `HelpDesk.from_env` reads, for `monkeypatch`."""
        return self.sandbox.environment

    @property
    def handoffs(self) -> list[Attempt]:
        """The judged hand-offs, accepted or not, the oldest first."""
        return self.sandbox.handoffs

    def verify(self, response_or_url: Any) -> VerifiedHandoff:
        """Judge a hand-off as the Help Desk would. An accepted token cannot be used again.

        Args:
            response_or_url: the URL, as text or an object; the response of any client or framework that
                redirects there, with `headers` and a status; or a mapping of headers. Disable redirects in
                your test client.

        Raises:
            HandoffRejected: the hand-off is not accepted. It says why and holds no token.
            AssertionError: the response is not a 303 redirect to the Help Desk, or the URL leads elsewhere.
                It says where, without the query, and the reason code of the middleware's page.
            TypeError: `response_or_url` is none of these.
        """
        __tracebackhide__ = True  # pytest prints the arguments of the frames it shows
        from sso_middleware.sandbox import HandoffRejected  # noqa: PLC0415 - see the module's docstring

        try:
            return self.sandbox.verify(_url_of(response_or_url, self.helpdesk.sso_auth_url))
        except (HandoffRejected, AssertionError, TypeError) as error:
            problem = error
        # Raised again without the argument, so that no frame that pytest shows holds the URL.
        del response_or_url
        raise problem.with_traceback(None)

    def reset(self) -> None:
        """Forget hand-offs, used tokens, planned failures, sessions and tickets."""
        self.sandbox.reset()

    def fail_next(self, code: VerdictCode, *, times: int = 1) -> None:
        """Refuse the next hand-offs with `code`.

        Raises:
            ValueError: `code` does not exist, or `times` is out of bounds.
        """
        self.sandbox.fail_next(code, times=times)


def _url_of(response_or_url: Any, sso_auth_url: str) -> str:
    headers = getattr(response_or_url, "headers", response_or_url)
    if hasattr(headers, "items"):
        what, (url, hint) = "response", _redirect_of(response_or_url, headers)
    else:
        what, url, hint = "URL", str(response_or_url), ""  # such as httpx.URL and yarl.URL
        if not _ABSOLUTE.match(url):
            if isinstance(response_or_url, str):
                return url
            raise TypeError(_WANTED)
    if not url.startswith(f"{sso_auth_url}?"):
        raise AssertionError(f"not a hand-off: the {what} leads to {_place(url)}, not to the Help Desk{hint}")
    return url


def _redirect_of(response: Any, headers: Any) -> tuple[str, str]:
    """Return where a 303 redirect leads, and what to do if that is elsewhere."""
    status = _status_of(response)
    if status is None and headers is not response:
        raise TypeError(_WANTED)
    hint = _hint(status, followed=bool(getattr(response, "history", ())))
    # Not every client's mapping is case-insensitive.
    location = next((str(value) for name, value in headers.items() if str(name).lower() == "location"), None)
    if location is None:
        known = "" if status is None else f" (status {status})"
        if reason := _CODE.search(_body_of(response)):
            hint = f": the middleware refused it, {reason[1].decode()}"
        raise AssertionError(f"not a hand-off: the response{known} has no Location{hint}")
    if status not in (_REDIRECT, None):  # a bare mapping of headers has none
        raise AssertionError(f"not a hand-off: the response has status {status}, not {_REDIRECT}{hint}")
    return location, hint


def _place(url: str) -> str:
    """Return `url` without its query, its fragment and anything like a token."""
    return _TOKEN.sub("[token]", re.split(r"[?#]", url, maxsplit=1)[0])


def _body_of(response: Any) -> bytes:
    """Return the body if the client has read it, or nothing."""
    with suppress(Exception):
        bodies = (getattr(response, name, None) for name in ("content", "data", "body"))
        return next((body for body in bodies if isinstance(body, bytes)), b"")
    return b""


def _status_of(response: Any) -> int | None:
    # In Werkzeug and WebOb, `status` is text; http.client, aiohttp and Playwright only have `status`.
    found = (getattr(response, name, None) for name in ("status_code", "status_int", "status"))
    return next((int(each) for each in found if isinstance(each, int)), None)


def _hint(status: int | None, *, followed: bool) -> str:
    disable = "disable redirects in your test client, for example with follow_redirects=False"
    if followed:
        return f". It comes from a later page: {disable}."
    if status == _OK:
        return f". If it comes from a later page: {disable}."
    if status == _FOUND:
        return (
            ". That is the default of redirect() in Flask and Django. After 303, every browser continues "
            "with GET; after 302, it may repeat a login form's POST."
        )
    return ""


def _make_sandbox(settings: dict[str, Any]) -> Sandbox:
    try:
        from sso_middleware.sandbox import Sandbox  # noqa: PLC0415 - see the module's docstring
    except ModuleNotFoundError as missing:
        pytest.fail(
            f"the Help Desk fixtures need {missing.name}: pip install 'sso-middleware[sandbox]'",
            pytrace=False,
        )
    return Sandbox(**settings)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the ini settings."""
    parser.addini("helpdesk_auth_url", "Auth URL for the Help Desk fixtures", default=_AUTH_URL)
    parser.addini("helpdesk_logout_url", "Logout URL for the Help Desk fixtures", default=_LOGOUT_URL)


@pytest.fixture(scope="session")
def helpdesk_sandbox_settings(pytestconfig: pytest.Config) -> dict[str, Any]:
    """Return the keyword arguments of the `Sandbox`; override it to change them.

    If the environment holds a sandbox's account, it is used, so that it matches an application imported with
    it.
    """
    if os.environ.get("HELPDESK_SSO_AUTH_URL") == _SSO_AUTH_URL:
        names = ("sso_token", "account_id", "auth_url", "logout_url")
        return {name: os.environ.get(f"HELPDESK_{name.upper()}") for name in names}
    return {
        "auth_url": pytestconfig.getini("helpdesk_auth_url"),
        "logout_url": pytestconfig.getini("helpdesk_logout_url") or None,
    }


@pytest.fixture
def helpdesk_sandbox(helpdesk_sandbox_settings: dict[str, Any]) -> HelpDeskSandbox:
    """Return a new Help Desk for each test, in this process and without a server."""
    return HelpDeskSandbox(_make_sandbox(helpdesk_sandbox_settings))


@pytest.fixture
def live_helpdesk_sandbox(helpdesk_sandbox_settings: dict[str, Any]) -> Iterator[HelpDeskSandbox]:
    """Yield a new Help Desk for each test on a free port, for browsers and real clients."""
    sandbox = _make_sandbox(helpdesk_sandbox_settings)
    with sandbox.run() as base_url:
        yield HelpDeskSandbox(sandbox, base_url)
