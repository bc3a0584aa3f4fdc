"""The whole way through the demo in a real browser: by mouse without JavaScript, and by keyboard alone."""

import re

import pytest
from starlette.responses import RedirectResponse

from sso_middleware import HelpDesk
from sso_middleware.sandbox import Sandbox
from sso_middleware.sandbox.server import serve

pytestmark = [pytest.mark.browser, pytest.mark.server, pytest.mark.slow]

EMAIL = "jane@example.com"


def sees(page, text):
    """Wait until `text` is on the page."""
    page.get_by_role("main").filter(has_text=text).wait_for()


def test_without_javascript(open_page, site):
    """Sign in, hand-off, tickets, log and sign-out work with JavaScript off."""
    page = open_page(java_script_enabled=False)
    page.goto(site.url)
    page.get_by_role("link", name="Sign in through your application").click()
    page.get_by_role("button", name="Sign in as").click()
    page.wait_for_url(f"{site.url}/tickets")
    sees(page, "My tickets")

    page.get_by_label("Subject").fill("The printer is on fire")
    page.get_by_label("Message").fill("It is\nstill burning.")
    page.get_by_role("button", name="Open ticket").click()
    sees(page, "still burning")
    page.get_by_label("Reply").fill("It went out.")
    page.get_by_role("button", name="Send reply").click()
    sees(page, "It went out.")
    page.get_by_role("link", name="← My tickets").click()
    sees(page, "2 tickets: 1 answered, 1 waiting")

    page.get_by_role("link", name="Hand-off log").click()
    page.get_by_role("heading", name="Accepted").wait_for()
    assert f'"email": "{EMAIL}"' in page.get_by_role("group", name="Claims of hand-off 1").inner_text()

    page.get_by_role("link", name="Settings").click()
    sees(page, site.sandbox.environment["HELPDESK_SSO_TOKEN"])

    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{site.app_url}/")
    sees(page, "You are not signed in.")
    page.goto(f"{site.url}/tickets")
    sees(page, "Sign in to the Help Desk")


def test_sign_out_leads_wherever_the_application_likes(open_page, site):
    """A Logout URL that redirects to another origin, such as the company's home page, gets there."""

    async def redirect(scope, receive, send):
        await RedirectResponse(f"{site.app_url}/", 303)(scope, receive, send)

    with serve(redirect, "127.0.0.1", 0) as logout_origin:
        sandbox = Sandbox(auth_url=f"{site.app_url}/sso/helpdesk", logout_url=f"{logout_origin}/bye")
        with sandbox.run() as url:
            page = open_page()
            page.goto(sandbox.helpdesk.handoff_url(EMAIL))
            page.wait_for_url(f"{url}/tickets")
            page.get_by_role("button", name="Sign out").click()
            page.wait_for_url(f"{site.app_url}/")


def reach(page, name):
    """Press Tab until what has that accessible name, or text, is focused."""
    focused = "document.activeElement"
    for _ in range(40):
        page.keyboard.press("Tab")
        found = page.evaluate(
            f"({focused}.labels?.[0]?.textContent || {focused}.ariaLabel || {focused}.textContent).trim()"
        )
        if found == name:
            outline = page.evaluate(f"getComputedStyle({focused}).outlineStyle")
            assert outline != "none", f"nobody sees that {name} is focused"
            return
    raise AssertionError(f"{name} cannot be reached by keyboard")


def test_by_keyboard_alone(open_page, site):
    """The same way with no mouse: everything is reached by Tab, and its focus is seen."""
    page = open_page()
    page.goto(site.url)
    reach(page, "Skip to content")
    page.keyboard.press("Enter")
    reach(page, "Sign in through your application")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/login"))
    reach(page, f"Sign in as {EMAIL}")
    page.keyboard.press("Enter")
    page.wait_for_url("**/tickets")

    reach(page, "Subject")
    page.keyboard.type("By keyboard")
    reach(page, "Message")
    page.keyboard.type("No mouse here.")
    reach(page, "Open ticket")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/tickets/\d+$"))
    reach(page, "Reply")
    page.keyboard.type("Nor here.")
    reach(page, "Send reply")
    page.keyboard.press("Enter")
    page.wait_for_url("**#latest")
    sees(page, "Nor here.")

    reach(page, "Hand-off log")
    page.keyboard.press("Enter")
    page.wait_for_url("**/handoffs")
    reach(page, "The token, decoded")
    page.get_by_role("group", name="Claims of hand-off 1").wait_for()
    page.keyboard.press("Enter")
    page.get_by_role("group", name="Claims of hand-off 1").wait_for(state="hidden")

    reach(page, "Sign out")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site.app_url}/")


