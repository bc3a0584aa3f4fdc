"""Tickets in memory, just enough to try the vendor's use case."""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass
from itertools import count

_PEOPLE = 100  # the least recently active are dropped first
_TICKETS = 50  # per person; the oldest are dropped first
_MESSAGES = 50  # per ticket; the oldest are dropped first
LONGEST_SUBJECT = 120  # characters
LONGEST_TEXT = 4000  # characters

_AGENT = "Sam, Help Desk"
_WELCOME = "Welcome to the Help Desk"
_WELCOME_TEXT = "This is a sample ticket. Reply to it, or open your own."


@dataclass(frozen=True, slots=True)
class Message:
    """A message of a ticket; `at` is in seconds since the epoch."""

    author: str
    text: str
    at: float


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket with its messages, the oldest first."""

    number: int
    subject: str
    messages: deque[Message]

    @property
    def is_answered(self) -> bool:
        """Whether the last message is from the Help Desk."""
        return self.messages[-1].author == _AGENT


class Tickets:
    """The tickets of each person, by address. Only the server's thread uses it."""

    def __init__(self) -> None:
        self._people: OrderedDict[str, deque[Ticket]] = OrderedDict()
        self._numbers = count(1001)

    def of(self, email: str, now: float) -> list[Ticket]:
        """Return the tickets of `email`, the latest first; a new visitor gets a sample ticket."""
        return [*reversed(self._of(email, now))]

    def get(self, email: str, number: str, now: float) -> Ticket | None:
        """Return the ticket if it belongs to `email`."""
        return next((ticket for ticket in self._of(email, now) if str(ticket.number) == number), None)

    def create(self, email: str, subject: str, text: str, now: float) -> Ticket:
        """Open a ticket."""
        return self._add(self._of(email, now), subject, Message("You", text, now))

    def reply(self, ticket: Ticket, text: str, now: float) -> None:
        """Add the visitor's message to `ticket`."""
        ticket.messages.append(Message("You", text, now))

    def _of(self, email: str, now: float) -> deque[Ticket]:
        if email not in self._people:
            self._people[email] = deque(maxlen=_TICKETS)
            self._add(self._people[email], _WELCOME, Message(_AGENT, _WELCOME_TEXT, now))
        self._people.move_to_end(email)
        if len(self._people) > _PEOPLE:
            self._people.popitem(last=False)
        return self._people[email]

    def _add(self, tickets: deque[Ticket], subject: str, message: Message) -> Ticket:
        ticket = Ticket(next(self._numbers), subject, deque([message], maxlen=_MESSAGES))
        tickets.append(ticket)
        return ticket
