"""A Help Desk account: its settings, the addresses that may be signed, and the signing itself."""

from sso_middleware.helpdesk.account import Handoff, HelpDesk
from sso_middleware.helpdesk.emails import check_email

__all__ = ["Handoff", "HelpDesk", "check_email"]
