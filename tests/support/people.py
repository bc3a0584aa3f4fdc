"""The people of an application: who they are, and who is signed in by what a session holds."""

from __future__ import annotations

HOUR = 3600


class Account:
    """An account with attributes of its own."""

    is_authenticated = True

    def __init__(self, name):
        self.name = name
        self.email = f"{name}@example.com"
        self.is_active = self.email_verified = True
        self.password = 1

    def get_id(self):
        return f"{self.name}|{self.password}"


class Slotted:
    """An account without a `__dict__`."""

    __slots__ = ("email", "email_verified", "is_active", "is_authenticated", "name", "password")

    def __init__(self, name):
        self.name = name
        self.email = f"{name}@example.com"
        self.is_active = self.email_verified = self.is_authenticated = True
        self.password = 1

    def get_id(self):
        return f"{self.name}|{self.password}"


class Answering:
    """An account that answers `None` for any name, and has an `is_active` only once it was deactivated."""

    is_authenticated = True

    def __init__(self, name):
        self.name = name
        self.email = f"{name}@example.com"
        self.email_verified = True
        self.password = 1

    def __getattr__(self, name):
        return None

    def get_id(self):
        return f"{self.name}|{self.password}"


KINDS = {"jane": Account, "sam": Slotted, "ann": Answering}


class People:
    """The accounts, and the rules by which the application takes a session for one of them.

    Attributes:
        now: the application's clock, in seconds.
        decided: the name that the application's own middleware or policy decides on, if any; ``""``: nobody.
    """

    def __init__(self):
        self.accounts = {name: kind(name) for name, kind in KINDS.items()}
        self.now = 0
        self.decided = None

    def sign_in(self, session, name):
        session.clear()
        session.update(name=name, password=self.accounts[name].password, since=self.now)

    def find(self, session):
        """Return the account that is signed in, as the views of the application know it, or `None`."""
        if self.decided is not None:
            return self.accounts.get(self.decided)
        account = self.accounts.get(session.get("name"))
        if account is None or session["password"] != account.password or self.now - session["since"] > HOUR:
            return None
        return self.accounts.get(session.get("impersonated"), account)

    def record(self, name):
        """Return what an application keeps in the session itself."""
        account = self.accounts[name]
        is_active = vars(account).get("is_active", True) if name == "ann" else account.is_active
        return {"email": account.email, "email_verified": account.email_verified, "is_active": is_active}

    def describe(self, account):
        """Return what a view says of the account: address, active, verified."""
        return account and list(self.record(account.name).values())
