"""Reading what an application's own records say of a user: an object, a mapping, or a lazy proxy of one."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, cast

from sso_middleware.errors import ResolverError


def flag_of(user: object, name: str) -> object:
    """Return a flag that not every kind of user has; where it is not there, it counts as set."""
    if isinstance(user, Mapping):
        return cast("Mapping[str, object]", user).get(name, True)
    if _has_column(user, name):
        return cast("Any", user)[name]
    try:
        return getattr(user, name)
    except AttributeError as error:
        if _lacks(user, name, error):
            return True
        raise


def field_of(user: object, name: str, hint: str) -> object:
    """Return what `user` has under that name; of a mapping, `None` if there is nothing.

    Args:
        user: who it is; an address alone has no fields.
        name: of the attribute or key.
        hint: what to say where there is no such attribute.

    Raises:
        ResolverError: there is no such attribute. An AttributeError from within a property stays one.
    """
    if isinstance(user, Mapping):
        return cast("Mapping[str, object]", user).get(name)
    if _has_column(user, name):
        return cast("Any", user)[name]
    if isinstance(user, str):
        raise ResolverError(
            f"a str has no {name!r}: give a predicate, or return the user instead of the address"
        )
    try:
        return getattr(user, name)
    except AttributeError as error:
        if not _lacks(user, name, error):
            raise
        raise ResolverError(f"{user.__class__.__name__} has no attribute {name!r}: {hint}") from error


def _has_column(user: object, name: str) -> bool:
    """Whether a row of a database that is no mapping, such as `sqlite3.Row`, has a column of that name."""
    kind, row = user.__class__, cast("Any", user)
    # Of a row itself, `in` asks for a value.
    return hasattr(kind, "keys") and hasattr(kind, "__getitem__") and name in set(row.keys())


def _lacks(user: object, name: str, error: AttributeError) -> bool:
    """Whether `error` says that there is no such attribute, and does not come from within a property.

    A lazy proxy has the class of what it stands for; a ``__getattr__`` may have asked another object.
    """
    asked = user.__class__, error.obj
    return error.name == name and all(inspect.getattr_static(each, name, None) is None for each in asked)
