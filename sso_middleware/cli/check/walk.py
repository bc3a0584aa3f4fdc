"""Walking through the real application, in process: each link of the chain until one is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

from sso_middleware._urls import encode_path, origin_of
from sso_middleware.cli.check.application import Located
from sso_middleware.cli.check.browser import HEADERS, Answer, Browser
from sso_middleware.cli.check.client import Client
from sso_middleware.cli.check.rules import Finding, found
from sso_middleware.cli.check.trail import Hop, Step, follow, is_no_page, login_step, logout_step
from sso_middleware.resolvers.proxy import (
    AUTHELIA,
    AUTHENTIK,
    OAUTH2_PROXY,
    OAUTH2_PROXY_AUTH_REQUEST,
    TAILSCALE,
    VOUCH,
)

_SEE_OTHER = 303
_SERVER_ERROR = 500
_NOT_SIGNED_IN = "not walked: pass the Cookie header of somebody who is signed in, by --cookie"
_UNTRUSTED = "untrusted_proxy"  # as trusted_header refuses what does not come from the proxy
_FORGED = "sso-middleware-check@example.invalid"
_IDENTITY_HEADERS = dict.fromkeys(
    (
        AUTHELIA,
        AUTHENTIK,
        "Cf-Access-Authenticated-User-Email",
        OAUTH2_PROXY,
        OAUTH2_PROXY_AUTH_REQUEST,
        "Remote-User",
        TAILSCALE,
        VOUCH,
        "X-Email",
        "X-Forwarded-User",
        "X-MS-Client-Principal-Name",
        "X-Remote-User",
        "X-User-Email",
    ),
    _FORGED,
) | {"X-Goog-Authenticated-User-Email": f"accounts.google.com:{_FORGED}"}


class Walk:
    """Visits an application as people would.

    Args:
        client: makes the visits.
        located: the SSOMiddleware in question.
        root_path: the mount prefix the server announces.
        cookie: the Cookie header of somebody who is signed in, if there is one.
    """

    def __init__(self, client: Client, located: Located, root_path: str, cookie: str | None) -> None:
        self._client = client
        self._helpdesk = located.helpdesk
        self._cookie = cookie
        # Where no account is fixed, any host must do.
        auth_url = self._helpdesk.auth_url if self._helpdesk else "https://localhost"
        self._origin = origin_of(auth_url)
        public, relative = located.paths("handoff")
        self._path = min(public) if public else root_path + min(relative)
        query = urlsplit(auth_url).query
        self._url = f"{self._origin}{encode_path(self._path)}{query and '?'}{query}"
        self._takes_over_logout = any(located.paths("logout"))

    def steps(self) -> Iterator[Step]:
        """Make the visits; each chain ends at its first wrong link."""
        yield from self._anonymous()
        if self._cookie is None:
            yield Step("signed-in visit", _NOT_SIGNED_IN, walked=False)
        else:
            yield self._signed_in(self._cookie)
        if self._helpdesk is not None and self._helpdesk.logout_url is not None:
            yield self._logout(self._helpdesk.logout_url)

    def _anonymous(self) -> Iterator[Step]:
        name = "anonymous visit"
        browser = Browser(self._client)
        answer = browser.open(self._url)
        if problem := _common_problem(answer, "without a cookie"):
            yield Step(name, answer.said, problem)
        elif answer.outcome == "handed_off":
            yield Step(name, answer.said, found("SSO.E042", f"the resolver returned {answer.email}"))
        elif is_no_page(answer):
            yield Step(name, answer.said, found("SSO.E043", f"{self._path} answers {answer.said}"))
        else:
            yield Step(name, answer.said)
            if login_page := Hop(self._url, answer).target:
                yield self._login_page(browser, login_page)
            yield self._forged_header()

    def _login_page(self, browser: Browser, url: str) -> Step:
        if origin_of(url) != self._origin:
            return _elsewhere("login page", url)
        return login_step(follow(browser, url, self._origin), self._path)

    def _forged_header(self) -> Step:
        name = "forged identity headers"
        read = self._names_read()
        together = self._forge(*_IDENTITY_HEADERS)
        singly = read if together.outcome == "anonymous" else [*_IDENTITY_HEADERS, *read]
        answers = {header: self._forge(header) for header in singly}
        believed = [header for header, answer in answers.items() if answer.outcome == "handed_off"]
        if together.outcome == "handed_off" and _IDENTITY_HEADERS.keys().isdisjoint(believed):
            believed = [*_IDENTITY_HEADERS, *believed]  # no one of them does by itself
        if believed:
            return Step(name, "believed", found("SSO.W048", f"{', '.join(believed)} from anybody"))
        tried = ", ".join([f"{len(_IDENTITY_HEADERS)} common ones", *read])
        guarded = [header for header, answer in answers.items() if answer.reason == _UNTRUSTED]
        reminder = found("SSO.I049", ", ".join(guarded)) if guarded else None
        return Step(name, f"not believed: {tried}", reminder)

    def _names_read(self) -> list[str]:
        """Return the names of the headers that a WSGI application looks for, less those tried anyway."""
        asked: set[str] = set()
        Browser(self._client).open(self._url, asked=asked)
        return sorted(asked - {name.title() for name in (*_IDENTITY_HEADERS, *HEADERS, "Host")})

    def _forge(self, *names: str) -> Answer:
        headers = [(name, _IDENTITY_HEADERS.get(name, _FORGED)) for name in names]
        return Browser(self._client).open(self._url, headers)

    def _signed_in(self, cookie: str) -> Step:
        name = "signed-in visit"
        answer = Browser(self._client).open(self._url, [("Cookie", cookie)])
        problem = _common_problem(answer, "with the cookie")
        if problem is None and answer.outcome == "anonymous":
            problem = found("SSO.E045", "the resolver returned None in spite of the cookie")
        if problem is None and not self._leads_to_the_helpdesk(answer):
            problem = found("SSO.E044", f"the visitor's browser gets {answer.said}")
        if problem:
            return Step(name, answer.said, problem)
        return Step(name, f"{answer.said}, as {answer.email}")

    def _leads_to_the_helpdesk(self, answer: Answer) -> bool:
        if answer.status != _SEE_OTHER:
            return False
        sent = parse_qs(urlsplit(answer.location).query)
        if self._helpdesk is None:
            return "token" in sent
        expected = self._helpdesk.handoff("somebody@example.invalid").url
        return (
            answer.location.partition("token=")[0] == expected.partition("token=")[0]
            and sent.get("account_id") == [self._helpdesk.account_id]
            and sent.get("auth_url") == [self._helpdesk.auth_url]
        )

    def _logout(self, logout_url: str) -> Step:
        if origin_of(logout_url) != self._origin and not self._takes_over_logout:
            return _elsewhere("logout", logout_url)
        # Without the cookie: the session it stands for is somebody's.
        return logout_step(follow(Browser(self._client), logout_url, self._origin), self._path)


def _elsewhere(name: str, url: str) -> Step:
    return Step(name, f"{origin_of(url)} is another site: not visited", walked=False)


def _common_problem(answer: Answer, who: str) -> Finding | None:
    if answer.status is None:
        return found("SSO.E040", f"a visit {who} {answer.said}")
    if answer.outcome is None:
        wrong = "SSO.E040" if answer.status >= _SERVER_ERROR else "SSO.E041"
        return found(wrong, f"a visit {who} is answered {answer.said}, and not by SSOMiddleware")
    if answer.outcome in ("refused", "unavailable"):
        return found("SSO.E046", f"a visit {who} is refused: {answer.reason}")
    return None
