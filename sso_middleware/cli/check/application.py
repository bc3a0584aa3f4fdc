"""Finding the SSOMiddleware inside an application, and what can be said without a visit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from importlib.metadata import packages_distributions
from types import MethodType
from typing import Any, NamedTuple, cast

from starlette.applications import Starlette
from starlette.routing import Mount

from sso_middleware import asgi, wsgi
from sso_middleware._urls import decoded_path_of, encode_path, origin_of
from sso_middleware.cli.check.account import is_start_page
from sso_middleware.cli.check.client import is_below
from sso_middleware.cli.check.django import django_project
from sso_middleware.cli.check.rules import Finding, found
from sso_middleware.cli.output import Failure, describe
from sso_middleware.errors import ConfigError
from sso_middleware.gate import Gate, Purpose
from sso_middleware.helpdesk import HelpDesk

# How middlewares of the field call what they wrap.
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
_READS_SESSION = re.compile(r"(?:Session|Auth)\w*Middleware")


class Located(NamedTuple):
    """An SSOMiddleware in an application.

    Attributes:
        gate: what it answers.
        prefix: where it is mounted inside the application.
        inner: the application it wraps; `None` in Django's settings, where the order is settled.
    """

    gate: Gate
    prefix: str
    inner: Any

    @property
    def helpdesk(self) -> HelpDesk | None:
        """The account; `None` if a callable chooses one."""
        return self.gate.helpdesk

    def entrance(self, app: Any, root_path: str) -> Entrance:
        """Return where visitors of `app` are handed off under the mount prefix `root_path`."""
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
        """Return the intercepted paths for `purpose`: public ones, and those where it is mounted."""
        public = {path for path, what in self.gate.interception.public.items() if what == purpose}
        relative = {path for path, what in self.gate.interception.relative.items() if what == purpose}
        return public, {self.prefix + path for path in relative}


class Entrance(NamedTuple):
    """Where an application hands its visitors off.

    Attributes:
        helpdesk: the account; `None` if a callable chooses one.
        path: the public path.
        wrapped: whether an SSOMiddleware answers there, or a route of the application.
        resumes: whether there is a `resume_at`.
        takes_over_logout: whether the SSOMiddleware answers the Logout URL.
        looked_for: what the visitors are recognised by, in a few words each.
    """

    helpdesk: HelpDesk | None
    path: str
    wrapped: bool = True
    resumes: bool = False
    takes_over_logout: bool = False
    looked_for: tuple[str, ...] = ()


def locate(app: Any) -> list[Located]:
    """Return every SSOMiddleware that can be reached from `app`, the outermost first.

    Raises:
        Failure: a middleware of a Starlette application cannot be made.
    """
    project = django_project()
    in_settings = project and project.gate()
    located: list[Located] = []
    for prefix, node in layers(app, mounts=True):
        if isinstance(node, asgi.SSOMiddleware | wsgi.SSOMiddleware):
            located.append(Located(node.gate, prefix, node.app))
        elif project and in_settings and project.is_handler(node):
            located.append(Located(in_settings, prefix, None))
            in_settings = None  # one project, one line
    return located


def layers(app: Any, *, mounts: bool) -> Iterator[tuple[str, Any]]:
    """Give each application in `app` with its mount prefix, the outermost first."""
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
    if isinstance(node, MethodType):  # such as the wsgi_app that Flask has by itself
        yield node.__self__
    # Its own attributes only: to ask a proxy for an attribute may do anything.
    attributes = getattr(node, "__dict__", {})
    yield from (attributes[name] for name in _WRAPPED if callable(attributes.get(name)))
    by_protocol = attributes.get("application_mapping")  # the ProtocolTypeRouter of Channels
    if isinstance(by_protocol, dict):
        yield cast("dict[str, Any]", by_protocol).get("http")


def _middleware_stack(app: Starlette) -> Any:
    # Starlette makes its middlewares at the first request: made and kept here, as it would itself.
    if app.middleware_stack is None:
        try:
            app.middleware_stack = app.build_middleware_stack()
        except ConfigError as error:
            raise Failure(f"the settings of the middleware are wrong:\n{error}") from None
        except Exception as error:  # noqa: BLE001 - whatever a middleware raises
            raise Failure(f"a middleware cannot be made: {describe(error)}") from None
    return app.middleware_stack


def _mounted_on(node: Any) -> Iterator[tuple[str, Any]]:
    attributes = getattr(node, "__dict__", {})
    for route in cast("Iterable[Any]", attributes.get("routes") or ()):
        if isinstance(route, Mount):
            yield route.path, route.app
    mounts = attributes.get("mounts")  # Werkzeug's DispatcherMiddleware
    if isinstance(mounts, dict):
        yield from cast("dict[str, Any]", mounts).items()


def check_paths(located: Located, root_path: str) -> Iterator[Finding]:
    """Look whether the intercepted paths are those of the Auth URL and the Logout URL."""
    helpdesk = located.helpdesk
    if helpdesk is None:
        yield found("SSO.I025", "helpdesk is a callable")
        return
    yield from _check_path(located, root_path, "handoff", helpdesk.auth_url)
    if helpdesk.logout_url is not None:
        yield from _check_path(located, root_path, "logout", helpdesk.logout_url)


def _check_path(located: Located, root_path: str, purpose: Purpose, url: str) -> Iterator[Finding]:
    public, relative = located.paths(purpose)
    path = decoded_path_of(url)
    rule = {"handoff": "SSO.E021", "logout": "SSO.E022"}[purpose]
    mounted_at = root_path + located.prefix
    if purpose == "handoff" and mounted_at and is_start_page(url, mounted_at):
        yield found("SSO.E011", f"{url}: the application is mounted at {mounted_at}")
    elif public:
        if not is_below(mounted_at, path):
            fits = f"{origin_of(url)}{encode_path(mounted_at + path)}"
            said = f"the middleware is mounted at {mounted_at}, and {url} is outside of that"
            yield found(rule, f"{said}; it would be {fits}")
    elif relative and path not in {root_path + candidate for candidate in relative}:
        listed = ", ".join(sorted(relative))
        if any(path.endswith(candidate) for candidate in relative):
            fits = f"{origin_of(url)}{encode_path(root_path + min(relative))}"
            yield found(
                "SSO.I023", f"{listed} is intercepted, so it would be {fits}; the registered URL is {url}"
            )
        else:
            yield found(
                rule, f"{listed} is intercepted, and the registered URL is {url}{_slash(path, relative)}"
            )


def _slash(path: str, relative: set[str]) -> str:
    stripped = {candidate.rstrip("/") for candidate in relative}
    return ": they differ by the slash at the end" if path.rstrip("/") in stripped else ""


def check_cookies(app: Any, located: Iterable[Located]) -> Iterator[Finding]:
    """Look for a session cookie that does not come along from another site, around `located` and inside."""
    seen: set[int] = set()
    for start in (app, *(each.inner for each in located)):
        for _, node in layers(start, mounts=False):
            attributes = getattr(node, "__dict__", {})
            config = attributes.get("config")  # of Flask and Quart
            settings = cast("dict[str, Any]", config) if isinstance(config, dict) else {}
            same_site = settings.get("SESSION_COOKIE_SAMESITE")
            flags = attributes.get("security_flags")  # of Starlette's SessionMiddleware
            strict = str(same_site).lower() == "strict" or "samesite=strict" in str(flags).lower()
            if strict and id(node) not in seen:
                seen.add(id(node))
                yield found("SSO.W026", f"{type(node).__name__} sets it")


def _session_cookies(app: Any) -> Iterator[str]:
    """Return the names of the cookies that hold a session, around an SSOMiddleware and inside."""
    for _, node in layers(app, mounts=False):
        attributes = getattr(node, "__dict__", {})
        for holder, key in (("config", "SESSION_COOKIE_NAME"), ("options", "key")):  # Flask, Quart; Beaker
            settings = attributes.get(holder)
            if isinstance(settings, dict) and key in settings:
                yield str(cast("dict[str, Any]", settings)[key])
        if "session_cookie" in attributes:  # Starlette's SessionMiddleware
            yield str(attributes["session_cookie"])


def check_proxy_fix(app: Any) -> Iterator[Finding]:
    """Look for a ProxyFix of Werkzeug's inside of another."""
    for _, node in layers(app, mounts=True):
        if _is_proxy_fix(node) and any(
            inner is not node and _is_proxy_fix(inner) for _, inner in layers(node, mounts=True)
        ):
            yield found("SSO.W028", "a ProxyFix is inside of another")
            return


