"""Importing the application that `check` is to look at."""

from __future__ import annotations

import importlib
import inspect
import sys
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, cast

import click

from sso_middleware.cli.check.django import django_project
from sso_middleware.cli.output import Failure, describe
from sso_middleware.errors import ConfigError, ShortTokenWarning, SSOError

PASTE = (
    "for what pserve starts, name a module of yours that has the line "
    'application = pyramid.paster.get_app("development.ini")'
)


class Loaded(NamedTuple):
    """An application, whether a HelpDesk complained of a short token while it was made, and its module."""

    app: Any
    short_token: bool
    module: dict[str, Any]


def load(target: str) -> Loaded:
    """Import ``module:name``, or ``module:name()`` for a factory, as servers do.

    Raises:
        UsageError: `target` is not of that form.
        Failure: it cannot be imported.
    """
    module_name, _, path = target.partition(":")
    name = path.removesuffix("()")
    if not module_name or not all(part.isidentifier() for part in name.split(".")):
        hint = f" ({PASTE})" if ".ini" in target else ""
        raise click.BadParameter(
            f"{target!r} is not of the form module:app or module:make_app(){hint}.", param_hint="MODULE:APP"
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
        raise Failure(f"{target} is no application: {type(app).__name__} cannot be called")
    short = any(issubclass(warning.category, ShortTokenWarning) for warning in caught)
    return Loaded(app, short, vars(module))


def is_paste_factory(app: Any) -> bool:
    """Whether `app` makes applications for PasteDeploy, as the ``main`` of a Pyramid project does."""
    try:
        parameters = inspect.signature(app).parameters
    except (TypeError, ValueError):  # not everything tells
        return False
    return next(iter(parameters), "").startswith("global_conf")


def _problem(target: str, error: BaseException) -> str:
    found = _system_checks()
    if found and isinstance(error, SSOError):
        return "\n".join([f"the settings in {target} are wrong:", *found])
    if isinstance(error, ConfigError):
        return f"the settings in {target} are wrong:\n{error}"
    return "\n".join([f"{target} cannot be imported: {describe(error)}", *found])


def _system_checks() -> list[str]:
    """Return what Django's system checks say, in a line each; nothing where they cannot be run."""
    if project := django_project():
        with suppress(Exception, SystemExit):  # what they import may be what fails
            return [f"{each.rule.id}: {each.message} {each.hint}" for each in project.findings()]
    return []
