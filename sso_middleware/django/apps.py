"""What ``"sso_middleware.django"`` in ``INSTALLED_APPS`` stands for."""

# Django comes without type information.
# mypy: disable-error-code="import-untyped"
# pyright: reportMissingTypeStubs=false, reportUntypedBaseClass=false

from __future__ import annotations

from django.apps import AppConfig


class _Config(AppConfig):  # type: ignore[misc]
    """An application without models: its system checks come with the module. Django finds it by its base."""

    name = "sso_middleware.django"
    label = "sso_middleware"  # or it would be "django", which other packages' applications may be, too
    verbose_name = "Help Desk single sign-on"
