"""Describing how a received value differs from the expected one."""

from __future__ import annotations

import re
from itertools import takewhile
from urllib.parse import SplitResult, unquote, urlsplit

_SHOWN = 80  # characters of a received value
_LONGEST_SPLIT = 2000  # characters; urlsplit() takes quadratic time for a non-ASCII host
_JWT = re.compile(r"eyJ[\w%.=-]{8,}")
_UNITS = ((10**3, "milliseconds"), (10**6, "microseconds"), (10**9, "nanoseconds"))
_HALF_HOUR = 1800
_LARGEST_OFFSET = 14 * 3600  # the time zone farthest from UTC
_DAY = 86_400


def shown(value: str, *secrets: str, longest: int = _SHOWN) -> str:
    """Return a received value as ASCII, truncated to `longest`, without JWTs and `secrets`."""
    for secret in secrets:
        value = value.replace(secret, "[SSO Token]")
    value = _JWT.sub("[token]", value)
    return ascii(value if len(value) <= longest else f"{value[: longest - 3]}...")[1:-1]


def of_urls(expected: str, received: str) -> str:
    """Describe how and where the `received` Auth URL differs from the `expected` one."""
    if received == expected + "/":
        return "It has a trailing slash, but the registered one has none."
    if received + "/" == expected:
        return "It lacks the trailing slash of the registered one."
    if unquote(received) == expected:
        return "It is percent-encoded twice: encode it once."
    if expected.startswith(received) and expected[len(received)] in "&#":
        return f"It ends before the first {expected[len(received)]}: percent-encode it as a parameter."
    if received == expected.replace("+", " "):
        return "Its + arrived as a space: percent-encode it as a parameter."
    if received == expected.strip() or received.strip() == expected:
        return "It has leading or trailing whitespace."
    if received.lower() == expected.lower():
        return f"It differs in upper and lower case, {_place(expected, received)}."
    try:
        ours, theirs = urlsplit(expected), urlsplit(received[:_LONGEST_SPLIT])
    except ValueError:
        return "It is not a valid URL."
    if not theirs.scheme or not theirs.netloc:
        return "It is not a complete URL with https:// and a host."
    return f"{_differing_part(ours, theirs)}, {_place(expected, received)}."


def _differing_part(ours: SplitResult, theirs: SplitResult) -> str:
    if ours.scheme != theirs.scheme:
        return f"It is {theirs.scheme}, but the registered one is {ours.scheme} (a proxy may hide https)"
    if ours.hostname != theirs.hostname:
        return "The host differs"
    if ours.netloc != theirs.netloc:
        return "The port differs"
    if ours.path != theirs.path:
        return "The path differs"
    return "The query or fragment differs"


def alike(one: str, other: str) -> int:
    """Return the length of the common prefix."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _place(expected: str, received: str) -> str:
    same = alike(expected, received)
    here, there = expected[same : same + 12] or "its end", received[same : same + 12] or "its end"
    return f"from character {same + 1} on: {shown(there)} instead of {shown(here)}"


def of_clocks(ahead: int, iat: int, now: int, freshness: float) -> str | None:
    """Return the known mistake that explains an `iat` that is `ahead` seconds off, or `None`.

    Args:
        ahead: `iat` minus `now`, in seconds; negative if `iat` is in the past.
        iat: the claim.
        now: the correct time, in seconds since the epoch.
        freshness: the seconds between signing and judging that still count as a time zone mistake.
    """
    for factor, unit in _UNITS:
        if abs(iat // factor - now) < _DAY:
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
