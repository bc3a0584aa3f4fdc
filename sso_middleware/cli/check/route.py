"""An application that hands visitors off in its own route, without SSOMiddleware."""

from __future__ import annotations

from contextlib import suppress
from secrets import token_hex
from typing import Any

from sso_middleware._urls import decoded_path_of, encode_path, origin_of
from sso_middleware.cli.check.app.located import Entrance, locate
from sso_middleware.cli.check.walk.browser import Browser
from sso_middleware.cli.check.walk.client import Client
from sso_middleware.helpdesk import HelpDesk

_NOT_THERE = frozenset({None, 404, 405, 410})


def find_route(client: Client, helpdesk: HelpDesk) -> Entrance | None:
    """Check whether the application answers the Auth URL differently from a path that does not exist."""
    path = decoded_path_of(helpdesk.auth_url)
    answers = [
        Browser(client).open(f"{origin_of(helpdesk.auth_url)}{encode_path(each)}")
        for each in (path, f"{path.rstrip('/')}-{token_hex(4)}")
    ]
    there, elsewhere = [(answer.status, answer.location.partition("?")[0]) for answer in answers]
    return None if there[0] in _NOT_THERE or there == elsewhere else Entrance(helpdesk, path, wrapped=False)


def wrapped_beside(app: Any, module: dict[str, Any]) -> str | None:
    """Return the name in `module` of a wrapped application other than `app`."""
    for name, value in module.items():
        with suppress(Exception):  # a broken application, or an unbound proxy
            if callable(value) and not isinstance(value, type) and value is not app and locate(value):
                return name
    return None
