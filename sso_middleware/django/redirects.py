"""Redirect targets from the settings, read as Django reads its own."""

# Django comes without type information.
# mypy: disable-error-code="import-untyped"
# pyright: reportMissingTypeStubs=false, reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeAlias

from django.conf import settings
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch, get_script_prefix, set_script_prefix

from sso_middleware.errors import ConfigError

Finder: TypeAlias = Callable[[], str] | None
"""Returns a redirect's target during a request, mount prefix included; `None`: mount prefix and path."""


def read_target(given: Mapping[str, Any], name: str, fallback: str) -> tuple[str | None, Finder]:
    """Return a redirect target without mount prefix, and a function that returns it during a request.

    Args:
        given: may hold the target: a path as in the URLconf, a URL, or the name of a URL pattern.
        name: its key in `given`.
        fallback: the Django setting to fall back on, where a path includes its mount prefix.
    """
    target = given[name] if name in given else getattr(settings, fallback)
    if target is None or (name in given and isinstance(target, str) and target[:1] in {"", "/"}):
        return target, None
    prefix = get_script_prefix()
    set_script_prefix("/")
    try:
        text = str(target)  # it may be lazy
        # Do not look up a path: that would load the URLconf, and with it the whole application.
        is_place = text.startswith("/") or "://" in text
        return text if is_place else str(resolve_url(text)), partial(resolve_url, target)
    except NoReverseMatch as error:
        source = "" if name in given else f"(from {fallback}) "
        said = f"{source}is not a path, a URL or the name of a URL pattern: {str(error).rstrip('.')}"
        raise ConfigError({name: said}) from None
    finally:
        set_script_prefix(prefix)