def _is_proxy_fix(node: Any) -> bool:
    return any(base.__name__ == "ProxyFix" for base in type(node).__mro__)


def check_order(located: Located) -> Iterator[Finding]:
    """Look for a session middleware inside of SSOMiddleware, where it runs too late."""
    for _, node in layers(located.inner, mounts=False):
        name = type(node).__name__
        if _READS_SESSION.fullmatch(name):
            yield found("SSO.W024", f"{name} is inside of SSOMiddleware")


def check_hooks(located: Located) -> Iterator[Finding]:
    """Look for functions of the application itself that Flask or Quart runs before each view.

    Those of a blueprint run before its own views only, and those of extensions do not decide who is signed
    in, or do so in what they give a resolver, too. Any resolver may depend on what the others decide.
    """
    for _, node in layers(located.inner, mounts=False):
        hooks = getattr(node, "__dict__", {}).get("before_request_funcs")
        own = [hook for hook in hooks.get(None, ()) if not _is_of_extension(hook)] if hooks else ()
        if own:
            names = ", ".join(f"{hook.__module__}.{getattr(hook, '__qualname__', '?')}" for hook in own)
            yield found("SSO.W027", f"{type(node).__name__} runs {names}")


def _is_of_extension(hook: Any) -> bool:
    package = hook.__module__.partition(".")[0]
    distributions = packages_distributions().get(package, ())
    return any("flask" in name.lower() or "quart" in name.lower() for name in distributions)
