"""A database of users behind a pool with a single connection, which shows who does not give it back."""

from __future__ import annotations

import sqlite3

from browsing import JOE
from clients import JANE


class Pool:
    def __init__(self):
        self._connection = sqlite3.connect(":memory:", check_same_thread=False)
        self._connection.execute("CREATE TABLE users (name TEXT, email TEXT, email_verified INTEGER)")
        self._connection.executemany(
            "INSERT INTO users VALUES (?, ?, ?)", [("jane", JANE, 1), ("joe", JOE, 0)]
        )
        self.taken = 0
        self.is_out = False

    def take(self):
        if self.is_out:
            raise RuntimeError("the only connection was not given back")
        self.is_out = True
        self.taken += 1
        return self._connection

    def give_back(self):
        self.is_out = False

    def close(self):
        self._connection.close()


def find(connection, name):
    """Return the user, as a mapping, or None."""
    row = connection.execute("SELECT email, email_verified FROM users WHERE name = ?", [name]).fetchone()
    return row and dict(zip(["email", "email_verified"], row, strict=True))
