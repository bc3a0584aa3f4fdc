"""Finding SSOMiddleware in an application, and judging what is found."""

from sso_middleware.cli.check.app.application import VisitOptions, check_application
from sso_middleware.cli.check.app.loading import load

__all__ = ["VisitOptions", "check_application", "load"]
