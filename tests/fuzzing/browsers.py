"""Where a browser goes: the parts of the WHATWG URL standard that open redirects live on.

Written from the standard's state machine (https://url.spec.whatwg.org/#url-parsing), and held against
Node.js's own parser in test_browsers.py. Where in doubt it says that the visitor leaves.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

SITE = "app.example.com"
BASE = f"https://{SITE}/some/page"

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_SPECIAL = {"http", "https", "ws", "wss", "ftp"}
_C0_AND_SPACE = "".join(map(chr, range(0x21)))


def destination(reference: str, site: str = SITE) -> str:
    """Return where `reference`, on a page of https://`site`, leads: ``scheme://host:port`` in lower case.

    Without a host, as with ``javascript:``, it is ``scheme:`` alone.
    """
    text = re.sub(r"[\t\n\r]", "", reference.strip(_C0_AND_SPACE))
    scheme = "https"
    if found := _SCHEME.match(text):
        scheme, rest = found[1].lower(), text[found.end() :]
        if scheme not in _SPECIAL:
            return f"{scheme}:"
        if scheme != "https" or rest.startswith("//"):
            return _authority(scheme, rest)
        text = rest  # "https:evil.example" is a path on an https page
    if re.match(r"[/\\]{2}", text):
        return _authority(scheme, text)
    return f"https://{site}"


def _authority(scheme: str, text: str) -> str:
    authority = re.split(r"[/\\?#]", text.lstrip("/\\"), maxsplit=1)[0]
    host = authority.rpartition("@")[2].lower()
    return f"{scheme}://{host.removesuffix({'https': ':443', 'http': ':80'}.get(scheme, ':'))}"


def stays(reference: str) -> bool:
    """Whether a browser on the site stays there when it is sent to `reference`."""
    return destination(reference) == f"https://{SITE}"


def parts(reference: str) -> tuple[str, str, str]:
    """Return what stands before the query, the query, and the fragment."""
    head, _, fragment = reference.partition("#")
    head, _, query = head.partition("?")
    return head, query, fragment


def decoded_path(url: str) -> str:
    """Return the percent-decoded path of an absolute URL."""
    return unquote(re.sub(r"^[^:]+://[^/?#]*|[?#].*$", "", url)) or "/"
