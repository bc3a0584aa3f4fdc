"""The middleware for Django's ``MIDDLEWARE`` setting, under WSGI and ASGI.

::

    MIDDLEWARE = [
        ...,
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        ...,  # what else decides who the user is: RemoteUserMiddleware, django-otp, django-impersonate
        "sso_middleware.django.SSOMiddleware",
        ...,  # what looks up request.path in the URLconf, which need not know the intercepted paths
    ]
    HELPDESK_SSO = {
        "verified": "email_verified",  # or a predicate: how to know that an address was verified
        "logout": True,
    }

The account comes from the ``HELPDESK_*`` variables, which are read when the middleware is made.

CommonMiddleware and LocaleMiddleware may stand on either side, because they redirect only what is not found.
If the path of your login has the visitor's language, put the line below LocaleMiddleware.

``"sso_middleware.django"`` in ``INSTALLED_APPS`` adds system checks of the setting to ``manage.py check``.
"""

from __future__ import annotations

from sso_middleware.django import checks as checks  # registers them
from sso_middleware.django.middleware import SSOMiddleware, end_session, handoff_response

__all__ = ["SSOMiddleware", "end_session", "handoff_response"]
