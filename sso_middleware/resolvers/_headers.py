"""Reading one request header that must have come once: from an environ, a scope or Django's request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from sso_middleware.errors import HandoffRefused, ResolverError


def as_received(source: Any) -> Mapping[str, Any]:
    """Return the WSGI environ or ASGI scope that `source` is, or that Django's ``HttpRequest`` came with.

    Under ASGI the request's ``META`` has joined what came twice; only its scope shows it as it came.
    """
    scope: object = getattr(source, "scope", None)
    if isinstance(scope, Mapping):
        return cast("Mapping[str, Any]", scope)
    received: Mapping[str, Any] = getattr(source, "META", source)
    return received


def is_environ(source: Mapping[str, Any]) -> bool:
    """Whether `source` is a WSGI environ, and not an ASGI scope."""
    return "REQUEST_METHOD" in source


def require_environ(source: object, resolver: str) -> None:
    """Refuse an ASGI scope, where everybody would look anonymous.

    Raises:
        ResolverError: `source` is no environ.
    """
    if not isinstance(source, Mapping) or "REQUEST_METHOD" not in source:
        raise ResolverError(
            f"resolvers.{resolver} is for WSGI: put sso_middleware.wsgi.SSOMiddleware around the WSGI "
            "application, and whatever brings that to ASGI around both"
        )


def single_value_of(name: str) -> Callable[[Mapping[str, Any]], str | None]:
    """Return what reads the header `name` out of what `as_received` returns; `None`: it is absent or empty.

    A WSGI server has joined by a comma what came twice, or has chosen. It may also have taken
    ``X_Name`` for ``X-Name``; where that can be seen, it is refused.

    Raises (when it is called):
        HandoffRefused: ``ambiguous_header``: it came twice, or under a name with an underscore.
    """
    in_environ, wanted = f"HTTP_{name.upper().replace('-', '_')}", name.lower().encode()

    def read(source: Mapping[str, Any]) -> str | None:
        if is_environ(source):
            value = str(source.get(in_environ, ""))
        else:
            found = list[bytes]()
            for raw, got in cast("Iterable[tuple[bytes, bytes]]", source["headers"]):
                key = raw.lower()  # as ASGI wants it; not every server sees to it
                if key.replace(b"_", b"-") == wanted:
                    found.append(got if key == wanted else b",")
            value = b",".join(found).decode("latin-1")
        if "," in value:
            raise HandoffRefused("ambiguous_header")
        return value or None

    return read
