"""The commands, for click."""

from __future__ import annotations

import click

from sso_middleware.cli.demo import demo


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="sso-middleware")
def cli() -> None:
    """Single sign-on from a Python web application to a ProProfs Help Desk."""


cli.add_command(demo)
