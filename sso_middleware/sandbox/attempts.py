"""The hand-off log: what came, what was decided, what to do about it. Never a token."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Any, Literal, cast
from urllib.parse import parse_qs

from sso_middleware.sandbox.verifier import differences, tokens
from sso_middleware.sandbox.verifier.verdicts import HandoffRejected, VerdictCode

_KEPT = 100  # attempts; the oldest goes when one more comes
_LONGEST_VALUE = 300  # characters of a received parameter


@dataclass(frozen=True, slots=True)
class Comparison:
    """A parameter as it was received beside what is registered."""

    name: str
    expected: str
    received: str
    same: bool

    @property
    def alike(self) -> int:
        """How many characters the two have in common from their start."""
        return differences.alike(self.expected, self.received)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One hand-off that reached the Help Desk.

    Attributes:
        number: counts from 1.
        at: when, in seconds since the epoch by the Help Desk's clock.
        verdict: ``accepted``, or the code of the rejection.
        message: what is wrong.
        hint: how to mend it.
        assumption: what the vendor leaves open about this verdict.
        header: the JWT's header, as JSON gives it; `None` if it cannot be read.
        claims: the JWT's claims likewise, verified only if the verdict says so.
        clock_difference: seconds by which ``iat`` is ahead of the Help Desk's clock; negative if behind.
        comparisons: the parameters beside what is registered.
    """

    number: int
    at: float
    verdict: VerdictCode | Literal["accepted"]
    message: str
    hint: str
    assumption: str | None
    header: object
    claims: object
    clock_difference: int | None
    comparisons: tuple[Comparison, ...]

    @property
    def accepted(self) -> bool:
        """Whether the visitor was signed in."""
        return self.verdict == "accepted"

    def as_json(self) -> dict[str, Any]:
        """Return what `GET /api/handoffs` says about it."""
        return {
            "number": self.number,
            "at": self.at,
            "verdict": self.verdict,
            "accepted": self.accepted,
            "message": self.message,
            "hint": self.hint,
            "assumption": self.assumption,
            "header": self.header,
            "claims": self.claims,
            "clock_difference": self.clock_difference,
            "parameters": [
                {"name": row.name, "expected": row.expected, "received": row.received, "same": row.same}
                for row in self.comparisons
            ],
        }


class AttemptLog:
    """The latest attempts, safe to share between threads.

    Args:
        sso_token: gives the SSO Token, which is shown nowhere.
        account_id: the Account ID.
        auth_url: the registered Auth URL.
        longest_token: characters of a JWT; a longer one is not decoded.
    """

    def __init__(
        self, *, sso_token: Callable[[], str], account_id: str, auth_url: str, longest_token: int
    ) -> None:
        self._sso_token = sso_token
        self._expected = {"account_id": account_id, "auth_url": auth_url}
        self._longest_token = longest_token
        self._lock = Lock()
        self.clear()

    def clear(self) -> None:
        """Forget every attempt; counting starts anew."""
        with self._lock:
            self._attempts: deque[Attempt] = deque(maxlen=_KEPT)
            self._count = 0

    def latest_first(self) -> list[Attempt]:
        """Return the attempts that are kept, the latest first."""
        with self._lock:
            return list(reversed(self._attempts))

    def add(self, url: str, at: float, rejected: HandoffRejected | None) -> Attempt:
        """Record a hand-off that came at `at`; `rejected` is `None` if it was accepted."""
        sent = parse_qs(url.partition("#")[0].partition("?")[2])
        token = sent.get("token", [""])[0]
        # The SSO Token has no place in a claim; should it be there, it stays out of the log.
        header, claims = (
            (None, None)
            if len(token) > self._longest_token
            else (_without(self._sso_token(), part) for part in tokens.decoded(token))
        )
        with self._lock:
            self._count += 1
            attempt = Attempt(
                number=self._count,
                at=at,
                verdict=rejected.code if rejected else "accepted",
                message=rejected.message if rejected else "The visitor is signed in.",
                hint=rejected.hint if rejected else "There is nothing to mend.",
                assumption=rejected.assumption if rejected else None,
                header=header,
                claims=claims,
                clock_difference=_clock_difference(claims, at),
                comparisons=tuple(self._compare(name, sent.get(name, [])) for name in self._expected),
            )
            self._attempts.append(attempt)
            return attempt

    def _compare(self, name: str, values: list[str]) -> Comparison:
        received = " and ".join(
            differences.shown(value, self._sso_token(), longest=_LONGEST_VALUE) for value in values[:2]
        )
        return Comparison(name, self._expected[name], received, values == [self._expected[name]])


def _without(secret: str, value: object) -> object:
    """Return `value`, as JSON gives it, with `secret` taken out of every text in it."""
    if isinstance(value, str):
        return value.replace(secret, "[SSO Token]")
    if isinstance(value, list):
        return [_without(secret, item) for item in cast("list[object]", value)]
    if isinstance(value, dict):
        members = cast("dict[str, object]", value)
        return {name.replace(secret, "[SSO Token]"): _without(secret, item) for name, item in members.items()}
    return value


def _clock_difference(claims: object, at: float) -> int | None:
    match claims:
        case {"iat": int(iat)} if type(iat) is int:
            return iat - int(at)
        case _:
            return None
