"""Who is signed in to the sandbox: random identifiers, looked up in memory."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from dataclasses import dataclass, field

COOKIE = "helpdesk_sandbox_session"  # browsers share cookies between ports, so the name is one of its own
_KEPT = 1000  # sessions; the oldest goes first


@dataclass(frozen=True, slots=True)
class Session:
    """A visitor who is signed in, and the secret that their forms carry against cross-site requests."""

    email: str
    csrf: str = field(default_factory=secrets.token_urlsafe, repr=False)


class Sessions:
    """The sessions by identifier. Used from one thread: the server's."""

    def __init__(self) -> None:
        self._sessions: OrderedDict[str, Session] = OrderedDict()

    def start(self, email: str) -> str:
        """Sign `email` in and return the identifier for the cookie."""
        identifier = secrets.token_urlsafe()
        self._sessions[identifier] = Session(email)
        if len(self._sessions) > _KEPT:
            self._sessions.popitem(last=False)
        return identifier

    def get(self, identifier: str) -> Session | None:
        """Return the session with that identifier."""
        return self._sessions.get(identifier)

    def end(self, identifier: str) -> None:
        """Forget the session with that identifier."""
        self._sessions.pop(identifier, None)
