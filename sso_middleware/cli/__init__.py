"""The `sso-middleware` command."""

from __future__ import annotations

import sys

_EXTRA = {"click", "httpx", "itsdangerous", "jinja2", "rich", "uvicorn"}


def main() -> None:
    """Run the command line, or say which extra is missing."""
    try:
        # Imported here, so that a missing extra shows a sentence instead of a traceback.
        from sso_middleware.cli.commands import cli  # noqa: PLC0415

        cli()
    except SystemExit as ended:
        if sys.argv[1:2] != ["check"]:
            raise
        from sso_middleware.cli.check.command import leave  # noqa: PLC0415

        leave(ended.code)
    except ModuleNotFoundError as missing:
        package = (missing.name or "").partition(".")[0]
        if package not in _EXTRA:
            raise
        print(f"sso-middleware needs {package}: pip install 'sso-middleware[sandbox]'", file=sys.stderr)
        sys.exit(3)  # Exit.SETTINGS; importing it needs click
