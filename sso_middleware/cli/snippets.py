"""The lines that `sso-middleware init` prints: whole, valid code for each framework.

They are like the README's, with a ready-made resolver of each framework. Only a plain WSGI application
has none, as nobody knows its sessions.
"""

from __future__ import annotations

from typing import NamedTuple

from sso_middleware.cli.snippets_asgi import FASTAPI, QUART, STARLETTE
from sso_middleware.cli.snippets_wsgi import BOTTLE, DJANGO, FLASK, PYRAMID, WSGI

SETTINGS = """\
# 1. In the environment of your server, never in the source:
#      HELPDESK_SSO_TOKEN      SSO Token     | from the vendor's panel,
#      HELPDESK_SSO_AUTH_URL   SSO Auth URL  | Settings -> Security -> Single sign-on
#      HELPDESK_ACCOUNT_ID     Account ID    |
#      HELPDESK_AUTH_URL       https://<your application>/sso/helpdesk  | enter the same two
#      HELPDESK_LOGOUT_URL     https://<your application>/sso/logout    | in the panel
# 2. {where}
# 3. sso-middleware check {example}
"""


class Snippet(NamedTuple):
    """The lines for one framework.

    Attributes:
        where: a sentence saying where they go.
        example: what to hand to `check`.
        code: the lines.
    """

    where: str
    example: str
    code: str

    def __str__(self) -> str:
        settings = SETTINGS.format(where=self.where, example=self.example)
        return f"{settings}\n{self.code}"


SNIPPETS = {
    "bottle": Snippet("Where `app` is your Bottle application:", "yourmodule:application", BOTTLE),
    "django": Snippet("At the end of your settings:", "yourproject.wsgi:application", DJANGO),
    "fastapi": Snippet(
        "Below `app = FastAPI(...)`; its sessions need `pip install itsdangerous`:",
        "yourmodule:app",
        FASTAPI,
    ),
    "flask": Snippet("Below `app = Flask(...)` and its configuration:", "yourmodule:app", FLASK),
    "pyramid": Snippet("In place of `config.make_wsgi_app()`:", "yourmodule:application", PYRAMID),
    "quart": Snippet("Below `app = Quart(...)` and its configuration:", "yourmodule:app", QUART),
    "starlette": Snippet(
        "Where you make the Starlette application; its sessions need `pip install itsdangerous`:",
        "yourmodule:app",
        STARLETTE,
    ),
    "wsgi": Snippet("Where `application` is your WSGI application:", "yourmodule:application", WSGI),
}
