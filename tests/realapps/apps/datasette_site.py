"""Datasette with the login of datasette-auth-passwords."""

import os

from datasette.app import Datasette
from datasette_auth_passwords.utils import hash_password

config = {
    "jane_password_hash": hash_password("secret", salt="salt"),
    "actors": {"jane": {"id": "jane", "email": "jane@example.com"}},
}
datasette = Datasette(
    memory=True,
    secret="a secret of the cookie",
    metadata={"plugins": {"datasette-auth-passwords": config}},
    settings={"base_url": f"{os.environ['REALAPPS_PREFIX']}/"},
)
