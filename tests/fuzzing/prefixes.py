"""Mount prefixes: no answer of ours ever leads away from the site, however a server came by the prefix."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import unquote

from clients import DESK, nobody
from fuzzing.browsers import parts, stays
from fuzzing.visiting import Pair, is_encodable

FIELDS = ("prefix",)
TOKENS = (
    "/",
    "//",
    "\\",
    "/app",
    "evil.example",
    "https:",
    "javascript:",
    "@",
    ":",
    "?",
    "#",
    "%2f",
    "%5c",
    "\t",
)
TOKENS += ("\r\n", " ", "..", "/.", "~", "\x00", "ü", "\u3031", "\uff0f", "\udcff", '"', "<", "&", ";")

_ANONYMOUS = Pair(DESK, nobody, paths="/sso", login_url="/login", logout={"path": "/bye"})
_ELSEWHERE = Pair(DESK, nobody, paths="/sso", login_url="https://id.example/login")
_TURNED_AWAY = {"headers": [("Sec-Fetch-Mode", "no-cors")]}


def check(prefix: str) -> str:
    """Return ``redirects`` or ``refused``."""
    if not is_encodable(prefix):
        return "no such request"
    outcomes = set()
    for method, path, target in [("GET", "/sso", "/login"), ("POST", "/sso", "/sso"), ("GET", "/bye", "/")]:
        for seen in _ANONYMOUS.everywhere(method, path, prefix):
            if seen.status is None:  # ASGI: there is another way to take the prefix off
                assert prefix == path or not _is_ordinary(prefix)
                continue
            outcomes.add(seen.status)
            if seen.status == 303:
                location = seen.headers["location"]
                assert stays(location)
                head, query, _ = parts(location)
                assert head == prefix + target
                assert query in ("", f"next={prefix}/sso")
                assert stays(unquote(query.removeprefix("next=")))
            else:
                _page(seen, prefix)
    for seen in _ANONYMOUS.everywhere("GET", "/sso", prefix, **_TURNED_AWAY):
        if seen.status is not None:
            assert seen.status == 403
            _page(seen, prefix)
    for seen in _ELSEWHERE.everywhere("GET", "/sso", prefix):
        if seen.status == 303:
            way_back = f"https://app.example.com{prefix}/sso"
            assert parts(seen.headers["location"])[0] == "https://id.example/login"
            assert unquote(parts(seen.headers["location"])[1]) == f"next={way_back}"
            assert stays(way_back)
    assert len(outcomes) == 1
    assert outcomes == ({303} if _is_ordinary(prefix) else {400})
    return "redirects" if outcomes == {303} else "refused"


def _is_ordinary(prefix):
    first, *segments = prefix.split("/")
    return not first and all(
        segment and not re.search(r"[^\w.~-]", segment, re.ASCII) for segment in segments
    )


def _page(seen, prefix):
    """The link to the start page stays on the site, and nothing of an odd prefix is in the page."""
    (link,) = re.findall(r'<a href="([^"]*)"', seen.body)
    assert stays(unescape(link))
    assert unescape(link) == (f"{prefix}/" if _is_ordinary(prefix) else "/")
