"""Plain strings from lazy proxies and subclasses, one or several, and characters that no setting may hold."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Any

#: Control and format characters, line and paragraph separators, surrogates (Unicode, chapter 4.5).
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_NAMES = {"\0": "NULL", "\t": "TABULATION", "\n": "LINE FEED", "\r": "CARRIAGE RETURN"}
_UNNAMED = {"Cc": "CONTROL CHARACTER", "Cs": "SURROGATE"}


def exact(value: object) -> object:
    """Return `value`, as an exact `str` if it is a `str` or a lazy proxy for one.

    A `str` subclass or str-Enum becomes its string value, which its `str()` might not return. A lazy
    proxy (Werkzeug's `LocalProxy`, Django's `SimpleLazyObject`) is forced.
    """
    if type(value) is str:
        return value
    value = forced(value)
    if isinstance(value, str):
        # isinstance() sees a proxy's target; only type() sees the proxy itself. Slicing returns the
        # target's string, even where str() would return an Enum's name.
        unwrapped = value if issubclass(type(value), str) else value[:]
        if issubclass(type(unwrapped), str):
            return str.__str__(unwrapped)
    return value


def forced(value: object) -> object:
    """Return the target of Werkzeug's `LocalProxy` or Django's `SimpleLazyObject`; else `value` itself.

    Errors from the target propagate. `isinstance` would instead swallow an `AttributeError`, or any
    `RuntimeError` with Werkzeug's proxy, and test the proxy's own class.
    """
    if hasattr(type(value), "_get_current_object"):
        proxy: Any = value
        return forced(proxy._get_current_object())  # noqa: SLF001 - Werkzeug documents it
    # Asking Django's for its class forces it; it keeps the target under this name.
    if value.__class__ is not type(value) and hasattr(type(value), "_wrapped"):
        return forced(object.__getattribute__(value, "_wrapped"))
    return value


def several(value: Any) -> list[Any]:
    """Return a setting that takes one `str`, or several, as a list."""
    return [value] if isinstance(value, str) or not isinstance(value, Iterable) else [*value]


def text_problem(value: object) -> str | None:
    """Return why `value` is not visible text, or `None`."""
    return invisible_problem(value) if isinstance(value, str) and value else "must be a non-empty str"


def invisible_problem(value: str) -> str | None:
    """Return a message about the first invisible character in `value`, or `None`.

    The message shows its position, counted from 1, and nothing else of `value`.
    """
    for position, character in enumerate(value, 1):
        if (category := unicodedata.category(character)) in _INVISIBLE:
            name = _NAMES.get(character) or unicodedata.name(character, _UNNAMED.get(category, "UNNAMED"))
            seen = f"U+{ord(character):04X} {name} at position {position}"
            return f"contains {seen}, which cannot be seen: remove it"
    return None
