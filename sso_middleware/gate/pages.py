"""The small HTML pages a visitor may meet instead of the Help Desk."""

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
"""The reason codes of this package's own pages. A resolver's refusal has a code of its own choice."""


class Page(NamedTuple):
    """What a page says, and the HTTP status it is sent with."""

    status: int
    title: str
    what_happened: str
    what_to_do: str
    for_operators: str = ""


_CLOSED = "The Help Desk was not opened"
_OPEN_IT = "Open this address in a browser tab of its own: follow the link, or copy it into the address bar."

#: By reason code: what this package itself turns away.
_PAGES: dict[Reason, Page] = {
    "method_not_allowed": Page(
        405,
        "This address is for opening, not for sending",
        "It was called in a way it does not answer.",
        _OPEN_IT,
    ),
    "prefetch": Page(
        403,
        "The Help Desk was not opened ahead of time",
        "Your browser asked for this page before you opened it. Each sign-in to the Help Desk can be "
        "used once, so none was made.",
        "Open the link when you want to go there.",
    ),
    "embedded": Page(
        403,
        "The Help Desk opens in a page of its own",
        "This address was fetched by a script or embedded in another page.",
        _OPEN_IT,
    ),
    "bad_prefix": Page(
        400,
        "This address is not one of this site",
        "The path in front of it has characters that this site does not redirect to.",
        "Go to the start page and try again from there.",
        "The mount prefix (SCRIPT_NAME or root_path) has characters other than letters, digits and . _ ~ - @",
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
        "The log says why the address cannot be signed: sso_detail of the record.",
    ),
    "unavailable": Page(
        503,
        "The Help Desk cannot be opened just now",
        "This site cannot find out at the moment who is signed in.",
        "Wait a little, then try again. Nothing is lost.",
    ),
    "loop": Page(
        409,
        "The Help Desk keeps sending you back",
        "You were signed in to the Help Desk several times within seconds, and each time your browser "
        "came back here. To end the circle, you were not sent again.",
        "Try once more in a minute. If this page comes back, tell the people who run this site.",
        "The Help Desk does not seem to accept the sign-in. Compare SSO Token, SSO Auth URL, Account ID "
        "and Auth URL with the vendor's panel, and this server's clock with the right time.",
    ),
}

#: By reason code: what a resolver refuses. Any code of its own choice gets the general page.
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
        "To have it activated, ask the people who run this site, and tell them the code below.",
    ),
}
_REFUSED = Page(
    403,
    _CLOSED,
    "You are signed in here, but your account may not use the Help Desk.",
    "If you think it should, ask the people who run this site, and tell them the code below.",
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

#: The Content-Security-Policy of every page: nothing but its own style, in no frame.
POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def render(reason: str, home: str, *, by_resolver: bool) -> tuple[int, bytes]:
    """Return status and HTML of the page for `reason`, with a link to `home`."""
    page = _REFUSALS.get(reason, _REFUSED) if by_resolver else _PAGES[cast("Reason", reason)]
    note = f"<p><small>For the people who run this site: {escape(page.for_operators)}</small></p>"
    html = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(page.title)}</title><style>{_STYLE}</style></head><body><main>"
        f"<h1>{escape(page.title)}</h1><p>{escape(page.what_happened)}</p><p>{escape(page.what_to_do)}</p>"
        f'<p><a href="{escape(home)}">To the start page</a></p>'
        f"{note if page.for_operators else ''}"
        f"<p><small>Code: {escape(reason)}</small></p></main></body></html>\n"
    )
    return page.status, html.encode()
