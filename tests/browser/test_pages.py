"""Every page for everybody: no axe-core finding in light and dark, and nothing cut off on a phone.

With SSO_TEST_SCREENSHOTS naming a directory, a picture of each page is left there.
"""

import os
from pathlib import Path

import pytest

from sso_middleware import HelpDesk

pytestmark = [pytest.mark.browser, pytest.mark.server, pytest.mark.slow]

EMAIL = "jane@example.com"
SCREENSHOTS = os.environ.get("SSO_TEST_SCREENSHOTS")


def pages(page, site):
    """Lead `page` through every kind of page, and give the name of each."""
    desk, variables = site.sandbox.helpdesk, site.sandbox.environment
    page.goto(site.app_url)
    yield "sample"
    page.get_by_role("main").get_by_role("link", name="Sign in").click()
    page.get_by_role("button", name="Sign in as").wait_for()
    yield "sample-login"
    page.get_by_role("button", name="Sign in as").click()
    page.get_by_role("main").get_by_role("link", name="Support").wait_for()
    yield "sample-signed-in"
    page.get_by_role("button", name="Break it: SameSite=Strict").click()
    page.get_by_role("link", name="Sign in through your application").click()
    page.get_by_role("heading", name="Already signed in?").wait_for()
    yield "sample-strict"
    page.goto(site.app_url)
    yield "sample-broken"
    page.get_by_role("button", name="Break it: A login that forgets next").click()
    page.get_by_role("button", name="Sign in as").click()
    page.get_by_role("heading", name="The login forgot next").wait_for()
    yield "sample-lost"
    page.get_by_role("button", name="Fix it").click()
    page.goto(site.url)
    yield "sign-in"
    page.goto(f"{site.url}/handoffs")
    yield "empty-log"
    page.goto(f"{site.url}/sso")
    yield "nothing-handed-off"
    other = HelpDesk.from_env(variables | {"HELPDESK_AUTH_URL": variables["HELPDESK_AUTH_URL"] + "/"})
    page.goto(other.handoff(EMAIL, iat=desk.handoff(EMAIL).iat - 42).url)
    yield "refused"
    page.goto(desk.handoff(EMAIL, iat=desk.handoff(EMAIL).iat * 1000).url)
    page.goto(f"{site.url}/sso?token=nonsense&account_id={variables['HELPDESK_ACCOUNT_ID']}&auth_url=x")
    page.goto(desk.handoff_url(EMAIL))
    yield "tickets"
    page.get_by_label("Subject").fill("x")
    page.get_by_label("Message").fill(" ")
    page.get_by_role("button", name="Open ticket").click()
    page.get_by_role("alert").wait_for()
    yield "incomplete"
    page.get_by_role("link", name="Welcome to the Help Desk").click()
    page.get_by_label("Reply").fill("Thank you. I shall try it.")
    page.get_by_role("button", name="Send reply").click()
    page.wait_for_url("**#latest")
    yield "ticket"
    page.goto(f"{site.url}/handoffs")
    yield "log"
    page.goto(f"{site.url}/settings")
    yield "settings"
    page.goto(f"{site.url}/nowhere")
    yield "not-found"


def picture(page, name):
    if SCREENSHOTS:
        page.screenshot(path=Path(SCREENSHOTS, f"{name}.png"), full_page=True)


@pytest.mark.node
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe(open_page, site, axe, scheme):
    """axe-core has nothing to find fault with, best practices included."""
    page = open_page(color_scheme=scheme)
    found = {}
    for name in pages(page, site):
        picture(page, f"{name}-{scheme}")
        page.evaluate(axe)
        result = page.evaluate("axe.run({ resultTypes: ['violations'] })")
        assert result["passes"]
        found |= {
            f"{name}: {rule['id']}": [node["html"] for node in rule["nodes"]] for rule in result["violations"]
        }
    assert found == {}


BROKEN_WORDS = """
() => {
  const broken = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const node = texts.currentNode;
    if (node.parentElement.closest("pre, .url, mark")) continue;
    for (const word of node.data.matchAll(/[^\\s]*(?:-|\\()[^\\s]*/g)) {
      const range = document.createRange();
      range.setStart(node, word.index);
      range.setEnd(node, word.index + word[0].length);
      const lines = new Set([...range.getClientRects()].map(each => Math.round(each.top / 8)));
      if (lines.size > 1) broken.push(word[0]);
    }
  }
  return broken;
}
"""
CUT = """
() => [...document.querySelectorAll("body *")]
  .filter(each => each.scrollWidth > each.clientWidth + 1 && getComputedStyle(each).overflowX !== "visible")
  .filter(each => !getComputedStyle(each).backgroundImage.includes("gradient"))
  .map(each => each.outerHTML.slice(0, 80))
"""


def test_phone(open_page, site):
    """At 390 pixels nothing is wider than the screen, cut off without a sign, or broken inside a word."""
    page = open_page(viewport={"width": 390, "height": 844})
    for name in pages(page, site):
        picture(page, f"{name}-phone")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, name
        assert page.evaluate(CUT) == [], name
        assert page.evaluate(BROKEN_WORDS) == [], name
