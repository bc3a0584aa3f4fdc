"""Tickets in memory, just enough to walk the vendor's use case."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

_PEOPLE = 100  # the least recently active are dropped first
_TICKETS = 50  # per person; the oldest are dropped first
_MESSAGES = 50  # per ticket
LONGEST_SUBJECT = 120  # characters
LONGEST_TEXT = 4000  # characters


@dataclass(frozen=True, slots=True)
class Message:
    """A message of a ticket; `at` is in seconds since the epoch."""

    author: str
    text: str
    at: float


@dataclass(slots=True)
class Ticket:
    """A ticket with its messages, the oldest first."""

    number: int
    subject: str
    messages: list[Message] = field(default_factory=list[Message])

    @property
    def is_answered(self) -> bool:
        """Whether the last message is from the Help Desk."""
        return self.messages[-1].author == _AGENT


_AGENT = "Sam, Help Desk"
_WELCOME = "Welcome to the Help Desk"
_WELCOME_TEXT = "This is a sample ticket. Reply to it, or open your own."


class Tickets:
    """The tickets of each person, by address. Only the server's thread uses it."""

    def __init__(self) -> None:
        self._people: OrderedDict[str, OrderedDict[int, Ticket]] = OrderedDict()
        self._count = 1000

    def of(self, email: str, now: float) -> list[Ticket]:
        """Return the tickets of `email`, the latest first; a new visitor gets a sample ticket."""
        return list(reversed(self._of(email, now).values()))

    def get(self, email: str, number: int, now: float) -> Ticket | None:
        """Return the ticket if it belongs to `email`."""
        return self._of(email, now).get(number)

    def create(self, email: str, subject: str, text: str, now: float) -> Ticket:
        """Open a ticket."""
        return self._add(self._of(email, now), subject, Message("You", text, now))

    def reply(self, ticket: Ticket, text: str, now: float) -> None:
        """Add the visitor's message to `ticket`."""
        ticket.messages.append(Message("You", text, now))
        del ticket.messages[:-_MESSAGES]

    def _of(self, email: str, now: float) -> OrderedDict[int, Ticket]:
        tickets = self._people.get(email)
        if tickets is None:
            tickets = self._people[email] = OrderedDict()
            self._add(tickets, _WELCOME, Message(_AGENT, _WELCOME_TEXT, now))
        self._people.move_to_end(email)
        if len(self._people) > _PEOPLE:
            self._people.popitem(last=False)
        return tickets

    def _add(self, tickets: OrderedDict[int, Ticket], subject: str, message: Message) -> Ticket:
        self._count += 1
        ticket = tickets[self._count] = Ticket(self._count, subject, [message])
        if len(tickets) > _TICKETS:
            tickets.popitem(last=False)
        return ticket
