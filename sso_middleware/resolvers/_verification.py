"""The `verified` setting, which all resolvers that read the application's own users share.

With an unverified address, a user could be handed off as someone else. So these resolvers must be told
how to tell whether an address is verified; there is no default.
"""

from __future__ import annotations

import datetime as dt
import inspect
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from enum import Enum
from importlib.metadata import PackageNotFoundError, version
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
"""How to tell whether an address is verified: `True` (your sign-up verifies every address), the name of an
attribute or key, or a predicate. The name or predicate applies to the user; if the address comes from a
session, to the mapping that holds the address."""

_HINT_ATTR = "set attr= to the attribute that holds the address"
_HINT_GETTER = "return the address from the getter, or a user with an email"
_HINT_SIGNED_IN = "add it, as on the users of Starlette, Flask-Login and Django; it shows who is signed in"
_HINT_VERIFIED = (
    "set verified= to the attribute that says whether the address is verified, or to a predicate of the user"
)

_KEY = re.compile(r"[\w.:-]{1,64}")  # no address
_TEXT = (str, bytes, bytearray, memoryview)

#: Types that mean neither yes nor no, though always truthy in Python, and what a predicate should do.
_NO_ANSWER: tuple[tuple[Any, str], ...] = (
    (Callable, "calls it"),  # functions, partials, classes, Django's related managers
    (Enum, "compares it with the member that means yes"),
    ((Awaitable, AsyncIterator), "returns a plain value, not an awaitable"),
    (Iterator, "looks into it, as any() does"),
)

#: Types that cannot be an address.
_NO_ADDRESS: tuple[tuple[Any, str], ...] = ((Awaitable, "awaited"), (Callable, "called"))


#: The oldest supported releases of the frameworks, as the extra ``test`` has them.
OLDEST: dict[str, str] = {
    "beaker": "1.13",
    "bottle": "0.13",
    "flask": "3.1",
    "flask-login": "0.6.3",
    "pyramid": "2.0.2",
    "quart": "0.20",
}


def check_settings(
    verified: object, *, attr: object = "email", keys: Sequence[object] = ("email",), **also_wrong: str | None
) -> None:
    """Check the settings of a resolver when it is made.

    Args:
        verified: see `Verified`.
        attr: the name of the attribute that holds the address.
        keys: the keys that lead to the address.
        also_wrong: the resolver's own findings, by setting; `None` means no problem.

    Raises:
        ConfigError: a setting is wrong; the error lists all of them.
    """
    checks = {
        **also_wrong,
        "attr": text_problem(attr),
        "keys": next(filter(None, map(text_problem, keys)), None) if keys else "must be one or more keys",
        "verified": _verified_problem(verified),
    }
    if problems := {name: problem for name, problem in checks.items() if problem}:
        raise ConfigError(problems)


def release_problem(distribution: str) -> str | None:
    """Say that the installed release of a framework is too old, or return `None`."""
    try:
        installed = version(distribution)
    except PackageNotFoundError:
        return None
    oldest = OLDEST[distribution]
    if _release(installed) >= _release(oldest):
        return None
    return f"{installed} is installed, and {oldest} is the oldest supported release: upgrade {distribution}"


def _release(text: str) -> list[int]:
    return [int(number) for number in re.findall("[0-9]+", text)[:3]]


def getter_problem(getter: object, signature: str, *, may_be_async: bool = False) -> str | None:
    """Return why `getter` cannot be called for the user, or `None`.

    Args:
        getter: the callable.
        signature: its signature: ``() -> user`` or ``(request) -> user``.
        may_be_async: whether its result is awaited.
    """
    count = 0 if signature.startswith("()") else 1
    # A decorator may pass on other arguments than it takes.
    if not callable(getter) or takes(getter, count, follow_wrapped=False) is False:
        return f"must be a callable {signature}"
    return "must not be async: it is called, not awaited" if is_async(getter) and not may_be_async else None


