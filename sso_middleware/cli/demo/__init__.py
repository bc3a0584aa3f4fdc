"""`sso-middleware demo`: the sandbox and a sample application."""

from sso_middleware.cli.demo.command import command

__all__ = ["command"]
