"""What every resolver that reads the application's own records has in common: `verified`.

An address that a user may type in freely lets them be handed off as somebody else. So each of these
resolvers has to be told how to know that an address was verified, and nothing is the default.
"""

from __future__ import annotations

import datetime as dt
import inspect
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from enum import Enum
from numbers import Number
from types import NoneType
from typing import Any, Literal, TypeAlias, cast

from sso_middleware._calls import is_async, is_awaitable, takes
from sso_middleware._lazy import exact, forced, text_problem
from sso_middleware._secret import Secret
from sso_middleware.errors import ConfigError, HandoffRefused, ResolverError
from sso_middleware.events import logger
from sso_middleware.resolvers._users import answers_to_any_name, defines, field_of, flag_of, is_row

Verified: TypeAlias = Literal[True] | str | Callable[[Any], object]
"""How to know that an address was verified: `True` (the sign-up verifies every address), the name of
an attribute or key, or a predicate. The name and the predicate are those of the user; where the
address comes from a session, of the mapping that holds the address."""

_HINT_ATTR = "attr= names the attribute that holds the address"
_HINT_GETTER = "the getter returns the address, or a user who has an email"
_HINT_SIGNED_IN = "the users of Starlette, Flask-Login and Django have it, and it says who is signed in"
_HINT_VERIFIED = (
    "verified= names the attribute that says whether the address is verified, or is a predicate of the user"
)

_KEY = re.compile(r"[\w.:-]{1,64}")  # no address
_TEXT = (str, bytes, bytearray, memoryview)

#: What says neither yes nor no, wherever it comes from, and what to do with it. Python calls all of it true.
_NO_ANSWER: tuple[tuple[Any, str], ...] = (
    (Callable, "calls it"),  # functions, partials, classes, Django's related managers
    (Enum, "compares it with the member that means yes"),
    ((Awaitable, AsyncIterator), "returns what need not be awaited"),
    (Iterator, "looks into it, as any() does"),
)

#: What holds no address yet.
_NO_ADDRESS: tuple[tuple[Any, str], ...] = ((Awaitable, "awaited"), (Callable, "called"))


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


def getter_problem(getter: object, signature: str, *, may_be_async: bool = False) -> str | None:
    """Say why `getter` cannot be asked for the user, or return `None`.

    Args:
        getter: what is called.
        signature: how: ``() -> user`` or ``(request) -> user``.
        may_be_async: what it returns is awaited.
    """
    count = 0 if signature.startswith("()") else 1
    # What a decorator passes on is its own business.
    if not callable(getter) or takes(getter, count, follow_wrapped=False) is False:
        return f"must be a callable {signature}"
    return "must not be async: it is called, not awaited" if is_async(getter) and not may_be_async else None


