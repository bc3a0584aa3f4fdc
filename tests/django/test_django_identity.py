"""The hand-off is for the user whom the views would see, whatever other middlewares decide."""

from __future__ import annotations

import pytest

import django_deciding
from django_project import inside

PATH = "/sso/helpdesk"


@pytest.fixture
def visitor(browser, configure):
    """Nobody, in a project whose middlewares decide who the user is."""
    configure(MIDDLEWARE=django_deciding.MIDDLEWARE, **django_deciding.SETTINGS)
    return inside(browser)


def handed_off(reply):
    """Whose address was handed off; `None`: an anonymous visitor was sent to the login."""
    if reply["location"].startswith("/login?"):
        return None
    return reply.claims["email"].partition("@")[0]


@pytest.mark.parametrize(
    ("headers", "name"),
    [
        ([("X-Act", "log-in bob")], "bob"),
        ([("X-Act", "log-out")], None),
        ([("X-Act", "nobody")], None),
        ([("X-Act", "become bob")], "bob"),
        ([("X-Act", "become-later bob")], "bob"),
        ([("X-Act", "slots bob")], "bob"),
        ([("X-Act", "claims bob")], "bob"),
        ([("X-Act", "auser-only")], "jane"),
        ([("X-Remote", "bob")], "bob"),
    ],
)
def test_a_middleware_decides(visitor, headers, name):
    """Jane's session is open; what a middleware makes of it counts, on both protocols."""
    visitor.sign_in("jane")
    assert handed_off(visitor.get(PATH, headers=headers)) == name


def test_no_remote_user_any_more(visitor):
    """RemoteUserMiddleware signs out where the proxy names nobody."""
    assert handed_off(visitor.get(PATH, headers=[("X-Remote", "jane")])) == "jane"
    assert handed_off(visitor.get(PATH)) is None


def test_a_token(visitor):
    """A token signs in for one request."""
    assert handed_off(visitor.get(PATH, headers=[("X-Token", "bob")])) == "bob"
    assert handed_off(visitor.get(PATH)) is None


@pytest.mark.parametrize(("noted", "name"), [("impersonated=bob", "bob"), ("second_factor_to_come=1", None)])
def test_what_the_session_says_beside_the_user(visitor, noted, name):
    """A staff member who looks at the site as Bob does; a sign-in that is not complete."""
    visitor.sign_in("jane")
    visitor.get(f"/in-session?{noted}")
    assert handed_off(visitor.get(PATH)) == name
