"""The steps of a walk through an application, and what is wrong with a page at first sight."""

from __future__ import annotations

from typing import NamedTuple

from sso_middleware.cli.check.findings import Finding, counts
from sso_middleware.cli.check.visits import Visit

_NO_PAGE = frozenset({404, 405, 410})
SERVER_ERROR = 500


class Step(NamedTuple):
    """One link of the chain: what was asked, what came of it, and what is wrong with that.

    Attributes:
        name: what was asked.
        said: what came of it.
        finding: what is wrong with that, or worth a word.
        walked: whether the visit was made at all.
    """

    name: str
    said: str
    finding: Finding | None = None
    walked: bool = True

    @property
    def is_wrong(self) -> bool:
        """Whether the chain is broken here."""
        return self.finding is not None and counts([self.finding])


def is_no_page(visit: Visit) -> bool:
    """Whether the answer is one that leaves a visitor nothing to go on with."""
    return visit.reply is not None and (visit.reply.status in _NO_PAGE or visit.reply.status >= SERVER_ERROR)
