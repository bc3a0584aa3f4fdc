"""The verifier of hand-offs."""

from __future__ import annotations

import time
from collections.abc import Callable

from sso_middleware._secret import Secret
from sso_middleware.errors import ConfigError
from sso_middleware.helpdesk.settings import problems_of
from sso_middleware.sandbox.verifier import claims, parameters, signature, tokens
from sso_middleware.sandbox.verifier.rules import REMEMBERED, Key, Rules
from sso_middleware.sandbox.verifier.verdicts import HandoffRejected, VerifiedHandoff


class HandoffVerifier:
    """Judges hand-offs to one Help Desk account. Thread-safe.

    If the clock moves back, stale and used tokens stay rejected. The class has slots, so that error
    trackers show its repr instead of the SSO Token.

    Args:
        sso_token: SSO Token, which signs the JWT.
        account_id: Account ID.
        auth_url: the Auth URL registered in the panel.
        freshness: seconds a token is valid after its ``iat`` (assumed).
        leeway: seconds clocks may differ, either way (assumed).
        clock: returns the time in seconds since the epoch; default: `time.time`, looked up at each call, so
            that tests can replace it.
        shortest_jti: minimum length of a ``jti``, in characters (assumed).
        jti_once: whether a ``jti`` is valid only once (assumed). Only an accepted hand-off uses it up.
        longest_token: maximum length of a JWT, in characters, at least 1 (assumed).
        remembered: maximum number of used tokens to remember, at least 1. If more are used within
            `freshness`, they are rejected, because they could be replays.
        key: how the signing key is derived from the SSO Token: ``raw``, unchanged, or ``md5`` (assumed).

    Attributes:
        rules: the settings marked as assumed.

    Raises:
        ConfigError: settings are wrong; it names all of them.
    """

    __slots__ = ("_account_id", "_auth_url", "_clock", "_sso_token", "_used", "rules")

    def __init__(
        self,
        *,
        sso_token: str,
        account_id: str | int,
        auth_url: str,
        freshness: float = 180,
        leeway: float = 0,
        clock: Callable[[], float] | None = None,
        shortest_jti: int = 32,
        jti_once: bool = True,
        longest_token: int = 4096,
        remembered: int = REMEMBERED,
        key: Key = "raw",
    ) -> None:
        self._sso_token: Secret[str] = Secret(sso_token)
        del sso_token  # keep out of tracebacks
        self.rules: Rules = Rules(
            freshness=freshness,
            leeway=leeway,
            shortest_jti=shortest_jti,
            jti_once=jti_once,
            longest_token=longest_token,
            remembered=remembered,
            key=key,
        )
        problems = self.rules.problems() | problems_of(
            sso_token=self._sso_token, account_id=account_id, auth_url=auth_url, allow_http=True
        )
        if problems:
            raise ConfigError(problems)
        self._account_id = str(account_id)
        self._auth_url = auth_url
        self._clock = clock or wall_clock
        self.reset()

    def __repr__(self) -> str:  # also after a failed __init__, for tracebacks with locals
        account_id, auth_url = getattr(self, "_account_id", None), getattr(self, "_auth_url", None)
        return f"{type(self).__name__}({account_id=!r}, {auth_url=!r})"

    def reset(self) -> None:
        """Forget used tokens and the latest time."""
        self._used = claims.UsedTokens(self.rules, self._clock)

    def verify(self, url: str) -> VerifiedHandoff:
        """Judge a hand-off by its URL. An accepted token cannot be used again.

        Only the query is judged, not the address before it.

        Raises:
            HandoffRejected: the hand-off is not accepted.
            TypeError: `url` is not a `str`.
        """
        if not isinstance(url, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            given = type(url).__name__
            del url
            raise TypeError(f"url must be a str, the URL of a hand-off, not {given}")
        try:
            return self._judge(url)
        except HandoffRejected as rejected:
            hint = f"{rejected.setting}: {rejected.hint}" if rejected.setting else rejected.hint
            verdict = HandoffRejected(rejected.code, rejected.message, hint)
        # Raised again without the argument, so that no frame of the traceback holds the URL or token.
        del url
        raise verdict

    def _judge(self, url: str) -> VerifiedHandoff:
        token, account_id, auth_url = parameters.read(url)
        parameters.check_account(account_id, self._account_id, self._sso_token())
        parameters.check_auth_url(auth_url, self._auth_url, self._sso_token())
        jwt = tokens.read(token, self.rules.longest_token)
        signature.check(jwt, self.rules, self._sso_token(), account_id)
        email, iat, jti = claims.check(tokens.claims_of(jwt), self.rules.shortest_jti)
        self._used.use(jti, iat)
        return VerifiedHandoff(email, iat, jti, account_id, auth_url)


def wall_clock() -> float:
    """Return `time.time()`, looked up at each call."""
    return time.time()
