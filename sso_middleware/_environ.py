"""The encoding of a WSGI environ (PEP 3333, RFC 3875), which Django's requests have as ``META``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def native(text: str) -> str:
    """Return `text` as a WSGI "native string": its UTF-8 bytes decoded as Latin-1 (PEP 3333)."""
    return text.encode().decode("latin-1")


def text_of(native: str) -> str:
    """Return the text of a WSGI "native string".

    Bytes that are not UTF-8 become U+FFFD, as in ASGI servers; no configured path contains it.
    """
    try:
        return native.encode("latin-1").decode("utf-8", "replace")
    except UnicodeEncodeError:  # a server that violates PEP 3333
        return "\N{REPLACEMENT CHARACTER}"


def cgi_name(name: str) -> str:
    """Return the variable for the header `name` (RFC 3875, section 4.1.18)."""
    return f"HTTP_{name.upper().replace('-', '_')}"


def cgi_names(names: Iterable[str]) -> dict[str, str]:
    """Map the variable for each header to its name."""
    return {cgi_name(name): name for name in names}


def headers_in(environ: Mapping[str, Any], wanted: Mapping[str, str]) -> dict[str, str]:
    """Return the headers in `environ` that are `wanted`: a result of `cgi_names`."""
    return {name: environ[variable] for variable, name in wanted.items() if variable in environ}
