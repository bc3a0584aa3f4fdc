"""Combine resolvers, for WSGI and ASGI.

Each combination is written once, as a coroutine. If one of its parts is async, the combined resolver is a
coroutine function; otherwise it is a plain function.

The sync parts of an async combination run in this package's threads, which Django does not know. Inside
Django under ASGI, make parts that use the ORM async, or all parts sync.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from types import NoneType
from typing import Any, TypeAlias

from sso_middleware._calls import Call, Reader, from_loop, is_async, run, without_loop
from sso_middleware._secret import Secret
from sso_middleware._text import exact
from sso_middleware._threads import in_thread
from sso_middleware._urls import is_domain
from sso_middleware.errors import ConfigError, HandoffRefused
from sso_middleware.resolvers._verification import holds

Resolver: TypeAlias = Callable[[Any], Any]
"""Takes the environ or scope and returns the visitor's address, or `None`; sync or async."""

_Course: TypeAlias = Callable[..., Coroutine[Any, Any, Any]]
"""``course(source, *calls)``: runs a combination, with its parts as calls."""

_NOT_AWAITED = (
    "a part of a combined resolver returned an awaitable, but is not a coroutine function: define it with "
    "`async def`"
)


def first_of(*resolvers: Resolver) -> Resolver:
    """Ask one resolver after another until one knows the visitor.

    A resolver that refuses, or finds a signed-in user without an address, also ends the search.

    Raises:
        ConfigError: there are no resolvers, or one is not callable.
    """
    _check_resolvers(resolvers)

    async def course(source: Any, *calls: Call) -> Any:
        for resolve in calls:
            email = await resolve(Secret((source,)))
            if email is not None:
                return email
        return None

    return _combination(course, resolvers)


def require(resolver: Resolver, predicate: Callable[[str], Any], reason: str) -> Resolver:
    """Refuse signed-in visitors whose address does not satisfy `predicate`.

    Args:
        resolver: finds the address.
        predicate: ``(email) -> bool``, sync or async; not called for anonymous visitors.
        reason: the code for `HandoffRefused`.

    Raises:
        ConfigError: a setting is wrong; the error lists all of them.
    """
    problems = {} if callable(predicate) else {"predicate": "must be a callable (email) -> bool"}
    try:
        HandoffRefused(reason)
    except ValueError as error:
        problems["reason"] = str(error).removeprefix("reason ")
    _check_resolvers([resolver], problems)

    async def course(source: Any, resolve: Call, ask: Call) -> Any:
        email = Secret(await resolve(Secret((source,))))
        if not isinstance(email(), str) or not email():
            return email()  # anonymous, or refused by the gate
        if not holds(await ask(Secret((email(),))), by_predicate=True):
            raise HandoffRefused(reason)
        return email()

    return _combination(course, [resolver, predicate])


def only_domains(resolver: Resolver, *domains: str) -> Resolver:
    """Refuse signed-in visitors whose address is not in `domains`, with ``domain_not_allowed``.

    Subdomains are not included. Case is ignored.

    Raises:
        ConfigError: a setting is wrong; the error lists all of them.
    """
    if not domains or not all(map(is_domain, domains)):
        problem = "must be one or more domains, such as acme.example; add each subdomain separately"
        _check_resolvers([resolver], {"domains": problem})
    allowed = {domain.lower() for domain in domains}

    @Reader
    def is_allowed(email: str) -> bool:
        return email.rpartition("@")[2].lower() in allowed

    return require(resolver, is_allowed, "domain_not_allowed")


def _check_resolvers(resolvers: Any, also_wrong: dict[str, str] | None = None) -> None:
    problems = dict(also_wrong or {})
    if not resolvers or not all(map(callable, resolvers)):
        problems["resolver"] = "must be a callable that returns the visitor's address or None"
    if problems:
        raise ConfigError(problems)


def _combination(course: _Course, parts: Sequence[Callable[..., Any]]) -> Resolver:
    if any(map(is_async, parts)):
        calls = [from_loop(part, _plain, in_thread) for part in parts]

        async def resolve_async(source: Any) -> Any:
            return await course(source, *calls)

        return resolve_async

    calls = [without_loop(part, _plain, _NOT_AWAITED) for part in parts]

    def resolve(source: Any) -> Any:
        return run(course(source, *calls))

    return Reader(resolve) if all(isinstance(part, Reader) for part in parts) else resolve


def _plain(returned: Secret[Any]) -> Any:
    """Force a lazy proxy in the thread where it was made, because it may read a database."""
    plain = exact(returned())
    return None if isinstance(plain, NoneType) else plain
