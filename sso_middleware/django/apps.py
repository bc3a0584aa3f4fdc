"""The application ``"sso_middleware.django"`` for ``INSTALLED_APPS``."""

# Django comes without type information.
# mypy: disable-error-code="import-untyped"
# pyright: reportMissingTypeStubs=false, reportUntypedBaseClass=false

from __future__ import annotations

from django.apps import AppConfig


class _Config(AppConfig):  # type: ignore[misc]
    """An application without models, for the system checks. Django finds it by its base class."""

    name = "sso_middleware.django"
    label = "sso_middleware"  # the default, "django", may clash with other packages
    verbose_name = "Help Desk single sign-on"
