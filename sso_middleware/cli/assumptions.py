"""Options for what is assumed of the Help Desk, and may be otherwise."""

from __future__ import annotations

import click

from sso_middleware.cli.output import Decorator

freshness_option: Decorator = click.option(
    "--freshness", default=180.0, show_default=True, help="Seconds for which a token is good (assumed)."
)
leeway_option: Decorator = click.option(
    "--leeway", default=0.0, show_default=True, help="Seconds by which clocks may differ (assumed)."
)
