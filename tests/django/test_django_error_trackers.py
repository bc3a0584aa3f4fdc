"""Inside Django, too, an error tracker gets no token, hand-off URL or address from our frames."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_out

from clients import DESK, JANE, SSO_TOKEN
from django_project import PASSWORD, WITHOUT_OURS, inside, outside, setting
from error_trackers import leaks, leaks_of_plain_traceback, sent_by_sentry
from sso_middleware import ConfigError, Logout, ResolverError, ShortTokenWarning
from sso_middleware.resolvers.django import end_session

THEIRS = ("test_", "clients", "django_", "_pytest", "pluggy")


class Broken(BaseException):
    """What ends a worker, such as a server's time-out."""


def fail(*_):
    raise Broken


async def fail_async(*_):
    raise Broken


def fail_to_listen(**_):
    raise Broken


def jane(request):
    return JANE


@pytest.mark.parametrize(
    "options",
    [
        {"resolve_email": jane, "on_event": fail},
        {"resolve_email": jane, "helpdesk": fail},
        {"resolve_email": jane, "helpdesk": fail_async},
        {"resolve_email": jane, "helpdesk": lambda request, email: [email]},
        {"resolve_email": lambda request: {"email": JANE}},
        {"resolve_email": fail, "logout": Logout(fail_async, path="/bye")},
    ],
)
def test_code_of_the_application(browser, configure, options):
    """An error of the application's own code passes through frames that show nothing."""
    options = {"helpdesk": DESK, "paths": "/sso/helpdesk"} | options
    configure(HELPDESK_SSO=options)
    site = inside(browser)
    with pytest.raises((Broken, ResolverError)) as caught:
        site.get("/bye" if "logout" in options else "/sso/helpdesk")
    assert leaks(sent_by_sentry(caught.value), *THEIRS) == []
    assert leaks_of_plain_traceback(caught.value) == []


@pytest.fixture
def shown():
    """The name of a user that is their address, which Django's repr of the user shows."""
    user = User.objects.create_user(JANE, email=JANE, password=PASSWORD)
    yield JANE
    user.delete()


def test_verified(browser, configure, shown):
    """Nor does the error of a predicate of the user."""
    configure(HELPDESK_SSO=setting(verified=fail))
    site = inside(browser)
    site.sign_in(shown)
    with pytest.raises(Broken) as caught:
        site.get("/sso/helpdesk")
    assert leaks(sent_by_sentry(caught.value), *THEIRS) == []
    assert leaks_of_plain_traceback(caught.value) == []


@pytest.mark.filterwarnings("error::sso_middleware.ShortTokenWarning")
@pytest.mark.parametrize(
    "changes",
    [
        {"sso_auth_url": "wrong"},
        {"on_event": "no.where"},
        {"sso_token": f"{SSO_TOKEN} "},
        {"sso_token": "short"},
    ],
)
def test_settings(browser, configure, changes):
    """Nor do wrong settings."""
    configure(HELPDESK_SSO=setting(**changes))
    with pytest.raises((ConfigError, ShortTokenWarning)) as caught:
        inside(browser)
    assert leaks(sent_by_sentry(caught.value), *THEIRS) == []
    assert leaks_of_plain_traceback(caught.value) == []


def test_outside(browser, configure, shown):
    """Nor does a middleware around Django, where a predicate fails, or what listens to the logout."""
    configure(MIDDLEWARE=WITHOUT_OURS)
    site = outside(browser, verified=fail, logout=Logout(end_session(), path="/bye"))
    site.sign_in(shown)
    user_logged_out.connect(fail_to_listen)
    try:
        for path in ("/sso/helpdesk", "/bye"):
            with pytest.raises(Broken) as caught:
                site.get(path)
            assert leaks(sent_by_sentry(caught.value), *THEIRS, "django.dispatch") == []
            assert leaks_of_plain_traceback(caught.value) == []
    finally:
        user_logged_out.disconnect(fail_to_listen)
