"""Options of several commands, and the settings from the environment."""

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
    help="Prefix of the environment variables.",
)

freshness_option: Decorator = click.option(
    "--freshness", default=180.0, show_default=True, help="Seconds that a token is valid (assumed)."
)
leeway_option: Decorator = click.option(
    "--leeway", default=0.0, show_default=True, help="Seconds that clocks may differ (assumed)."
)


def settings_from_environment(prefix: str, instead: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the checked settings, including the SSO Token.

    Values of `instead`, by names without prefix, override the environment.

    Raises:
        Failure: variables are missing or wrong; it names all of them.
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
    """Return the account, without a warning for a short token: `check` reports that."""
    with warnings.catch_warnings(action="ignore", category=ShortTokenWarning):
        return HelpDesk(**settings)
