"""The middleware for Django's ``MIDDLEWARE`` setting, under WSGI and ASGI.

::

    MIDDLEWARE = [
        ...,
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        ...,  # anything else that sets the user: RemoteUserMiddleware, django-otp, django-impersonate
        "sso_middleware.django.SSOMiddleware",
        ...,  # anything that looks up request.path in the URLconf, which need not have the intercepted paths
    ]
    HELPDESK_SSO = {
        "verified": "email_verified",  # or a predicate: whether the user's address is verified
        "logout": True,
    }

The account comes from the ``HELPDESK_*`` variables, which are read when the middleware is created.

CommonMiddleware and LocaleMiddleware may be on either side, because they only redirect paths that are not
found. If your login's path contains the language, put the line below LocaleMiddleware.

Add ``"sso_middleware.django"`` to ``INSTALLED_APPS`` for system checks of the setting.
"""

from __future__ import annotations

from sso_middleware.django import checks as checks  # registers them
from sso_middleware.django.middleware import SSOMiddleware, handoff_response
from sso_middleware.django.users import end_session

__all__ = ["SSOMiddleware", "end_session", "handoff_response"]
