"""`check --online --as EMAIL`: hand-offs for a real user to the real Help Desk, with controls and variants.

Variants are tried if the settings are not accepted. There are at most eight hand-offs, with or without a
token. Redirects and later visits to a page, which carry no token, do not count.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import ssl
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal, NamedTuple, TypeAlias
from urllib.parse import urlencode

import click

from sso_middleware._secret import Secret
from sso_middleware._urls import with_query
from sso_middleware.cli.check.findings import Finding, found
from sso_middleware.cli.check.trial.judging import Ending, Look, Verdict, alike, judge
from sso_middleware.cli.check.trial.visitor import Pace, Visitor
from sso_middleware.cli.options import helpdesk_of
from sso_middleware.cli.output import Exit, never_print, say
from sso_middleware.helpdesk import HelpDesk

_MOST = 8  # hand-offs
_TOO_MANY_REQUESTS = 429

Token: TypeAlias = Literal["none", "random", "signed"]


class Variant(NamedTuple):
    """What is tried: how the key is derived from the SSO Token, and what is sent."""

    key: Literal["raw", "md5"]
    auth_url: str
    email: str


def differences(given: Variant, variant: Variant) -> list[str]:
    """Return what differs between `given` and `variant`."""
    names = {"key": f"{variant.key} key", "auth_url": f"auth_url {variant.auth_url}", "email": variant.email}
    return [said for name, said in names.items() if getattr(given, name) != getattr(variant, name)]


@dataclass
class TriedHandoff:
    """One hand-off, and where it ended.

    Attributes:
        token: how it was signed; "none" and "random" are the controls.
        variant: what was tried; `None` for a control.
        ending: where it ended.
        visitor: the browser that made it.
        verdict: `None` for a control, or if it was not judged.
        why: the reason for the verdict.
    """

    token: Token
    variant: Variant | None
    ending: Ending
    visitor: Visitor = field(repr=False)
    verdict: Verdict | None = None
    why: str = ""


@dataclass
class TrialResult:
    """The result of a trial: `given` are the unchanged settings, `variant` is the accepted one, if any."""

    given: Variant
    verdict: Verdict = "cannot_tell"
    why: str = "the SSO Auth URL cannot be reached"
    variant: Variant | None = None
    handoffs: list[TriedHandoff] = field(default_factory=list[TriedHandoff])

    @property
    def is_unanswered(self) -> bool:
        """Whether the network ended it."""
        return not self.handoffs or self.handoffs[-1].ending.status is None

    def findings(self, prefix: str) -> list[Finding]:
        """Return what is wrong with the settings, which are variables that start with `prefix`."""
        if self.variant is None:
            return [found("SSO.E064" if self.verdict == "not_accepted" else "SSO.W066", self.why)]
        if self.variant == self.given:
            return []
        return [found("SSO.E065", " ".join(_changes(self.given, self.variant, prefix)))]


def confirm(helpdesk: HelpDesk, email: str) -> None:
    """Ask on the terminal whether to make hand-offs for `email`; end the command if not.

    Raises:
        UsageError: there is no terminal.
    """
    if not (sys.stdin and sys.stdin.isatty()):
        raise click.UsageError("--as asks for confirmation: without a terminal, pass --yes.")
    say(
        f"This sends up to {_MOST} hand-offs for {email} to {helpdesk.sso_auth_url}. An accepted one signs "
        "that user in. What happens to an unknown address is not documented, so name an existing user.",
        to_stderr=True,
    )
    if not click.confirm("Send them?", err=True):
        raise SystemExit(Exit.USAGE)


class _Stop(Exception):
    """Ends a trial; the message says why."""


class Trial:
    """Hand-offs for a real user to the real Help Desk.

    Args:
        settings: the account's settings, as `settings_from_environment` returns them.
        email: the user's address.
        pace: the timing.
    """

    def __init__(self, settings: Secret[Mapping[str, Any]], email: str, pace: Pace) -> None:
        self._settings = settings
        self._helpdesk = helpdesk_of(settings())
        self._pace = pace
        self._tls = cache(ssl.create_default_context)  # slow, and not needed for http
        self._variants = _variants(self._helpdesk.auth_url, email)
        self.result: TrialResult = TrialResult(self._variants[0])

    def run(self) -> None:
        """Make the hand-offs, until one is accepted or nothing is left to try."""
        try:
            self._run()
        except _Stop as stop:
            self.result.verdict, self.result.why = "cannot_tell", str(stop)

    def _run(self) -> None:
        result = self.result
        nobody = self._hand_off("none", result.given)
        forged = self._hand_off("random", result.given)
        real = self._hand_off("signed", result.given)
        after = self._hand_off("random", result.given)
        controls = [nobody.ending, forged.ending, after.ending]
        forged_look = self._look(forged)
        for variant in self._variants:
            if variant != result.given:
                real = self._hand_off("signed", variant)
            is_forged = alike(real.ending, forged.ending, controls)
            look = forged_look if is_forged else self._look(real)
            real.verdict, real.why = judge(real.ending, controls, look, forged_look)
            if real.verdict == "accepted":
                result.verdict, result.why, result.variant = real.verdict, real.why, variant
                return
        judged = [tried for tried in result.handoffs if tried.verdict]
        unclear = next((tried for tried in judged if tried.verdict == "cannot_tell"), None)
        result.verdict = "cannot_tell" if unclear else "not_accepted"
        result.why = (unclear or judged[0]).why

    def _hand_off(self, token: Token, variant: Variant) -> TriedHandoff:
        if self.result.handoffs:
            self._pace.sleep(self._pace.pause)
        visitor = self._visitor()
        ending = visitor.open(*self._url(token, variant))
        tried = TriedHandoff(token, variant if token == "signed" else None, ending, visitor)
        self.result.handoffs.append(tried)
        if ending.status is None:
            raise _Stop(ending.stopped)
        if ending.status == _TOO_MANY_REQUESTS:
            raise _Stop("the Help Desk limits requests (429): try again later")
        return tried

    def _look(self, tried: TriedHandoff) -> Look | None:
        if not tried.ending.is_page:
            return None
        self._pace.sleep(self._pace.pause)
        page, visitor = tried.visitor.ended_at(), tried.visitor
        return Look(visitor.open(page), self._visitor().open(page), visitor.open(page))

    def _visitor(self) -> Visitor:
        return Visitor(self._helpdesk, self._pace.patience, self._tls)

    def _url(self, token: Token, variant: Variant) -> tuple[Secret[str], Secret[str] | None]:
        """Return the URL of a new hand-off, and its token."""
        if token == "none":
            query = urlencode({"account_id": self._helpdesk.account_id, "auth_url": variant.auth_url})
            return Secret(with_query(self._helpdesk.sso_auth_url, query)), None
        key: Secret[str] = Secret(self._settings()["sso_token"])
        if token == "random":
            key = Secret(secrets.token_urlsafe(32))
        elif variant.key == "md5":
            key = Secret(hashlib.md5(key().encode(), usedforsecurity=False).hexdigest())
            never_print(key())
        helpdesk = helpdesk_of({**self._settings(), "sso_token": key, "auth_url": variant.auth_url})
        handoff = helpdesk.handoff(variant.email)
        return Secret(handoff.url), Secret(handoff.token)


def _variants(auth_url: str, email: str) -> list[Variant]:
    """Return what to try, in order; the unchanged settings come first."""
    head, mark, query = auth_url.partition("?")
    slash = f"{head[:-1] if head.endswith('/') else f'{head}/'}{mark}{query}"
    tried = [Variant("raw", auth_url, email), Variant("md5", auth_url, email), Variant("raw", slash, email)]
    if email != email.lower():
        tried.append(Variant("raw", auth_url, email.lower()))
    return [*tried, Variant("md5", slash, email)]


def _changes(given: Variant, variant: Variant, prefix: str) -> list[str]:
    """Return how to change the settings to match `variant`, without showing the SSO Token."""
    steps: list[str] = []
    if variant.key != given.key:
        token_file = os.environ.get(f"{prefix}SSO_TOKEN_FILE")
        present = f'"$(cat "${prefix}SSO_TOKEN_FILE")"' if token_file else f'"${prefix}SSO_TOKEN"'
        steps.append(
            "sso_token: set it to the md5 of the SSO Token, 32 lower-case hexadecimal digits. In a shell: "
            f"{prefix}SSO_TOKEN=$(printf %s {present} | md5sum | cut -c1-32)"
            f"{f', without {prefix}SSO_TOKEN_FILE' if token_file else ''}. In Python: "
            "sso_token=hashlib.md5(sso_token.encode()).hexdigest()."
        )
    if variant.auth_url != given.auth_url:
        steps.append(f"auth_url: set {prefix}AUTH_URL={variant.auth_url}.")
    if variant.email != given.email:
        steps.append("resolve_email: return addresses in lower case.")
    return steps
