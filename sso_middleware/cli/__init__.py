"""The `sso-middleware` command."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; say what to install if it is not there."""
    # Imported here, so that a missing extra ends in a sentence and not in a traceback.
    try:
        from sso_middleware.cli.commands import cli  # noqa: PLC0415
    except ModuleNotFoundError as missing:
        sys.exit(f"sso-middleware needs {missing.name}: pip install 'sso-middleware[sandbox]'")
    cli()
