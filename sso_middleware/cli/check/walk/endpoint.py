"""Where an application hands its visitors off: in SSOMiddleware, or in a route of its own."""

from __future__ import annotations

from secrets import token_hex
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from sso_middleware._urls import decoded_path_of, encode_path, is_below, is_same_origin, origin_of
from sso_middleware.cli.check.walk.browser import Browser, Client, Reply
from sso_middleware.helpdesk import HelpDesk

_SEE_OTHER = 303
_NOT_THERE = frozenset({None, 404, 405, 410})


class Endpoint(NamedTuple):
    """Where an application hands its visitors off.

    Attributes:
        helpdesk: the account; `None` if a callable chooses it.
        path: the public path.
        root_path: the mount prefix that the server announces.
        wrapped: whether SSOMiddleware answers there, not a route of the application.
        resumes: whether `resume_at` is set.
        takes_over_logout: whether SSOMiddleware answers the Logout URL.
        looked_for: what identifies visitors, in a few words each.
    """

    helpdesk: HelpDesk | None
    path: str
    root_path: str
    wrapped: bool = True
    resumes: bool = False
    takes_over_logout: bool = False
    looked_for: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        """The URL to visit; without a fixed account, any host must work."""
        auth_url = self.helpdesk.auth_url if self.helpdesk else "https://localhost"
        query = urlsplit(auth_url).query
        return f"{origin_of(auth_url)}{encode_path(self.path)}{query and '?'}{query}"

    def is_same_site(self, url: str) -> bool:
        """Whether `url` has the origin of the application."""
        return is_same_origin(url, self.url)

    def is_inside(self, url: str) -> bool:
        """Whether the application answers `url`."""
        return self.is_same_site(url) and is_below(self.root_path, decoded_path_of(url))

    def hands_off(self, reply: Reply) -> bool:
        """Whether `reply` is a hand-off."""
        return reply.outcome == "handed_off" if self.wrapped else self.leads_to_helpdesk(reply)

    def leads_to_helpdesk(self, reply: Reply) -> bool:
        """Whether `reply` sends the browser to the Help Desk with a token for this account."""
        if reply.status != _SEE_OTHER:
            return False
        sent = parse_qs(urlsplit(reply.location).query)
        if self.helpdesk is None:
            return "token" in sent
        expected = self.helpdesk.handoff("somebody@example.invalid").url
        return (
            reply.location.partition("token=")[0] == expected.partition("token=")[0]
            and sent.get("account_id") == [self.helpdesk.account_id]
            and sent.get("auth_url") == [self.helpdesk.auth_url]
        )


def find_route(client: Client, helpdesk: HelpDesk, root_path: str) -> Endpoint | None:
    """Check whether the application answers the Auth URL differently from a path that does not exist."""
    path = decoded_path_of(helpdesk.auth_url)
    replies = [
        Browser(client).open(f"{origin_of(helpdesk.auth_url)}{encode_path(each)}")
        for each in (path, f"{path.rstrip('/')}-{token_hex(4)}")
    ]
    there, elsewhere = [(reply.status, reply.location.partition("?")[0]) for reply in replies]
    if there[0] in _NOT_THERE or there == elsewhere:
        return None
    return Endpoint(helpdesk, path, root_path, wrapped=False)
