"""What every resolver that reads the application's own records has in common: `verified`.

An address that a user may type in freely lets them be handed off as somebody else. So each of these
resolvers has to be told how to know that an address was verified, and nothing is the default.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from enum import Enum, Flag
from types import NoneType
from typing import Any, Literal, TypeAlias, cast

from sso_middleware.callables import is_async, is_awaitable
from sso_middleware.errors import ConfigError, HandoffRefused, ResolverError
from sso_middleware.resolvers.users import field_of, flag_of
from sso_middleware.secret import Secret
from sso_middleware.text import exact, text_problem

Verified: TypeAlias = Literal[True] | str | Callable[[Any], object]
"""How to know that an address was verified: `True` (the sign-up verifies every address), the name of
an attribute or key, or a predicate. The name and the predicate are those of the user; where the
address comes from a session, of the mapping that holds the address."""

_HINT_ATTR = (
    "attr= names the attribute that holds the address; inside Django the user model's EMAIL_FIELD does"
)
_HINT_GETTER = "the getter returns the address, or a user who has an email"
_HINT_VERIFIED = (
    "verified= names the attribute that says whether the address is verified, or is a predicate of the user"
)


def check_settings(
    verified: object, *, attr: object = "email", keys: Sequence[object] = ("email",), **also_wrong: str | None
) -> None:
    """Check the settings of a resolver when it is made.

    Args:
        verified: see `Verified`.
        attr: the name of the attribute that holds the address.
        keys: the keys that lead to the address.
        also_wrong: what the resolver itself has found, by the name of the setting; `None` is fine.

    Raises:
        ConfigError: naming every wrong setting at once.
    """
    checks = {
        **also_wrong,
        "attr": text_problem(attr),
        "keys": next(filter(None, map(text_problem, keys)), None) if keys else "must be one or more keys",
        "verified": _verified_problem(verified),
    }
    if problems := {name: problem for name, problem in checks.items() if problem}:
        raise ConfigError(problems)


def getter_problem(getter: object, signature: str) -> str | None:
    """Say why `getter` cannot be called for the user, and its answer not be awaited, or return `None`."""
    if not callable(getter):
        return f"must be a callable {signature}"
    return "must not be async: it is called, not awaited" if is_async(getter) else None


def email_of(user: object, attr: str, verified: Verified, *, hint: str = _HINT_ATTR) -> str:
    """Return the address of a signed-in user, an object or a mapping.

    A user who has none gets ``""``, which the gate refuses: `None` would send them to the login,
    which would send them back.

    Args:
        user: who is signed in.
        attr: the attribute or key that holds the address.
        verified: see `Verified`.
        hint: what to do where there is no attribute of that name.

    Raises:
        HandoffRefused: the address is not verified.
        ResolverError: `verified` gives something that is no answer, or there is no attribute of a name.
    """
    # Forced where a lazy proxy still knows what it stands for.
    email = Secret(exact(field_of(user, attr, hint)))
    if isinstance(email(), NoneType) or email() == "":
        return ""
    require_verified(user, verified)
    return cast("str", email())  # the gate looks after anything else


def email_from(answer: object, verified: Verified) -> str | None:
    """Return the address that the application's answer to "who is it?" holds.

    Args:
        answer: an object or mapping with an ``email``, or the address itself; `None`: nobody, and so is
            a user whose ``is_active`` or ``is_authenticated``, if there is one, is not set.
        verified: see `Verified`.

    Raises:
        HandoffRefused: the address is not verified.
        ResolverError: the answer is to be awaited, `verified` gives something that is no answer, or there
            is no attribute of a name.
    """
    if isinstance(answer, NoneType):  # a lazy proxy of None says so
        return None
    if is_awaitable(answer):
        _close(answer)
        raise ResolverError(
            f"the getter returned a {answer.__class__.__name__}, which nobody awaits: give a sync function"
        )
    email = exact(answer)
    if not isinstance(email, str):
        there = _may_be_signed_in(answer)
        return email_of(answer, "email", verified, hint=_HINT_GETTER) if there else None
    if email:
        require_verified(email, verified)
    return email


def email_in(session: Mapping[str, Any], keys: Sequence[str], verified: Verified) -> str | None:
    """Return the address that `keys` lead to, each into the mapping that the one before it gave.

    Where the way ends early nobody is signed in, nor where the last mapping has an ``is_active`` or
    ``is_authenticated`` that is not set. Where only the last of several keys is missing, somebody is who
    has no address: see `email_of`.

    Raises:
        HandoffRefused: the address is not verified.
        ResolverError: `verified` gives something that is no answer, or a key leads to something that
            is no mapping.
    """
    *outer, last = keys
    holder = session
    for key in outer:
        inner: object = holder.get(key) or {}
        if not isinstance(inner, Mapping):
            raise ResolverError(f"{key!r} in the session is a {type(inner).__name__}, not a mapping")
        holder = cast("Mapping[str, Any]", inner)
    if not holder or (not outer and holder.get(last) is None) or not _may_be_signed_in(holder):
        return None
    return email_of(holder, last, verified)


def is_signed_in(user: Any) -> bool:
    """Whether `user`, as Starlette, Flask-Login and Django know one, is there and active.

    Not every authentication looks at ``is_active`` itself.
    """
    return (
        not isinstance(user, NoneType) and holds(user.is_authenticated) and holds(flag_of(user, "is_active"))
    )


def require_verified(user: object, verified: Verified) -> None:
    """Refuse a user whose address is not verified.

    Raises:
        HandoffRefused: so it is.
        ResolverError: `verified` gives something that is no answer.
    """
    if verified is True:
        return
    if isinstance(verified, str):
        is_verified = holds(field_of(user, verified, _HINT_VERIFIED))
    else:
        is_verified = holds(verified(user), by_predicate=True)
    if not is_verified:
        raise HandoffRefused("email_not_verified")


def holds(value: object, *, by_predicate: bool = False) -> bool:
    """Whether a flag that was read from a user is set, or a predicate satisfied.

    What is true to Python alone is no answer: a method that ought to have been called, a coroutine
    that ought to have been awaited, a member of an `Enum` (``Status.UNVERIFIED`` is as true as any), a
    mapping (``{"verified": False}``, too), or the ``"false"`` that some identity providers send.

    Args:
        value: what was read or returned.
        by_predicate: it was returned, and a mapping may well be what was found.

    Raises:
        ResolverError: `value` is a method, an awaitable, a member of an `Enum` that stands for no str, int
            or flags, or, if it was read, a mapping.
    """
    if remedy := _remedy(value, by_predicate=by_predicate):
        _close(value)
        raise ResolverError(f"a {value.__class__.__name__} says neither yes nor no: {remedy}")
    text = value.decode("latin-1") if isinstance(value, bytes) else exact(value)
    return text.lower() == "true" if isinstance(text, str) else bool(value)


def _remedy(value: object, *, by_predicate: bool) -> str | None:
    """Say what to do about a `value` that says neither yes nor no, or return `None`."""
    if is_awaitable(value):
        return "give something that need not be awaited"
    if inspect.isroutine(value):
        return "give a predicate that calls it"
    if isinstance(value, Mapping) and not by_predicate:
        return "give a predicate that looks into it"
    if isinstance(value, Enum) and not isinstance(value, str | int | Flag):
        return "give a predicate that compares it"
    return None


def _close(value: object) -> None:
    """Close a coroutine that nobody awaits, or Python complains."""
    if inspect.iscoroutine(value):
        value.close()


def _may_be_signed_in(user: object) -> bool:
    """Whether nothing says that `user`, as the application itself knows one, is anonymous or inactive."""
    is_authenticated = flag_of(user, "is_authenticated")
    if is_awaitable(is_authenticated):  # Quart-Auth's: the application's to await
        _close(is_authenticated)
    elif not holds(is_authenticated):
        return False
    return holds(flag_of(user, "is_active"))


def _verified_problem(verified: object) -> str | None:
    if isinstance(verified, str) and verified:
        return text_problem(verified)
    if verified is True:
        return None
    if is_async(verified):
        return "must not be an async predicate: it is called, not awaited"
    if callable(verified):
        return None
    return (
        "must be True (your sign-up verifies every address), the name of the attribute or key that says "
        "whether the address is verified, or a predicate"
    )
