"""Check the settings of a resolver when it is made."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from sso_middleware._calls import is_async, takes
from sso_middleware._text import text_problem
from sso_middleware.errors import ConfigError

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
    return [int(number) for number in re.findall("[0-9]+", text)]


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
