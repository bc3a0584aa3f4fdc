"""The click group and its commands."""

from __future__ import annotations

import io
import os
import sys
from importlib import import_module

import click

from sso_middleware.cli.output import never_print

# Each command's module or folder is imported when it runs: `url` needs no web framework and starts fast.
_COMMANDS = {
    "check": "Find mistakes in the settings or in an application.",
    "demo": "Run a Help Desk and a sample application on this machine.",
    "init": "Print the lines that add the middleware to an application.",
    "inspect": "Judge a hand-off URL or a JWT.",
    "sandbox": "Run a Help Desk on this machine.",
    "url": "Print a live hand-off URL.",
}


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = import_module(f"sso_middleware.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""Exit codes: 0 fine, 1 findings or rejected, 2 usage, 3 settings or import failed, 4 network.
    The settings come from HELPDESK_* variables; the SSO Token is never a command-line argument.
    NO_COLOR is respected.

    \b
    Completion (for zsh and fish: zsh_source, fish_source), in ~/.bashrc:
      eval "$(_SSO_MIDDLEWARE_COMPLETE=bash_source sso-middleware)"
    """,
)
@click.version_option(package_name="sso-middleware", prog_name="sso-middleware")
def cli() -> None:
    """Single sign-on from a Python web application to a ProProfs Help Desk."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # do not fail on terminals without UTF-8
            stream.reconfigure(errors="backslashreplace")
    for name, value in os.environ.items():
        if name.endswith("SSO_TOKEN"):
            never_print(value)
