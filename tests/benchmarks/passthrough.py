"""What a middleware costs the requests that are none of its business.

Everybody wraps the same bare application, which takes its turn, too. The cost of a middleware is the
time of the call less that of the bare application in the same round.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from account import AUTH_URL, PATH, help_desk
from asgi_correlation_id import CorrelationIdMiddleware
from measuring import Effort, Sampler, Series, asgi_calls, less, ratio, spread, take_turns, wsgi_calls
from report import Goal, Section, Table
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from traffic import (
    PATHS,
    asgi_answer,
    bare_asgi,
    bare_wsgi,
    check_passed_through,
    environ,
    scope,
    wsgi_answer,
)
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix
from whitenoise import WhiteNoise

import sso_middleware.asgi
import sso_middleware.wsgi

ROOT = "/app"
OURS, BARE = "SSOMiddleware", "bare application"
NEAR_MISS = "SSOMiddleware, path that ends alike"
SET_LOOKUP, SET_LOOKUP_ROOT = "one set look-up", "one set look-up, root_path off"


class SetLookup:
    """The cheapest middleware that is correct: one set look-up, for HTTP only."""

    def __init__(self, app: Any, paths: frozenset[str]) -> None:
        self.app = app
        self.paths = paths

    async def __call__(self, scope: Any, receive: Any, send: Any) -> Any:
        try:
            path = scope["path"]
        except KeyError:  # a lifespan
            path = ""
        if path in self.paths and scope["type"] == "http":
            raise NotImplementedError
        return await self.app(scope, receive, send)


class SetLookupRoot(SetLookup):
    """The same for app-relative paths: the mount prefix is taken off in the cheapest way there is."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> Any:
        try:
            path = scope["path"].removeprefix(scope["root_path"])
        except KeyError:  # a lifespan, or no root_path
            path = scope.get("path", "")
        if path in self.paths and scope["type"] == "http":
            raise NotImplementedError
        return await self.app(scope, receive, send)


class SetLookupWSGI:
    """The cheapest middleware that is correct: one set look-up."""

    def __init__(self, app: Any, paths: frozenset[str]) -> None:
        self.app = app
        self.paths = paths

    def __call__(self, environ: Any, start_response: Any) -> Any:
        try:  # costs less than get()
            path = environ["PATH_INFO"]
        except KeyError:  # it may be left out where it is empty (PEP 3333)
            path = ""
        if path in self.paths:
            raise NotImplementedError
        return self.app(environ, start_response)


class Empty(BaseHTTPMiddleware):
    """What people write who find `BaseHTTPMiddleware` in the documentation."""

    async def dispatch(self, request: Any, call_next: Any) -> Any:
        return await call_next(request)


async def nobody(scope: Any) -> None:
    """Resolve to an anonymous visitor: not asked on a pass-through."""


def ours_asgi(root_path: str = "", **options: Any) -> sso_middleware.asgi.SSOMiddleware:
    desk = help_desk(AUTH_URL.replace(PATH, root_path + PATH))
    return sso_middleware.asgi.SSOMiddleware(bare_asgi, desk, nobody, **options)


def ours_wsgi(**options: Any) -> sso_middleware.wsgi.SSOMiddleware:
    return sso_middleware.wsgi.SSOMiddleware(bare_wsgi, help_desk(), lambda _: None, **options)


def asgi(contenders: dict[str, Any], root_path: str = "") -> dict[str, Sampler]:
    """Check that each passes requests through, and make samplers of them."""
    samplers = {}
    for name, app in contenders.items():
        scopes = [scope(path, root_path) for path in _paths(name)]  # its own, for some write into them
        check_passed_through(name, asgi_answer(app, scopes[0]))
        samplers[name] = asgi_calls(app, scopes)
    return samplers


def wsgi(contenders: dict[str, Any]) -> dict[str, Sampler]:
    """Do the same for WSGI."""
    samplers = {}
    for name, app in contenders.items():
        environs = [environ(path) for path in _paths(name)]
        check_passed_through(name, wsgi_answer(app, environs[0]))
        samplers[name] = wsgi_calls(app, environs)
    return samplers


def _paths(name: str) -> tuple[str, ...]:
    return (f"/account{PATH}",) if name == NEAR_MISS else PATHS


ASGI_PEERS: dict[str, Callable[[Any], Any]] = {
    "Starlette CORS": lambda app: CORSMiddleware(app, allow_origins=["https://www.example.com"]),
    "Starlette TrustedHost": lambda app: TrustedHostMiddleware(app, ["app.example.com"]),
    "Starlette GZip": GZipMiddleware,
    "Starlette Session": lambda app: SessionMiddleware(app, "a secret of the session's own"),
    "Starlette BaseHTTP": Empty,
    "asgi-correlation-id": CorrelationIdMiddleware,
}
WSGI_PEERS: dict[str, Callable[[Any], Any]] = {
    "Werkzeug ProxyFix": ProxyFix,
    "Werkzeug Dispatcher": lambda app: DispatcherMiddleware(app, {"/admin": bare_wsgi}),
    "WhiteNoise": WhiteNoise,
}


def section(effort: Effort) -> Section:
    result = Section("passthrough")
    peers = {name: wrap(bare_asgi) for name, wrap in ASGI_PEERS.items()}
    for title, root_path in (("ASGI", ""), ("ASGI under a root_path", ROOT)):
        lookups = {SET_LOOKUP: SetLookup(bare_asgi, frozenset({PATH}))}
        if root_path:
            lookups[SET_LOOKUP_ROOT] = SetLookupRoot(bare_asgi, frozenset({PATH}))
        ours = ours_asgi(root_path)
        contenders = {BARE: bare_asgi, OURS: ours, NEAR_MISS: ours, **lookups, **peers}
        _add(result, title, take_turns(asgi(contenders, root_path), effort), [*lookups], [*peers])
    peers = {name: wrap(bare_wsgi) for name, wrap in WSGI_PEERS.items()}
    lookups = {SET_LOOKUP: SetLookupWSGI(bare_wsgi, frozenset({PATH}))}
    ours = ours_wsgi()
    contenders = {BARE: bare_wsgi, OURS: ours, NEAR_MISS: ours, **lookups, **peers}
    _add(result, "WSGI", take_turns(wsgi(contenders), effort), [*lookups], [*peers])
    return result


def _add(
    result: Section, title: str, series: dict[str, Series], lookups: list[str], peers: list[str]
) -> None:
    *blind, cheapest = lookups
    bare = series.pop(BARE)
    added = {name: less(times, bare) for name, times in series.items()}
    rows: dict[str, tuple[float | None, ...]] = {BARE: (spread(bare).median / 1000, None, None, None)}
    for name, times in series.items():
        rows[name] = (
            spread(times).median / 1000,
            spread(added[name]).median / 1000,
            ratio(times, series[cheapest]).median,
            ratio(added[name], added[cheapest]).median,
        )
    result.tables.append(
        Table(
            f"Pass-through, {title}",
            ("call, us", "added, us", "call / cheapest", "added / cheapest"),
            rows,
            (
                f"cheapest that is correct: {cheapest}; added: the call less that of the bare application",
                "the goals refer to what is added",
                *(f"{name} is not: below a prefix it misses what it is to intercept" for name in blind),
            ),
        )
    )
    for name in lookups:
        result.goals.append(Goal(f"{title}: added / {name}", ratio(added[OURS], added[name]), at_most=1.2))
    best = min(peers, key=lambda name: spread(added[name]).median)
    result.goals.append(
        Goal(f"{title}: added / best peer ({best})", ratio(added[OURS], added[best]), at_most=0.4)
    )
