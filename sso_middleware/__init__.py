"""Single sign-on from a Python web application to a ProProfs Help Desk.

`HelpDesk` holds the settings of an account and signs hand-offs to it. The middleware is in
`sso_middleware.wsgi` and `sso_middleware.asgi`: same name, same parameters.

Importing this package imports PyJWT and the standard library only.
"""

from sso_middleware.errors import (
    ConfigError,
    HandoffRefused,
    InvalidEmail,
    MiddlewareOrderError,
    ResolverError,
    ResolverUnavailable,
    ShortTokenWarning,
    SSOError,
)
from sso_middleware.events import SSOEvent
from sso_middleware.helpdesk import Handoff, HelpDesk
from sso_middleware.logout import Logout, expire_cookies

__all__ = [
    "ConfigError",
    "Handoff",
    "HandoffRefused",
    "HelpDesk",
    "InvalidEmail",
    "Logout",
    "MiddlewareOrderError",
    "ResolverError",
    "ResolverUnavailable",
    "SSOError",
    "SSOEvent",
    "ShortTokenWarning",
    "expire_cookies",
]
