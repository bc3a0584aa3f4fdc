"""`desk.handoff_url` against what people write, other libraries, and what cannot be left out."""

from __future__ import annotations

import hmac
import os
import time
import uuid
import warnings
from urllib.parse import urlencode

import joserfc.jwt
from account import (
    ACCOUNT_ID,
    AUTH_URL,
    EMAILS,
    SSO_AUTH_URL,
    SSO_TOKEN,
    check_url,
    help_desk,
    url_by_hand,
)
from joserfc.jwk import OctKey
from measuring import Effort, calls, ratio, spread, take_turns
from report import Goal, Section, Table

with warnings.catch_warnings(record=True):  # Authlib insists on saying that joserfc comes after this one
    import authlib.jose

OURS, BY_HAND, FLOOR = "desk.handoff_url", "by hand: jwt.encode, uuid4, urlencode", "floor"
HEADER = {"alg": "HS256", "typ": "JWT"}
KEY = SSO_TOKEN.encode()
OCT_KEY = OctKey.import_key(SSO_TOKEN)
#: What is signed: the header, always the same, and the claims; each in base64.
FIRST, _, SECOND = help_desk().handoff(EMAILS[0]).token.rpartition(".")[0].encode().partition(b".")
KEYED = hmac.new(KEY, FIRST + b".", "sha256")


def _claims(email: str) -> dict[str, object]:
    return {"email": email, "iat": int(time.time()), "jti": str(uuid.uuid4())}


def _url(token: str) -> str:
    return f"{SSO_AUTH_URL}?{urlencode({'token': token, 'account_id': ACCOUNT_ID, 'auth_url': AUTH_URL})}"


def url_by_joserfc(email: str) -> str:
    return _url(joserfc.jwt.encode(HEADER, _claims(email), OCT_KEY))


def url_by_authlib(email: str) -> str:
    return _url(authlib.jose.jwt.encode(HEADER, _claims(email), KEY).decode())


def floor(_: str) -> None:
    """Do what no hand-off can do without: one HMAC, one random draw, one clock read."""
    mac = KEYED.copy()  # costs less than hmac.digest()
    mac.update(SECOND)
    mac.digest()
    os.urandom(16)
    time.time()


def section(effort: Effort) -> Section:
    contenders = {
        OURS: help_desk().handoff_url,
        BY_HAND: url_by_hand,
        "by hand: joserfc": url_by_joserfc,
        "by hand: Authlib": url_by_authlib,
    }
    for name, make in contenders.items():
        check_url(name, make(EMAILS[0]), EMAILS[0])
    series = take_turns(
        {name: calls(make, EMAILS) for name, make in {**contenders, FLOOR: floor}.items()}, effort
    )
    rows = {
        name: (
            spread(times).median / 1000,
            ratio(times, series[OURS]).median,
            ratio(times, series[FLOOR]).median,
        )
        for name, times in series.items()
    }
    note = "floor: one HMAC, by hmac with a prepared key; one random draw of 16 bytes; one clock read"
    return Section(
        "signing",
        [Table("Signing", ("call, us", "call / ours", "call / floor"), rows, (note,))],
        [
            Goal("jwt.encode, uuid4, urlencode / ours", ratio(series[BY_HAND], series[OURS]), at_least=6),
            Goal("ours / floor", ratio(series[OURS], series[FLOOR]), at_most=2.5),
        ],
    )
