"""Remembering which tokens were used: bounded, and by a time that never runs backwards."""

from __future__ import annotations

import hashlib
import heapq


class UsedTokens:
    """The `jti` values of the hand-offs that were accepted. Not safe for threads by itself.

    One is forgotten only when its token is stale anyway. When as many are remembered as may be,
    new ones are turned away: to forget one that is still fresh would let it be used again.

    Args:
        remembered: how many to remember at most.
    """

    def __init__(self, remembered: int) -> None:
        self._remembered = remembered
        self._digests: set[bytes] = set()
        self._oldest_first: list[tuple[int, bytes]] = []

    def forget(self, issued_before: float) -> None:
        """Forget tokens with an `iat` before that time."""
        while self._oldest_first and self._oldest_first[0][0] < issued_before:
            self._digests.remove(heapq.heappop(self._oldest_first)[1])

    def is_full(self) -> bool:
        """Whether no further token can be remembered."""
        return len(self._digests) >= self._remembered

    def __contains__(self, jti: str) -> bool:
        return _digest(jti) in self._digests

    def add(self, jti: str, iat: int) -> None:
        """Remember that the token with `jti`, issued at `iat`, was used."""
        digest = _digest(jti)
        self._digests.add(digest)
        heapq.heappush(self._oldest_first, (iat, digest))


def _digest(jti: str) -> bytes:
    # A digest has one size, whatever was sent.
    return hashlib.sha256(jti.encode()).digest()
