"""Settings of an account: a HelpDesk that works on both protocols, or a ConfigError that names what is wrong.

The oracle takes hand-offs apart with the standard library alone.
"""

from __future__ import annotations

import hmac
import json
import warnings
from base64 import urlsafe_b64decode
from urllib.parse import parse_qsl

from clients import JANE, jane
from fuzzing.browsers import decoded_path, destination, parts
from fuzzing.visiting import Pair
from sso_middleware import ConfigError, HelpDesk, ShortTokenWarning

#: A value that starts with "!" is JSON. In `sso_token`, $ stands for what must never be shown.
FIELDS = ("sso_token", "sso_auth_url", "account_id", "auth_url", "logout_url", "backdate", "allow_http")
TOKENS = (
    "$",
    "https://",
    "http://",
    "localhost",
    "acme.example",
    "/sso",
    "?",
    "token=",
    "&auth_url=",
    "#",
    "@",
)
TOKENS += (
    ":",
    ":99999",
    "[::1]",
    "[",
    "%0d%0a",
    "%ff",
    "//",
    "\\",
    "\t",
    " ",
    "\x00",
    "ü",
    "\udcff",
    "\u2028",
)
TOKENS += ("-----BEGIN PUBLIC KEY-----", "ssh-rsa AAAA", '!{"kty":"oct"}', "!null", "!true", "!1.5", "!-1")
TOKENS += ("![]", "!4711", "30", "on", "off", "0", "\u0661", "\uff41", "\u2100", "!1e400", "xn--")

_SECRET = "Zq9wXv"  # in no message of the package's


def check(*texts: str) -> str:
    """Return ``works``, ``works but not as an address`` or ``refused``."""
    settings = {name: _value(text) for name, text in zip(FIELDS, texts, strict=True)}
    given = settings["sso_token"]
    token = given.replace("$", _SECRET) if isinstance(given, str) else given
    settings["sso_token"] = token
    variables = {f"X_{name.upper()}": value for name, value in settings.items()}
    direct = _made(lambda: HelpDesk(**settings), FIELDS)
    from_variables = _made(lambda: HelpDesk.from_env(variables, "X_"), variables)
    outcomes = [_try_out(desk, token) for desk in (direct, from_variables) if desk]
    return max(outcomes, default="refused")


def _value(text):
    if not text.startswith("!"):
        return text
    try:
        return json.loads(text[1:])
    except (ValueError, RecursionError):
        return text


def _made(make, names):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ShortTokenWarning)
        try:
            desk = make()
        except ConfigError as error:
            shown = f"{error} {error!r}"
            assert error.problems
            assert error.problems.keys() <= set(names)
            assert all(f"{name}: " in str(error) for name in error.problems)
            desk = None
        else:
            shown = f"{desk} {desk!r}"
    assert _SECRET not in shown
    return desk


def _try_out(desk, token):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        handoff = desk.handoff(JANE)
    assert handoff.url.isascii()
    assert handoff.url.isprintable()
    assert destination(handoff.url) == destination(desk.sso_auth_url)
    head, query, fragment = parts(handoff.url)
    assert head == parts(desk.sso_auth_url)[0]
    assert not fragment
    *others, signed, account_id, auth_url = parse_qsl(query, keep_blank_values=True)
    assert others == parse_qsl(parts(desk.sso_auth_url)[1], keep_blank_values=True)
    assert account_id == ("account_id", desk.account_id)
    assert auth_url == ("auth_url", desk.auth_url)
    message, _, signature = signed[1].rpartition(".")
    digest = hmac.digest(token.encode(), message.encode(), "sha256")
    assert urlsafe_b64decode(f"{signature}=") == digest
    assert json.loads(urlsafe_b64decode(message.partition(".")[2] + "===")).keys() == {"email", "iat", "jti"}
    try:
        pair = Pair(desk, jane)
    except ConfigError as error:
        assert [*error.problems] == ["auth_url"]  # its path cannot be taken over
        return "works but not as an address"
    path = decoded_path(desk.auth_url)
    for seen in (pair.by_wsgi("GET", path), pair.by_asgi("GET", path)):
        assert seen.status == 303
    return "works"
