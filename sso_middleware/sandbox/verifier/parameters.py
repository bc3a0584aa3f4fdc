"""The three parameters of a hand-off: reading them, and checking `account_id` and `auth_url`."""

from __future__ import annotations

from itertools import takewhile
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from sso_middleware.sandbox.verifier.tokens import JWT
from sso_middleware.sandbox.verifier.verdicts import HandoffRejected, VerdictCode

_SHOWN = 80  # characters of a received value
_LONGEST_SPLIT = 2000  # characters; urlsplit() takes quadratic time for a non-ASCII host

_REQUIRED: dict[str, tuple[VerdictCode, str]] = {
    "token": ("missing_token", "the JWT"),
    "account_id": ("missing_account_id", "the Account ID from the vendor's panel"),
    "auth_url": ("missing_auth_url", "the Auth URL registered in the vendor's panel"),
}


def query_of(url: str) -> str:
    """Return the query of `url`. Unlike `urlsplit`, it never raises."""
    return url.partition("#")[0].partition("?")[2]


def hide(sso_token: str, text: str) -> str:
    """Return `text` without the SSO Token."""
    return text.replace(sso_token, "[SSO Token]")


def shown(value: str, longest: int = _SHOWN) -> str:
    """Return a received value as ASCII, truncated to `longest`, without JWTs."""
    value = JWT.sub("[token]", value)
    return ascii(value if len(value) <= longest else f"{value[: longest - 3]}...")[1:-1]


def common_length(one: str, other: str) -> int:
    """Return the length of the common prefix."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def read(url: str) -> tuple[str, str, str]:
    """Return ``token``, ``account_id`` and ``auth_url`` of a hand-off URL, or reject it."""
    sent = parse_qs(query_of(url), keep_blank_values=True)
    for name, (code, what) in _REQUIRED.items():
        if sent.get(name, [""]) == [""]:
            where = "is empty" if name in sent else "is missing"
            hint = (
                "It is after a #, where browsers do not send it: move it to the query, after a ?."
                if f"{name}=" in url.partition("#")[2]
                else f"Add {name}={what} to the query, percent-encoded."
            )
            raise HandoffRejected(code, f"The parameter {name} {where}.", hint)
    for name in _REQUIRED:
        if len(sent[name]) > 1:
            raise HandoffRejected(
                "duplicate_parameter",
                f"The parameter {name} is sent {len(sent[name])} times; once is allowed (assumed).",
                "Send each parameter once. The SSO Auth URL in your settings may already contain it.",
            )
    return sent["token"][0], sent["account_id"][0], sent["auth_url"][0]


def check_account(received: str, registered: str, sso_token: str) -> None:
    """Reject another Account ID than the registered one."""
    if received == registered:
        return
    if sso_token in received:
        hint = "The SSO Token was sent as the Account ID: they are swapped. Create a new SSO Token."
    elif received.strip().lower() == registered.lower():
        hint = "It only differs in whitespace or case: copy it unchanged from the vendor's panel."
    else:
        hint = f"This Help Desk is account {registered}: copy the Account ID from its panel."
    raise HandoffRejected(
        "unknown_account",
        f"There is no account {shown(hide(sso_token, received))} here; Account IDs are compared character by "
        "character (assumed).",
        hint,
    )


def check_auth_url(received: str, registered: str, sso_token: str) -> None:
    """Reject another Auth URL than the registered one."""
    if received == registered:
        return
    received = hide(sso_token, received)
    raise HandoffRejected(
        "auth_url_mismatch",
        f"auth_url is {shown(received)}, but {registered} is registered; the two are compared character by "
        "character (assumed).",
        f"{_difference(registered, received)} Use the same URL in the vendor's panel and in your settings.",
    )


def _difference(expected: str, received: str) -> str:
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
    if received.strip() == expected:
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


def _place(expected: str, received: str) -> str:
    same = common_length(expected, received)
    here, there = expected[same : same + 12] or "its end", received[same : same + 12] or "its end"
    return f"from character {same + 1} on: {shown(there)} instead of {shown(here)}"
