"""The project's database and its users."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.db import connections
from django.test import override_settings

import django_project


@pytest.fixture(scope="session", autouse=True)
def users():
    """Those of `create_users`."""
    django_project.create_users()
    connections.close_all()


@pytest.fixture(autouse=True)
def _nothing_left_open():
    yield
    connections.close_all()
    cache.clear()


@pytest.fixture
def configure():
    """Change settings of the project for one test."""
    active = []

    def configure(**changes):
        active.append(override_settings(**changes))
        active[-1].enable()

    yield configure
    for override in reversed(active):
        override.disable()


@pytest.fixture(
    params=[django_project.WSGIBrowser, django_project.ASGIBrowser], ids=lambda browser: browser.protocol
)
def browser(request):
    """The class of a browser on each protocol, to be opened by `inside` or `outside`."""
    return request.param


@pytest.fixture(params=["inside", "outside"])
def open_site(request, browser, configure):
    """Open a browser on the project, with our middleware in its MIDDLEWARE, or around it."""
    if request.param == "outside":
        configure(MIDDLEWARE=django_project.WITHOUT_OURS)
    return lambda **options: getattr(django_project, request.param)(browser, **options)
