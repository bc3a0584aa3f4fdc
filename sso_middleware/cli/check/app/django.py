"""The Django project that the application has set up here, if any.

Django is only imported if the project did so.
"""

# Django comes without type information.
# mypy: disable-error-code="import-untyped"
# pyright: reportMissingTypeStubs=false, reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import sys
import warnings
from typing import Any

from sso_middleware.errors import ShortTokenWarning
from sso_middleware.gate import Gate

_SHORT_TOKEN = "sso_middleware.W001"


def _is_set_up() -> bool:
    """Whether there is a Django project."""
    apps = getattr(sys.modules.get("django.apps"), "apps", None)
    return apps is not None and apps.ready


def is_handler(app: object) -> bool:
    """Whether `app` is the project as a WSGI or ASGI application."""
    from django.core.handlers.base import BaseHandler  # noqa: PLC0415

    return isinstance(app, BaseHandler)


def gate_in_settings() -> Gate | None:
    """Return the gate of the middleware in ``MIDDLEWARE``, or `None` if it is not there.

    It is created again from the same settings: a handler's middleware chain is private to Django, and
    a function in it hides what it wraps.
    """
    if not _is_set_up():
        return None
    from sso_middleware.django import SSOMiddleware  # noqa: PLC0415
    from sso_middleware.django.order import read_order  # noqa: PLC0415

    if read_order(SSOMiddleware).ours is None:
        return None
    with warnings.catch_warnings(action="ignore", category=ShortTokenWarning):
        gate: Gate = SSOMiddleware(lambda _: None).gate  # it is never called
    return gate


def session_cookie() -> str:
    """Return the name of the cookie that holds the session."""
    from django.conf import settings  # noqa: PLC0415

    return str(settings.SESSION_COOKIE_NAME)


def system_checks() -> list[Any]:
    """Return the messages of the settings' system checks, except those the project silences."""
    if not _is_set_up():
        return []
    from django.core.checks import run_checks  # noqa: PLC0415

    return [
        message
        for message in run_checks(tags=["sso_middleware"])
        # `check` has its own finding for a short token.
        if message.id != _SHORT_TOKEN and not message.is_silenced()
    ]


def show_errors() -> None:
    """Make Django raise errors instead of answering 500 and mailing the administrators."""
    if _is_set_up():
        from django.conf import settings  # noqa: PLC0415

        settings.DEBUG_PROPAGATE_EXCEPTIONS = True
