"""Walking through the real application, in process: each link of the chain until one is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

from sso_middleware._urls import origin_of
from sso_middleware.cli.check.application import Located
from sso_middleware.cli.check.client import Client
from sso_middleware.cli.check.destinations import login_step, logout_step
from sso_middleware.cli.check.exchange import Request
from sso_middleware.cli.check.findings import Finding
from sso_middleware.cli.check.following import Cookies, Hop, follow, keep_cookies
from sso_middleware.cli.check.rules import found
from sso_middleware.cli.check.steps import SERVER_ERROR, Step, is_no_page
from sso_middleware.cli.check.visits import Visit, make_visit
from sso_middleware.resolvers.proxy import (
    AUTHELIA,
    AUTHENTIK,
    OAUTH2_PROXY,
    OAUTH2_PROXY_AUTH_REQUEST,
    TAILSCALE,
    VOUCH,
)

_SEE_OTHER = 303
_NOT_SIGNED_IN = "not walked: hand in the Cookie header of somebody who is signed in, by --cookie"
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
        self._root_path = root_path
        self._cookie = cookie
        # Where no account is fixed, any host must do.
        auth_url = self._helpdesk.auth_url if self._helpdesk else "https://localhost"
        self._origin = origin_of(auth_url)
        public, relative = located.paths("handoff")
        self._path = min(public) if public else root_path + min(relative)
        self._query = urlsplit(auth_url).query
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
        visit = self._visit(self._path, self._query)
        if problem := _common_problem(visit, "without a cookie"):
            yield Step(name, visit.said, problem)
        elif visit.outcome == "handed_off":
            yield Step(name, visit.said, found("SSO.E042", f"the resolver returned {visit.email}"))
        elif is_no_page(visit):
            yield Step(name, visit.said, found("SSO.E043", f"{self._path} answers {visit.said}"))
        else:
            yield Step(name, visit.said)
            yield from self._login_page(visit)
            yield self._forged_header()

    def _login_page(self, visit: Visit) -> Iterator[Step]:
        url = Hop(self._origin + self._path, visit).target
        if not url:
            return
        if origin_of(url) != self._origin:
            yield self._elsewhere("login page", url)
            return
        cookies: Cookies = {}
        keep_cookies(visit, cookies)
        yield login_step(follow(self._visit, url, self._origin, cookies), self._path)

    def _elsewhere(self, name: str, url: str) -> Step:
        return Step(name, f"{origin_of(url)} is another site: not visited", walked=False)

    def _forged_header(self) -> Step:
        name = "forged identity headers"
        read = self._names_read()
        together = self._forge(*_IDENTITY_HEADERS)
        singly = read if together.outcome == "anonymous" else [*_IDENTITY_HEADERS, *read]
        visits = {header: self._forge(header) for header in singly}
        believed = [header for header, visit in visits.items() if visit.outcome == "handed_off"]
        if together.outcome == "handed_off" and _IDENTITY_HEADERS.keys().isdisjoint(believed):
            believed = [*_IDENTITY_HEADERS, *believed]  # no one of them does by itself
        if believed:
            return Step(name, "believed", found("SSO.W048", f"{', '.join(believed)} from anybody"))
        tried = ", ".join([f"{len(_IDENTITY_HEADERS)} common ones", *read])
        guarded = [header for header, visit in visits.items() if visit.reason == _UNTRUSTED]
        reminder = found("SSO.I049", ", ".join(guarded)) if guarded else None
        return Step(name, f"not believed: {tried}", reminder)

    def _names_read(self) -> list[str]:
        """Return the names of the headers that an application looks for, less those tried or sent anyway."""
        asked: set[str] = set()
        request = Request(self._origin, self._root_path, self._path, self._query, asked=asked)
        make_visit(self._client, request)
        sent = {name.title() for name in _IDENTITY_HEADERS} | {
            name.title() for name, _ in request.all_headers()
        }
        return sorted(asked - sent)

    def _forge(self, *names: str) -> Visit:
        headers = ((name, _IDENTITY_HEADERS.get(name, _FORGED)) for name in names)
        return self._visit(self._path, self._query, *headers)

    def _signed_in(self, cookie: str) -> Step:
        name = "signed-in visit"
        visit = self._visit(self._path, self._query, ("Cookie", cookie))
        problem = _common_problem(visit, "with the cookie")
        if problem is None and visit.outcome == "anonymous":
            problem = found("SSO.E045", "the resolver returned None in spite of the cookie")
        if problem is None and not self._leads_to_the_helpdesk(visit):
            problem = found("SSO.E044", f"the visitor's browser gets {visit.said}")
        if problem:
            return Step(name, visit.said, problem)
        return Step(name, f"{visit.said}, as {visit.email}")

    def _leads_to_the_helpdesk(self, visit: Visit) -> bool:
        if visit.reply is None or visit.reply.status != _SEE_OTHER:
            return False
        sent = parse_qs(urlsplit(visit.reply.location).query)
        if self._helpdesk is None:
            return "token" in sent
        expected = self._helpdesk.handoff("somebody@example.invalid").url
        return (
            visit.reply.location.partition("token=")[0] == expected.partition("token=")[0]
            and sent.get("account_id") == [self._helpdesk.account_id]
            and sent.get("auth_url") == [self._helpdesk.auth_url]
        )

    def _logout(self, logout_url: str) -> Step:
        if origin_of(logout_url) != self._origin and not self._takes_over_logout:
            return self._elsewhere("logout", logout_url)
        # Without the cookie: the session it stands for is somebody's.
        return logout_step(follow(self._visit, logout_url, self._origin), self._path)

    def _visit(self, path: str, query: str, *headers: tuple[str, str]) -> Visit:
        return make_visit(self._client, Request(self._origin, self._root_path, path, query, headers))


def _common_problem(visit: Visit, who: str) -> Finding | None:
    if visit.reply is None:
        return found("SSO.E040", f"a visit {who} {visit.said}")
    if visit.outcome is None:
        wrong = "SSO.E040" if visit.reply.status >= SERVER_ERROR else "SSO.E041"
        return found(wrong, f"a visit {who} is answered {visit.said}, and not by SSOMiddleware")
    if visit.outcome in ("refused", "unavailable"):
        return found("SSO.E046", f"a visit {who} is refused: {visit.reason}")
    return None
