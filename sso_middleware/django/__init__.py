"""The middleware for Django's ``MIDDLEWARE`` setting, under WSGI and ASGI.

::

    MIDDLEWARE = [
        ...,
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        ...,  # whatever else decides who the user is
        "sso_middleware.django.SSOMiddleware",
        ...,
    ]
    HELPDESK_SSO = {
        "sso_token": ...,  # and the other fields of a HelpDesk
        "verified": "email_verified",  # or a predicate: how to know that an address was verified
        "logout": True,
    }

``"sso_middleware.django"`` in ``INSTALLED_APPS`` adds system checks of the setting to ``manage.py check``.
"""

from __future__ import annotations

from sso_middleware.django import checks as checks  # registers them
from sso_middleware.django.middleware import SSOMiddleware, end_session, handoff_response

__all__ = ["SSOMiddleware", "end_session", "handoff_response"]
