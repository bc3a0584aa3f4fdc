"""Query parameters of the Auth URL that are passed on to the Help Desk, such as the requested page.

Anyone can make a link with any values, so the Help Desk must check them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, cast
from urllib.parse import quote, unquote_to_bytes

from sso_middleware.errors import ConfigError

LONGEST_VALUE = 1024  # characters

_NAME = re.compile(r"[A-Za-z0-9._~-]+")
_LOGGED_NAME = re.compile(r"[A-Za-z0-9._~\[\]-]{1,40}")
_MOST_LOGGED = 20


class Query(NamedTuple):
    """The query of a request, split for forwarding and logging.

    Attributes:
        forwarded: the values to forward, by name, in the order of `forward_params`.
        dropped: the names of values that may not be forwarded.
        others: the names of all other parameters that are safe to log.
    """

    forwarded: dict[str, str]
    dropped: list[str]
    others: list[str]


def names_problem(names: Any, taken: Iterable[str]) -> str | None:
    """Return what is wrong with `forward_params`, or `None`."""
    if not isinstance(names, tuple | list) or not all(isinstance(name, str) for name in cast("Any", names)):
        return "must be names of query parameters, such as ('return_page',)"
    several = cast("Sequence[str]", names)
    for name in several:
        if not _NAME.fullmatch(name):
            return "must be names made of A-Z a-z 0-9 . _ ~ -"
        if name in taken:
            return f"must not contain {name!r}, a parameter of the hand-off itself: remove it"
    return "must not contain a name twice" if len(set(several)) < len(several) else None


def read_query(query: str, names: tuple[str, ...]) -> Query:
    """Parse the query string of a request, without the question mark; raw bytes as Latin-1.

    The first value of each name is used.
    """
    values: dict[str, bytes] = {}
    for part in query.split("&"):
        name, equals, value = part.partition("=")
        if equals:
            values.setdefault(_decoded(name).decode("utf-8", "replace"), _decoded(value))
    forwarded: dict[str, str] = {}
    dropped: list[str] = []
    for name in names:
        if name in values:
            try:
                text = values[name].decode()
            except UnicodeDecodeError:
                dropped.append(name)
                continue
            if _is_fit(text):
                forwarded[name] = text
            else:
                dropped.append(name)
    others = [name for name in values if name not in names and _LOGGED_NAME.fullmatch(name)]
    return Query(forwarded, dropped, others[:_MOST_LOGGED])


def encoded(forwarded: Mapping[str, str]) -> str:
    """Return the parameters as a query string, percent-encoded (RFC 3986)."""
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in forwarded.items())


def checked(forward: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, str]:
    """Return `forward` in the order of `names`.

    Raises:
        ConfigError: a name is not in `forward_params`, or a value may not be forwarded.
    """
    if unknown := forward.keys() - set(names):
        listed = ", ".join(sorted(map(repr, unknown)))
        raise ConfigError({"forward": f"has {listed}: add it to forward_params of the HelpDesk first"})
    for name, value in forward.items():
        if not isinstance(value, str) or not _is_fit(value):
            raise ConfigError(
                {"forward": f"{name!r} must be a printable str of at most {LONGEST_VALUE} characters"}
            )
    return {name: str.__str__(forward[name]) for name in names if name in forward}


def _is_fit(value: str) -> bool:
    return len(value) <= LONGEST_VALUE and value.isprintable()


def _decoded(text: str) -> bytes:
    return unquote_to_bytes(text.replace("+", " ").encode("latin-1", "replace"))
