"""Translate between Django's requests and responses and the gate's visits and answers."""

# Django comes without type information.
# mypy: disable-error-code="import-untyped"
# pyright: reportMissingTypeStubs=false, reportUnknownVariableType=false, reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Container
from http.cookies import Morsel
from typing import Any

from django.http import HttpResponse

from sso_middleware._environ import cgi_names, headers_in
from sso_middleware._urls import mount_prefix, split_mount
from sso_middleware.gate import HEADERS, Answer, Visit

_HEADERS = cgi_names(HEADERS)

_FLAGS = frozenset({"httponly", "partitioned", "secure"})


class _Cookie(Morsel[str]):
    """A Set-Cookie header for ``response.cookies`` that is sent verbatim unless it is changed."""

    def __init__(self, header: str) -> None:
        super().__init__()
        (name, _, value), *attributes = (part.strip().partition("=") for part in header.split(";"))
        self.set(name, value, value)
        for key, _, text in attributes:
            if self.isReservedKey(key):
                self[key] = key.lower() in _FLAGS or text
            else:  # such as Partitioned, before Python 3.14
                self._unknown.append(f"{key}={text}" if text else key)
        self._as_it_came = header, {**self}

    def set(self, key: str, val: str, coded_val: str) -> None:
        # Called again if an outer middleware sets a cookie of this name with response.set_cookie().
        super().set(key, val, coded_val)
        self.update(dict.fromkeys(self, ""))
        self._unknown: list[str] = []
        self._as_it_came = "", {**self}

    def OutputString(self, attrs: Container[str] | None = None) -> str:  # noqa: N802 - http.cookies' name
        header, attributes = self._as_it_came
        if header and attributes == {**self}:
            return header
        return "; ".join([super().OutputString(attrs), *self._unknown])


def response_of(answer: Answer) -> Any:
    """Return an ``HttpResponse`` with exactly the headers of `answer`."""
    response: Any = HttpResponse(answer.body, status=answer.status, content_type="")
    del response["Content-Type"]
    for name, value in answer.headers:
        if name.lower() != "set-cookie":
            # Django keeps one field per name; several may be joined (RFC 9110, section 5.3).
            response[name] = f"{response[name]}, {value}" if name in response else value
            continue
        cookie = _Cookie(value)
        key = cookie.key if cookie.key not in response.cookies else value
        response.cookies[key] = cookie
    return response


def visit_of(request: Any) -> Visit:
    """Return the `Visit` for an ``HttpRequest``."""
    meta, path = request.META, request.path_info
    prefix = mount_prefix(meta.get("SCRIPT_NAME", ""))
    if not path.startswith("/") and path:
        # Under ASGI, Django also removes the prefix in the middle of a segment.
        prefix, path = split_mount(prefix, request.path)
    query = meta.get("QUERY_STRING", "")
    return Visit(request, request.method, prefix, path, query, headers_in(meta, _HEADERS))
