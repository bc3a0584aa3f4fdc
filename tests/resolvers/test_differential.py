"""The hand-off names the person whom the application's own view names at that moment, or nobody."""

from __future__ import annotations

import re

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from applications import APPLICATIONS
from browsing import PATH, tamper
from clients import AUTH_URL, SSO_TOKEN
from people import HOUR, KINDS, People
from sso_middleware.sandbox import HandoffVerifier

NAMES = st.sampled_from(sorted(KINDS))
DECIDED = st.sampled_from([None, "", *KINDS])


class Visitor:
    """Somebody with a browser, and everything that may happen to them."""

    def __init__(self, make, folder):
        self.people = People()
        self.application = make(self.people, folder)
        self.browser = self.application.browser
        self.kept = []
        self.verifier = HandoffVerifier(sso_token=SSO_TOKEN, account_id="4711", auth_url=AUTH_URL)

    def sign_in(self, name, query=""):
        """Sign in, also as somebody else while signed in."""
        self.application.revive()
        self.browser.get(f"/in/{name}{query}")
        self.kept = self._signed_in_by()

    def remember(self, name):
        """Sign in with a remember-me cookie, and lose the session."""
        self.sign_in(name, "?remember")
        if "remember_token" in self.browser.cookies:
            self.browser.cookies.delete("session")

    def sign_out(self, _):
        self.browser.get("/out")

    def come_back(self, _):
        """Send the cookies of the last sign-in again, whatever happened since."""
        for cookie in self.kept:
            self.browser.cookies.set(cookie.name, cookie.value, domain=cookie.domain, path=cookie.path)

    def impersonate(self, name):
        self.browser.get(f"/as/{name}")

    def deactivate(self, name):
        self.people.accounts[name].is_active = False

    def unset_active(self, name):
        self.people.accounts[name].is_active = None

    def activate(self, name):
        self.people.accounts[name].is_active = True

    def unverify(self, name):
        self.people.accounts[name].email_verified = False

    def change_password(self, name):
        self.people.accounts[name].password += 1

    def wait(self, _):
        """Wait until the application takes the session for too old."""
        self.people.now += 2 * HOUR

    def expire(self, _):
        """Wait until the framework does."""
        self.application.expire()

    def tamper(self, _):
        for cookie in self._signed_in_by():
            tamper(self.browser, cookie.name)

    def decide(self, name):
        """Let a middleware or policy of the application say who it is."""
        self.people.decided = name

    def in_view(self):
        """Return what the hand-off has to come to, by what the view says."""
        (who,) = self.browser.get("/who").raise_for_status().json()
        if who is None:
            return "login"
        email, verified, active = who
        return (email if verified else "email_not_verified") if active else "inactive"

    def in_hand_off(self):
        """Return what the hand-off does come to; the count of hand-offs is not what this is about."""
        response = self.browser.get(PATH)
        for cookie in [cookie for cookie in self.browser.cookies.jar if cookie.path == PATH]:
            self.browser.cookies.delete(cookie.name, cookie.domain, cookie.path)
        if response.status_code == 403:
            return re.search("Code: ([a-z0-9_]+)<", response.text)[1]
        assert response.status_code == 303
        location = response.headers["location"]
        return "login" if httpx.URL(location).path == "/login" else self.verifier.verify(location).email

    def _signed_in_by(self):
        return [cookie for cookie in self.browser.cookies.jar if cookie.name in self.application.cookies]


def happens(*whats, to=NAMES):
    return st.tuples(st.sampled_from(whats), to)


STEPS = st.lists(
    st.one_of(
        happens(Visitor.sign_in),
        happens(Visitor.sign_in, Visitor.remember, Visitor.impersonate),
        happens(Visitor.deactivate, Visitor.unset_active, Visitor.activate, Visitor.unverify),
        happens(Visitor.change_password),
        happens(Visitor.sign_out, Visitor.come_back, Visitor.wait, Visitor.expire, Visitor.tamper),
        happens(Visitor.decide, to=DECIDED),
    ),
    min_size=1,
    max_size=12,
)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:datetime.datetime.utc:DeprecationWarning")  # Flask-Login's
@pytest.mark.parametrize("make", APPLICATIONS, ids=lambda make: make.__name__)
def test_the_person_of_the_view(make, tmp_path):
    """Whatever happened before, view and hand-off agree, whichever of them is asked first."""
    seen = set()

    @settings(
        max_examples=40,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(steps=STEPS)
    def agree(steps):
        visitor = Visitor(make, tmp_path)
        for what, name in steps:
            what(visitor, name)
            before, expected, after = visitor.in_hand_off(), visitor.in_view(), visitor.in_hand_off()
            assert before == expected == after
            seen.add(expected)

    agree()
    addresses = {f"{name}@example.com" for name in KINDS}
    assert seen == {"login", "inactive", "email_not_verified", *addresses}
