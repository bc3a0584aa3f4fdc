"""The `verified` setting, which all resolvers that read the application's own users share.

With an unverified address, a user could be handed off as someone else. So these resolvers must be told
how to tell whether an address is verified; there is no default.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from enum import Enum
from numbers import Number
from types import NoneType
from typing import Any, Literal, TypeAlias, cast

from sso_middleware._calls import close_coroutine
from sso_middleware._secret import Secret
from sso_middleware._text import exact, forced
from sso_middleware.errors import HandoffRefused, ResolverError
from sso_middleware.resolvers._users import answers_to_any_name, defines, field_of, is_row

Verified: TypeAlias = Literal[True] | str | Callable[[Any], object]
"""How to tell whether an address is verified: `True` (your sign-up verifies every address), the name of an
attribute or key, or a predicate. The name or predicate applies to the user; if the address comes from a
session, to the mapping that holds the address."""

_HINT_VERIFIED = (
    "set verified= to the attribute that says whether the address is verified, or to a predicate of the user"
)

_TEXT = (str, bytes, bytearray, memoryview)

#: Types that mean neither yes nor no, though always truthy in Python, and what a predicate should do.
_NO_ANSWER: tuple[tuple[Any, str], ...] = (
    (Callable, "calls it"),  # functions, partials, classes, Django's related managers
    (Enum, "compares it with the member that means yes"),
    ((Awaitable, AsyncIterator), "returns a plain value, not an awaitable"),
    (Iterator, "looks into it, as any() does"),
)


def require_verified(user: Any, verified: Verified) -> None:
    """Refuse a user whose address is not verified.

    Raises:
        HandoffRefused: the address is not verified.
        ResolverError: `verified` has no clear answer.
    """
    if verified is True:
        return
    user = Secret(user)
    if isinstance(verified, str):
        is_verified = holds(field_of(user(), verified, _HINT_VERIFIED))
        if is_verified and answers_to_any_name(user(), verified):
            raise ResolverError(
                f"{user().__class__.__name__} answers to any name, so its {verified!r} says nothing: use a "
                "predicate of the user"
            )
    else:
        is_verified = holds(verified(user()), by_predicate=True)
    if not is_verified:
        raise HandoffRefused("email_not_verified")


def holds(value: object, *, by_predicate: bool = False) -> bool:
    """Return whether a user's flag is set, or a predicate satisfied.

    These mean yes: `True`, 1, ``"true"`` in any case, a date or time (also as ISO 8601 text), and a true
    object that defines its own truth. Other text, and everything false, means no. So does the year 1, which
    other languages use for "never".

    Args:
        value: the flag, or the predicate's result.
        by_predicate: it is a predicate's result, which may be a found object, such as a row or a mapping.

    Raises:
        ResolverError: `value` is truthy in Python, but means neither yes nor no.
    """
    value = forced(value)
    if type(value) is bool:
        return value  # the usual case
    kind = value.__class__  # a lazy proxy has its target's
    if remedy := _remedy(Secret(value), kind, by_predicate=by_predicate):
        close_coroutine(value)
        del value  # keep out of tracebacks
        raise ResolverError(
            f"a {kind.__name__} means neither yes nor no: use a predicate (or a property) that {remedy}"
        )
    if issubclass(kind, _TEXT):
        text = (
            cast("str", exact(value))
            if issubclass(kind, str)
            else bytes(cast("bytes", value)).decode("latin-1")
        )
        return text.lower() == "true" or _is_moment(text)
    return cast("dt.date", value).year > 1 if issubclass(kind, dt.date) else bool(value)


def _remedy(value: Secret[object], kind: type[Any], *, by_predicate: bool) -> str | None:
    """Return what a predicate should do instead of returning `value`; `None`: `value` means yes or no."""
    for kinds, remedy in _NO_ANSWER:
        if issubclass(kind, kinds):
            return remedy
    if issubclass(kind, (*_TEXT, NoneType, dt.date, dt.time)):
        return None
    if by_predicate:
        if defines(kind, "exists") and not defines(kind, "__bool__", "__len__"):
            return "looks up what it queries"
    elif issubclass(kind, Number):
        if value() not in {0, 1}:
            return "compares it"
    elif is_row(kind) or not defines(kind, "__bool__", "__len__"):
        return "looks into it"
    return "returns the flag in it" if _contains_flag(value, kind) else None


def _contains_flag(found: Secret[Any], kind: type[Any]) -> bool:
    """Return whether `found` is a pair such as ``(False, "reason")``, or has only one, false value.

    Python calls both true. Objects that define ``__bool__`` say themselves what they mean.
    """
    if defines(kind, "__bool__"):
        return False
    by_name = defines(kind, "keys") and defines(kind, "__getitem__")
    if not by_name and not issubclass(kind, Sequence):
        return False
    values = Secret([found()[name] for name in iter(found().keys())] if by_name else found())
    if len(values()) == 0:
        return False
    first = Secret(forced(values()[0]))
    if kind in {list, tuple} and first() is True:
        return True
    if len(values()) == 1:
        return not first() or _contains_flag(first, first().__class__)
    return not by_name and isinstance(first(), int) and not first()


def _is_moment(text: str) -> bool:
    """Return whether `text` is an ISO 8601 date with hyphens, with or without a time."""
    with suppress(ValueError):
        return text[4:5] == "-" and dt.datetime.fromisoformat(text).year > 1
    return False
