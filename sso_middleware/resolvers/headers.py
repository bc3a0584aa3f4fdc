"""Reading one request header that must have come once, from a WSGI environ or an ASGI scope."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from sso_middleware.errors import HandoffRefused


def single_value(source: Mapping[str, Any], name: str) -> str | None:
    """Return the value of the header `name`, or `None` if it is absent or empty.

    A WSGI server has joined by a comma what came twice, or has chosen. It may also have taken
    ``X_Name`` for ``X-Name``; where that can be seen, it is refused.

    Raises:
        HandoffRefused: ``ambiguous_header``: it came twice, or under a name with an underscore.
    """
    if "REQUEST_METHOD" in source:
        value = str(source.get(f"HTTP_{name.upper().replace('-', '_')}", ""))
    else:
        wanted, found = name.lower().encode(), list[bytes]()
        for raw, got in cast("Iterable[tuple[bytes, bytes]]", source["headers"]):
            key = raw.lower()  # as ASGI wants it; not every server sees to it
            if key.replace(b"_", b"-") == wanted:
                found.append(got if key == wanted else b",")
        value = b",".join(found).decode("latin-1")
    if "," in value:
        raise HandoffRefused("ambiguous_header")
    return value or None