def email_of(user: Any, attr: str, verified: Verified, *, hint: str = _HINT_ATTR) -> str:
    """Return the address of a signed-in user, an object or a mapping.

    Return ``""`` if the user has none; the gate refuses it. `None` would send them to the login, which
    would send them back.

    Args:
        user: the signed-in user.
        attr: the attribute or key that holds the address.
        verified: see `Verified`.
        hint: what to do if there is no such attribute.

    Raises:
        HandoffRefused: the address is not verified.
        ResolverError: `verified` has no clear answer, an attribute is missing, or the address must be
            called or awaited.
    """
    user = Secret(user)  # a predicate may raise: see `_secret`
    # Force it here, where a lazy proxy still has its target.
    email = Secret(exact(field_of(user(), attr, hint)))
    for kinds, remedy in _NO_ADDRESS:
        if issubclass(email().__class__, kinds):
            _close(email())
            raise ResolverError(
                f"{attr!r} of {user().__class__.__name__} is a {email().__class__.__name__}, which must be "
                f"{remedy}: make it a plain attribute or property, or write your own getter or resolver"
            )
    if isinstance(email(), NoneType) or email() == "":
        return ""
    require_verified(user(), verified)
    return cast("str", email())  # the gate checks it


def email_if_signed_in(user: Any, attr: str, verified: Verified, *, hint: str) -> str | None:
    """Return the address of a user of Starlette, Flask-Login or Django, or `None` for an anonymous visitor.

    Args:
        user: has ``is_authenticated``; `None` is anonymous.
        attr: see `email_of`.
        verified: see `Verified`.
        hint: see `email_of`.

    Raises:
        HandoffRefused: the user is inactive, which not every authentication checks, or the address is not
            verified.
        ResolverError: as in `email_of`; or a flag has no clear answer, or there is no ``is_authenticated``.
    """
    user = Secret(user)  # a property may raise: see `_secret`
    if isinstance(user(), NoneType) or not holds(field_of(user(), "is_authenticated", _HINT_SIGNED_IN)):
        return None
    _require_active(user())
    return email_of(user(), attr, verified, hint=hint)


def email_from(answer: Any, verified: Verified) -> str | None:
    """Return the address in a getter's answer, or `None` for an anonymous visitor.

    Args:
        answer: an object or mapping with an ``email``, or the address itself. `None`, or a user with an
            ``is_authenticated`` that is false, is anonymous.
        verified: see `Verified`.

    Raises:
        HandoffRefused: the user has an ``is_active`` that is false, or the address is not verified.
        ResolverError: the answer must be awaited, `verified` has no clear answer, or an attribute is missing.
    """
    answer = Secret(answer)  # a predicate may raise: see `_secret`
    if isinstance(answer(), NoneType):  # also true of a lazy proxy for None
        return None
    if is_awaitable(answer()):
        _close(answer())
        raise ResolverError(
            f"the getter returned a {answer().__class__.__name__}, which is not awaited: use a sync function"
        )
    email = Secret(exact(answer()))
    if not isinstance(email(), str):
        there = _may_be_signed_in(answer())
        return email_of(answer(), "email", verified, hint=_HINT_GETTER) if there else None
    if email():
        require_verified(email(), verified)
    return cast("str", email())


def email_in(session: Any, keys: Sequence[str], verified: Verified) -> str | None:
    """Return the address that `keys` lead to, outermost mapping first.

    The visitor is anonymous if any key but the last is missing, or the last mapping has an
    ``is_authenticated`` that is false. If only the last of several keys is missing, the signed-in user has
    no address: see `email_of`.

    Raises:
        HandoffRefused: the last mapping has an ``is_active`` that is false, or the address is not verified.
        ResolverError: `verified` has no clear answer, or a key does not lead to a mapping.
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
    kind = value.__class__  # a lazy proxy has its target's
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
            f"a {kind.__name__} means neither yes nor no: use a predicate (or a property) that {remedies[0]}"
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
    """Return whether `text` is an ISO 8601 date with hyphens, with or without a time."""
    with suppress(ValueError):
        return text[4:5] == "-" and dt.datetime.fromisoformat(text).year > 1
    return False


def _close(value: object) -> None:
    """Close a coroutine that is never awaited, or Python warns."""
    if inspect.iscoroutine(value):
        value.close()


def _may_be_signed_in(user: Any) -> bool:
    """Return whether the application's own `user` is not marked as anonymous.

    Raises:
        HandoffRefused: the user is inactive.
    """
    user = Secret(user)
    is_authenticated = flag_of(user(), "is_authenticated")
    if is_awaitable(is_authenticated):  # Quart-Auth's: the application must await it
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
