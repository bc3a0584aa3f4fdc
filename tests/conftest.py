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


#: Markers of what the plain run leaves out, because it takes minutes or the package index.
LEFT_OUT = {
    "matrix": "takes minutes",
    "packaging": "needs the package index",
    "reliability": "takes minutes",
    "threats": "takes minutes",
    "transparency": "needs the package index",
}
#: And of what it skips where a tool is missing.
OPTIONAL = {*LEFT_OUT, "benchmark", "browser", "fuzz", "interop", "nginx", "node"}


def pytest_addoption(parser):
    parser.addoption("--all", action="store_true", help="also run what takes minutes or the package index")
    parser.addoption(
        "--optional", action="store_true", help="run only what takes minutes, the package index or more tools"
    )
    parser.addoption(
        "--fail-on-skip",
        action="store_true",
        help="count a skipped test as failed, an optional one with --all",
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    if config.getoption("--optional"):
        dropped = [item for item in items if OPTIONAL.isdisjoint(item.keywords)]
        items[:] = [item for item in items if not OPTIONAL.isdisjoint(item.keywords)]
        config.hook.pytest_deselected(items=dropped)
    elif not config.getoption("--all"):
        for item in items:
            for name in LEFT_OUT.keys() & set(item.keywords):
                item.add_marker(pytest.mark.skip(reason=f"{LEFT_OUT[name]}: give --all to run it"))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    option = session.config.getoption
    skipped = session.config.pluginmanager.get_plugin("terminalreporter").stats.get("skipped", [])
    if not option("--all") and not option("--optional"):
        skipped = [report for report in skipped if OPTIONAL.isdisjoint(report.keywords)]
    if option("--fail-on-skip") and skipped and not session.exitstatus:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
