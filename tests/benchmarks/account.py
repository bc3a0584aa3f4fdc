"""The account everybody signs for, what people write by hand to do it, and how an answer is checked."""

from __future__ import annotations

import time
import uuid
from urllib.parse import parse_qsl, urlencode

import jwt

from sso_middleware import HelpDesk

SSO_TOKEN = "an SSO Token of at least thirty-two bytes"
SSO_AUTH_URL = "https://acme.helpdesk.example/sso"
ACCOUNT_ID = "4711"
PATH = "/sso/helpdesk"
AUTH_URL = f"https://app.example.com{PATH}"

#: More visitors than a cache of answers would hold.
EMAILS = [f"visitor.{number:05}@example.com" for number in range(2000)]


def help_desk(auth_url: str = AUTH_URL) -> HelpDesk:
    return HelpDesk(sso_token=SSO_TOKEN, sso_auth_url=SSO_AUTH_URL, account_id=ACCOUNT_ID, auth_url=auth_url)


def url_by_hand(email: str) -> str:
    """Make the URL as people do who follow the vendor's page."""
    claims = {"email": email, "iat": int(time.time()), "jti": str(uuid.uuid4())}
    token = jwt.encode(claims, SSO_TOKEN, algorithm="HS256")
    return f"{SSO_AUTH_URL}?{urlencode({'token': token, 'account_id': ACCOUNT_ID, 'auth_url': AUTH_URL})}"


class WrongAnswerError(Exception):
    """A contender does not do the work that it is timed for."""


def check_url(who: str, url: str, email: str) -> None:
    """Raise `WrongAnswerError` unless `url` hands off `email`."""
    endpoint, _, query = url.partition("?")
    parameters = dict(parse_qsl(query, strict_parsing=True))
    token = parameters.pop("token", "")
    claims = jwt.decode(token, SSO_TOKEN, algorithms=["HS256"], options={"require": ["jti", "iat"]})
    said = (endpoint, parameters, jwt.get_unverified_header(token), claims["email"], claims.keys())
    expected = (
        SSO_AUTH_URL,
        {"account_id": ACCOUNT_ID, "auth_url": AUTH_URL},
        {"alg": "HS256", "typ": "JWT"},
        email,
        {"email", "iat", "jti"},
    )
    if said != expected or len(claims["jti"]) < 32 or abs(time.time() - claims["iat"]) > 60:
        raise WrongAnswerError(f"{who} makes {url}")
