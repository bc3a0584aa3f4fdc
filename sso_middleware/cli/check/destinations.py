"""Where the walk leads to: the login page and the Logout URL, redirects followed."""

from __future__ import annotations

from urllib.parse import urlsplit

from sso_middleware._urls import decoded_path_of
from sso_middleware.cli.check.following import Trail, depth_of
from sso_middleware.cli.check.rules import found
from sso_middleware.cli.check.steps import Step, is_no_page

_AN_ERROR = 400
_WANTS_SIGN_IN = frozenset({401, 403})


def login_step(trail: Trail, auth_path: str) -> Step:
    """Judge where an anonymous visitor is sent to sign in.

    Args:
        trail: the visits from the login page on.
        auth_path: the path of the Auth URL, where the visitor comes from and is to return to.
    """
    name = "login page"
    first, last = trail.hops[0], trail.last
    path = urlsplit(last.url).path
    finding = None
    if trail.is_circle:
        finding = found("SSO.E050", f"{urlsplit(first.url).path} answers {trail.said}, and so on")
    elif last.visit.reply is None:
        finding = found("SSO.E040", f"the login page {path} {last.visit.said}")
    elif last.visit.outcome == "handed_off":
        finding = found("SSO.E042", f"{urlsplit(first.url).path} signs everybody in as {last.visit.email}")
    elif is_no_page(last.visit):
        finding = found("SSO.E043", f"the login page {path} answers {last.visit.said}")
    elif depth_of(auth_path, urlsplit(last.url).query):
        finding = found("SSO.I051", f"{path}?{urlsplit(last.url).query}")
    return Step(name, trail.said, finding)


def logout_step(trail: Trail, auth_path: str) -> Step:
    """Judge where the Help Desk sends its visitors after they log out.

    Args:
        trail: the visits from the Logout URL on, by somebody who is not signed in.
        auth_path: the path of the Auth URL.
    """
    name = "logout"
    first, last = trail.hops[0], trail.last
    path = decoded_path_of(first.url)
    ours = first.visit.outcome == "signed_out"
    said = trail.said
    finding = None
    if last.visit.reply is None:
        finding = found("SSO.E040", f"{last.url} {last.visit.said}")
    elif trail.is_circle or (trail.touches(auth_path) and not ours):
        finding = found("SSO.E052", f"{first.url} answers {said}")
    elif last.visit.reply.status >= _AN_ERROR and last.visit.reply.status not in _WANTS_SIGN_IN:
        finding = found("SSO.E047", f"{last.url} answers {last.visit.said}")
    elif ours:
        said += "; whether the session ends was not tried: this visit is made without the cookie"
    elif last.visit.reply.status in _WANTS_SIGN_IN or depth_of(path, urlsplit(last.url).query) is not None:
        finding = found("SSO.W053", f"{first.url} answers {said}")
    else:
        finding = found("SSO.I054", f"{first.url} answers {said}")
    return Step(name, said, finding)
