"""Read an application's own user: an object, a mapping, or a lazy proxy for one.

A property may raise, and a user's repr may be an address. So no frame keeps the user in a local variable.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, cast

from sso_middleware._secret import Secret
from sso_middleware._text import forced
from sso_middleware.errors import ResolverError

_ABSENT = object()


_NO_SUCH_NAME = "sso_middleware_asks_for_a_name_that_no_user_has"


def flag_of(user: Any, name: str) -> object:
    """Return a flag that not every kind of user has; a missing flag counts as set.

    A ``__getattr__`` that answers every name is ignored, unless it answers `False` to this name only: then
    it really holds the flag, as a wrapper around a token's claims does.
    """
    user = Secret(forced(user))
    if isinstance(user(), Mapping):
        return cast("Mapping[str, object]", user()).get(name, True)
    if _has_column(user(), name):
        return user()[name]
    try:
        flag: object = getattr(user(), name)
    except AttributeError as error:
        if _lacks(user(), name, error):
            return True
        raise
    if _is_declared(user(), name):
        return flag
    answer_to_any = getattr(user(), _NO_SUCH_NAME, _ABSENT)
    return flag if answer_to_any is _ABSENT or (flag is False and answer_to_any is not False) else True


def field_of(user: Any, name: str, hint: str) -> object:
    """Return the attribute `name` of `user`; for a mapping, the value or `None`.

    Args:
        user: the user; a bare address has no fields.
        name: the attribute or key.
        hint: what to do if there is no such attribute.

    Raises:
        ResolverError: there is no such attribute. An AttributeError from inside a property propagates.
    """
    user = Secret(user)
    if isinstance(user(), Mapping):
        return cast("Mapping[str, object]", user()).get(name)
    if _has_column(user(), name):
        return user()[name]
    if isinstance(user(), str):
        raise ResolverError(
            f"a str has no {name!r}: use a predicate, or return the user instead of the address"
        )
    try:
        return getattr(user(), name)
    except AttributeError as error:
        if not _lacks(user(), name, error):
            raise
        raise ResolverError(f"{user().__class__.__name__} has no attribute {name!r}: {hint}") from error


def answers_to_any_name(user: Any, name: str) -> bool:
    """Return whether `user` has `name` only because its ``__getattr__`` answers every name.

    Answers that are false do not count.
    """
    user = Secret(forced(user))
    if _has_column(user(), name) or _is_declared(user(), name):
        return False
    return bool(getattr(user(), _NO_SUCH_NAME, False))


def defines(kind: type[Any], *names: str) -> bool:
    """Return whether a class or a base class, but not its metaclass, defines one of `names`."""
    return any(name in vars(base) for base in kind.__mro__ for name in names)


def is_row(kind: type[Any]) -> bool:
    """Return whether instances of `kind` have named fields, so that their length does not show emptiness."""
    return defines(kind, "keys", "_fields")


def _has_column(user: object, name: str) -> bool:
    """Return whether a database row that is not a mapping, such as `sqlite3.Row`, has that column."""
    kind, row = user.__class__, Secret(cast("Any", user))
    del user
    # On the row itself, `in` looks for a value.
    return defines(kind, "keys") and defines(kind, "__getitem__") and name in set(row().keys())


def _lacks(user: object, name: str, error: AttributeError) -> bool:
    """Return whether `error` means that the attribute is missing, and is not from inside a property.

    A ``__getattr__`` may have asked another object.
    """
    return error.name == name and not _is_declared(user, name) and not _is_declared(error.obj, name)


def _is_declared(user: object, name: str) -> bool:
    """Return whether `user` or its class has the attribute; a lazy proxy has its target's class."""
    return any(inspect.getattr_static(each, name, _ABSENT) is not _ABSENT for each in (user, user.__class__))
