"""Plain strings out of whatever stands for one."""

from __future__ import annotations

from typing import Any


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
