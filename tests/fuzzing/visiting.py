"""Driving both middlewares with what no server should let through, and with no event loop in the way."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from clients import make_environ, make_scope
from sso_middleware import Logout, asgi, wsgi

# RFC 9110, section 5.5: a value that could neither end a header nor start another one.
_FIELD_VALUE = re.compile(r"[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?")
_FROM_APP = object()


class Seen(NamedTuple):
    """What a visit got; `status` is `None` if the application answered."""

    status: int | None
    headers: dict[str, str]
    body: str


def native(text: str) -> str:
    """Spell `text` as PEP 3333 wants it; escaped surrogates stand for bytes that are no UTF-8."""
    return text.encode("utf-8", "surrogateescape").decode("latin-1")


def is_encodable(*texts: str) -> bool:
    """Whether a server could have got these by decoding bytes."""
    return all(not re.search("[\ud800-\udc7f\udd00-\udfff]", text) for text in texts)


class Pair:
    """One configuration on WSGI and on ASGI. Takes what `SSOMiddleware` takes, but for the application.

    On ASGI the callables are coroutine functions, so that nothing ever waits. `logout` holds `path` and
    `then` of a Logout that ends nothing.
    """

    def __init__(self, helpdesk: Any, resolve_email: Any, *, logout: Any = None, **options: Any) -> None:
        async def resolve(scope: Any) -> Any:
            return resolve_email(scope)

        async def end_session(scope: Any) -> Any:
            return []

        def logout_by(function: Any) -> Any:
            return None if logout is None else Logout(function, **logout)

        of_wsgi = {**options, "logout": logout_by(lambda environ: [])}
        of_asgi = {**options, "logout": logout_by(end_session)}
        self.wsgi = wsgi.SSOMiddleware(self._wsgi_app, helpdesk, resolve_email, **of_wsgi)
        self.asgi = asgi.SSOMiddleware(self._asgi_app, helpdesk, resolve, **of_asgi)

    def _wsgi_app(self, environ: Any, start_response: Any) -> Any:
        self._got = (environ, start_response)
        return _FROM_APP

    async def _asgi_app(self, scope: Any, receive: Any, send: Any) -> Any:
        self._got = (scope, receive, send)
        return _FROM_APP

    def by_wsgi(self, method: str, path: str, prefix: str = "", headers: Any = (), query: str = "") -> Seen:
        """Visit by WSGI; the application must get the very environ, unchanged."""
        environ = make_environ(method, "/", headers=[(k, native(v)) for k, v in headers], query=native(query))
        environ |= {"PATH_INFO": native(path), "SCRIPT_NAME": native(prefix)}
        before = dict(environ)
        started: list[Any] = []

        def start_response(*arguments: Any) -> None:
            started.append(arguments)

        self._got = ()
        body = self.wsgi(environ, start_response)
        if self._got:
            assert body is _FROM_APP
            assert not started
            assert self._got[0] is environ
            assert self._got[1] is start_response
            assert environ == before
            return Seen(None, {}, "")
        ((status, fields),) = started
        return _seen(int(status.split(" ")[0]), fields, b"".join(body))

    def by_asgi(
        self,
        method: str,
        path: str,
        prefix: str = "",
        headers: Any = (),
        query: str = "",
        raw_path: bytes = b"",
    ) -> Seen:
        """Visit by ASGI, `path` being the scope's; the application must get the very scope, unchanged."""
        scope = make_scope(method, "/", root_path=prefix, headers=[(k, native(v)) for k, v in headers])
        scope |= {"path": path, "raw_path": raw_path, "query_string": native(query).encode("latin-1")}
        before = dict(scope)
        sent: list[Any] = []

        async def receive() -> Any:
            raise AssertionError("nothing here may read the body")

        async def send(message: Any) -> None:
            sent.append(message)

        self._got = ()
        returned = _finish(self.asgi(scope, receive, send))
        if self._got:
            assert returned is _FROM_APP
            assert not sent
            assert self._got[0] is scope
            assert self._got[1] is receive
            assert self._got[2] is send
            assert scope == before
            return Seen(None, {}, "")
        start, end = sent
        fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in start["headers"]]
        return _seen(start["status"], fields, end["body"])

    def everywhere(self, method: str, path: str, prefix: str = "", **request: Any) -> list[Seen]:
        """Visit by WSGI, and by ASGI with the prefix in the scope's path and without it."""
        return [
            self.by_wsgi(method, path, prefix, **request),
            self.by_asgi(method, prefix + path, prefix, **request),
            self.by_asgi(method, path, prefix, **request),
        ]


def _seen(status: int, fields: list[tuple[str, str]], body: bytes) -> Seen:
    for name, value in fields:
        assert _FIELD_VALUE.fullmatch(value), (name, value)
    headers = {name.lower(): value for name, value in fields}
    assert len(headers) == len(fields)
    assert ("location" in headers) is (status == 303)
    assert not (status == 303 and body)
    return Seen(status, headers, body.decode())


def _finish(coroutine: Any) -> Any:
    try:
        coroutine.send(None)
    except StopIteration as finished:
        return finished.value
    raise AssertionError("it waits for something")
