"""Pytest fixtures that test an application's hand-off against a sandbox Help Desk.

::

    def test_support_link(helpdesk_sandbox, client):
        client.login("jane@example.com")
        verified = helpdesk_sandbox.verify(client.get("/sso/helpdesk"))
        assert verified.email == "jane@example.com"

Set the account's Auth URL and Logout URL with the ini settings ``helpdesk_auth_url`` and
``helpdesk_logout_url``, or override the fixture `helpdesk_sandbox_settings`.

An application that calls ``HelpDesk.from_env()`` when it is imported needs three lines above that import:
in ``conftest.py``, or for Django at the top of a settings module for tests, above
``from mysite.settings import *``. `helpdesk_sandbox` then has the same account::

    import os
    from sso_middleware.sandbox import Sandbox
    os.environ.update(Sandbox(auth_url="http://localhost/sso/helpdesk").environment)

This module imports pytest alone when it is loaded: every pytest run of an environment in which this
package is installed loads it.
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
_WANTED = "verify() takes a URL, or a response that has headers and a status"


class HelpDeskSandbox:
    """The value of the fixtures: a sandbox Help Desk account and its verdicts on hand-offs.

    Attributes:
        sandbox: the Help Desk itself, an ASGI application.
        base_url: where it is served; `None` if it is not.
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
        """The judged hand-offs, accepted or not, oldest first."""
        return self.sandbox.handoffs

    def verify(self, response_or_url: Any) -> VerifiedHandoff:
        """Judge a hand-off as the Help Desk would, and use up its token.

        Args:
            response_or_url: the URL, as a str or an object; or the redirect there, from any client or
                framework: a response with `headers` and a status, or a mapping of headers. Disable
                redirects in your test client.

        Raises:
            HandoffRejected: the Help Desk would reject it. The message says why, and holds no token.
            AssertionError: the response is not a 303 redirect to the Help Desk, or the URL is not the
                Help Desk's. The message says where it leads, without the query, and the reason code of the
                middleware's page.
            TypeError: it is neither.
        """
        __tracebackhide__ = True  # pytest prints the arguments of the frames it shows
        from sso_middleware.sandbox import HandoffRejected  # noqa: PLC0415 - see the module's docstring

        try:
            return self.sandbox.verify(_url_of(response_or_url, self.helpdesk.sso_auth_url))
        except (HandoffRejected, AssertionError, TypeError) as error:
            problem = error
        # Raise it again without the argument, so that no frame shown by pytest holds the URL.
        del response_or_url
        raise problem.with_traceback(None)

    def reset(self) -> None:
        """Forget hand-offs, used tokens, planned failures, sessions and tickets."""
        self.sandbox.reset()

    def fail_next(self, code: VerdictCode, *, times: int = 1) -> None:
        """Refuse the next hand-offs with `code`.

        Raises:
            ValueError: there is no such code.
        """
        self.sandbox.fail_next(code, times=times)


def _url_of(response_or_url: Any, sso_auth_url: str) -> str:
    headers = getattr(response_or_url, "headers", response_or_url)
    if not hasattr(headers, "items"):
        url = str(response_or_url)  # httpx.URL, yarl.URL and their like
        is_absolute = _ABSOLUTE.match(url) is not None
        if not (isinstance(response_or_url, str) or is_absolute):
            raise TypeError(_WANTED)
        if is_absolute and not url.startswith(f"{sso_auth_url}?"):
            raise AssertionError(f"no hand-off: the URL leads to {_place(url)}, not to the Help Desk")
        return url
    status = _status_of(response_or_url)
    if status is None and headers is not response_or_url:
        raise TypeError(_WANTED)
    hint = _hint(status, followed=bool(getattr(response_or_url, "history", ())))
    # Not every client's mapping ignores case.
    location = next((str(value) for name, value in headers.items() if str(name).lower() == "location"), None)
    if location is None:
        known = "" if status is None else f" (status {status})"
        reason = _CODE.search(_body_of(response_or_url))
        if reason:
            hint = f": the middleware refused it, {reason[1].decode()}"
        raise AssertionError(f"no hand-off: the response{known} has no Location{hint}")
    if status not in (_REDIRECT, None):  # a bare mapping of headers has none
        raise AssertionError(f"no hand-off: the response has status {status}, not {_REDIRECT}{hint}")
    if not location.startswith(f"{sso_auth_url}?"):
        raise AssertionError(
            f"no hand-off: the response leads to {_place(location)}, not to the Help Desk{hint}"
        )
    return location


def _place(url: str) -> str:
    """Return `url` without query and fragment, which may hold a token, and without anything like one."""
    return _TOKEN.sub("[token]", re.split(r"[?#]", url, maxsplit=1)[0])


def _body_of(response: Any) -> bytes:
    """Return what was read of the body; nothing where a client has not read it, or reads it otherwise."""
    with suppress(Exception):
        bodies = (getattr(response, name, None) for name in ("content", "data", "body"))
        return next((body for body in bodies if isinstance(body, bytes)), b"")
    return b""


def _status_of(response: Any) -> int | None:
    # Werkzeug's and WebOb's `status` is text; http.client, aiohttp and Playwright have no other.
    found = (getattr(response, name, None) for name in ("status_code", "status_int", "status"))
    return next((int(each) for each in found if isinstance(each, int)), None)


def _hint(status: int | None, *, followed: bool) -> str:
    switch_off = "disable redirects in your test client, for example with follow_redirects=False"
    if followed:
        return f". It comes from a later page: {switch_off}."
    if status == _OK:
        return f". If it comes from a later page: {switch_off}."
    if status == _FOUND:
        return (
            ". This is the default of redirect() in Flask and Django. After 303 every browser continues with "
            "GET; after 302, each browser decides what to do with a login form's POST."
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
    parser.addini("helpdesk_auth_url", "Auth URL of the Help Desk fixtures", default=_AUTH_URL)
    parser.addini(
        "helpdesk_logout_url", "Logout URL of the account of the Help Desk fixtures", default=_LOGOUT_URL
    )


@pytest.fixture(scope="session")
def helpdesk_sandbox_settings(pytestconfig: pytest.Config) -> dict[str, Any]:
    """Return the keyword arguments of the `Sandbox`; override this to choose others.

    If the environment holds a sandbox's account, that account is used, so that an application that was
    imported with it matches.
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
    """Yield a new Help Desk for each test, on a free port: for browsers and real clients."""
    sandbox = _make_sandbox(helpdesk_sandbox_settings)
    with sandbox.run() as base_url:
        yield HelpDeskSandbox(sandbox, base_url)
