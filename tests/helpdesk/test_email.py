"""Email addresses: the WHATWG production, in ASCII, within RFC 5321's lengths, verbatim."""

from __future__ import annotations

import pytest
from werkzeug.local import LocalProxy

from clients import DESK
from sso_middleware import InvalidEmail

LABEL63 = "a" * 63
LOCAL64 = "l" * 64


def of_length(length):
    """Return a well-formed address of that many characters."""
    domain = ".".join([LABEL63] * 3)
    local = "x" * (length - len(domain) - 1)
    return f"{local}@{domain}"


GOOD = [
    "jane@example.com",
    "Jane.Doe@Example.COM",
    "a@b",
    "jane@localhost",
    "jane+support@example.com",
    "jane.doe+x@mail.example.co.uk",
    "o'brien@example.ie",
    "!#$%&'*+/=?^_`{|}~-@example.com",
    ".jane@example.com",
    "jane.@example.com",
    "jane..doe@example.com",
    "1@2.3",
    "jane@123.45.67.89",
    "jane@xn--bcher-kva.example",
    "jane@a-b.example",
    "jane@a--b.example",
    f"jane@{LABEL63}.example",
    f"{LOCAL64}@example.com",
    of_length(254),
    "_@example.com",
    "-@example.com",
    "{}@example.com",
    "%00@example.com",
    "jane%example.com@relay.example",
]

BAD = {
    "not_a_string": [None, 7, True, b"jane@example.com", ["jane@example.com"], {"jane@example.com"}, object],
    "empty": [""],
    "not_ascii": [
        "jäne@example.com",
        "jane@exämple.com",
        "jane@example.com\u200b",
        "\ufeffjane@example.com",
        "j\u0430ne@example.com",  # a Cyrillic a
        "jane\uff20example.com",
        "jane@example.com\u2028",
        "\ud800@example.com",
    ],
    "too_long": [of_length(255), f"a@{'.'.join([LABEL63] * 5)}", "a" * 1_000_000],
    "local_part_too_long": [f"{LOCAL64}l@example.com"],
    "malformed": [
        " ",
        "jane",
        "@",
        "@example.com",
        "jane@",
        " jane@example.com",
        "jane@example.com ",
        "jane@example.com\n",
        "\tjane@example.com",
        "jane@example.com\x00",
        "jane@exam\x00ple.com",
        "jane@example.com\r\nX-Evil: 1",
        "jane doe@example.com",
        "jane@exam ple.com",
        "jane@@example.com",
        "jane@doe@example.com",
        "jane@.example.com",
        "jane@example.com.",
        "jane@example..com",
        "jane@-example.com",
        "jane@example-.com",
        "jane@example.-com",
        f"jane@{LABEL63}a.example",
        "jane@exam_ple.com",
        "jane@[127.0.0.1]",
        "jane@example.com:25",
        '"jane"@example.com',
        '"jane doe"@example.com',
        "jane(comment)@example.com",
        "Jane <jane@example.com>",
        "<jane@example.com>",
        "mailto:jane@example.com",
        "jane@example.com,joe@example.com",
        "jane@example.com;joe@example.com",
        "jane\\@example.com",
        "jane@example.com?subject=x",
        "jane@example.com&account_id=1",
        "a:b@example.com",
        "None",
        "null",
        "anonymous",
    ],
}


@pytest.mark.parametrize("address", GOOD)
def test_accepted_verbatim(address):
    """An address of that form is signed as it is: not trimmed, not lower-cased."""
    assert DESK.handoff(address).email == address


@pytest.mark.parametrize(
    ("reason", "value"),
    [(reason, value) for reason, values in BAD.items() for value in values],
    ids=lambda value: repr(value)[:40],
)
def test_refused(reason, value):
    """Everything else is InvalidEmail with a stable reason, and the value is not in it."""
    with pytest.raises(InvalidEmail) as caught:
        DESK.handoff(value)
    assert caught.value.reason == reason
    assert reason in str(caught.value)
    assert caught.value.args == (reason,)
    assert caught.value.__cause__ is None
    if isinstance(value, str) and value.strip():
        assert value not in str(caught.value)


def test_enough_cases():
    """The tables above are not thinned out unnoticed."""
    assert len(GOOD) + sum(map(len, BAD.values())) >= 60


def test_lazy_proxy():
    """A route may pass a lazy proxy: its string is signed."""
    assert type(DESK.handoff(LocalProxy(lambda: "jane@example.com")).email) is str
