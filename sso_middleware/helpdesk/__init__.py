"""A Help Desk account: settings, addresses and signing."""

from sso_middleware.helpdesk.account import Handoff, HelpDesk
from sso_middleware.helpdesk.emails import check_email

__all__ = ["Handoff", "HelpDesk", "check_email"]
