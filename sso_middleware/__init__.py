"""Single sign-on from a Python web application to a ProProfs Help Desk.

`HelpDesk` holds the settings of an account and signs hand-offs to it. The middleware is in
`sso_middleware.wsgi` and `sso_middleware.asgi`, with the same name and parameters.

Importing this package only imports the standard library; using a name from it imports the rest. So
the pytest plugin costs nothing if it is installed but not used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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

    __version__: str

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

_ELSEWHERE = {
    "Handoff": "helpdesk",
    "HelpDesk": "helpdesk",
    "Logout": "logout",
    "SSOEvent": "events",
    "expire_cookies": "logout",
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first used (PEP 562)."""
    if name == "__version__":
        return import_module("importlib.metadata").version("sso-middleware")
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{_ELSEWHERE.get(name, 'errors')}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
