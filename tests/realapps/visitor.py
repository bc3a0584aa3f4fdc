"""A visitor with a browser, less its scripts: cookies, forms, redirects; and a proxy that strips a prefix."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx

NAVIGATION = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Accept": "text/html"}
UNSENT = {"checkbox", "submit", "button", "radio"}


class Forms(HTMLParser):
    """The forms of a page: their attributes, and the fields as a browser would send them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[dict, dict]] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag == "form":
            self.found.append((attributes, {}))
        elif tag == "input" and self.found and attributes.get("type") not in UNSENT:
            self.found[-1][1][attributes.get("name")] = attributes.get("value") or ""


class Proxy(httpx.HTTPTransport):
    """Takes a mount prefix off the path, as nginx does for a server that is told of it."""

    def __init__(self, prefix: str) -> None:
        super().__init__(limits=httpx.Limits(max_keepalive_connections=0))
        self.prefix = prefix.encode()

    def handle_request(self, request):
        path = request.url.raw_path
        assert path.startswith(self.prefix + b"/"), f"the visitor was sent outside the prefix, to {path!r}"
        request.url = request.url.copy_with(raw_path=path.removeprefix(self.prefix))
        return super().handle_request(request)


class Visitor:
    """Goes where redirects lead, as far as they stay with the application.

    Args:
        base_url: of the application's server.
        stripped: the mount prefix that a proxy before it takes off.
    """

    def __init__(self, base_url: str, stripped: str = "") -> None:
        self.base_url = self.url = base_url
        self.client = httpx.Client(headers=NAVIGATION, timeout=30, transport=Proxy(stripped))
        self.page = ""

    @property
    def cookies(self) -> dict[str, str]:
        return {cookie.name: cookie.value for cookie in self.client.cookies.jar}

    def take(self, cookies: dict[str, str]) -> None:
        """Have these cookies, and no other."""
        self.client.cookies = httpx.Cookies(cookies)

    def go(self, url: str, method: str = "GET", **options) -> str:
        """Open an address and follow; return that of the page where it ended, or the first one elsewhere."""
        self.url = urljoin(self.url, url)
        response = self.client.request(method, self.url, **options)
        for _ in range(10):
            if not response.has_redirect_location:
                break
            location = urljoin(self.url, response.headers["location"])
            if not location.startswith(f"{self.base_url}/"):
                return location
            self.url = location
            response = self.client.get(self.url)
        else:
            raise AssertionError(f"a circle of redirects, at last to {self.url}")
        assert response.status_code < 400, f"{response.status_code} at {self.url}: {response.text[:2000]}"
        self.page = response.text
        return self.url

    def submit(self, fields: dict[str, str]) -> str:
        """Fill in the page's form that has these fields, and send it."""
        forms = [form for form in Forms(self.page).found if fields.keys() <= form[1].keys()]
        assert forms, f"no form with {[*fields]} at {self.url}: {self.page[:2000]}"
        attributes, values = forms[0]
        return self.go(attributes.get("action") or self.url, "POST", data=values | fields)
