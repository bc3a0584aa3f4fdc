"""Tests for each resolver that reads an application's own login."""

from __future__ import annotations

import pytest

from browsing import tamper, visit
from clients import JANE


class SigningIn:
    """Subclasses have a fixture `browser`, of an application with ``/login/<name>`` and ``/logout``.

    It knows jane; joe, whose address is not verified; and blank, who has none.
    """

    @pytest.fixture
    def cookie(self):
        """The name of the cookie that the user is found by."""
        return "session"

    def test_signed_in(self, browser):
        """A signed-in user is handed off until they log out."""
        assert visit(browser) == "login"
        browser.get("/login/jane")
        assert visit(browser) == JANE
        browser.get("/logout")
        assert visit(browser) == "login"

    def test_unverified(self, browser):
        """An address that is not verified is refused."""
        browser.get("/login/joe")
        assert visit(browser) == "email_not_verified"

    def test_no_address(self, browser):
        """A signed-in user without an address is not sent to log in again."""
        browser.get("/login/blank")
        assert visit(browser) == "no_email"

    def test_tampered_cookie(self, browser, cookie):
        """A changed cookie is an anonymous visitor's."""
        browser.get("/login/jane")
        tamper(browser, cookie)
        assert visit(browser) == "login"
