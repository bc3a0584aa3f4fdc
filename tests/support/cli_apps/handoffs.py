"""Reading hand-offs as the Help Desk does."""

from cli_apps.entry_point import SETTINGS
from sso_middleware.sandbox import HandoffVerifier


def address_in(location):
    """Return whom the redirect to `location` signs in."""
    verifier = HandoffVerifier(
        sso_token=SETTINGS["HELPDESK_SSO_TOKEN"],
        account_id=SETTINGS["HELPDESK_ACCOUNT_ID"],
        auth_url=SETTINGS["HELPDESK_AUTH_URL"],
        leeway=1,
    )
    return verifier.verify(location).email
