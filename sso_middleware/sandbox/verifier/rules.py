"""The rules that a hand-off is judged by where the vendor documents none."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import isfinite

REMEMBERED = 100_000  # used tokens at most; about 20 MB when full
_AT_LEAST_ONE = ("longest_token", "remembered")  # with 0 nobody could ever sign in


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What is assumed and can be set; `HandoffVerifier` says what each rule means."""

    freshness: float
    leeway: float
    shortest_jti: int
    jti_once: bool
    longest_token: int
    remembered: int

    def problems(self) -> dict[str, str]:
        """Return what is wrong with each rule that cannot be used."""
        found: dict[str, str] = {}
        for name, number in asdict(self).items():
            least = 1 if name in _AT_LEAST_ONE else 0
            if name != "jti_once" and not _is_number(number, least):
                found[name] = f"must be a number, {least} or more"
        return found

    @property
    def oldest(self) -> float:
        """Seconds that may have passed since a token's ``iat``."""
        return self.freshness + self.leeway

    def in_words(self) -> dict[str, str]:
        """Return the rules for people, in the order of the settings page."""
        return {
            "A token is good for": f"{self.freshness:g} seconds from its iat",
            "Clocks may differ by": f"{self.leeway:g} seconds",
            "A jti has at least": f"{self.shortest_jti} characters",
            "A jti may be used": "once" if self.jti_once else "any number of times",
            "A token has at most": f"{self.longest_token} characters",
        }


def _is_number(value: object, least: int) -> bool:
    return (
        isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value) and value >= least
    )
