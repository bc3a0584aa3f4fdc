"""Find the visitor's address: on a user, in a getter's answer or in a session.

Each function returns `None` for an anonymous visitor, and checks `verified` before it returns an address.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import NoneType
from typing import Any, cast

from sso_middleware._calls import close_coroutine, is_awaitable
from sso_middleware._secret import Secret
from sso_middleware._text import exact
from sso_middleware.errors import HandoffRefused, ResolverError
from sso_middleware.events import logger
from sso_middleware.resolvers._users import field_of, flag_of
from sso_middleware.resolvers._verification import Verified, holds, require_verified

_HINT_ATTR = "set attr= to the attribute that holds the address"
_HINT_GETTER = "return the address from the getter, or a user with an email"
_HINT_SIGNED_IN = "add it, as on the users of Starlette, Flask-Login and Django; it shows who is signed in"

_KEY = re.compile(r"[\w.:-]{1,64}")  # no address

#: Types that cannot be an address.
_NO_ADDRESS: tuple[tuple[Any, str], ...] = ((Awaitable, "awaited"), (Callable, "called"))


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
            close_coroutine(email())
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
        close_coroutine(answer())
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
    """Log the names of a session's keys, to show why a visitor is anonymous."""
    if session and logger.isEnabledFor(logging.DEBUG):
        names = [key for key in session if isinstance(key, str) and _KEY.fullmatch(key)]
        missed = f"{', '.join(keys)} in the session, which has {', '.join(names) or 'others'}"
        logger.debug("a visitor is anonymous: a resolver looked for %s", missed, extra={"sso_missed": missed})


def _may_be_signed_in(user: Any) -> bool:
    """Return whether the application's own `user` is not marked as anonymous.

    Raises:
        HandoffRefused: the user is inactive.
    """
    user = Secret(user)
    is_authenticated = flag_of(user(), "is_authenticated")
    if is_awaitable(is_authenticated):  # Quart-Auth's: the application must await it
        close_coroutine(is_authenticated)
    elif not holds(is_authenticated):
        return False
    _require_active(user())
    return True


def _require_active(user: Any) -> None:
    user = Secret(user)
    if not holds(flag_of(user(), "is_active")):
        raise HandoffRefused("inactive")
