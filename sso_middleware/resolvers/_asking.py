"""Asking an application's own code for the user, outside a view: what its errors mean there."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from sso_middleware.errors import HandoffRefused, ResolverError, SSOError

_UNAUTHORIZED, _FORBIDDEN = 401, 403


@contextmanager
def answers_by(http_error: type[Exception]) -> Generator[None]:
    """Understand code that answers by an HTTP error; 401 ends the block: the visitor is anonymous.

    Args:
        http_error: the framework's exception for an HTTP status, which is its ``status_code`` or ``code``.

    Raises:
        HandoffRefused: ``forbidden``, for 403.
        ResolverError: any other status.
    """
    try:
        yield
    except http_error as error:
        status: Any = getattr(error, "status_code", None) or getattr(error, "code", None)
        if status == _FORBIDDEN:
            raise HandoffRefused("forbidden") from error
        if status != _UNAUTHORIZED:
            raise ResolverError(
                f"a resolver cannot answer with {type(error).__name__}: return None for an anonymous "
                "visitor, raise HandoffRefused(reason) for one who may not go, and ResolverUnavailable() if "
                "the source is down (an HTTP error 401 or 403 is understood as one of the first two)"
            ) from error


@contextmanager
def without_hooks(
    filled: type[object], hint: str, raised: Callable[[str], SSOError] = ResolverError
) -> Generator[None]:
    """Explain what an object lacks that the application's hooks or middlewares fill before a view runs.

    Args:
        filled: the class of that object, such as `flask.g`.
        hint: what to write instead; ``{name}`` stands for the missing attribute.
        raised: makes the error.

    Raises:
        ResolverError: such an object lacks an attribute; or what `raised` makes.
    """
    try:
        yield
    except AttributeError as error:
        if not isinstance(error.obj, filled) or hasattr(filled, str(error.name)):
            raise  # what a property of the class says itself is better
        raise raised(hint.format(name=error.name)) from error
