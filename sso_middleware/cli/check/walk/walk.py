"""Walking through the real application in process, step by step until one is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode, urljoin, urlsplit

from sso_middleware._urls import decoded_path_of, encode_path, origin_of
from sso_middleware.cli.check.findings import Finding, Step, found
from sso_middleware.cli.check.walk.browser import BROWSER_HEADERS, Browser, Client, Reply, Trail
from sso_middleware.cli.check.walk.endpoint import Endpoint
from sso_middleware.cli.check.walk.login_page import LoginPage, depth_of, is_no_page
from sso_middleware.resolvers.proxy import (
    AUTHELIA,
    AUTHENTIK,
    OAUTH2_PROXY,
    OAUTH2_PROXY_AUTH_REQUEST,
    TAILSCALE,
    VOUCH,
)

SIGNED_IN_VISIT = "signed-in visit"  # the name of a step
_NOT_SIGNED_IN = "not walked: pass the Cookie header of a signed-in user with --cookie"
_UNTRUSTED = "untrusted_proxy"  # trusted_header's reason for a request that bypasses the proxy
_AN_ERROR = 400
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
    """Visits an application as users do.

    Args:
        client: makes the visits.
        endpoint: where visitors are handed off.
        cookie: the Cookie header of a signed-in user, or `None`.
    """

    def __init__(self, client: Client, endpoint: Endpoint, cookie: str | None) -> None:
        self._client = client
        self._endpoint = endpoint
        self._helpdesk = endpoint.helpdesk
        self._path = endpoint.path
        self._cookie = cookie

    def steps(self) -> Iterator[Step]:
        """Make the visits, and stop each chain at its first wrong step."""
        yield from self._anonymous()
        if self._cookie is None:
            yield Step(SIGNED_IN_VISIT, _NOT_SIGNED_IN, walked=False)
        else:
            yield self._signed_in(self._cookie)
        if self._helpdesk is not None and self._helpdesk.logout_url is not None:
            yield self._logout(self._helpdesk.logout_url)

    def _anonymous(self) -> Iterator[Step]:
        name = "anonymous visit"
        browser = Browser(self._client)
        reply = browser.open(self._endpoint.url)
        if problem := self._common_problem(reply, "without a cookie"):
            yield Step(name, reply.said, problem)
        elif self._endpoint.hands_off(reply):
            who = "resolver returned" if self._endpoint.wrapped else "route hands off"
            yield Step(name, reply.said, found("SSO.E042", f"the {who} {reply.email}"))
        elif reply.is_failure:
            yield Step(name, reply.said, found("SSO.E040", f"{self._path} answers {reply.said}"))
        elif is_no_page(reply):
            yield Step(name, reply.said, found("SSO.E043", f"{self._path} answers {reply.said}"))
        else:
            yield Step(name, reply.said)
            if reply.target:
                yield self._login_page(browser, reply.target)
            yield self._forged_header()

    def _login_page(self, browser: Browser, url: str) -> Step:
        name = "login page"
        outside, trail = url, None
        if self._endpoint.is_inside(url):
            trail = browser.follow(url, self._endpoint.is_inside)
            outside = "" if trail.is_circle else trail.last.target
        if outside and self._endpoint.is_same_site(outside):
            said = f"{decoded_path_of(outside)} is not below {self._endpoint.root_path}"
            return Step(name, f"{said}: not visited", found("SSO.W057", said), walked=False)
        if trail is None:
            return _elsewhere(name, url)
        return Step(name, trail.said, self._judge_login(trail))

    def _judge_login(self, trail: Trail) -> Finding | None:
        first, last = trail.replies[0], trail.last
        start, path, query = urlsplit(first.url).path, urlsplit(last.url).path, urlsplit(last.url).query
        if trail.is_circle:
            return found("SSO.E050", f"{start} answers {trail.said}, repeatedly")
        if last.is_failure:
            return found("SSO.E040", f"the login page {path} {last.error or f'answers {last.said}'}")
        if last.outcome == "handed_off":
            return found("SSO.E042", f"{start} signs everyone in as {last.email}")
        if is_no_page(last):
            return found("SSO.E043", f"the login page {path} answers {last.said}")
        if depth_of(self._path, query):
            return found("SSO.I051", f"{path}?{query}")
        return self._judge_form(last, first.url)

    def _judge_form(self, reply: Reply, login_url: str) -> Finding | None:
        page = LoginPage(reply.html)
        form = page.form
        if form is None:  # made by a script, perhaps
            return None
        path, target = urlsplit(reply.url).path, self._helpdesk and self._helpdesk.sso_auth_url
        if target and page.blocks(reply.headers.get_list("content-security-policy"), reply.url, target):
            return found("SSO.E056", f"form-action on {path} blocks {origin_of(target)}")
        if self._endpoint.resumes or form.holds(self._path, reply.url):
            return None
        action = urlsplit(urljoin(reply.url, form.action or reply.url)).path
        said = (
            f"the form on {path} posts to {action} without {self._path}; its fields: "
            f"{', '.join(form.names) or 'only a password'}"
        )
        kept = next((name for name in form.names if self._is_kept_as(name, login_url)), None)
        return found("SSO.W055", said, case="kept", name=kept) if kept else found("SSO.W055", said)

    def _is_kept_as(self, name: str, login_url: str) -> bool:
        """Whether the login page keeps a return address passed as the parameter `name`."""
        start = login_url.partition("?")[0]
        query = urlencode({name: encode_path(self._path)})
        last = Browser(self._client).follow(f"{start}?{query}", self._endpoint.is_inside).last
        form = LoginPage(last.html).form
        return form is not None and form.holds(self._path, last.url)

    def _forged_header(self) -> Step:
        name = "forged identity headers"
        read = self._names_read()
        together = self._forge(*_IDENTITY_HEADERS)
        singly = read
        if self._endpoint.wrapped and together.outcome != "anonymous":
            singly = [*_IDENTITY_HEADERS, *read]
        replies = {header: self._forge(header) for header in singly}
        believed = [header for header, reply in replies.items() if self._endpoint.hands_off(reply)]
        if self._endpoint.hands_off(together) and _IDENTITY_HEADERS.keys().isdisjoint(believed):
            believed = [*_IDENTITY_HEADERS, *believed]  # only together
        if believed:
            return Step(name, "trusted", found("SSO.W048", f"{', '.join(believed)} from any client"))
        guarded = [header for header, reply in replies.items() if reply.reason == _UNTRUSTED]
        reminder = found("SSO.I049", ", ".join(guarded)) if guarded else None
        return Step(name, f"not trusted: {len(_IDENTITY_HEADERS)} common ones", reminder)

    def _names_read(self) -> list[str]:
        """Return the names of the headers that a WSGI application reads, without those tried anyway."""
        asked: set[str] = set()
        Browser(self._client).open(self._endpoint.url, asked=asked)
        return sorted(asked - {name.title() for name in (*_IDENTITY_HEADERS, *BROWSER_HEADERS, "Host")})

    def _forge(self, *names: str) -> Reply:
        headers = [(name, _IDENTITY_HEADERS.get(name, _FORGED)) for name in names]
        return Browser(self._client).open(self._endpoint.url, headers)

    def _signed_in(self, cookie: str) -> Step:
        reply = Browser(self._client).open(self._endpoint.url, [("Cookie", cookie)])
        problem = self._common_problem(reply, "with the cookie") or self._why_not_handed_off(reply, cookie)
        said = reply.said if problem else f"{reply.said}, as {reply.email}"
        return Step(SIGNED_IN_VISIT, said, problem)

    def _why_not_handed_off(self, reply: Reply, cookie: str) -> Finding | None:
        if reply.outcome == "anonymous":
            came = ", ".join(part.partition("=")[0].strip() for part in cookie.split(";"))
            looked = "; ".join(filter(None, [*self._endpoint.looked_for, reply.missed]))
            said = f"; it looked for {looked}" if looked else ""
            message = f"the resolver returned None despite the cookie{said}; cookies received: {came}"
            return found("SSO.E045", message)
        if self._endpoint.leads_to_helpdesk(reply):
            return None
        message = f"the visitor's browser gets {reply.said}"
        if self._endpoint.wrapped:
            return found("SSO.E044", message)
        return found("SSO.E045", message, case="route")

    def _logout(self, url: str) -> Step:
        name = "logout"
        if not (self._endpoint.is_same_site(url) or self._endpoint.takes_over_logout):
            return _elsewhere(name, url)
        # Without the cookie, so that the user's session is not ended.
        trail = Browser(self._client).follow(url, self._endpoint.is_inside)
        said, last = trail.said, trail.last
        ours = trail.replies[0].outcome == "signed_out"
        visited = [decoded_path_of(reply.url) for reply in trail.replies]
        finding = None
        if last.status is None:
            finding = found("SSO.E040", f"{last.url} {last.said}")
        elif trail.is_circle or (self._path in visited and not ours):
            finding = found("SSO.E052", f"{url} answers {said}")
        elif last.status >= _AN_ERROR and not last.wants_sign_in:
            finding = found("SSO.E047", f"{last.url} answers {last.said}", case="then" if ours else "")
        elif ours:
            said += "; not tested whether the session ends, because this visit is made without the cookie"
        elif last.wants_sign_in or depth_of(visited[0], urlsplit(last.url).query) is not None:
            finding = found("SSO.W053", f"{url} answers {said}")
        else:
            finding = found("SSO.I054", f"{url} answers {said}")
        return Step(name, said, finding)

    def _common_problem(self, reply: Reply, who: str) -> Finding | None:
        if reply.status is None:
            return found("SSO.E040", f"a visit {who} {reply.said}")
        if reply.outcome is None and self._endpoint.wrapped:
            wrong = "SSO.E040" if reply.is_failure else "SSO.E041"
            return found(wrong, f"a visit {who} is answered with {reply.said}, not by SSOMiddleware")
        if reply.outcome in ("refused", "unavailable"):
            return found("SSO.E046", f"a visit {who} is refused: {reply.reason}")
        return None


def _elsewhere(name: str, url: str) -> Step:
    return Step(name, f"{origin_of(url)} is another site: not visited", walked=False)
