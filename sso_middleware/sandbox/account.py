"""The sandbox's Help Desk account and address."""

from __future__ import annotations

import secrets
from typing import Any

from sso_middleware._urls import origin_of
from sso_middleware.helpdesk import HelpDesk

SSO_PATH = "/sso"


class Account:
    """The account and the sandbox's current address; call `move_to` first.

    It has slots, so that error trackers show its repr, which holds no SSO Token.

    Args:
        sso_token: the SSO Token; `None` makes a new one, which `shown` includes.
        settings: the other settings of `HelpDesk`, except for `sso_auth_url` and `allow_http`.
    """

    __slots__ = ("_settings", "_shows_token", "helpdesk", "sso_token")

    def __init__(self, sso_token: str | None, **settings: Any) -> None:
        self._shows_token = sso_token is None  # a given token may be a real one
        self.sso_token: str = secrets.token_hex(32) if sso_token is None else sso_token
        self._settings = settings

    def move_to(self, base_url: str) -> None:
        """Point `helpdesk` to `base_url`: scheme, host and port of the sandbox.

        Raises:
            ConfigError: settings are wrong; it names all of them.
        """
        self.helpdesk: HelpDesk = HelpDesk(
            sso_token=self.sso_token,
            sso_auth_url=f"{base_url}{SSO_PATH}",
            allow_http=True,
            **self._settings,
        )

    @property
    def base_url(self) -> str:
        """The sandbox's current base URL."""
        return origin_of(self.helpdesk.sso_auth_url)

    @property
    def environment(self) -> dict[str, str]:
        """The settings as the variables that `HelpDesk.from_env` reads."""
        desk = self.helpdesk
        variables = {
            "HELPDESK_SSO_TOKEN": self.sso_token,
            "HELPDESK_SSO_AUTH_URL": desk.sso_auth_url,
            "HELPDESK_ACCOUNT_ID": desk.account_id,
            "HELPDESK_AUTH_URL": desk.auth_url,
            "HELPDESK_LOGOUT_URL": desk.logout_url,
            "HELPDESK_FORWARD_PARAMS": ",".join(desk.forward_params),
        }
        return {name: value for name, value in variables.items() if value}

    @property
    def shown(self) -> dict[str, str]:
        """The settings that a page may show."""
        variables = self.environment
        if not self._shows_token:
            del variables["HELPDESK_SSO_TOKEN"]
        return variables
