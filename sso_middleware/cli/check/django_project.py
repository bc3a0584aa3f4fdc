"""What a Django project says of itself: its handlers, its settings, its system checks."""

# Django comes without type information.
# mypy: disable-error-code="import-untyped"
# pyright: reportMissingTypeStubs=false, reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import warnings
from typing import Any

from django.conf import settings
from django.core.checks import run_checks
from django.core.handlers.base import BaseHandler

from sso_middleware.cli.check.findings import Finding, Rule
from sso_middleware.django import SSOMiddleware
from sso_middleware.django.order import read_order
from sso_middleware.errors import ShortTokenWarning
from sso_middleware.gate import Gate

_SHORT_TOKEN = "sso_middleware.W001"


class DjangoProject:
    """The Django project of this process."""

    def is_handler(self, app: object) -> bool:
        """Whether `app` is the project as a WSGI or ASGI application."""
        return isinstance(app, BaseHandler)

    def gate(self) -> Gate | None:
        """Return what answers for the line in ``MIDDLEWARE``, or `None` if there is no such line.

        It is made once more from the same settings: what a handler keeps is Django's own, and a
        middleware that is a function hides what comes after it.
        """
        if read_order(SSOMiddleware).ours is None:
            return None
        with warnings.catch_warnings(action="ignore", category=ShortTokenWarning):
            middleware = SSOMiddleware(_no_response)
        return middleware.gate

    def findings(self) -> list[Finding]:
        """Return what Django's system checks of the settings say, less what the project silences."""
        return [
            Finding(Rule(message.id, "Django's system check", "", message.hint), message.msg)
            for message in run_checks(tags=["sso_middleware"])
            # A short token is among our own findings.
            if message.id != _SHORT_TOKEN and not message.is_silenced()
        ]

    def show_errors(self) -> None:
        """Let errors come out of Django, where it would answer 500 and write to the administrators."""
        settings.DEBUG_PROPAGATE_EXCEPTIONS = True


def _no_response(_: Any) -> None:
    """Stand for the rest of Django, which is not asked here."""
