"""Login addresses, the way back and where a logout leads: to the letter what was configured, or refused."""

from __future__ import annotations

from urllib.parse import parse_qsl, quote

from clients import DESK, nobody
from fuzzing.browsers import destination, parts, stays
from fuzzing.visiting import Pair, is_encodable
from sso_middleware import ConfigError

#: `noise` is in the request, where nothing may come of it.
FIELDS = ("login_url", "next_param", "then", "path", "noise")
TOKENS = (
    "/",
    "//",
    "\\",
    "/login",
    "next",
    "evil.example",
    "https:",
    "https://",
    "HTTP://",
    "javascript:",
    "@",
)
TOKENS += (
    ":",
    ":443",
    "[::1]",
    "?",
    "?x=1",
    "&",
    "#",
    "#f",
    "%2f",
    "%5c",
    "%09",
    "%0d%0a",
    "\t",
    "\r\n",
    " ",
)
TOKENS += ("..", ";", "=", "\x00", "ü", "\u3031", "\uff0f", "\u2028", "\udcff", "/sso", "/bye")

_SETTINGS = {"login_url", "next_param", "paths", "logout", "Logout(then)"}


def check(login_url: str, next_param: str, then: str, path: str, noise: str) -> str:
    """Return ``inside`` or ``outside``, twice: where login and logout lead; or ``refused``."""
    if not is_encodable(login_url, next_param, then, path, noise):
        return "no such setting"
    try:
        pair = Pair(
            DESK,
            nobody,
            paths=path,
            login_url=login_url,
            next_param=next_param,
            logout={"path": "/bye", "then": then},
        )
    except ConfigError as error:
        assert error.problems
        assert error.problems.keys() <= _SETTINGS
        return "refused"
    request = {
        "query": f"next={noise}&{next_param}={noise}",
        "headers": [(name, noise) for name in ("Host", "X-Forwarded-Host", "X-Forwarded-Prefix", "Referer")],
    }
    # Where a path looks as if it had the prefix in it, ASGI takes that off.
    mount = "/other" if f"{path}/".startswith("/app/") else "/app"
    outcomes = []
    for address, visited in [(login_url, path), (then, "/bye")]:
        for prefix in ("", mount):
            locations = {
                seen.headers["location"] for seen in pair.everywhere("GET", visited, prefix, **request)
            }
            (location,) = locations
            assert location.isascii()
            assert location.isprintable()
            inside = address[0] == "/"
            expected = prefix + address if inside else address
            assert stays(location) or not inside
            assert destination(location) == destination(expected)
            if visited == "/bye":
                assert location == expected
            else:
                _expect_way_back(location, expected, next_param, prefix + path, inside=inside)
        outcomes.append("inside" if inside else "outside")
    return " ".join(outcomes)


def _expect_way_back(location, expected, next_param, here, *, inside):
    head, query, fragment = parts(location)
    expected_head, expected_query, expected_fragment = parts(expected)
    assert (head, fragment) == (expected_head, expected_fragment)
    *others, (name, way_back) = parse_qsl(query, keep_blank_values=True)
    assert others == parse_qsl(expected_query, keep_blank_values=True)
    assert name == next_param
    assert stays(way_back)
    assert way_back == ("" if inside else "https://app.example.com") + quote(here, safe="/:@!$&'()*+,=~")
