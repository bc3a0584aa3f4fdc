"""`sso-middleware check`.

`command` is the subcommand. `account` checks the settings, `app` an application, `walk` visits it, `online`
and `trial` try the Help Desk, `report` prints, and `timeout` ends what blocks. `findings` and `rules.toml`
hold the rules.
"""

from sso_middleware.cli.check.command import command

__all__ = ["command"]
