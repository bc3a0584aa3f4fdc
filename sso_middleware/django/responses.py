"""An answer of the gate as a response of Django's."""

# Django comes without type information.
# mypy: disable-error-code="import-untyped"
# pyright: reportMissingTypeStubs=false, reportUnknownVariableType=false, reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Container
from http.cookies import Morsel
from typing import Any

from django.http import HttpResponse

from sso_middleware.gate import Answer


class _Cookie(Morsel[str]):
    """A Set-Cookie header for ``response.cookies`` that goes out as it came in."""

    def __init__(self, header: str) -> None:
        super().__init__()
        name, _, rest = header.partition("=")
        value = rest.partition(";")[0]
        self.set(name, value, value)
        self._header = header

    def set(self, key: str, val: str, coded_val: str) -> None:
        # Called again by whoever, after us, sets a cookie of this name by response.set_cookie().
        super().set(key, val, coded_val)
        self._header = ""

    def OutputString(self, attrs: Container[str] | None = None) -> str:  # noqa: N802 - http.cookies' name
        return self._header or super().OutputString(attrs)


def response_of(answer: Answer) -> Any:
    """Return an ``HttpResponse`` with exactly the headers of `answer`."""
    response: Any = HttpResponse(answer.body, status=answer.status, content_type="")
    del response["Content-Type"]
    for name, value in answer.headers:
        if name.lower() != "set-cookie":
            # Django keeps one field of a name; several may be joined (RFC 9110, section 5.3).
            response[name] = f"{response[name]}, {value}" if name in response else value
            continue
        cookie = _Cookie(value)
        key = cookie.key if cookie.key not in response.cookies else value
        response.cookies[key] = cookie
    return response
