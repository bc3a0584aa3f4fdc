"""Judging a hand-off: as the vendor documents it, and by labelled assumptions where it does not."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import ceil
from threading import Lock

from sso_middleware._secret import Secret
from sso_middleware.errors import ConfigError
from sso_middleware.helpdesk.settings import HS256, LONGEST_BACKDATE, problems_of, signing_key
from sso_middleware.sandbox.verifier import claims, differences, tokens, wrong_keys
from sso_middleware.sandbox.verifier.replays import UsedTokens
from sso_middleware.sandbox.verifier.rules import REMEMBERED, Key, Rules
from sso_middleware.sandbox.verifier.verdicts import HandoffRejected, VerifiedHandoff


class HandoffVerifier:
    """Judges hand-offs to one Help Desk account. Safe to share between threads.

    Time never runs backwards for it: what was stale or used stays so when the clock steps back. The
    class is slotted, so that error trackers show its repr instead of the SSO Token.

    Args:
        sso_token: SSO Token, what the JWT is to be signed with.
        account_id: Account ID.
        auth_url: the Auth URL registered in the panel.
        freshness: seconds for which a token is good, counted from its ``iat`` (assumed).
        leeway: seconds by which clocks may differ, either way (assumed).
        clock: returns the time in seconds since the epoch; default: `time.time`, looked up at each call, so
            that a test may replace it.
        shortest_jti: characters a ``jti`` must have (assumed).
        jti_once: whether a ``jti`` is good for one use (assumed). Only an accepted hand-off uses it up.
        longest_token: characters a JWT may have (assumed), at least 1.
        remembered: used tokens remembered at most, at least 1. When that many were used within `freshness`,
            further ones are rejected, because a replay could not be told.
        key: how the signing key is derived from the SSO Token: ``raw``, unchanged, or ``md5`` (assumed).

    Attributes:
        rules: the settings that are marked as assumed, together.

    Raises:
        ConfigError: naming every wrong setting at once.
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

    def __repr__(self) -> str:  # also of one whose construction failed, for tracebacks with locals
        account_id, auth_url = getattr(self, "_account_id", None), getattr(self, "_auth_url", None)
        return f"{type(self).__name__}({account_id=!r}, {auth_url=!r})"

    def reset(self) -> None:
        """Forget which tokens were used, and how late it has been."""
        with self._lock:
            self._used = UsedTokens(self.rules.remembered)
            self._latest = float("-inf")

    def verify(self, url: str) -> VerifiedHandoff:
        """Judge a hand-off by its whole URL, and use its token up if it is accepted.

        Only the query counts: where the URL points to is not compared.

        Raises:
            HandoffRejected: it would not sign its visitor in.
            TypeError: it is no `str`.
        """
        if not isinstance(url, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            given = type(url).__name__
            del url
            raise TypeError(f"verify() takes the URL of a hand-off, a str, and not {given}")
        try:
            return self._judge(url)
        except HandoffRejected as rejected:
            hint = f"{rejected.setting}: {rejected.hint}" if rejected.setting else rejected.hint
            verdict = HandoffRejected(rejected.code, rejected.message, hint)
        # Raised again and without the argument: no frame of its traceback holds URL or token.
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
            hint = "The SSO Token was sent as the Account ID: the two are swapped. Make a new SSO Token."
        elif account_id.strip().lower() == self._account_id.lower():
            hint = "It differs in white space or letter case only: copy it from the vendor's panel unchanged."
        else:
            hint = f"This Help Desk is account {self._account_id}: copy the Account ID from its panel."
        raise HandoffRejected(
            "unknown_account",
            f"There is no account {differences.shown(account_id, self._sso_token())} here; Account IDs are "
            "compared character by character (assumed).",
            hint,
        )

    def _check_auth_url(self, auth_url: str) -> None:
        if auth_url == self._auth_url:
            return
        auth_url = auth_url.replace(self._sso_token(), "[SSO Token]")
        raise HandoffRejected(
            "auth_url_mismatch",
            f"auth_url is {differences.shown(auth_url)}, and {self._auth_url} is registered; the two are "
            "compared character by character (assumed).",
            f"{differences.of_urls(self._auth_url, auth_url)} Write the same in the vendor's panel and in "
            "your settings.",
        )

    def _check_length(self, token: str) -> None:
        if len(token) > self.rules.longest_token:
            raise HandoffRejected(
                "token_too_long",
                f"The token has {len(token)} characters; {self.rules.longest_token} are allowed (assumed).",
                "Send only the claims email, iat and jti: a profile or a permission list does not belong in "
                "an address.",
            )

    def _check_signature(self, token: tokens.Token) -> None:
        key = Secret(self.rules.key_of(self._sso_token()))
        if HS256.verify(token.message, signing_key(key), token.signature):
            return
        mistake = wrong_keys.explain(self._sso_token(), self._account_id, token.message, token.signature)
        if mistake:
            what, remedy, depends = mistake
            rule = "the token unchanged" if self.rules.key == "raw" else "its md5"
            raise HandoffRejected(
                "bad_signature",
                f"The JWT is signed with {what}."
                + (f" The key here is {rule} (assumed)." if depends else ""),
                remedy,
            )
        raise HandoffRejected(
            "bad_signature",
            "The JWT is not signed with this account's SSO Token, nor with a likely slip of it.",
            "It is another token, or the JWT was changed after signing. Copy the SSO Token of this account "
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
                differences.of_clocks(seconds, iat, int(now), self.rules.freshness)
                or f"Your server's clock is {seconds:,} seconds ahead: set it by NTP{remedy}.",
            )
        if iat >= now - self.rules.oldest:
            return
        seconds = ceil(now) - iat
        hint = differences.of_clocks(-seconds, iat, int(now), self.rules.freshness) or (
            "Sign a new token each time a visitor is sent, and send it at once. If you already do, your "
            f"server's clock is {seconds:,} seconds behind: set it by NTP."
        )
        if now - clock > 1:
            hint += (
                f" This Help Desk's clock moved back {ceil(now - clock)} seconds; stale tokens stay stale."
            )
        raise HandoffRejected(
            "stale",
            f"It was issued {seconds:,} seconds ago; a token is good for {self.rules.oldest:g} (assumed).",
            hint,
        )

    def _use_up(self, jti: str, iat: int) -> None:
        self._used.forget(self._latest - self.rules.oldest)
        if jti in self._used:
            raise HandoffRejected(
                "replayed",
                "This jti was used before; each is good for one sign-in (assumed).",
                "Sign a new token for each visit. The Back button, a prefetch, or a scanner of links in mail "
                "may have opened the same address before; a token kept in a page or cache does the same.",
            )
        if self._used.is_full():
            raise HandoffRejected(
                "replayed",
                f"{self.rules.remembered} tokens were used within {self.rules.freshness:g} seconds, as many "
                "as are remembered here; whether this one was used before cannot be told, and so it is "
                "refused (assumed).",
                "Wait a little, or reset the sandbox.",
            )
        self._used.add(jti, iat)


def wall_clock() -> float:
    """Return the time, by `time.time` as it is at this moment."""
    return time.time()
