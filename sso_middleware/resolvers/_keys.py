"""The public keys of whoever signs assertions."""

from __future__ import annotations

import json
import math
import threading
import time
import urllib.request
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any
from urllib.parse import urlsplit

import jwt

from sso_middleware.errors import ResolverUnavailable
from sso_middleware.events import logger

_TIMEOUT = 5  # seconds; a visitor is waiting
_HEADERS = {"Accept": "application/json", "User-Agent": "sso-middleware"}  # many firewalls turn urllib's away
_MAX_SIZE = 1_000_000  # bytes; an issuer's keys take some thousands
_LIFESPAN = 300  # seconds for which keys are used without asking again
_PAUSE = 10  # seconds between two attempts: an unknown key id may be a new key, or a forger's


class KeyServer:
    """The keys an issuer publishes, fetched when they are needed and kept for five minutes.

    An unknown key id makes one fetch in ten seconds at most, however many are forged, and whether
    the server answers or not. Meanwhile known keys are found without waiting.

    Args:
        url: where they are (RFC 7517).
        clock: seconds from anywhere, never going back.
    """

    def __init__(self, url: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        # Its own cache would hold everybody up, for each forged key id anew, while the server is down.
        self._client = _Client(url, cache_jwk_set=False, headers=_HEADERS)
        self._host = urlsplit(url).netloc
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: dict[str, Any] = {}
        self._good_until = self._next_attempt = -math.inf
        self._is_down = False

    def find(self, key_id: object) -> Any | None:
        """Return the public key with that id, or `None` if the issuer has none such.

        Raises:
            ResolverUnavailable: the server does not answer, or with no key at all, so nobody knows.
        """
        if not isinstance(key_id, str):
            return None
        key = self._known(key_id)
        if key is not None:
            return key
        with self._lock:
            if self._known(key_id) is None and self._clock() >= self._next_attempt:
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
        except (jwt.PyJWKSetError, jwt.PyJWKClientError):  # fetching is our own, and raises neither
            self._is_down = True
            logger.warning(
                "no keys from the key server %s: it answers, but with none that can be used (each needs a "
                "kid and a known kty, and its use, if it has one, is sig)",
                self._host,
            )
        except Exception as error:  # noqa: BLE001 - a broken answer breaks PyJWT in many ways; see below
            self._is_down = True
            logger.warning("no keys from the key server %s (%s)", self._host, type(error).__name__)
        else:
            # The bare public keys: PyJWT then takes none for an algorithm that is not its own.
            self._keys = {str(key.key_id): key.key for key in found}
            self._good_until = self._clock() + _LIFESPAN
            self._is_down = False
        self._next_attempt = self._clock() + _PAUSE  # in any case, or each forged key id would ask anew


class _Client(jwt.PyJWKClient):
    """PyJWT's client, for which an answer may neither take long, nor be long, nor lead elsewhere."""

    def fetch_data(self) -> Any:
        """Fetch the keys.

        Raises:
            OSError: the server is not there, is too slow, or answers with an error or a redirect.
            ValueError: its answer is too long, or no JSON.
        """
        answers: SimpleQueue[bytes | Exception] = SimpleQueue()
        # urllib's timeout is for each piece, however many come: so a thread waits, and may be left behind.
        threading.Thread(target=self._download, args=[answers], daemon=True).start()
        try:
            answer = answers.get(timeout=_TIMEOUT)
        except Empty:
            raise TimeoutError("the answer takes too long") from None
        if isinstance(answer, Exception):
            try:
                raise answer
            finally:
                del answer  # or this frame and the error would keep each other, and the connection, alive
        if len(answer) > _MAX_SIZE:
            raise ValueError("the answer is too long")
        return json.loads(answer)

    def _download(self, answers: SimpleQueue[bytes | Exception]) -> None:
        request = urllib.request.Request(self.uri, headers=self.headers)  # noqa: S310 - http(s): see url_problem
        try:
            with urllib.request.build_opener(_NoRedirect).open(request, timeout=_TIMEOUT) as response:
                answers.put(response.read(_MAX_SIZE + 1))
        except Exception as error:  # noqa: BLE001 - it is raised where the answer is waited for
            answers.put(error)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object, **__: object) -> None:
        """Go nowhere else: the redirect is the answer then, and an error."""
