"""Mount prefixes: none of our answers leads away from the site."""

from __future__ import annotations

import re
import unicodedata
from html import unescape
from urllib.parse import quote, unquote

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
    mount = spelled(prefix)
    in_urls = quote(mount, safe="/@~", errors="replace")
    outcomes = set()
    for method, path, target in [("GET", "/sso", "/login"), ("POST", "/sso", "/sso"), ("GET", "/bye", "/")]:
        for seen in _ANONYMOUS.everywhere(method, path, prefix):
            if seen.status is None:  # ASGI: the prefix is taken off the path, if it is there
                assert mount == path or prefix != mount or not _is_ordinary(mount)
                continue
            outcomes.add(seen.status)
            if seen.status == 303:
                location = seen.headers["location"]
                assert stays(location)
                head, query, _ = parts(location)
                assert head == in_urls + target
                assert unquote(query) in ("", f"next={in_urls}/sso")
                assert stays(unquote(query.removeprefix("next=")))
            else:
                _page(seen, mount, in_urls)
    for seen in _ANONYMOUS.everywhere("GET", "/sso", prefix, **_TURNED_AWAY):
        if seen.status is not None:
            assert seen.status == 403
            _page(seen, mount, in_urls)
    for seen in _ELSEWHERE.everywhere("GET", "/sso", prefix):
        if seen.status == 303:
            way_back = f"https://app.example.com{in_urls}/sso"
            assert parts(seen.headers["location"])[0] == "https://id.example/login"
            assert unquote(parts(seen.headers["location"])[1]) == f"next={way_back}"
            assert stays(way_back)
    assert len(outcomes) == 1
    assert outcomes == ({303} if _is_ordinary(mount) else {400})
    return "redirects" if outcomes == {303} else "refused"


def spelled(prefix):
    without_slashes = re.sub("/+$", "", prefix)
    return re.sub("^(?=[^/])", "/", without_slashes)


def _is_ordinary(mount):
    first, *segments = mount.split("/")
    return not first and all(map(_is_ordinary_segment, segments))


def _is_ordinary_segment(segment):
    return segment not in ("", ".", "..") and all(map(_is_harmless, segment))


def _is_harmless(character):
    is_mark = unicodedata.category(character) in ("Mn", "Mc", "Me")
    return character.isalpha() or character.isdecimal() or is_mark or character in "._~-@"


def _page(seen, mount, in_urls):
    """The link to the start page stays on the site, and nothing of an odd prefix is in the page."""
    (link,) = re.findall(r'<a href="([^"]*)"', seen.body)
    assert stays(unescape(link))
    assert unescape(link) == (f"{in_urls}/" if _is_ordinary(mount) else "/")
