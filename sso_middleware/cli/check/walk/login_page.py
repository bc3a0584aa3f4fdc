"""Reading a login page: whether its form keeps the return address and may lead to the Help Desk."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html.parser import HTMLParser
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urljoin, urlsplit

from sso_middleware._urls import DEFAULT_PORTS, is_same_origin
from sso_middleware.cli.check.walk.browser import Reply

_NO_PAGE = frozenset({404, 405, 410})
_DEEPEST = 3  # levels of return addresses inside return addresses
_POLICY = "content-security-policy"
_SIGN_IN = re.compile(r"(?i)log-?_?in|sign-?_?in|sso|auth|account")
_HOST_SOURCE = re.compile(r"(?:([a-z][a-z0-9+.-]*)://)?(\*|[^:/]+)(?::(\d+|\*))?(?:/.*)?")


class Field(NamedTuple):
    """A field of a form."""

    name: str
    kind: str
    value: str


class Form(NamedTuple):
    """A form, with `action` as written."""

    action: str
    fields: list[Field]

    @property
    def asks_for_password(self) -> bool:
        """Whether it has a password field."""
        return any(field.kind == "password" for field in self.fields)

    @property
    def names(self) -> list[str]:
        """Return the names of the fields that a page may fill."""
        return [
            field.name for field in self.fields if field.name and field.kind not in ("password", "submit")
        ]

    def holds(self, path: str, url: str) -> bool:
        """Whether submitting the form on the page at `url` sends `path` along."""
        texts = [urljoin(url, self.action or url), *(field.value for field in self.fields)]
        return any(path in unquote(unquote(text)) for text in texts)


class LoginPage(HTMLParser):
    """The forms, links and policies of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self._forms: list[Form] = []
        self._links: list[str] = []
        self._policies: list[str] = []
        self.feed(html)

    @property
    def form(self) -> Form | None:
        """The form that asks for a password, or `None`."""
        return next((form for form in self._forms if form.asks_for_password), None)

    @property
    def offers_login(self) -> bool:
        """Whether a visitor can sign in on this page or on one that it links to."""
        return self.form is not None or any(map(_SIGN_IN.search, self._links))

    def blocks(self, policies: list[str], url: str, target: str) -> bool:
        """Whether a form of the page at `url` may not lead to `target` (CSP Level 3, form-action).

        Args:
            policies: the values of its Content-Security-Policy headers, besides those in the page.
            url: the URL of the page.
            target: the URL of a redirect that answers the form.
        """
        every = [policy for value in [*policies, *self._policies] for policy in value.split(",")]
        sources = [found for policy in every if (found := _form_action(policy)) is not None]
        return any(not any(_allows(source, url, target) for source in each) for each in sources)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record a tag."""
        given = {name: value or "" for name, value in reversed(attrs)}
        if tag == "form":
            self._forms.append(Form(given.get("action", ""), []))
        elif tag in ("input", "button", "select", "textarea") and self._forms:
            kind = given.get("type", "submit" if tag == "button" else "text").lower()
            field = Field(given.get("name", ""), kind, given.get("value", ""))
            self._forms[-1].fields.append(field)
        elif tag == "a":
            self._links.append(given.get("href", ""))
        elif tag == "meta" and given.get("http-equiv", "").lower() == _POLICY:
            self._policies.append(given.get("content", ""))


def is_no_page(reply: Reply) -> bool:
    """Whether the reply gives a visitor no way to continue."""
    if reply.wants_sign_in:
        # The browser may ask for user name and password itself (RFC 9110, section 11.6.1).
        return not ("www-authenticate" in reply.headers or LoginPage(reply.html).offers_login)
    return reply.status in _NO_PAGE


def depth_of(path: str, query: str) -> int | None:
    """Return how deep `path` is in `query`: 0 in a value, 1 in the query of a value."""
    queries: Iterable[str] = [query]
    for depth in range(_DEEPEST):
        values = [unquote(value) for each in queries for _, value in parse_qsl(each)]
        if path in map(_path_in, values):
            return depth
        queries = [value.partition("?")[2] for value in values]
    return None


def _form_action(policy: str) -> list[str] | None:
    """Return the sources of the first form-action, or `None`; it has no fallback."""
    for directive in policy.split(";"):
        name, *sources = directive.lower().split() or [""]
        if name == "form-action":
            return sources
    return None


def _allows(source: str, url: str, target: str) -> bool:
    if source == "'self'":
        return is_same_origin(url, target)
    parts = urlsplit(target)
    if source == "*":
        return True
    if source.endswith(":"):
        return source[:-1] in (parts.scheme, parts.scheme.removesuffix("s"))
    match = _HOST_SOURCE.fullmatch(source)
    if not match:
        return False
    scheme, host, port = match.groups()
    scheme = scheme or urlsplit(url).scheme
    own_host = parts.hostname or ""
    own_port = parts.port or DEFAULT_PORTS.get(parts.scheme)
    return (
        scheme in (parts.scheme, parts.scheme.removesuffix("s"))
        and (own_host.endswith(host[1:]) if host.startswith("*") else own_host == host)
        and (port == "*" or int(port or own_port or 0) == own_port)
    )


def _path_in(value: str) -> str:
    before = value.partition("?")[0].partition("#")[0]
    _, separator, rest = before.partition("://")
    return f"/{rest.partition('/')[2]}" if separator else before
