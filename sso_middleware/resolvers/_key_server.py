"""The public keys of an issuer of assertions."""

from __future__ import annotations

import json
import math
import socket
import threading
import time
import urllib.request
from collections.abc import Callable
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from io import BufferedReader, RawIOBase
from queue import Empty, SimpleQueue
from typing import Any, cast
from urllib.error import HTTPError
from urllib.parse import urlsplit

import jwt

from sso_middleware.errors import ResolverUnavailable
from sso_middleware.events import logger

_TIMEOUT = 5  # seconds; a visitor is waiting
_HEADERS = {"Accept": "application/json", "User-Agent": "sso-middleware"}  # many firewalls turn urllib's away
_MAX_SIZE = 1_000_000  # bytes; an issuer's keys take a few thousand
_LIFESPAN = 300  # seconds to use keys without fetching them again
_PAUSE = 10  # seconds between two attempts: an unknown key id may be new, or forged


class KeyServer:
    """The keys an issuer publishes, fetched on demand and kept for five minutes.

    Unknown key ids cause at most one fetch in ten seconds, even if many are forged or the server does not
    answer. Meanwhile known keys are found without waiting.

    Args:
        url: the address of the keys (RFC 7517).
        clock: returns monotonic seconds.
        timeout: the seconds that a whole fetch may take.
    """

    def __init__(
        self, url: str, *, clock: Callable[[], float] = time.monotonic, timeout: float = _TIMEOUT
    ) -> None:
        self._client = _Client(url, timeout)
        self._host = urlsplit(url).netloc
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: dict[str, Any] = {}
        self._good_until = self._next_attempt = -math.inf
        self._is_down = False

    def find(self, key_id: object) -> Any | None:
        """Return the public key with that id, or `None` if the issuer has no such key.

        Raises:
            ResolverUnavailable: the server does not answer, or returns no keys at all.
        """
        if not isinstance(key_id, str):
            return None
        key = self._known(key_id)
        if key is not None:
            return key
        with self._lock:
            if self._clock() >= self._next_attempt:
                self._fetch()
            key = self._known(key_id)
            if key is None and self._is_down:
                seconds = math.ceil(self._next_attempt - self._clock())
                raise ResolverUnavailable("no keys from the key server", retry_after=max(seconds, 1))
            return key

    def _known(self, key_id: str) -> Any | None:
        return self._keys.get(key_id) if self._clock() < self._good_until else None

    def _fetch(self) -> None:
        try:
            found = self._client.get_signing_keys()
        except (jwt.PyJWKSetError, jwt.PyJWKClientError):  # our own fetching raises neither
            self._is_down = True
            logger.warning(
                "no keys from the key server %s: it answers, but without a usable key (each needs a kid and "
                "a known kty, and use must be sig or missing)",
                self._host,
            )
        except Exception as error:  # noqa: BLE001 - a broken answer breaks PyJWT in many ways; see below
            self._is_down = True
            logger.warning("no keys from the key server %s (%s)", self._host, type(error).__name__)
        else:
            # Bare public keys, so that PyJWT rejects a key that does not fit the algorithm.
            self._keys = {str(key.key_id): key.key for key in found}
            self._good_until = self._clock() + _LIFESPAN
            self._is_down = False
        self._next_attempt = self._clock() + _PAUSE  # always, or each forged key id would cause a fetch


class _Client(jwt.PyJWKClient):
    """PyJWT's client, but without slow answers, long answers and redirects."""

    def __init__(self, url: str, timeout: float) -> None:
        # PyJWT's own cache would fetch again for each forged key id while the server is down.
        super().__init__(url, cache_jwk_set=False, headers=_HEADERS, timeout=timeout)
        self._fetching = threading.Thread()

    def fetch_data(self) -> Any:
        """Fetch the keys.

        Raises:
            OSError: the server is unreachable, is too slow, or answers with an error or a redirect; or the
                last fetch is still running.
            ValueError: the answer is too long, or not JSON.
        """
        if self._fetching.is_alive():
            raise TimeoutError("the last fetch is still running")
        answers: SimpleQueue[bytes | Exception] = SimpleQueue()
        # A thread, because a DNS lookup has no timeout. Everything else in it has one.
        self._fetching = threading.Thread(target=self._download, args=[answers], daemon=True)
        self._fetching.start()
        try:
            answer = answers.get(timeout=self.timeout)
        except Empty:
            raise TimeoutError("the answer takes too long") from None
        self._fetching.join(self.timeout)  # it has answered, and is about to end
        if isinstance(answer, Exception):
            try:
                raise answer
            finally:
                del answer  # or this frame and the error would form a reference cycle
        if len(answer) > _MAX_SIZE:
            raise ValueError("the answer is too long")
        return json.loads(answer)

    def _download(self, answers: SimpleQueue[bytes | Exception]) -> None:
        request = urllib.request.Request(self.uri, headers=self.headers)  # noqa: S310 - http(s): see url_problem
        try:
            with urllib.request.build_opener(_NoRedirect, _InTime).open(
                request, timeout=self.timeout
            ) as response:
                answers.put(response.read(_MAX_SIZE + 1))
        except Exception as error:  # noqa: BLE001 - raised in the waiting thread
            if isinstance(error, HTTPError):
                error.close()
            answers.put(error)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object, **__: object) -> None:
        """Do not follow redirects: treat one as an error."""


class _InTime(urllib.request.HTTPSHandler, urllib.request.HTTPHandler):
    """Make a request's timeout a deadline for reading the whole answer."""

    def http_open(self, req: urllib.request.Request) -> HTTPResponse:
        return self.do_open(_in_time(HTTPConnection), req)

    def https_open(self, req: urllib.request.Request) -> HTTPResponse:
        return self.do_open(_in_time(HTTPSConnection), req)


def _in_time(connect: type[HTTPConnection]) -> Any:
    def make(host: str, *, timeout: float) -> HTTPConnection:
        deadline = time.monotonic() + timeout

        def response(sock: socket.socket, **how: Any) -> HTTPResponse:
            return HTTPResponse(cast("socket.socket", _Pieces(sock, deadline)), **how)

        connection = connect(host, timeout=timeout)
        connection.response_class = cast("type[HTTPResponse]", response)
        return connection

    return make


class _Pieces(RawIOBase):
    """Read from a socket until a deadline of `time.monotonic()`.

    A socket's own timeout only limits each piece, and a server may send any number of them.
    """

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._deadline = deadline

    def makefile(self, _mode: str) -> BufferedReader:
        """Return the stream for `HTTPResponse`."""
        return BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        seconds = self._deadline - time.monotonic()
        if seconds <= 0:
            raise TimeoutError("the answer takes too long")
        self._sock.settimeout(seconds)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()
