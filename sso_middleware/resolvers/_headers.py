"""Read a request header that must be unique, from an environ, a scope or Django's request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from sso_middleware._environ import cgi_name
from sso_middleware.errors import HandoffRefused, ResolverError


def as_received(source: Any) -> Mapping[str, Any]:
    """Return `source` itself, or the WSGI environ or ASGI scope of Django's ``HttpRequest``.

    Under ASGI the request's ``META`` joins repeated headers; only its scope shows them separately.
    """
    scope: object = getattr(source, "scope", None)
    if isinstance(scope, Mapping):
        return cast("Mapping[str, Any]", scope)
    received: Mapping[str, Any] = getattr(source, "META", source)
    return received


def is_environ(source: Mapping[str, Any]) -> bool:
    """Return whether `source` is a WSGI environ, not an ASGI scope."""
    return "REQUEST_METHOD" in source


def require_environ(source: object, resolver: str) -> None:
    """Reject an ASGI scope, where every visitor would look anonymous.

    Raises:
        ResolverError: `source` is not an environ.
    """
    if not isinstance(source, Mapping) or not is_environ(cast("Mapping[str, Any]", source)):
        raise ResolverError(
            f"resolvers.{resolver} is for WSGI: wrap the WSGI application in "
            "sso_middleware.wsgi.SSOMiddleware, and both in your WSGI-to-ASGI adapter"
        )


def single_value_of(name: str) -> Callable[[Mapping[str, Any]], str | None]:
    """Return a function that reads the header `name` from the result of `as_received`.

    It returns `None` if the header is absent or empty. WSGI servers join repeated headers with a comma,
    or keep one. They may also accept ``X_Name`` as ``X-Name``; where that is visible, it is refused.

    Raises (when it is called):
        HandoffRefused: ``ambiguous_header``: the header is repeated, or its name has an underscore.
    """
    in_environ, wanted = cgi_name(name), name.lower().encode()

    def read(source: Mapping[str, Any]) -> str | None:
        if is_environ(source):
            value = str(source.get(in_environ, ""))
        else:
            found = list[bytes]()
            for raw, got in cast("Iterable[tuple[bytes, bytes]]", source["headers"]):
                key = raw.lower()  # as ASGI requires, but not every server complies
                if key.replace(b"_", b"-") == wanted:
                    found.append(got if key == wanted else b",")
            value = b",".join(found).decode("latin-1")
        if "," in value:
            raise HandoffRefused("ambiguous_header")
        return value or None

    return read
