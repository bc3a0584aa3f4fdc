"""Translate errors of an application's own code that is asked for the user outside a view."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any

from sso_middleware.errors import HandoffRefused, ResolverError, SSOError

_UNAUTHORIZED, _FORBIDDEN = 401, 403


@contextmanager
def http_errors_as_refusals(http_error: type[Exception]) -> Generator[None]:
    """Translate HTTP errors; 401 ends the block, because the visitor is anonymous.

    Args:
        http_error: the framework's HTTP exception, with its status in ``status_code`` or ``code``.

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
                "visitor, raise HandoffRefused(reason) to refuse one, or ResolverUnavailable() if the "
                "source is down (HTTP errors 401 and 403 mean the first two)"
            ) from error


@contextmanager
def explain_missing_hooks(
    filled: type[object], hint: str, raised: Callable[[str], SSOError] = ResolverError
) -> Generator[None]:
    """Explain a missing attribute that the application's hooks or middlewares set before a view runs.

    Args:
        filled: the class of the object that lacks it, such as that of `flask.g`.
        hint: what to write instead; ``{name}`` is replaced by the missing attribute.
        raised: makes the error.

    Raises:
        ResolverError: an attribute is missing; or the error that `raised` makes.
    """
    try:
        yield
    except (AttributeError, ExceptionGroup) as error:
        missing = _only_error(error)
        if not isinstance(missing, AttributeError) or not isinstance(missing.obj, filled):
            raise
        if hasattr(filled, str(missing.name)):
            raise  # a property's own error is better
        raise raised(hint.format(name=missing.name)) from missing


def _only_error(error: Exception) -> Exception:
    """Return the only error in nested groups: Quart 0.23 raises those of teardown functions in two."""
    nested: Sequence[Exception] = [error]
    while len(nested) == 1:
        error = nested[0]
        nested = getattr(error, "exceptions", ())
    return error
