"""The verifier of hand-offs."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import ceil
from threading import Lock

from sso_middleware._secret import Secret
from sso_middleware.errors import ConfigError
from sso_middleware.helpdesk.settings import HS256, LONGEST_BACKDATE, problems_of, signing_key
from sso_middleware.sandbox.verifier import claims, parameters, signature, tokens
from sso_middleware.sandbox.verifier.replays import UsedTokens
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

    __slots__ = ("_account_id", "_auth_url", "_clock", "_latest", "_lock", "_sso_token", "_used", "rules")

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
        del sso_token  # from tracebacks with locals, too
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
        self._lock = Lock()
        self.reset()

    def __repr__(self) -> str:  # also after a failed __init__, for tracebacks with locals
        account_id, auth_url = getattr(self, "_account_id", None), getattr(self, "_auth_url", None)
        return f"{type(self).__name__}({account_id=!r}, {auth_url=!r})"

    def reset(self) -> None:
        """Forget used tokens and the latest time."""
        with self._lock:
            self._used = UsedTokens(self.rules.remembered)
            self._latest = float("-inf")

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
        token, account_id, auth_url = tokens.parameters_of(url)
        self._check_account(account_id)
        self._check_auth_url(auth_url)
        self._check_length(token)
        read = tokens.read(token)
        self._check_signature(read)
        email, iat, jti = claims.check(tokens.claims_of(read), self.rules.shortest_jti)
        with self._lock:
            self._check_time(iat)
            if self.rules.jti_once:
                self._use_up(jti, iat)
        return VerifiedHandoff(email, iat, jti, self._account_id, self._auth_url)

    def _check_account(self, account_id: str) -> None:
        if account_id == self._account_id:
            return
        if self._sso_token() in account_id:
            hint = "The SSO Token was sent as the Account ID: they are swapped. Create a new SSO Token."
        elif account_id.strip().lower() == self._account_id.lower():
            hint = "It only differs in whitespace or case: copy it unchanged from the vendor's panel."
        else:
            hint = f"This Help Desk is account {self._account_id}: copy the Account ID from its panel."
        raise HandoffRejected(
            "unknown_account",
            f"There is no account {parameters.shown(account_id, self._sso_token())} here; Account IDs are "
            "compared character by character (assumed).",
            hint,
        )

    def _check_auth_url(self, auth_url: str) -> None:
        if auth_url == self._auth_url:
            return
        auth_url = auth_url.replace(self._sso_token(), "[SSO Token]")
        raise HandoffRejected(
            "auth_url_mismatch",
            f"auth_url is {parameters.shown(auth_url)}, but {self._auth_url} is registered; the two are "
            "compared character by character (assumed).",
            f"{parameters.of_urls(self._auth_url, auth_url)} Use the same URL in the vendor's panel and in "
            "your settings.",
        )

    def _check_length(self, token: str) -> None:
        if len(token) > self.rules.longest_token:
            raise HandoffRejected(
                "token_too_long",
                f"The token has {len(token)} characters; {self.rules.longest_token} are allowed (assumed).",
                "Send only the claims email, iat and jti, without a profile or permissions.",
            )

    def _check_signature(self, token: tokens.Token) -> None:
        key = Secret(self.rules.key_of(self._sso_token()))
        if HS256.verify(token.message, signing_key(key), token.signature):
            return
        mistake = signature.explain(self._sso_token(), self._account_id, token.message, token.signature)
        if mistake:
            what, remedy, depends = mistake
            rule = "the unchanged token" if self.rules.key == "raw" else "its md5"
            raise HandoffRejected(
                "bad_signature",
                f"The JWT is signed with {what}."
                + (f" The key here is {rule} (assumed)." if depends else ""),
                remedy,
            )
        raise HandoffRejected(
            "bad_signature",
            "The JWT is not signed with this account's SSO Token or a common variation of it.",
            "Another key was used, or the JWT was changed after signing. Copy the SSO Token of this account "
            "from the vendor's panel again, and restart the application.",
        )

    def _check_time(self, iat: int) -> None:
        clock = self._clock()
        now = self._latest = max(self._latest, clock)
        if iat > now + self.rules.leeway:
            seconds = iat - int(now)
            remedy = (
                f", or set backdate (HELPDESK_BACKDATE) to {seconds}" if seconds <= LONGEST_BACKDATE else ""
            )
            raise HandoffRejected(
                "issued_in_future",
                f"iat is {seconds:,} seconds in the future; {self.rules.leeway:g} are tolerated (assumed).",
                parameters.of_clocks(seconds, iat, int(now), self.rules.freshness)
                or f"Your server's clock is {seconds:,} seconds ahead: synchronize it (NTP){remedy}.",
            )
        if iat >= now - self.rules.oldest:
            return
        seconds = ceil(now) - iat
        hint = parameters.of_clocks(-seconds, iat, int(now), self.rules.freshness) or (
            "Sign a new token for each redirect, and send it at once. If you already do, your server's clock "
            f"is {seconds:,} seconds behind: synchronize it (NTP)."
        )
        if now - clock > 1:
            hint += (
                f" This Help Desk's clock moved back {ceil(now - clock)} seconds; stale tokens stay stale."
            )
        raise HandoffRejected(
            "stale",
            f"It was issued {seconds:,} seconds ago; a token is valid for {self.rules.oldest:g} (assumed).",
            hint,
        )

    def _use_up(self, jti: str, iat: int) -> None:
        self._used.forget(self._latest - self.rules.oldest)
        if jti in self._used:
            raise HandoffRejected(
                "replayed",
                "This jti was used before; each is valid for one sign-in (assumed).",
                "Sign a new token for each visit. The Back button, a prefetch or an email link scanner may "
                "have opened this URL before, or the token was cached.",
            )
        if self._used.is_full():
            raise HandoffRejected(
                "replayed",
                f"{self.rules.remembered} tokens were used within {self.rules.freshness:g} seconds, and no "
                "more can be remembered. This one may be a replay, so it is refused (assumed).",
                "Wait a moment, or reset the sandbox.",
            )
        self._used.add(jti, iat)


def wall_clock() -> float:
    """Return `time.time()`, looked up at each call."""
    return time.time()
