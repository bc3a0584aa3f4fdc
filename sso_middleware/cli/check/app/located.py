"""Finding the SSOMiddleware inside an application."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import MethodType
from typing import Any, NamedTuple, cast

from starlette.applications import Starlette
from starlette.routing import Mount

from sso_middleware import asgi, wsgi
from sso_middleware.cli.check.app.django import django_project
from sso_middleware.cli.output import Failure, describe
from sso_middleware.errors import ConfigError
from sso_middleware.gate import Gate, Purpose
from sso_middleware.helpdesk import HelpDesk

# The attribute names that common middlewares use for the application they wrap.
_WRAPPED = (
    "app",
    "wsgi_app",
    "asgi_app",
    "application",
    "wsgi_application",
    "asgi_application",
    "wrap_app",
    "wrapped",
    "_app",
)


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

    def entrance(self, app: Any, root_path: str) -> Entrance:
        """Return where `app` hands visitors off under the mount prefix `root_path`."""
        public, relative = self.paths("handoff")
        names = [name for start in (app, self.inner) for name in _session_cookies(start)]
        if self.inner is None and (project := django_project()):
            names.append(project.session_cookie)
        return Entrance(
            self.helpdesk,
            path=min(public) if public else root_path + min(relative),
            resumes=any(self.paths("resume")),
            takes_over_logout=any(self.paths("logout")),
            looked_for=tuple(f"the cookie {name}" for name in dict.fromkeys(names)),
        )

    def paths(self, purpose: Purpose) -> tuple[set[str], set[str]]:
        """Return the intercepted paths for `purpose`: public ones, and ones relative to the mount."""
        public = {path for path, what in self.gate.interception.public.items() if what == purpose}
        relative = {path for path, what in self.gate.interception.relative.items() if what == purpose}
        return public, {self.prefix + path for path in relative}


class Entrance(NamedTuple):
    """Where an application hands its visitors off.

    Attributes:
        helpdesk: the account; `None` if a callable chooses it.
        path: the public path.
        wrapped: whether SSOMiddleware answers there, not a route of the application.
        resumes: whether `resume_at` is set.
        takes_over_logout: whether SSOMiddleware answers the Logout URL.
        looked_for: what identifies visitors, in a few words each.
    """

    helpdesk: HelpDesk | None
    path: str
    wrapped: bool = True
    resumes: bool = False
    takes_over_logout: bool = False
    looked_for: tuple[str, ...] = ()


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


def layers(app: Any, *, mounts: bool) -> Iterator[tuple[str, Any]]:
    """Yield each application in `app` with its mount prefix, the outermost first."""
    seen: set[int] = set()
    waiting: list[tuple[str, Any]] = [("", app)]
    while waiting:
        prefix, node = waiting.pop(0)
        if id(node) in seen:
            continue
        seen.add(id(node))
        yield prefix, node
        waiting += [(prefix, child) for child in _wrapped_by(node)]
        if mounts:
            waiting += [(prefix + path, child) for path, child in _mounted_on(node)]


def _wrapped_by(node: Any) -> Iterator[Any]:
    if isinstance(node, Starlette):
        yield _middleware_stack(node)
    if isinstance(node, MethodType):  # such as Flask's original wsgi_app
        yield node.__self__
    # Instance attributes only: reading an attribute of a proxy may have any effect.
    attributes = getattr(node, "__dict__", {})
    yield from (attributes[name] for name in _WRAPPED if callable(attributes.get(name)))
    by_protocol = attributes.get("application_mapping")  # the ProtocolTypeRouter of Channels
    if isinstance(by_protocol, dict):
        yield cast("dict[str, Any]", by_protocol).get("http")


def _middleware_stack(app: Starlette) -> Any:
    # Starlette builds its middleware stack for the first request. Build and keep it now.
    if app.middleware_stack is None:
        try:
            app.middleware_stack = app.build_middleware_stack()
        except ConfigError as error:
            raise Failure(f"the settings of the middleware are wrong:\n{error}") from None
        except Exception as error:  # noqa: BLE001 - whatever a middleware raises
            raise Failure(f"a middleware cannot be created: {describe(error)}") from None
    return app.middleware_stack


def _mounted_on(node: Any) -> Iterator[tuple[str, Any]]:
    attributes = getattr(node, "__dict__", {})
    for route in cast("Iterable[Any]", attributes.get("routes") or ()):
        if isinstance(route, Mount):
            yield route.path, route.app
    mounts = attributes.get("mounts")  # Werkzeug's DispatcherMiddleware
    if isinstance(mounts, dict):
        yield from cast("dict[str, Any]", mounts).items()


def _session_cookies(app: Any) -> Iterator[str]:
    """Yield the names of the session cookies in `app`."""
    for _, node in layers(app, mounts=False):
        attributes = getattr(node, "__dict__", {})
        for holder, key in (("config", "SESSION_COOKIE_NAME"), ("options", "key")):  # Flask, Quart; Beaker
            settings = attributes.get(holder)
            if isinstance(settings, dict) and key in settings:
                yield str(cast("dict[str, Any]", settings)[key])
        if "session_cookie" in attributes:  # Starlette's SessionMiddleware
            yield str(attributes["session_cookie"])
