"""`handoff(claims=..., forward=...)`: further claims and forwarded parameters of one hand-off."""

from __future__ import annotations

import datetime as dt
import enum

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients import DESK, JANE, SSO_TOKEN, make_desk
from sso_middleware import ConfigError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def encoded(claims):
    return jwt.encode({"email": JANE, "iat": 1_700_000_000, "jti": "j" * 32} | claims, SSO_TOKEN, "HS256")


@given(
    st.dictionaries(
        st.text().filter(lambda name: name not in {"email", "iat", "jti", "iss"}), JSON, max_size=4
    )
)
def test_as_pyjwt_writes_them(claims):
    """The token is byte for byte what `jwt.encode` gives, further claims after the three."""
    handoff = DESK.handoff(JANE, claims=claims, iat=1_700_000_000, jti="j" * 32)
    assert handoff.token == encoded(claims)


def test_url():
    """Further claims add nothing to the URL but the token."""
    plain, further = DESK.handoff(JANE), DESK.handoff(JANE, claims={"role": "agent"})
    assert further.url == plain.url.replace(plain.token, further.token)


def test_enum_members_count_as_their_strings():
    """A str-Enum member is the string it stands for."""

    class Role(enum.StrEnum):
        AGENT = "agent"

    claims = {"role": Role.AGENT}
    assert DESK.handoff(JANE, claims=claims, iat=1_700_000_000, jti="j" * 32).token == encoded(
        {"role": "agent"}
    )


@pytest.mark.parametrize("name", ["email", "iat", "jti"])
def test_reserved(name):
    """The three claims of the protocol cannot be replaced."""
    with pytest.raises(ConfigError, match=f"must not contain {name}") as caught:
        DESK.handoff(JANE, claims={name: "x", "ok": 1})
    assert caught.value.problems.keys() == {"claims"}


@pytest.mark.parametrize(
    "claims",
    [
        {"at": dt.datetime(2026, 1, 1, tzinfo=dt.UTC)},
        {"x": {"s3cret"}},
        {"x": float("nan")},
        {"x": b"s3cret"},
        {7: "x"},
        "s3cret",
        ["s3cret"],
    ],
)
def test_not_json(claims):
    """Anything else is refused, and the message names no value."""
    with pytest.raises(ConfigError) as caught:
        DESK.handoff(JANE, claims=claims)
    assert "claims" in caught.value.problems
    assert "s3cret" not in str(caught.value)


def test_nested_without_end():
    """A value that holds itself is refused."""
    endless = []
    endless.append(endless)
    with pytest.raises(ConfigError, match="JSON values only"):
        DESK.handoff(JANE, claims={"x": endless})


def test_forward():
    """Values for forward_params are appended in the order of the setting."""
    desk = make_desk(forward_params=("a", "b"))
    assert desk.handoff(JANE, forward={"b": "/t?x=1&y", "a": "\u00fc"}).url.endswith(
        "&a=%C3%BC&b=%2Ft%3Fx%3D1%26y"
    )
    assert desk.handoff(JANE, forward={"b": "1"}).url.endswith("helpdesk&b=1")


def test_forward_alone():
    """Forwarded parameters are not in the token."""
    handoff = make_desk(forward_params="a").handoff(JANE, forward={"a": "1"}, iat=1_700_000_000, jti="j" * 32)
    assert handoff.token == encoded({})


@pytest.mark.parametrize(
    "forward",
    [{"c": "1"}, {"a": "x\n"}, {"a": "s3cret" * 200}, {"a": 7}, {"a": "\ud800"}],
    ids=["unknown", "control character", "too long", "int", "surrogate"],
)
def test_forward_refused(forward):
    """Another name, or a value that may not be forwarded, is an error without the value."""
    with pytest.raises(ConfigError) as caught:
        make_desk(forward_params="a").handoff(JANE, forward=forward)
    assert repr(next(iter(forward))) in caught.value.problems["forward"]
    assert "s3cret" not in str(caught.value)
