"""The spelling of a WSGI environ (PEP 3333, RFC 3875), which Django's requests carry as ``META``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def native(text: str) -> str:
    """Spell `text` as a WSGI "native string": its UTF-8 bytes seen as Latin-1 (PEP 3333)."""
    return text.encode().decode("latin-1")


def text_of(native: str) -> str:
    """Return the text that a WSGI "native string" stands for.

    Bytes that are not UTF-8 become U+FFFD, as ASGI servers have it; no configured path holds that.
    """
    try:
        return native.encode("latin-1").decode("utf-8", "replace")
    except UnicodeEncodeError:  # a server that does not keep to PEP 3333
        return "\N{REPLACEMENT CHARACTER}"


def cgi_names(names: Iterable[str]) -> dict[str, str]:
    """Return the header `names` by the variable that holds each one (RFC 3875, section 4.1.18)."""
    return {f"HTTP_{name.upper().replace('-', '_')}": name for name in names}


def headers_in(environ: Mapping[str, Any], wanted: Mapping[str, str]) -> dict[str, str]:
    """Return the headers in `environ` that are `wanted`, as `cgi_names` gives them."""
    return {name: environ[variable] for variable, name in wanted.items() if variable in environ}
