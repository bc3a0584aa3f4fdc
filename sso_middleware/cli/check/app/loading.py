"""Importing the application for `check`."""

from __future__ import annotations

import importlib
import inspect
import sys
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, cast

import click

from sso_middleware._calls import takes
from sso_middleware.cli.check.app.django import system_checks
from sso_middleware.cli.output import Failure, describe
from sso_middleware.errors import ConfigError, ShortTokenWarning, SSOError

PASTE = (
    'if you use pserve, pass a module with the line application = pyramid.paster.get_app("development.ini")'
)


class Loaded(NamedTuple):
    """An imported application, the names in its `module`, and whether its import warned of a short token."""

    target: str
    app: Any
    short_token: bool
    module: dict[str, Any]


def load(target: str) -> Loaded:
    """Import ``module:name``, or ``module:name()`` for a factory, as servers do.

    Raises:
        UsageError: `target` has the wrong form.
        Failure: `target` cannot be imported.
    """
    module_name, _, path = target.partition(":")
    name = path.removesuffix("()")
    if not module_name or not all(part.isidentifier() for part in name.split(".")):
        hint = f" ({PASTE})" if ".ini" in target else ""
        raise click.BadParameter(
            f"{target!r} must have the form module:app or module:make_app(){hint}.", param_hint="MODULE:APP"
        )
    sys.path.insert(0, str(Path.cwd()))  # as gunicorn and uvicorn do
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            module = app = cast("Any", importlib.import_module(module_name))
            for part in name.split("."):
                app = getattr(app, part)
            if path.endswith("()"):
                app = app()
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever an application raises
            raise Failure(_problem(target, error)) from None
    if not callable(app):
        raise Failure(f"{target} is not an application: {type(app).__name__} is not callable")
    short = any(issubclass(warning.category, ShortTokenWarning) for warning in caught)
    return Loaded(target, app, short, vars(module))


def is_paste_factory(app: Any) -> bool:
    """Whether `app` is a PasteDeploy factory, like ``main`` in a Pyramid project."""
    try:
        parameters = inspect.signature(app).parameters
    except (TypeError, ValueError):  # it has no signature
        return False
    return next(iter(parameters), "").startswith("global_conf")


def is_factory(app: Any) -> bool:
    """Whether `app` is a function that may make an application: it needs no arguments."""
    return inspect.isfunction(app) and takes(app, 0) is True


def _problem(target: str, error: BaseException) -> str:
    checks: list[str] = []
    with suppress(Exception, SystemExit):  # the system checks may import what failed
        checks += [f"{each.id}: {each.msg} {each.hint}" for each in system_checks()]
    if checks and isinstance(error, SSOError):
        return "\n".join([f"the settings in {target} are wrong:", *checks])
    if isinstance(error, ConfigError):
        return f"the settings in {target} are wrong:\n{error}"
    return "\n".join([f"{target} cannot be imported: {describe(error)}", *checks])
