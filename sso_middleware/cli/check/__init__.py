"""`sso-middleware check`."""

from sso_middleware.cli.check.command import command

__all__ = ["command"]