def test_a_wrong_setting_is_explained(open_page, site):
    """A wrong setting leads to a page that says what is wrong and how to fix it."""
    broken = HelpDesk.from_env(
        site.sandbox.environment | {"HELPDESK_SSO_TOKEN": site.sandbox.environment["HELPDESK_SSO_TOKEN"][:-4]}
    )
    page = open_page()
    page.goto(broken.handoff_url(EMAIL))
    text = page.get_by_role("main").inner_text()
    assert "Rejected: bad_signature" in text
    assert "first 60 of your SSO Token's 64 bytes" in text
    assert "copy it from the vendor's panel again" in text
    page.get_by_role("link", name="Try again").click()
    page.wait_for_url(f"{site.app_url}/#broken")


def sign_in_at_the_application(page, site):
    page.goto(site.app_url)
    page.get_by_role("main").get_by_role("link", name="Sign in").click()
    page.get_by_role("button", name="Sign in as").click()
    sees(page, f"signed in as {EMAIL}")


@pytest.mark.parametrize(
    ("mistake", "verdict", "remedy"),
    [
        ("Truncated token", "bad_signature", "sso_token (HELPDESK_SSO_TOKEN): It is truncated"),
        ("Hashed token", "bad_signature", "sso_token (HELPDESK_SSO_TOKEN): "),
        ("Wrong account", "unknown_account", "account_id (HELPDESK_ACCOUNT_ID): "),
        (
            "Extra slash",
            "auth_url_mismatch",
            "auth_url (HELPDESK_AUTH_URL): It has a trailing slash",
        ),
    ],
)
def test_settings_broken_in_the_demo(open_page, site, mistake, verdict, remedy):
    """A setting broken on the demo's page is explained by the Help Desk, whose Try again leads to its fix."""
    page = open_page()
    sign_in_at_the_application(page, site)
    page.get_by_role("button", name=f"Break it: {mistake}").click()
    text = page.get_by_role("main").inner_text()
    assert f"Rejected: {verdict}" in text
    assert remedy in text
    page.get_by_role("link", name="Try again").click()
    page.wait_for_url(f"{site.app_url}/#broken")
    assert mistake in page.locator("#broken").inner_text()
    page.get_by_role("button", name="Fix it").click()
    page.get_by_role("main").get_by_role("link", name="Support").click()
    page.wait_for_url(f"{site.url}/tickets")


def test_a_strict_cookie_stays_away_between_the_two_sites(open_page, site):
    """From localhost, 127.0.0.1 gets no SameSite=Strict cookie, and the login there explains it."""
    page = open_page()
    sign_in_at_the_application(page, site)
    page.get_by_role("button", name="Break it: SameSite=Strict").click()
    page.get_by_role("link", name="Sign in through your application").click()
    page.wait_for_url(f"{site.app_url}/login?next=/sso/helpdesk")
    sees(page, "SESSION_COOKIE_SAMESITE")
    page.get_by_role("button", name="Fix it").click()
    page.goto(f"{site.url}/sign-in")

    page.get_by_role("link", name="Sign in through your application").click()
    page.wait_for_url(f"{site.url}/tickets")


def test_a_login_that_forgets_next_is_explained(open_page, site):
    """A user who ends at the application instead of the Help Desk reads why, and which settings help."""
    page = open_page()
    sign_in_at_the_application(page, site)
    page.get_by_role("button", name="Break it: A login that forgets next").click()
    page.get_by_role("button", name="Sign in as").click()
    sees(page, "The login forgot next")
    page.get_by_role("button", name="Fix it").click()
    page.get_by_role("main").get_by_role("link", name="Support").click()
    page.wait_for_url(f"{site.url}/tickets")


def test_a_deep_link_survives_the_sign_in(open_page, site):
    """With `sends`, the ticket that was asked for is shown after the hand-off."""
    sandbox = Sandbox(auth_url=site.sandbox.helpdesk.auth_url, sends="return_page")
    with sandbox.run(host="localhost") as url:
        site.sample.connect(sandbox.environment)
        page = open_page()
        sign_in_at_the_application(page, site)
        page.goto(f"{url}/tickets/1001")
        page.get_by_role("link", name="Sign in through your application").click()
        page.wait_for_url(f"{url}/tickets/1001")


def test_replay_by_the_back_button(open_page, site):
    """Opening a used hand-off again, as the Back button does, is refused and explained."""
    url = site.sandbox.helpdesk.handoff_url(EMAIL)
    page = open_page()
    page.goto(url)
    assert page.url == f"{site.url}/tickets"
    page.goto(url)
    assert "Rejected: replayed" in page.get_by_role("main").inner_text()
