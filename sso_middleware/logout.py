"""Answer the Logout URL, where the Help Desk sends the browser after its own logout."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from sso_middleware._text import exact
from sso_middleware._urls import path_problem, target_problem
from sso_middleware.errors import ConfigError

HeaderList: TypeAlias = Iterable[tuple[str, str]]
EndSession: TypeAlias = Callable[[Any], HeaderList | Awaitable[HeaderList]]
"""Takes the environ or scope, ends the session and returns response headers (``Set-Cookie``)."""

TOKEN: re.Pattern[str] = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, section 5.6.2
_COOKIE_PATH = re.compile(r"/[\x20-\x3a\x3c-\x7e]*")  # RFC 6265, section 4.1.1: any other is ignored
_COOKIE_DOMAIN = re.compile(r"\.?[A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Logout:
    """Answer the Logout URL and end the application's session there.

    Args:
        end_session: takes the environ or scope and returns the response headers that end the
            session, as (name, value) pairs of `str`; under ASGI it may be async.
        path: the app-relative path; default: the path of the HelpDesk's `logout_url`.
        then: where to redirect next: app-relative, or an absolute http(s) URL.

    Raises:
        ConfigError: a setting is wrong.
    """

    end_session: EndSession
    path: str | None = field(default=None, kw_only=True)
    then: str = field(default="/", kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", exact(self.path))
        object.__setattr__(self, "then", exact(self.then))
        found = {
            "end_session": None if callable(self.end_session) else "must be a callable",
            "path": None if self.path is None else path_problem(self.path),
            "then": target_problem(self.then),
        }
        problems = {f"Logout({name})": problem for name, problem in found.items() if problem}
        if problems:
            raise ConfigError(problems)


def expire_cookies(
    *names: str, path: str = "/", domain: str | None = None, partitioned: bool = False
) -> Callable[[Any], list[tuple[str, str]]]:
    """Return an `end_session` for applications whose whole session is in cookies.

    It only ends the session in this browser: a copy of the cookie still works. For a session on the
    server, or in a cookie that an outer middleware sends, use an ``end_session`` from `resolvers`.

    Args:
        names: the cookies to expire.
        path: the Path they were set with.
        domain: the Domain they were set with, if any.
        partitioned: whether they were set as Partitioned (CHIPS). Only another Partitioned, and
            therefore Secure, cookie replaces such a cookie.

    Raises:
        ConfigError: no names, or a value that is not allowed in a cookie (RFC 6265).
    """
    problems: dict[str, str] = {}
    if not names or not all(isinstance(name, str) and TOKEN.fullmatch(name) for name in names):
        problems["names"] = "must be one or more cookie names"
    if not (isinstance(path, str) and _COOKIE_PATH.fullmatch(path)):
        problems["path"] = "must start with /, and be printable ASCII without a semicolon"
    if domain is not None and not (isinstance(domain, str) and _COOKIE_DOMAIN.fullmatch(domain)):
        problems["domain"] = "must be a host name, or None"
    if not isinstance(partitioned, bool):
        problems["partitioned"] = "must be True or False"
    if any(str(name).lower().startswith("__host-") for name in names) and (path != "/" or domain is not None):
        problems["names"] = "with __Host- must have path / and no domain, or browsers ignore them"
    if problems:
        raise ConfigError({f"expire_cookies({name})": text for name, text in problems.items()})

    where = f"Path={path}" if domain is None else f"Domain={domain}; Path={path}"
    expired = f"Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; {where}; HttpOnly; SameSite=Lax"

    def header(name: str) -> tuple[str, str]:
        # A browser ignores a Set-Cookie with these prefixes that is not Secure (RFC 6265bis, 4.1.3).
        prefixed = name.lower().startswith(("__host-", "__secure-", "__http-"))
        secure = "; Secure" if prefixed or partitioned else ""
        return "Set-Cookie", f"{name}=; {expired}{secure}{'; Partitioned' if partitioned else ''}"

    headers = [header(name) for name in names]

    def end_session(_: Any) -> list[tuple[str, str]]:
        return [*headers]  # a copy that the caller may extend

    return end_session
