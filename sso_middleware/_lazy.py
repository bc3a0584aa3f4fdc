"""Plain strings out of whatever stands for one, and what no setting may hold."""

from __future__ import annotations

import unicodedata
from typing import Any

#: Control and format characters, separators of lines and paragraphs, surrogates (Unicode, chapter 4.5).
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_NAMES = {"\0": "NULL", "\t": "TABULATION", "\n": "LINE FEED", "\r": "CARRIAGE RETURN"}
_UNNAMED = {"Cc": "CONTROL CHARACTER", "Cs": "SURROGATE"}


def exact(value: object) -> object:
    """Return `value`, as an exact `str` if it is a `str` or stands for one.

    A `str` subclass or str-Enum gives its string, which its own `str()` or an f-string might not. A
    lazy proxy (Werkzeug's `LocalProxy`, Django's `SimpleLazyObject`) is forced.
    """
    if type(value) is str:
        return value
    value = forced(value)
    if isinstance(value, str):
        # A proxy answers isinstance() for what it stands for, and only type() sees the proxy itself.
        # Slicing is what gives the string behind it, also where str() would give an Enum's name.
        unwrapped = value if issubclass(type(value), str) else value[:]
        if issubclass(type(unwrapped), str):
            return str.__str__(unwrapped)
    return value


def forced(value: object) -> object:
    """Return what Werkzeug's `LocalProxy` or Django's `SimpleLazyObject` stands for; else `value` itself.

    An error that this raises comes out as it is: `isinstance` would take an `AttributeError`, and
    Werkzeug's proxy any `RuntimeError`, for being what the proxy itself is.
    """
    if hasattr(type(value), "_get_current_object"):
        proxy: Any = value
        return forced(proxy._get_current_object())  # noqa: SLF001 - Werkzeug documents it
    # Django's is forced when it is asked for its class, and keeps what it stands for under this name.
    if value.__class__ is not type(value) and hasattr(type(value), "_wrapped"):
        return forced(object.__getattribute__(value, "_wrapped"))
    return value


def text_problem(value: object) -> str | None:
    """Say why `value` is no text that can be seen, or return `None`."""
    return invisible_problem(value) if isinstance(value, str) and value else "must be a non-empty str"


def invisible_problem(value: str) -> str | None:
    """Name the first invisible character of `value` and its position, counted from 1, or return `None`.

    The rest of `value` is not in the message.
    """
    for position, character in enumerate(value, 1):
        if (category := unicodedata.category(character)) in _INVISIBLE:
            name = _NAMES.get(character) or unicodedata.name(character, _UNNAMED.get(category, "UNNAMED"))
            seen = f"U+{ord(character):04X} {name} at position {position}"
            return f"contains {seen}, which cannot be seen: remove it"
    return None
