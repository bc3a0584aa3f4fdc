"""Options of several commands, and the settings: in the environment, never in argv."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from typing import Any

import click

from sso_middleware._secret import Secret
from sso_middleware.cli.output import Decorator, Failure, never_print
from sso_middleware.errors import ConfigError, ShortTokenWarning
from sso_middleware.helpdesk import HelpDesk
from sso_middleware.helpdesk.settings import from_variables

prefix_option: Decorator = click.option(
    "--prefix",
    default="HELPDESK_",
    show_default=True,
    help="What the names of the environment variables start with.",
)

freshness_option: Decorator = click.option(
    "--freshness", default=180.0, show_default=True, help="Seconds for which a token is good (assumed)."
)
leeway_option: Decorator = click.option(
    "--leeway", default=0.0, show_default=True, help="Seconds by which clocks may differ (assumed)."
)


def settings_from_environment(prefix: str, instead: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the checked settings, the SSO Token among them.

    Args:
        prefix: what the names of the variables start with.
        instead: values, under names without prefix, that count instead of the environment's.

    Raises:
        Failure: naming every variable that is missing or wrong.
    """
    variables = dict(os.environ) | {f"{prefix}{name}": value for name, value in (instead or {}).items()}
    try:
        settings = from_variables(Secret(variables), prefix)
    except ConfigError as error:
        raise Failure(str(error)) from None
    settings["sso_token"] = settings["sso_token"]()
    never_print(settings["sso_token"])
    return settings


def helpdesk_of(settings: Mapping[str, Any]) -> HelpDesk:
    """Return the account; `check` is where a short token is spoken of."""
    with warnings.catch_warnings(action="ignore", category=ShortTokenWarning):
        return HelpDesk(**settings)
