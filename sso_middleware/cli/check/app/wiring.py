"""Mistakes in an application's wiring that can be seen without a visit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from importlib.metadata import packages_distributions
from typing import Any

from sso_middleware._urls import decoded_path_of, encode_path, is_below, origin_of
from sso_middleware.cli.check.account import is_start_page
from sso_middleware.cli.check.app.layers import Located, attributes_of, dict_of, layers
from sso_middleware.cli.check.findings import Finding, found
from sso_middleware.gate import Purpose

_READS_SESSION = re.compile(r"(?:Session|Auth)\w*Middleware")


def check_wiring(app: Any, located: Sequence[Located], root_path: str) -> Iterator[Finding]:
    """Check everything but the order of the middlewares."""
    yield from _check_cookies(app, located)
    yield from _check_proxy_fix(app)
    for each in located:
        yield from _check_hooks(each)
    for each in located:
        yield from _check_paths(each, root_path)


def check_order(located: Sequence[Located]) -> Iterator[Finding]:
    """Look for a session middleware inside SSOMiddleware, where it runs too late."""
    for each in located:
        for _, node in layers(each.inner, mounts=False):
            name = type(node).__name__
            if _READS_SESSION.fullmatch(name):
                yield found("SSO.W024", f"{name} is inside SSOMiddleware")


def _check_cookies(app: Any, located: Sequence[Located]) -> Iterator[Finding]:
    """Look for a SameSite=Strict session cookie, outside and inside of `located`."""
    for _, node in layers(app, *(each.inner for each in located), mounts=False):
        same_site = dict_of(node, "config").get("SESSION_COOKIE_SAMESITE")  # of Flask and Quart
        flags = attributes_of(node).get("security_flags")  # of Starlette's SessionMiddleware
        if str(same_site).lower() == "strict" or "samesite=strict" in str(flags).lower():
            yield found("SSO.W026", f"{type(node).__name__} sets it")


def _check_proxy_fix(app: Any) -> Iterator[Finding]:
    """Look for nested ProxyFix middlewares of Werkzeug."""
    for _, node in layers(app, mounts=True):
        if _is_proxy_fix(node) and any(
            inner is not node and _is_proxy_fix(inner) for _, inner in layers(node, mounts=True)
        ):
            yield found("SSO.W028", "a ProxyFix wraps another one")
            return


def _is_proxy_fix(node: Any) -> bool:
    return any(base.__name__ == "ProxyFix" for base in type(node).__mro__)


def _check_hooks(located: Located) -> Iterator[Finding]:
    """Look for functions of the application that Flask or Quart runs before each view.

    Functions of a blueprint only run before its own views. Functions of an extension do not decide who is
    signed in, or a resolver sees their decision too.
    """
    for _, node in layers(located.inner, mounts=False):
        hooks = dict_of(node, "before_request_funcs").get(None, ())
        own = [hook for hook in hooks if not _is_of_extension(hook)]
        if own:
            names = ", ".join(f"{hook.__module__}.{getattr(hook, '__qualname__', '?')}" for hook in own)
            yield found("SSO.W027", f"{type(node).__name__} runs {names}")


def _is_of_extension(hook: Any) -> bool:
    package = hook.__module__.partition(".")[0]
    distributions = packages_distributions().get(package, ())
    return any("flask" in name.lower() or "quart" in name.lower() for name in distributions)


def _check_paths(located: Located, root_path: str) -> Iterator[Finding]:
    """Check that the intercepted paths are those of the Auth URL and the Logout URL."""
    helpdesk = located.gate.helpdesk
    if helpdesk is None:  # a callable chooses it
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
            said = f"{url} is outside {mounted_at}, where the middleware is mounted"
            yield found(rule, f"{said}; use {fits}")
    elif relative and path not in {root_path + candidate for candidate in relative}:
        listed = ", ".join(sorted(relative))
        if any(path.endswith(candidate) for candidate in relative):
            fits = f"{origin_of(url)}{encode_path(root_path + min(relative))}"
            yield found(
                "SSO.I023", f"the registered URL is {url}, but {listed} is intercepted, which fits {fits}"
            )
        else:
            yield found(
                rule, f"the registered URL is {url}, but {listed} is intercepted{_slash(path, relative)}"
            )


def _slash(path: str, relative: set[str]) -> str:
    stripped = {candidate.rstrip("/") for candidate in relative}
    return ": they differ by the trailing slash" if path.rstrip("/") in stripped else ""
