"""Fixtures and options of the whole suite."""

from __future__ import annotations

import pytest
from hypothesis import settings

from clients import ASGISite, UnprefixedASGISite, WSGISite

settings.register_profile("here", deadline=None)  # a loaded machine is no defect
settings.load_profile("here")


@pytest.fixture(params=[WSGISite, ASGISite], ids=lambda site: site.protocol)
def site(request):
    """The class of a site on each protocol; call it with resolve_email, helpdesk and options."""
    return request.param


@pytest.fixture(params=[WSGISite, ASGISite, UnprefixedASGISite], ids=lambda site: site.protocol)
def mounted_site(request):
    """The same, and both ways in which ASGI servers present a mount prefix."""
    return request.param


def pytest_addoption(parser):
    parser.addoption(
        "--packaging", action="store_true", help="also run the tests that build and install the wheel"
    )
    parser.addoption("--fail-on-skip", action="store_true", help="count a skipped test as failed")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--packaging"):
        return
    skip = pytest.mark.skip(reason="needs the package index; give --packaging to run it")
    for item in items:
        if item.get_closest_marker("packaging"):
            item.add_marker(skip)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if (
        session.config.getoption("--fail-on-skip")
        and reporter.stats.get("skipped")
        and not session.exitstatus
    ):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
