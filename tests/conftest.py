"""Fixtures and options of the whole suite."""

from __future__ import annotations

import gc
import os
import signal

import pytest
from hypothesis import settings

from clients import ASGISite, UnprefixedASGISite, WSGISite

# No deadline: a loaded machine is no defect.
settings.register_profile("quick", deadline=None, max_examples=40)
settings.register_profile("thorough", deadline=None)
settings.register_profile("mutation", deadline=None, max_examples=10)  # it runs for each change
settings.load_profile("quick")


@pytest.fixture(params=[WSGISite, ASGISite], ids=lambda site: site.protocol)
def site(request):
    """The class of a site on each protocol; call it with resolve_email, helpdesk and options."""
    return request.param


@pytest.fixture(params=[WSGISite, ASGISite, UnprefixedASGISite], ids=lambda site: site.protocol)
def mounted_site(request):
    """The same, and both ways in which ASGI servers present a mount prefix."""
    return request.param


#: Markers of what the plain run leaves out, because it takes minutes or needs the package index.
LEFT_OUT = {"exhaustive", "matrix", "packaging", "realapps", "reliability", "transparency"}
#: And of what it skips where a tool is missing.
OPTIONAL = LEFT_OUT | {"benchmark", "browser", "fuzz", "interop", "nginx", "node", "shells", "types"}
#: The folders in which each test is left out: they are not even imported.
FOLDERS_LEFT_OUT = {"realapps", "reliability", "servers_matrix", "transparency"}


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


def is_plain(config):
    return not config.getoption("--optional") and not config.getoption("--all")


def pytest_report_header(config):
    if is_plain(config):
        return f"left out without --all: tests marked {', '.join(sorted(LEFT_OUT))}"
    return None


def pytest_ignore_collect(collection_path, config):
    if is_plain(config) and collection_path.name in FOLDERS_LEFT_OUT:
        return True
    return None


def pytest_configure():
    os.environ.pop("PYTEST_ADDOPTS", None)  # they are for this run, and not for those that tests start
    # A script's background jobs ignore SIGINT, and so would the commands that tests stop with it.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    # Not item.keywords, where the names of folders are, too.
    marked = {item: {mark.name for mark in item.iter_markers()} for item in items}
    for item in items:
        if marked[item] & OPTIONAL:
            item.user_properties.append(("optional", "yes"))  # for its reports
    if config.getoption("--optional"):
        left_out = [item for item in items if not marked[item] & OPTIONAL]
    else:
        left_out = [item for item in items if marked[item] & LEFT_OUT and not config.getoption("--all")]
    config.hook.pytest_deselected(items=left_out)
    rest = set(items).difference(left_out)
    items[:] = [item for item in items if item in rest]


def pytest_collection_finish():
    gc.freeze()  # all of it stays to the end: no need to look through it for garbage


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    skipped = session.config.pluginmanager.get_plugin("terminalreporter").stats.get("skipped", [])
    if is_plain(session.config):
        skipped = [report for report in skipped if ("optional", "yes") not in report.user_properties]
    if session.config.getoption("--fail-on-skip") and skipped and not session.exitstatus:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
