"""The Django project of this process, if there is one: Django is never imported on our account."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sso_middleware.cli.check.django_project import DjangoProject


def django_project() -> DjangoProject | None:
    """Return the Django project that the application has set up here."""
    apps = getattr(sys.modules.get("django.apps"), "apps", None)
    if apps is None or not apps.ready:
        return None
    # Imported here, because it imports Django, which need not be there.
    from sso_middleware.cli.check.django_project import DjangoProject  # noqa: PLC0415

    return DjangoProject()
