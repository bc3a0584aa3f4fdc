"""The assumed rules for judging a hand-off."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from math import isfinite
from typing import Literal, TypeAlias, get_args

REMEMBERED = 100_000  # used tokens; about 20 MB when full
Key: TypeAlias = Literal["raw", "md5"]
"""How the signing key is derived: the SSO Token unchanged, or its md5 as 32 hexadecimal digits."""

# With longest_token or remembered at 0, no one could sign in.
_LEAST = {"freshness": 0, "leeway": 0, "shortest_jti": 0, "longest_token": 1, "remembered": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The configurable assumptions; `HandoffVerifier` describes them."""

    freshness: float
    leeway: float
    shortest_jti: int
    jti_once: bool
    longest_token: int
    remembered: int
    key: Key

    def problems(self) -> dict[str, str]:
        """Return the problem of each invalid rule."""
        found = {
            name: f"must be a number, at least {least}"
            for name, least in _LEAST.items()
            if not _is_number(getattr(self, name), least)
        }
        return found if self.key in get_args(Key) else found | {"key": "must be raw or md5"}

    def key_of(self, sso_token: str) -> str:
        """Return the signing key derived from the SSO Token."""
        return sso_token if self.key == "raw" else md5_of(sso_token)

    @property
    def oldest(self) -> float:
        """The maximum age of a token's ``iat``, in seconds."""
        return self.freshness + self.leeway


def md5_of(sso_token: str) -> str:
    """Return the md5 that the vendor's Knowledge Base product signs with."""
    return hashlib.md5(sso_token.encode(), usedforsecurity=False).hexdigest()


def _is_number(value: object, least: int) -> bool:
    return (
        isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value) and value >= least
    )
