"""Finding the SSOMiddleware inside an application."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, NamedTuple

from sso_middleware import asgi, wsgi
from sso_middleware.cli.check.app.django import django_project
from sso_middleware.cli.check.app.layers import layers
from sso_middleware.gate import Gate, Purpose
from sso_middleware.helpdesk import HelpDesk


class Located(NamedTuple):
    """An SSOMiddleware in an application.

    Attributes:
        gate: its gate.
        prefix: where it is mounted inside the application.
        inner: the application it wraps; `None` in Django's settings, where the order is fixed.
    """

    gate: Gate
    prefix: str
    inner: Any

    @property
    def helpdesk(self) -> HelpDesk | None:
        """The account; `None` if a callable chooses it."""
        return self.gate.helpdesk

    def paths(self, purpose: Purpose) -> tuple[set[str], set[str]]:
        """Return the intercepted paths for `purpose`: public ones, and ones relative to the mount."""
        public = {path for path, what in self.gate.interception.public.items() if what == purpose}
        relative = {path for path, what in self.gate.interception.relative.items() if what == purpose}
        return public, {self.prefix + path for path in relative}


def locate(app: Any) -> list[Located]:
    """Return every SSOMiddleware in `app`, the outermost first.

    Raises:
        Failure: a middleware of a Starlette application cannot be created.
    """
    project = django_project()
    in_settings = project and project.gate()
    located: list[Located] = []
    for prefix, node in layers(app, mounts=True):
        if isinstance(node, asgi.SSOMiddleware | wsgi.SSOMiddleware):
            located.append(Located(node.gate, prefix, node.app))
        elif project and in_settings and project.is_handler(node):
            located.append(Located(in_settings, prefix, None))
            in_settings = None  # only once per project
    return located


def wrapped_beside(app: Any, module: dict[str, Any]) -> str | None:
    """Return the name in `module` of a wrapped application other than `app`."""
    for name, value in module.items():
        with suppress(Exception):  # a broken application, or an unbound proxy
            if callable(value) and not isinstance(value, type) and value is not app and locate(value):
                return name
    return None
