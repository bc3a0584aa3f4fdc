"""Pytest fixtures to test an application's hand-off with, against a Help Desk of its own.

::

    def test_support_link(helpdesk_sandbox, client):
        client.login("jane@example.com")
        verified = helpdesk_sandbox.verify(client.get("/sso/helpdesk"))
        assert verified.email == "jane@example.com"

The Auth URL and Logout URL of the account come from the ini settings ``helpdesk_auth_url`` and
``helpdesk_logout_url``, or from overriding the fixture `helpdesk_sandbox_settings`.

This module imports pytest alone when it is loaded: every pytest run of an environment in which this
package is installed loads it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from sso_middleware.helpdesk import HelpDesk
    from sso_middleware.sandbox import Sandbox, VerifiedHandoff
    from sso_middleware.sandbox.attempts import Attempt
    from sso_middleware.sandbox.verdicts import VerdictCode

__all__ = ["HelpDeskSandbox"]

_AUTH_URL = "http://localhost/sso/helpdesk"
_LOGOUT_URL = "http://localhost/sso/logout"
_REDIRECT = 303


class HelpDeskSandbox:
    """What the fixtures give: a Help Desk account, and what it thinks of the hand-offs to it.

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
    def handoffs(self) -> list[Attempt]:
        """The hand-offs that were judged, accepted or not, the oldest first."""
        return self.sandbox.handoffs

    def verify(self, response_or_url: Any) -> VerifiedHandoff:
        """Judge a hand-off as the Help Desk would, and use its token up.

        Args:
            response_or_url: the URL, as text or as an object; or the response of any client or
                framework that redirects there: whatever has `headers`, or a mapping of them.

        Raises:
            HandoffRejected: it would not sign its visitor in. Says why; holds no token.
            AssertionError: the response is no redirect to the Help Desk with status 303.
            TypeError: it is neither.
        """
        __tracebackhide__ = True  # pytest prints the arguments of the frames it shows
        from sso_middleware.sandbox import HandoffRejected  # noqa: PLC0415 - see the module's docstring

        try:
            return self.sandbox.verify(_url_of(response_or_url, self.helpdesk.sso_auth_url))
        except (HandoffRejected, AssertionError, TypeError) as error:
            problem = error
        # Raised anew and without the argument, so that no frame that pytest may show holds the URL.
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
    if not hasattr(headers, "get"):
        url = str(response_or_url)  # httpx.URL, yarl.URL and their like
        if isinstance(response_or_url, str) or url.startswith(("https://", "http://")):
            return url
        raise TypeError("verify() takes a URL, or a response that has headers")
    status = getattr(response_or_url, "status_code", _REDIRECT)  # a bare mapping of headers has none
    location = headers.get("Location")
    if location is None:
        raise AssertionError(f"no hand-off: the response (status {status}) has no Location")
    if status != _REDIRECT:
        raise AssertionError(f"no hand-off: the response has status {status}, not {_REDIRECT}")
    if not str(location).startswith(f"{sso_auth_url}?"):
        raise AssertionError("no hand-off: the response leads elsewhere than to the Help Desk")
    return str(location)


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
    parser.addini("helpdesk_auth_url", "Auth URL of the account of the Help Desk fixtures", default=_AUTH_URL)
    parser.addini(
        "helpdesk_logout_url", "Logout URL of the account of the Help Desk fixtures", default=_LOGOUT_URL
    )


@pytest.fixture(scope="session")
def helpdesk_sandbox_settings(pytestconfig: pytest.Config) -> dict[str, Any]:
    """Give the keyword arguments of the `Sandbox`; override it to choose others."""
    return {
        "auth_url": pytestconfig.getini("helpdesk_auth_url"),
        "logout_url": pytestconfig.getini("helpdesk_logout_url") or None,
    }


@pytest.fixture
def helpdesk_sandbox(helpdesk_sandbox_settings: dict[str, Any]) -> HelpDeskSandbox:
    """Give a Help Desk in this process, without a server, new for each test."""
    return HelpDeskSandbox(_make_sandbox(helpdesk_sandbox_settings))


@pytest.fixture
def live_helpdesk_sandbox(helpdesk_sandbox_settings: dict[str, Any]) -> Iterator[HelpDeskSandbox]:
    """Give a Help Desk on a free port, new for each test: for browsers and real clients."""
    sandbox = _make_sandbox(helpdesk_sandbox_settings)
    with sandbox.run() as base_url:
        yield HelpDeskSandbox(sandbox, base_url)
