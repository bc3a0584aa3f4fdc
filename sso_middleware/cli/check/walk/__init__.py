"""Visiting an application in process, as users do."""

from sso_middleware.cli.check.walk.browser import BROWSER_HEADERS
from sso_middleware.cli.check.walk.client import client_of
from sso_middleware.cli.check.walk.endpoint import Endpoint, find_route
from sso_middleware.cli.check.walk.walk import SIGNED_IN_VISIT, Walk

__all__ = ["BROWSER_HEADERS", "SIGNED_IN_VISIT", "Endpoint", "Walk", "client_of", "find_route"]
