"""One visit to an application: what it answered, and what SSOMiddleware said of it."""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import jwt

from sso_middleware.cli.check.client import Client
from sso_middleware.cli.check.exchange import NoAnswer, Reply, Request
from sso_middleware.cli.check.loading import describe
from sso_middleware.events import logger


class Visit(NamedTuple):
    """What came of a request.

    Attributes:
        reply: the answer, if there was one.
        error: what happened in place of it.
        outcome: of SSOMiddleware's event; `None`: the request did not reach it.
        reason: of the event.
    """

    reply: Reply | None
    error: str
    outcome: str | None
    reason: str | None

    @property
    def said(self) -> str:
        """The answer in a few words; a hand-off's without its token."""
        if self.reply is None:
            return self.error
        where = self.reply.location
        if "token=" in where:
            where = f"{where.partition('?')[0]}?token=..."
        return f"{self.reply.status} to {where}" if where else str(self.reply.status)

    @property
    def email(self) -> str:
        """The address in a hand-off, for showing."""
        location = self.reply.location if self.reply else ""
        token = parse_qs(urlsplit(location).query).get("token", [""])[0]
        try:
            return str(jwt.decode(token, options={"verify_signature": False})["email"])
        except (jwt.InvalidTokenError, KeyError):
            return "an address"


def make_visit(client: Client, request: Request) -> Visit:
    """Make the request, and see what comes of it, whatever that is."""
    with _events() as events:
        try:
            reply, error = client(request), ""
        except NoAnswer as missing:
            reply, error = None, str(missing)
        except (Exception, SystemExit) as raised:  # noqa: BLE001 - this is what is looked for
            reply, error = None, f"raised {describe(raised)}"
    outcome, reason = events[-1] if events else (None, None)
    return Visit(reply, error, outcome, reason)


@contextmanager
def _events() -> Generator[list[tuple[str | None, str | None]], None, None]:
    """Collect outcome and reason of what SSOMiddleware logs: its events, seen from outside."""
    seen: list[tuple[str | None, str | None]] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            fields: dict[str, Any] = vars(record)
            if "sso_outcome" in fields:
                seen.append((fields["sso_outcome"], fields["sso_reason"]))

    collector = Collector()
    level, disabled = logger.level, logger.disabled
    logger.addHandler(collector)
    logger.setLevel(logging.DEBUG)
    logger.disabled = False  # logging.config disables loggers that exist already, if not told otherwise
    try:
        yield seen
    finally:
        logger.removeHandler(collector)
        logger.setLevel(level)
        logger.disabled = disabled