def email_of(user: Any, attr: str, verified: Verified, *, hint: str = _HINT_ATTR) -> str:
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
        ResolverError: `verified` gives something that is no answer, there is no attribute of a name, or the
            address has to be called or awaited.
    """
    user = Secret(user)  # a predicate may raise: see `_secret`
    # Forced where a lazy proxy still knows what it stands for.
    email = Secret(exact(field_of(user(), attr, hint)))
    for kinds, remedy in _NO_ADDRESS:
        if issubclass(email().__class__, kinds):
            _close(email())
            raise ResolverError(
                f"{attr!r} of {user().__class__.__name__} is a {email().__class__.__name__}, which must be "
                f"{remedy}: make it a plain attribute or property, or use a getter or resolver of your own"
            )
    if isinstance(email(), NoneType) or email() == "":
        return ""
    require_verified(user(), verified)
    return cast("str", email())  # the gate looks after anything else


def email_if_signed_in(user: Any, attr: str, verified: Verified, *, hint: str) -> str | None:
    """Return the address of a user of Starlette, Flask-Login or Django; `None`: nobody is signed in.

    Args:
        user: has ``is_authenticated``; `None` is nobody.
        attr: see `email_of`.
        verified: see `Verified`.
        hint: see `email_of`.

    Raises:
        HandoffRefused: the user is inactive, which not every authentication looks at itself, or the address
            is not verified.
        ResolverError: as `email_of`; or a flag is no answer, or there is no ``is_authenticated``.
    """
    user = Secret(user)  # a property may raise: see `_secret`
    if isinstance(user(), NoneType) or not holds(field_of(user(), "is_authenticated", _HINT_SIGNED_IN)):
        return None
    _require_active(user())
    return email_of(user(), attr, verified, hint=hint)


def email_from(answer: Any, verified: Verified) -> str | None:
    """Return the address that the application's answer to "who is it?" holds.

    Args:
        answer: an object or mapping with an ``email``, or the address itself; `None`: nobody, and so is
            a user whose ``is_authenticated``, if there is one, is not set.
        verified: see `Verified`.

    Raises:
        HandoffRefused: the user has an ``is_active`` that is not set, or the address is not verified.
        ResolverError: the answer is to be awaited, `verified` gives something that is no answer, or there
            is no attribute of a name.
    """
    answer = Secret(answer)  # a predicate may raise: see `_secret`
    if isinstance(answer(), NoneType):  # a lazy proxy of None says so
        return None
    if is_awaitable(answer()):
        _close(answer())
        raise ResolverError(
            f"the getter returned a {answer().__class__.__name__}, which nobody awaits: give a sync function"
        )
    email = Secret(exact(answer()))
    if not isinstance(email(), str):
        there = _may_be_signed_in(answer())
        return email_of(answer(), "email", verified, hint=_HINT_GETTER) if there else None
    if email():
        require_verified(email(), verified)
    return cast("str", email())


def email_in(session: Any, keys: Sequence[str], verified: Verified) -> str | None:
    """Return the address that `keys` lead to, each into the mapping that the one before it gave.

    Nobody is signed in where one of the keys but the last is missing, or the last mapping has an
    ``is_authenticated`` that is not set. Where only the last of several keys is missing, somebody is
    signed in who has no address: see `email_of`.

    Raises:
        HandoffRefused: the last mapping has an ``is_active`` that is not set, or the address is not verified.
        ResolverError: `verified` gives something that is no answer, or a key leads to something that
            is no mapping.
    """
    *outer, last = keys
    whole = session = Secret(session)  # a predicate may raise: see `_secret`
    for key in outer:
        session = Secret(session().get(key) or {})
        if not isinstance(session(), Mapping):
            raise ResolverError(f"{key!r} in the session is a {type(session()).__name__}, not a mapping")
    if not session() or (not outer and session().get(last) is None) or not _may_be_signed_in(session()):
        _tell_missing(whole(), keys)
        return None
    return email_of(session(), last, verified)


def _tell_missing(session: Mapping[str, Any], keys: Sequence[str]) -> None:
    """Log, for who looks why a visitor is anonymous, the names of the keys that a session has."""
    if session and logger.isEnabledFor(logging.DEBUG):
        names = [key for key in session if isinstance(key, str) and _KEY.fullmatch(key)]
        missed = f"{', '.join(keys)} in the session, which has {', '.join(names) or 'others'}"
        logger.debug("a visitor is anonymous: a resolver looked for %s", missed, extra={"sso_missed": missed})


def require_verified(user: Any, verified: Verified) -> None:
    """Refuse a user whose address is not verified.

    Raises:
        HandoffRefused: so it is.
        ResolverError: `verified` gives something that is no answer.
    """
    if verified is True:
        return
    user = Secret(user)
    if isinstance(verified, str):
        is_verified = holds(field_of(user(), verified, _HINT_VERIFIED))
        if is_verified and answers_to_any_name(user(), verified):
            raise ResolverError(
                f"{user().__class__.__name__} answers to any name, so its {verified!r} says nothing: give a "
                "predicate of the user"
            )
    else:
        is_verified = holds(verified(user()), by_predicate=True)
    if not is_verified:
        raise HandoffRefused("email_not_verified")


def holds(value: object, *, by_predicate: bool = False) -> bool:
    """Whether a flag that was read from a user is set, or a predicate satisfied.

    Yes is `True` and 1, the text ``"true"`` in any case, a date or time, also as ISO 8601 text, and an
    object that defines its own truth and is true. No is everything else that is false or a text. The year
    1 is no either: it is how other languages write "never".

    Args:
        value: what was read or returned.
        by_predicate: it was returned, and may well be what was found, such as a row or a mapping.

    Raises:
        ResolverError: `value` says neither yes nor no, though Python calls it true.
    """
    value = forced(value)
    kind = value.__class__  # a lazy proxy has that of what it stands for
    remedies = [remedy for kinds, remedy in _NO_ANSWER if issubclass(kind, kinds)]
    if not issubclass(kind, (*_TEXT, NoneType, dt.date, dt.time)):
        if by_predicate:
            if defines(kind, "exists") and not defines(kind, "__bool__", "__len__"):
                remedies.append("looks up what it queries")
        elif issubclass(kind, Number):
            if value not in {0, 1}:
                remedies.append("compares it")
        elif is_row(kind) or not defines(kind, "__bool__", "__len__"):
            remedies.append("looks into it")
    if remedies:
        _close(value)
        raise ResolverError(
            f"a {kind.__name__} says neither yes nor no: give a predicate (or a property) that {remedies[0]}"
        )
    if issubclass(kind, _TEXT):
        text = (
            cast("str", exact(value))
            if issubclass(kind, str)
            else bytes(cast("bytes", value)).decode("latin-1")
        )
        return text.lower() == "true" or _is_moment(text)
    return cast("dt.date", value).year > 1 if issubclass(kind, dt.date) else bool(value)


def _is_moment(text: str) -> bool:
    """Whether `text` is a date, with or without a time, as ISO 8601 writes it with hyphens."""
    with suppress(ValueError):
        return text[4:5] == "-" and dt.datetime.fromisoformat(text).year > 1
    return False


def _close(value: object) -> None:
    """Close a coroutine that nobody awaits, or Python complains."""
    if inspect.iscoroutine(value):
        value.close()


def _may_be_signed_in(user: Any) -> bool:
    """Whether nothing says that `user`, as the application itself knows one, is anonymous.

    Raises:
        HandoffRefused: the user is inactive.
    """
    user = Secret(user)
    is_authenticated = flag_of(user(), "is_authenticated")
    if is_awaitable(is_authenticated):  # Quart-Auth's: the application's to await
        _close(is_authenticated)
    elif not holds(is_authenticated):
        return False
    _require_active(user())
    return True


def _require_active(user: Any) -> None:
    user = Secret(user)
    if not holds(flag_of(user(), "is_active")):
        raise HandoffRefused("inactive")


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
