"""A headless Chromium, and the demo."""

import os
import shutil
from pathlib import Path

import pytest

from demo_site import running_site

CHROMIUM = os.environ.get("SSO_TEST_CHROMIUM") or shutil.which("chromium")

QUIET = [
    "--no-sandbox",  # the tests may run as root, in a container
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-dev-shm-usage",
]


@pytest.fixture(scope="module")  # no longer: while Playwright runs, no other test can run an event loop
def chromium():
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright (pip install playwright)")
    if not CHROMIUM:
        pytest.skip("needs chromium: on the PATH, or named in SSO_TEST_CHROMIUM")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def axe():
    """The source of axe-core."""
    modules = os.environ.get("SSO_TEST_NODE_MODULES")
    if not modules:
        pytest.skip("needs the npm package axe-core: name its node_modules in SSO_TEST_NODE_MODULES")
    return Path(modules, "axe-core", "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture
def site(chromium):  # no servers where there is no browser
    with running_site() as site:
        yield site


@pytest.fixture
def open_page(chromium):
    """Open a page in a context of its own; whatever its console complains about fails the test."""
    contexts, complaints = [], []

    def open_page(**options):
        context = chromium.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console", lambda message: complaints.append(message.text) if message.type == "error" else None
        )
        return page

    yield open_page
    for context in contexts:
        context.close()
    # Chromium logs each answer of 400 and more; that is asserted on where it matters.
    assert [text for text in complaints if "Failed to load resource" not in text] == []
