"""Tickets in memory, just enough to try the vendor's use case."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
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

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._people: OrderedDict[str, deque[Ticket]] = OrderedDict()
        self._numbers = count(1001)

    def of(self, email: str) -> deque[Ticket]:
        """Return the tickets of `email`, the oldest first; a new visitor gets a sample ticket."""
        if email not in self._people:
            welcome = self._new(_WELCOME, Message(_AGENT, _WELCOME_TEXT, self._clock()))
            self._people[email] = deque([welcome], maxlen=_TICKETS)
        self._people.move_to_end(email)
        if len(self._people) > _PEOPLE:
            self._people.popitem(last=False)
        return self._people[email]

    def get(self, email: str, number: str) -> Ticket | None:
        """Return the ticket if it belongs to `email`."""
        return next((ticket for ticket in self.of(email) if str(ticket.number) == number), None)

    def create(self, email: str, subject: str, text: str) -> Ticket:
        """Open a ticket."""
        tickets = self.of(email)
        tickets.append(self._new(subject, Message("You", text, self._clock())))
        return tickets[-1]

    def reply(self, ticket: Ticket, text: str) -> None:
        """Add the visitor's message to `ticket`."""
        ticket.messages.append(Message("You", text, self._clock()))

    def _new(self, subject: str, message: Message) -> Ticket:
        return Ticket(next(self._numbers), subject, deque([message], maxlen=_MESSAGES))
