"""`sso-middleware check`.

`account` checks the settings, `app` an application, which `walk` visits, and `online` and `trial` the way to
the Help Desk. `findings` and `rules.toml` have what can be wrong.
"""

from sso_middleware.cli.check.command import command

__all__ = ["command"]
