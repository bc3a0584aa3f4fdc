"""The layers of an application: what wraps what, what is mounted where, and which ones are SSOMiddleware."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from types import MethodType
from typing import Any, NamedTuple, cast

from starlette.applications import Starlette
from starlette.routing import Mount

from sso_middleware import asgi, wsgi
from sso_middleware.cli.check.app.django import gate_in_settings, is_handler
from sso_middleware.cli.output import Failure, describe
from sso_middleware.errors import ConfigError
from sso_middleware.gate import Gate, Purpose

_FRAMEWORKS = ("fastapi", "starlette", "quart", "flask", "django", "pyramid", "bottle")

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


def layers(*apps: Any, mounts: bool) -> Iterator[tuple[str, Any]]:
    """Yield `apps` and the applications inside, each once with its mount prefix, the outermost first.

    Raises:
        Failure: a middleware of a Starlette application cannot be created.
    """
    seen: set[int] = set()
    for app in apps:
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


def attributes_of(node: Any) -> dict[str, Any]:
    """Return the instance attributes of `node`: reading other attributes of a proxy may have any effect."""
    return getattr(node, "__dict__", {})


def dict_of(node: Any, name: str) -> dict[Any, Any]:
    """Return the instance attribute `name` of `node` if it is a dict, else an empty one."""
    value = attributes_of(node).get(name)
    return value if isinstance(value, dict) else {}  # pyright: ignore[reportUnknownVariableType]


def framework_of(app: Any) -> str:
    """Return the framework of `app`, or ""."""
    for _, node in layers(app, mounts=True):
        for base in type(node).__mro__:
            package = base.__module__.partition(".")[0]
            if package in _FRAMEWORKS:
                return package
    return ""


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
    in_settings = gate_in_settings()
    located: list[Located] = []
    for prefix, node in layers(app, mounts=True):
        if isinstance(node, asgi.SSOMiddleware | wsgi.SSOMiddleware):
            located.append(Located(node.gate, prefix, node.app))
        elif in_settings and is_handler(node):
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


def _wrapped_by(node: Any) -> Iterator[Any]:
    if isinstance(node, Starlette):
        yield _middleware_stack(node)
    if isinstance(node, MethodType):  # such as Flask's original wsgi_app
        yield node.__self__
    attributes = attributes_of(node)
    yield from (attributes[name] for name in _WRAPPED if callable(attributes.get(name)))
    if by_protocol := dict_of(node, "application_mapping"):  # the ProtocolTypeRouter of Channels
        yield by_protocol.get("http")


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
    for route in cast("Iterable[Any]", attributes_of(node).get("routes") or ()):
        if isinstance(route, Mount):
            yield route.path, route.app
    yield from dict_of(node, "mounts").items()  # Werkzeug's DispatcherMiddleware
