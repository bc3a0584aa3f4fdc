"""`sso-middleware check`.

`command` is the subcommand. `account` checks the settings and the SSO Auth URL, `app` an application, `walk`
visits it, `trial` makes real hand-offs, and `report` prints. `findings` and `rules.toml` hold the rules.
"""

from sso_middleware.cli.check.command import command

__all__ = ["command"]
