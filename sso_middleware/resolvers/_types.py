"""The types of resolvers, and of callables for `Logout`, under WSGI and ASGI."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias
from wsgiref.types import WSGIEnvironment

Scope: TypeAlias = MutableMapping[str, Any]

WSGIResolver: TypeAlias = Callable[[WSGIEnvironment], str | None]
WSGIEndSession: TypeAlias = Callable[[WSGIEnvironment], list[tuple[str, str]]]

ASGIResolver: TypeAlias = Callable[[Scope], Awaitable[str | None]]
ASGIEndSession: TypeAlias = Callable[[Scope], Awaitable[list[tuple[str, str]]]]
