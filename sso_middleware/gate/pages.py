"""The small HTML pages that visitors may see instead of the Help Desk."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from typing import Literal, NamedTuple, TypeAlias, cast

Reason: TypeAlias = Literal[
    "method_not_allowed",
    "prefetch",
    "embedded",
    "bad_prefix",
    "no_email",
    "invalid_email",
    "unavailable",
    "loop",
]
"""The reason codes of this package's own pages. Resolvers choose their own codes."""


class Page(NamedTuple):
    """The text of a page, and its HTTP status."""

    status: int
    title: str
    what_happened: str
    what_to_do: str
    for_operators: str = ""


_CLOSED = "The Help Desk was not opened"
_OPEN_IT = "Open this address in its own browser tab: follow the link, or copy it into the address bar."

#: By reason code: the requests that this package itself rejects.
_PAGES: dict[Reason, Page] = {
    "method_not_allowed": Page(
        405,
        "This address cannot be used this way",
        "The request used an HTTP method that this address does not accept.",
        _OPEN_IT,
    ),
    "prefetch": Page(
        403,
        "The Help Desk was not preloaded",
        "Your browser asked for this page before you opened it. Each sign-in to the Help Desk works only "
        "once, so none was created.",
        "Open the link when you want to go there.",
    ),
    "embedded": Page(
        403,
        "The Help Desk opens in its own page",
        "This address was fetched by a script or embedded in another page.",
        _OPEN_IT,
    ),
    "bad_prefix": Page(
        400,
        "This address does not belong to this site",
        "The beginning of its path contains characters that this site does not accept.",
        "Go to the start page and try again from there.",
        "The mount prefix (SCRIPT_NAME or root_path) has characters other than letters, digits and . _ ~ - @,"
        " or a segment that is . or ..",
    ),
    "no_email": Page(
        403,
        _CLOSED,
        "You are signed in here, but your account has no email address.",
        "Add an address in your account's settings, or ask the people who run this site to do so.",
    ),
    "invalid_email": Page(
        403,
        _CLOSED,
        "You are signed in here, but the email address of your account cannot be passed on to the Help Desk.",
        "Correct the address in your account's settings, or ask the people who run this site to do so.",
        "The log record says in sso_detail why the address cannot be signed.",
    ),
    "unavailable": Page(
        503,
        "The Help Desk cannot be opened right now",
        "This site cannot check who is signed in at the moment.",
        "Wait a moment, then try again. Nothing is lost.",
    ),
    "loop": Page(
        409,
        "The Help Desk keeps sending you back",
        "You were signed in to the Help Desk several times within seconds, and each time your browser "
        "came back here. To stop the loop, you were not sent there again.",
        "Try again in a minute. If you see this page again, tell the people who run this site.",
        "The Help Desk does not seem to accept the sign-in. Compare the SSO Token, SSO Auth URL, Account ID "
        "and Auth URL with the vendor's panel, and check this server's clock.",
    ),
}

#: By reason code: a resolver's refusals. All other codes get the general page.
_REFUSALS = {
    "email_not_verified": Page(
        403,
        _CLOSED,
        "The email address of your account here has not been confirmed yet.",
        "Confirm it in your account, then try again.",
    ),
    "inactive": Page(
        403,
        _CLOSED,
        "Your account here is not active.",
        "Ask the people who run this site to activate it, and tell them the code below.",
    ),
}
_REFUSED = Page(
    403,
    _CLOSED,
    "You are signed in here, but your account may not use the Help Desk.",
    "If you think it should, contact the people who run this site, and tell them the code below.",
)

_STYLE = (
    ":root{color-scheme:light dark}"
    "body{max-width:34rem;margin:12vh auto;padding:0 1.25rem;font:1.05rem/1.6 system-ui,sans-serif;"
    "color:#1c1e21;background:#fff}"
    "h1{font-size:1.5rem;line-height:1.25}"
    "a{color:#0b57d0}"
    "small{color:#5c6066}"
    "@media (prefers-color-scheme:dark){"
    "body{color:#e6e6e6;background:#17191c}a{color:#8ab4f8}small{color:#a3a8ae}}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

#: The Content-Security-Policy of every page: only its own style, and no frames.
POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def render(reason: str, home: str, *, by_resolver: bool) -> tuple[int, bytes]:
    """Return the status and HTML of the page for `reason`, with a link to `home`."""
    page = _REFUSALS.get(reason, _REFUSED) if by_resolver else _PAGES[cast("Reason", reason)]
    note = f"<p><small>For the people who run this site: {escape(page.for_operators)}</small></p>"
    html = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(page.title)}</title><style>{_STYLE}</style></head><body><main>"
        f"<h1>{escape(page.title)}</h1><p>{escape(page.what_happened)}</p><p>{escape(page.what_to_do)}</p>"
        f'<p><a href="{escape(home)}">Go to the start page</a></p>'
        f"{note if page.for_operators else ''}"
        f"<p><small>Code: {escape(reason)}</small></p></main></body></html>\n"
    )
    return page.status, html.encode()
