"""Finding SSOMiddleware in an application, and judging what is found."""

from sso_middleware.cli.check.app.application import Visits, check_application
from sso_middleware.cli.check.app.loading import load

__all__ = ["Visits", "check_application", "load"]
