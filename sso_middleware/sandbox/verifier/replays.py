"""A bounded memory of used tokens."""

from __future__ import annotations

import hashlib
import heapq


class UsedTokens:
    """The `jti` values of accepted hand-offs. Not thread-safe.

    A value is forgotten only when its token is stale. When the memory is full, new tokens are refused:
    forgetting a fresh one would allow a replay.

    Args:
        remembered: maximum number of values.
    """

    def __init__(self, remembered: int) -> None:
        self._remembered = remembered
        self._digests: set[bytes] = set()
        self._oldest_first: list[tuple[int, bytes]] = []

    def forget(self, issued_before: float) -> None:
        """Forget tokens with an earlier `iat`."""
        while self._oldest_first and self._oldest_first[0][0] < issued_before:
            self._digests.remove(heapq.heappop(self._oldest_first)[1])

    def is_full(self) -> bool:
        """Whether no more tokens can be remembered."""
        return len(self._digests) >= self._remembered

    def __contains__(self, jti: str) -> bool:
        return _digest(jti) in self._digests

    def add(self, jti: str, iat: int) -> None:
        """Remember that the token with `jti`, issued at `iat`, was used."""
        digest = _digest(jti)
        self._digests.add(digest)
        heapq.heappush(self._oldest_first, (iat, digest))


def _digest(jti: str) -> bytes:
    # A digest has a fixed size.
    return hashlib.sha256(jti.encode()).digest()
