"""The claims of a hand-off: their form, their age, and that each `jti` is used once."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Callable
from math import ceil
from threading import Lock
from typing import Any

from sso_middleware.errors import InvalidEmail
from sso_middleware.helpdesk import check_email
from sso_middleware.helpdesk.settings import LONGEST_BACKDATE
from sso_middleware.sandbox.verifier.rules import Rules
from sso_middleware.sandbox.verifier.verdicts import HandoffRejected, VerdictCode

_LATEST_IAT = 10**20  # today, nanoseconds since 1970 have 19 digits; longer numbers are not a time
_UNITS = ((10**3, "milliseconds"), (10**6, "microseconds"), (10**9, "nanoseconds"))
_HALF_HOUR = 1800
_LARGEST_OFFSET = 14 * 3600  # the time zone farthest from UTC
_DAY = 86_400

_REQUIRED: tuple[tuple[str, VerdictCode, str], ...] = (
    ("email", "missing_email", "the visitor's email address"),
    ("iat", "missing_iat", "the time of issue in whole seconds, int(time.time())"),
    ("jti", "missing_jti", "a new random identifier each time, secrets.token_hex(16)"),
)

_EMAIL_HINTS = {
    "not_a_string": "Send the address as a JSON string, not as null, a number, a list or an object.",
    "empty": "The application has no address for this visitor: treat them as not signed in, or refuse.",
    "not_ascii": "Send the ASCII form of the address, its domain in punycode.",
    "too_long": "An address has 254 characters at most (RFC 5321).",
    "local_part_too_long": "The part before the @ has 64 characters at most (RFC 5321).",
    "malformed": "Send one bare address like jane@example.com: no display name, no whitespace, no list.",
}


def check(claims: dict[str, Any], shortest_jti: int) -> tuple[str, int, str]:
    """Return ``email``, ``iat`` and ``jti``, or reject them; ignore other claims (RFC 7519, section 4)."""
    for name, code, what in _REQUIRED:
        if name not in claims:
            raise HandoffRejected(code, f"The JWT has no claim {name}.", f"Add {name}: {what}.")
    return _email(claims["email"]), _iat(claims["iat"]), _jti(claims["jti"], shortest_jti)


def _email(value: object) -> str:
    try:
        return check_email(value)
    except InvalidEmail as error:
        raise HandoffRejected(
            "invalid_email",
            f"email is not an address that this Help Desk accepts (assumed): {error.reason}.",
            _EMAIL_HINTS[error.reason],
        ) from None


def _iat(value: object) -> int:
    if type(value) is int and 0 <= value < _LATEST_IAT:
        return value
    match value:
        case bool() | None | list() | dict():
            what = "not a number"
        case str():
            what = "a string, not a number"
        case float():
            what = "not a whole number"
        case _:
            what = "not a time since 1970"
    raise HandoffRejected(
        "invalid_iat",
        f"iat is {what}; it must be a whole number of seconds since 1970 (assumed).",
        "Send int(time.time()), without quotation marks, fraction or date format.",
    )


def _jti(value: object, shortest: int) -> str:
    if not isinstance(value, str):
        what = "not a string"
    elif len(value) < shortest:
        what = f"{len(value)} characters long"
    elif not value.isprintable():
        what = "not printable text"
    else:
        return value
    raise HandoffRejected(
        "invalid_jti",
        f"jti is {what}; it must be printable text of at least {shortest} characters (assumed).",
        "Send secrets.token_hex(16): random, 32 characters, new for each token.",
    )


class UsedTokens:
    """Accepts a token while it is fresh, and its `jti` once. Thread-safe.

    If the clock moves back, stale and used tokens stay rejected. A `jti` is forgotten only when its token is
    stale. When the memory is full, new tokens are refused: forgetting a fresh one would allow a replay.
    """

    def __init__(self, rules: Rules, clock: Callable[[], float]) -> None:
        self._rules = rules
        self._clock = clock
        self._lock = Lock()
        self._latest = float("-inf")
        self._digests: set[bytes] = set()  # of a fixed size, unlike a jti
        self._oldest_first: list[tuple[int, bytes]] = []

    def use(self, jti: str, iat: int) -> None:
        """Use the token with `jti`, issued at `iat`, or reject it."""
        with self._lock:
            self._check_time(iat)
            if self._rules.jti_once:
                self._remember(jti, iat)

    def _check_time(self, iat: int) -> None:
        rules, clock = self._rules, self._clock()
        now = self._latest = max(self._latest, clock)
        if iat > now + rules.leeway:
            seconds = iat - int(now)
            remedy = (
                f", or set backdate (HELPDESK_BACKDATE) to {seconds}" if seconds <= LONGEST_BACKDATE else ""
            )
            raise HandoffRejected(
                "issued_in_future",
                f"iat is {seconds:,} seconds in the future; {rules.leeway:g} are tolerated (assumed).",
                _mistake(seconds, int(now), rules.freshness)
                or f"Your server's clock is {seconds:,} seconds ahead: synchronize it (NTP){remedy}.",
            )
        if iat >= now - rules.oldest:
            return
        seconds = ceil(now) - iat
        hint = _mistake(-seconds, int(now), rules.freshness) or (
            "Sign a new token for each redirect, and send it at once. If you already do, your server's clock "
            f"is {seconds:,} seconds behind: synchronize it (NTP)."
        )
        if now - clock > 1:
            hint += (
                f" This Help Desk's clock moved back {ceil(now - clock)} seconds; stale tokens stay stale."
            )
        raise HandoffRejected(
            "stale",
            f"It was issued {seconds:,} seconds ago; a token is valid for {rules.oldest:g} (assumed).",
            hint,
        )

    def _remember(self, jti: str, iat: int) -> None:
        while self._oldest_first and self._oldest_first[0][0] < self._latest - self._rules.oldest:
            self._digests.remove(heapq.heappop(self._oldest_first)[1])
        digest = hashlib.sha256(jti.encode()).digest()
        if digest in self._digests:
            raise HandoffRejected(
                "replayed",
                "This jti was used before; each is valid for one sign-in (assumed).",
                "Sign a new token for each visit. The Back button, a prefetch or an email link scanner may "
                "have opened this URL before, or the token was cached.",
            )
        if len(self._digests) >= self._rules.remembered:
            raise HandoffRejected(
                "replayed",
                f"{self._rules.remembered} tokens were used within {self._rules.freshness:g} seconds, and no "
                "more can be remembered. This one may be a replay, so it is refused (assumed).",
                "Wait a moment, or reset the sandbox.",
            )
        self._digests.add(digest)
        heapq.heappush(self._oldest_first, (iat, digest))


def _mistake(ahead: int, now: int, freshness: float) -> str | None:
    """Return the known mistake that explains an ``iat`` that is `ahead` seconds off, or `None`.

    Between signing and judging, up to `freshness` seconds may pass.
    """
    for factor, unit in _UNITS:
        if abs((now + ahead) // factor - now) < _DAY:
            return f"iat is in {unit}. Send whole seconds: int(time.time())."
    half_hours = round(ahead / _HALF_HOUR) if abs(ahead) < _LARGEST_OFFSET + _HALF_HOUR else 0
    lag = half_hours * _HALF_HOUR - ahead
    if half_hours and 0 <= lag <= freshness:
        return (
            f"That is almost exactly {abs(half_hours) / 2:g} h {'ahead' if ahead > 0 else 'behind'}, so it "
            "looks like a time zone mistake: local time used as UTC, or the reverse. Use int(time.time()) or "
            "datetime.now(UTC).timestamp()."
        )
    return None
