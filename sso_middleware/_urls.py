"""Rules for URLs, paths and mount prefixes."""

from __future__ import annotations

import re
import unicodedata
from ipaddress import ip_address
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit

from sso_middleware._text import invisible_problem

_SPACE_OR_BACKSLASH = re.compile(r"[\s\\\ufffd]")  # U+FFFD replaces invalid text
# https://url.spec.whatwg.org/#forbidden-domain-code-point, less those not in a netloc or refused earlier
_HOST_AND_PORT = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[^\[\]<>^|%:]*)(?::[0-9]*)?")
_LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
DOMAIN = rf"{_LABEL}(?:\.{_LABEL})*"  # the part after the @ in the HTML standard's "valid email address"
_DOMAIN = re.compile(DOMAIN)
_ASCII_PREFIX = re.compile(r"(?:/(?!\.{1,2}(?:/|\Z))[A-Za-z0-9._~@-]+)*")
DEFAULT_PORTS = {"http": 80, "https": 443}
_PCHAR = "/:@!$&'()*+,=~"  # RFC 3986, section 3.3, less ";", which would end a cookie's Path


def url_problem(value: object, *, allow_http: bool) -> str | None:
    """Return what is wrong with a URL from the settings, or `None`."""
    if not isinstance(value, str) or not value:
        return "must be a URL such as https://app.example.com/sso/helpdesk"
    if problem := invisible_problem(value):
        return problem
    if _SPACE_OR_BACKSLASH.search(value):
        return "must not contain white space, a backslash or U+FFFD"
    parts = _split(value)
    if parts is None:
        return "is not a valid URL: check host and port"
    if parts.scheme not in ("http", "https"):
        return "must start with https://"
    if not parts.hostname:
        return "has no host name"
    if "@" in parts.netloc:
        return "must not contain a user name or password"
    if "#" in value:
        return "must not contain a fragment (#...)"
    if parts.scheme == "http" and not allow_http and not is_loopback(parts.hostname):
        return "must be https: over http, anyone on the network can read the token (allow_http permits it)"
    return None


def _split(url: str) -> SplitResult | None:
    """Split `url`; `None`: it is not a URL, or no browser would open it."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # only parsed on access
    except ValueError:
        return None
    # Python up to 3.13.1 parses the host of http://[::1].example/ as ::1.
    return parts if _HOST_AND_PORT.fullmatch(parts.netloc.rpartition("@")[2]) else None


def is_loopback(host: str) -> bool:
    """Return whether `host`, a name or an address without brackets, is always this machine."""
    if host == "localhost" or host.endswith(".localhost"):  # RFC 6761, section 6.3
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def is_domain(value: object) -> bool:
    """Return whether `value` is the domain of an address, such as ``example.com``."""
    return isinstance(value, str) and _DOMAIN.fullmatch(value) is not None


def query_names(url: str) -> set[str]:
    """Return the names of the parameters in the query of `url`."""
    return {name for name, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True)}


def with_query(url: str, query: str) -> str:
    """Return `url` with `query` appended to the query it already has."""
    rest, hash_sign, fragment = url.partition("#")
    head, _, present = rest.partition("?")
    separator = "&" if present and not present.endswith("&") else ""
    return f"{head}?{present}{separator}{query}{hash_sign}{fragment}"


def origin_of(url: str) -> str:
    """Return the scheme and authority of `url`, without a trailing slash."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def is_same_origin(one: str, other: str) -> bool:
    """Return whether two http(s) URLs have the same origin (RFC 6454, section 4)."""
    return origin(one) == origin(other)


def origin(url: str) -> tuple[str, str | None, int | None]:
    """Return the scheme, host and port of `url`; the port is `None` if it is the scheme's default."""
    parts = urlsplit(url)
    is_default = parts.port == DEFAULT_PORTS.get(parts.scheme)
    return parts.scheme, parts.hostname, None if is_default else parts.port


def decoded_path_of(url: str) -> str:
    """Return the percent-decoded path of `url`; no path counts as ``/``."""
    return unquote(urlsplit(url).path) or "/"


def encode_path(path: str) -> str:
    """Percent-encode `path` as a URL reference; also safe as the Path of a cookie."""
    return quote(path, safe=_PCHAR, errors="replace")


def path_problem(value: object) -> str | None:
    """Return what is wrong with an app-relative path from the settings, or `None`."""
    if not isinstance(value, str) or not value.startswith("/"):
        return "must start with /"
    if any(character in value for character in "?#%"):
        return "must not contain ?, # or %: it is compared as decoded text"
    return decoded_path_problem(value)


def decoded_path_problem(path: str) -> str | None:
    """Return why decoded `path` cannot be intercepted, or `None`."""
    if problem := invisible_problem(path):
        return problem
    if "\ufffd" in path:
        return "must be valid text"
    if path.startswith("//"):
        return "must not start with //: a redirect to it would leave the site"
    return None


def target_problem(value: object) -> str | None:
    """Return what is wrong with a redirect target from the settings, or `None`."""
    if not isinstance(value, str) or not value:
        return "must be an app-relative path such as /login, or an absolute http(s) URL"
    if problem := invisible_problem(value):
        return problem
    if _SPACE_OR_BACKSLASH.search(value):
        return "must not contain white space, a backslash or U+FFFD"
    if not value.isascii():
        return "must be ASCII: percent-encode other characters"
    if value.startswith("//"):
        return "must not start with //: that would be another site"
    if value.startswith("/"):
        return None
    parts = _split(value)
    if parts is None:
        return "is not a valid URL: check host and port"
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return "must start with / or be an absolute http(s) URL"
    return None


def is_absolute(target: str) -> bool:
    """Return whether a redirect target from the settings is absolute, not app-relative."""
    return not target.startswith("/")


def is_plain_prefix(prefix: str) -> bool:
    """Return whether a mount prefix may be used, percent-encoded, in a redirect or a link.

    Some servers take the prefix from a request header; ``//evil.example`` there would turn an
    app-relative redirect into one to another site. Browsers remove ``.`` and ``..``, and would go elsewhere.
    """
    return _ASCII_PREFIX.fullmatch(prefix) is not None or (
        prefix.startswith("/") and all(map(_is_plain_segment, prefix[1:].split("/")))
    )


def _is_plain_segment(segment: str) -> bool:
    return segment not in {"", ".", ".."} and all(
        character in "._~-@" or unicodedata.category(character)[0] in "LM" or character.isdecimal()
        for character in segment
    )


def split_mount(root: str, path: str) -> tuple[str, str]:
    """Return the mount prefix, as `mount_prefix` writes it, and the app-relative path.

    The prefix is removed at a segment boundary: ``/apple`` is not below ``/app``. Some ASGI servers include
    the prefix in the path, uvicorn exactly as it is spelled, and some do not; like Starlette's router, this
    accepts all three.
    """
    prefix = mount_prefix(root)
    if root != prefix and path.startswith(f"{root}/"):
        path = path[len(root) :]
    elif prefix and is_below(prefix, path):
        path = path[len(prefix) :]
    return prefix, path


def is_below(prefix: str, path: str) -> bool:
    """Return whether `path` is the mount `prefix` or below it."""
    return path == prefix or path.startswith(f"{prefix}/")


def mount_prefix(root: str) -> str:
    """Return ``SCRIPT_NAME`` or ``root_path`` as a mount prefix.

    Servers and frameworks also accept ``/``, ``/app/`` and ``app``: drop a trailing slash, and add a
    missing leading one.
    """
    prefix = root.rstrip("/")
    return f"/{prefix}" if prefix and not prefix.startswith("/") else prefix
