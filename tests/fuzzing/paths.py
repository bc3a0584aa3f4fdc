"""Which requests are taken over: exactly those for the configured path, whatever else is in them.

The oracle compares bytes (WSGI), and asks Starlette's own router what the app-relative path is (ASGI).
"""

from __future__ import annotations

import re
from urllib.parse import quote

from starlette._utils import get_route_path

from clients import jane, make_desk
from fuzzing.prefixes import spelled
from fuzzing.visiting import Pair, is_encodable
from sso_middleware import ConfigError

#: In `prefix` and `path`, $c stands for the configured path; in `path`, $p for the prefix.
FIELDS = ("configured", "prefix", "path", "method", "cookie")
TOKENS = (
    "$c",
    "$p",
    "/",
    "//",
    "/sso",
    "/app",
    "/app/sso",
    "/x/../",
    ";",
    "?",
    "%2f",
    "%00",
    "\x00",
    "\n",
    "ü",
)
TOKENS += ("\ufffd", "\udcff", "GET", "HEAD", "POST", "sso_handoffs=1.7", "sso_handoffs=9", "; ", ",")

_DESK = make_desk()


def check(configured: str, prefix: str, path: str, method: str, cookie: str) -> str:
    """Return what was taken over: ``relative``, ``public``, both, ``none``, or ``refused`` settings."""
    if not is_encodable(configured, prefix, path, method, cookie):
        return "no such request"
    prefix = prefix.replace("$c", configured)
    path = path.replace("$c", configured).replace("$p", prefix)
    relative = _relative(configured)
    public = _public(configured)
    if relative is None:
        return "refused"
    cookies = [("Cookie", cookie)]
    is_valid = path[:1] in ("", "/")  # PEP 3333: else, what is no miss may be the application's all the same
    hits = []
    mount = spelled(prefix)
    for name, pair, before in [("relative", relative, ""), ("public", public, mount)]:
        if pair is None:
            continue
        raw = [text.encode("utf-8", "surrogateescape") for text in (before + path, configured)]
        by_wsgi = pair.by_wsgi(method, path, prefix, headers=cookies)
        is_hit = method in ("GET", "HEAD") and raw[0] == raw[1]
        if is_valid or not is_hit:
            _expect(by_wsgi, method, is_hit=is_hit)

        by_asgi = pair.by_asgi(method, path, prefix, headers=cookies, raw_path=raw[1])
        in_path = prefix if path.startswith(f"{prefix}/") else mount  # servers put it there as it is spelled
        seen_by_router = get_route_path({"type": "http", "path": path, "root_path": in_path})
        is_asgi_hit = method in ("GET", "HEAD") and before + seen_by_router == configured
        if is_valid or not is_asgi_hit:
            _expect(by_asgi, method, is_hit=is_asgi_hit)
        hits += [name] * (is_hit or is_asgi_hit)
    return " ".join(hits) or "none"


def _expect(seen, method, *, is_hit):
    if not is_hit:
        assert seen.status is None
    elif method == "HEAD":
        assert (seen.status, seen.body) == (200, "")
        assert "set-cookie" not in seen.headers
    else:
        assert seen.status in (303, 409)
        assert seen.headers.get("location", "https://acme.example/sso?token=").startswith(
            "https://acme.example/sso?token="
        )
        names = [part.partition("=")[0] for part in seen.headers["set-cookie"].split("; ")]
        assert names == ["sso_handoffs", "Max-Age", "Path", "HttpOnly", "SameSite", "Secure"]


def _relative(configured):
    fine = re.fullmatch(
        r"/(?!/)[^?#%\x00-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\ud800-\udfff\ufeff\ufffd]*", configured
    )
    try:
        pair = Pair(_DESK, jane, paths=configured)
    except ConfigError as error:
        assert [*error.problems] == ["paths"]
        assert not fine
        return None
    assert fine
    return pair


def _public(configured):
    # quote() and back is no way of the package's own.
    try:
        return Pair(
            make_desk(
                auth_url=f"https://app.example.com{quote(configured, errors='surrogateescape')}",
                logout_url=None,
            ),
            jane,
        )
    except ConfigError as error:
        assert [*error.problems] == ["auth_url"]
        return None
