"""The hand-off log: what was received, the verdict, and how to fix it. It never holds a token."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass
from threading import Lock
from typing import Any, Literal, cast
from urllib.parse import parse_qs

from sso_middleware.sandbox.account import Account
from sso_middleware.sandbox.verifier import HandoffRejected, VerdictCode, VerifiedHandoff, query_of, tokens
from sso_middleware.sandbox.verifier.parameters import common_length, hide, shown

_KEPT = 100  # attempts; the oldest are dropped first
_LONGEST_VALUE = 300  # characters of a received parameter


@dataclass(frozen=True, slots=True)
class Comparison:
    """A received parameter next to its registered value."""

    name: str
    expected: str
    received: str
    same: bool

    @property
    def common_length(self) -> int:
        """The length of their common prefix."""
        return common_length(self.expected, self.received)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One hand-off that reached the Help Desk.

    Attributes:
        number: counts from 1.
        at: the time, in seconds since the epoch by the Help Desk's clock.
        verdict: ``accepted``, or the code of the rejection.
        message: what is wrong.
        hint: how to fix it.
        setting: the setting to change and its variable, or `None`.
        assumption: what the vendor does not document about this verdict.
        header: the JWT's decoded header; `None` if it cannot be read.
        claims: the JWT's decoded claims, or `None`; verified only if accepted.
        clock_difference: seconds by which ``iat`` is ahead of the Help Desk's clock; negative if behind.
        comparisons: the parameters next to their registered values.
    """

    number: int
    at: float
    verdict: VerdictCode | Literal["accepted"]
    message: str
    hint: str
    setting: str | None
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
        """Return the JSON object for `GET /api/handoffs`."""
        fields: dict[str, Any] = asdict(self)
        fields["accepted"] = self.accepted
        fields["parameters"] = list(fields.pop("comparisons"))
        return fields


class AttemptLog:
    """The latest attempts, without the SSO Token. Thread-safe.

    A JWT of more than `longest_token` characters is not decoded.
    """

    def __init__(self, account: Account, longest_token: int) -> None:
        self._account = account
        self._longest_token = longest_token
        self._attempts: deque[Attempt] = deque(maxlen=_KEPT)
        self._lock = Lock()

    def clear(self) -> None:
        """Forget all attempts and restart the numbering at 1."""
        with self._lock:
            self._attempts.clear()

    def kept(self) -> list[Attempt]:
        """Return the attempts, the oldest first."""
        with self._lock:
            return list(self._attempts)

    def add(self, url: str, at: float, verdict: VerifiedHandoff | HandoffRejected) -> Attempt:
        """Record a hand-off received at `at`."""
        rejected = verdict if isinstance(verdict, HandoffRejected) else None
        sent = parse_qs(query_of(url))
        token = sent.get("token", [""])[0]
        # A claim should never hold the SSO Token. If one does, keep it out of the log.
        header, claims = (
            (None, None)
            if len(token) > self._longest_token
            else (_hide_in(self._account.sso_token, part) for part in tokens.decoded(token))
        )
        iat = tokens.iat_of(claims)
        desk = self._account.helpdesk
        registered = {"account_id": desk.account_id, "auth_url": desk.auth_url}
        with self._lock:
            attempt = Attempt(
                number=self._attempts[-1].number + 1 if self._attempts else 1,
                at=at,
                verdict=rejected.code if rejected else "accepted",
                message=rejected.message if rejected else "The visitor is signed in.",
                hint=rejected.hint if rejected else "There is nothing to fix.",
                setting=rejected.setting if rejected else None,
                assumption=rejected.assumption if rejected else None,
                header=header,
                claims=claims,
                clock_difference=None if iat is None else iat - int(at),
                comparisons=tuple(
                    self._compare(name, expected, sent.get(name, [])) for name, expected in registered.items()
                ),
            )
            self._attempts.append(attempt)
            return attempt

    def _compare(self, name: str, expected: str, values: list[str]) -> Comparison:
        received = " and ".join(
            shown(hide(self._account.sso_token, value), _LONGEST_VALUE) for value in values[:2]
        )
        return Comparison(name, expected, received, values == [expected])


def _hide_in(sso_token: str, value: object) -> object:
    """Return the decoded JSON `value` without the SSO Token."""
    if isinstance(value, str):
        return hide(sso_token, value)
    if isinstance(value, list):
        return [_hide_in(sso_token, item) for item in cast("list[object]", value)]
    if isinstance(value, dict):
        members = cast("dict[str, object]", value)
        return {hide(sso_token, name): _hide_in(sso_token, item) for name, item in members.items()}
    return value
