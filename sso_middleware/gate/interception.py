"""Which paths are intercepted, and for what purpose.

Paths are compared whole and unchanged, as decoded text: a miss goes to the application, and a wrong
hit would create a token.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

from sso_middleware._text import exact, several
from sso_middleware._urls import (
    decoded_path_of,
    decoded_path_problem,
    is_absolute,
    is_same_origin,
    path_problem,
    target_problem,
)
from sso_middleware.helpdesk import HelpDesk
from sso_middleware.logout import Logout

Purpose: TypeAlias = Literal["handoff", "logout", "resume"]


class Interception:
    """The intercepted paths: `public` ones with the mount prefix, `relative` ones without.

    Args:
        helpdesk: the HelpDesk; `None` if a callable chooses one.
        paths: `None`, a str or several: the app-relative paths of hand-offs.
        login_url: app-relative, absolute or `None`.
        resume_at: `None`, a str or several: the app-relative paths where a login may land.
        logout: a Logout, or `None`.

    Attributes:
        handoffs: the paths of hand-offs, in the order of the settings: keys of `public` or `relative`.
        problems: what is wrong, by setting; if there are any, nothing may be intercepted.
    """

    def __init__(
        self, helpdesk: HelpDesk | None, *, paths: Any, login_url: Any, resume_at: Any, logout: Any
    ) -> None:
        self.public: dict[str, Purpose] = {}
        self.relative: dict[str, Purpose] = {}
        self.problems: dict[str, str] = {}
        self._used: dict[str, str] = {}  # path -> the setting it comes from
        self._add_login(helpdesk, login_url)
        self._add_handoffs(helpdesk, paths)
        self.handoffs: list[str] = [*self.public, *self.relative]
        self._add_logout(helpdesk, logout)
        self._add_resume(resume_at, login_url)
        if not self.problems:
            self._check_targets(helpdesk, login_url, logout)

    def find(self, prefix: str, path: str) -> Purpose | None:
        """Return the purpose of app-relative `path` under mount `prefix`; `None`: not intercepted."""
        relative = self.relative.get(path)
        if relative is not None and relative != "resume":
            return relative
        return self.public.get(prefix + path) or relative  # under a mount, both may match one public path

    def registered(self, prefix: str, path: str) -> str:
        """Return the configured path that app-relative `path` matches."""
        return path if path in self.relative else prefix + path

    def public_path(self, registered: str, prefix: str) -> str:
        """Return a configured path as the browser sees it under mount `prefix`."""
        return registered if registered in self.public else prefix + registered

    def tails(self, spell: Callable[[str], str] = str) -> frozenset[str]:
        """Return every app-relative path that may be intercepted, for a cheap first test.

        Under a mount prefix an application sees the rest of a public path, cut at a slash.

        Args:
            spell: encodes text as the protocol does.
        """
        of_public = {
            path[start:]
            for path in self.public
            for start in range(len(path) + 1)
            if path[start : start + 1] in ("/", "")
        }
        return frozenset(map(spell, of_public.union(self.relative)))

    def prefixed(self) -> frozenset[str]:
        """Return each public path after a mount prefix such as ``app`` or ``/app/``, as uvicorn spells it."""
        after_a_slash = {
            f"{path[:start]}/{path[start:]}"
            for path in self.public
            for start, character in enumerate(path)
            if character == "/"
        }
        return frozenset(path[start:] for path in after_a_slash.union(self.public) for start in (0, 1))

    def _add_login(self, helpdesk: HelpDesk | None, login_url: Any) -> None:
        if login_url is None:
            return
        if problem := target_problem(login_url):
            self.problems["login_url"] = problem
        elif not is_absolute(login_url):
            self._use(decoded_path_of(login_url), "login_url", None)
        elif helpdesk is None:
            self.problems["login_url"] = (
                "must be app-relative if helpdesk is a callable: the return URL would have no origin"
            )

    def _add_handoffs(self, helpdesk: HelpDesk | None, paths: Any) -> None:
        if paths is None:
            if helpdesk is None:
                self.problems["paths"] = "must be set if helpdesk is a callable"
            else:
                self._add_public(helpdesk.auth_url, "handoff", "auth_url")
            return
        for path in self._several(paths, "paths"):
            self._add_relative(path, "handoff", "paths")

    def _add_logout(self, helpdesk: HelpDesk | None, logout: Any) -> None:
        if logout is None:
            return
        if not isinstance(logout, Logout):
            self.problems["logout"] = "must be a Logout, or None"
        elif logout.path is not None:
            self._add_relative(logout.path, "logout", "logout")
        elif helpdesk is not None and helpdesk.logout_url is not None:
            self._add_public(helpdesk.logout_url, "logout", "logout_url")
        else:
            self.problems["logout"] = "has no path: set logout_url (HELPDESK_LOGOUT_URL) or Logout(path=...)"

    def _add_resume(self, resume_at: Any, login_url: Any) -> None:
        if resume_at is None:
            return
        if login_url is None:
            self.problems["resume_at"] = "needs login_url, which sends visitors there: set login_url too"
        # The login page may be one of them: before the login, its visitors are anonymous.
        self._used = {path: setting for path, setting in self._used.items() if setting != "login_url"}
        for path in self._several(resume_at, "resume_at"):
            self._add_relative(path, "resume", "resume_at")

    def _several(self, paths: Any, setting: str) -> list[Any]:
        found = several(paths)
        if not found:
            self.problems[setting] = "is empty: leave it out, or set at least one path"
        return found

    def _add_public(self, url: str, purpose: Purpose, setting: str) -> None:
        path = decoded_path_of(url)
        problem = decoded_path_problem(path)
        if self._use(path, setting, f"its path {problem}" if problem else None):
            self.public[path] = purpose

    def _add_relative(self, path: Any, purpose: Purpose, setting: str) -> None:
        path = exact(path)
        problem = path_problem(path)
        if self._use(path, setting, f"{path!a} {problem}" if problem else None):
            self.relative[path] = purpose

    def _check_targets(self, helpdesk: HelpDesk | None, login_url: Any, logout: Logout | None) -> None:
        """Reject redirects to the intercepted path itself; `_use` already rejects a relative `login_url`."""
        if login_url and is_absolute(login_url) and self._leads_to("handoff", login_url, helpdesk):
            self.problems["login_url"] = "is the Auth URL itself, a redirect loop: set the path of your login"
        if logout is not None and self._leads_to("logout", logout.then, helpdesk):
            self.problems["logout"] = "Logout(then) is the Logout URL itself, a redirect loop: change it"

    def _leads_to(self, purpose: Purpose, target: str, helpdesk: HelpDesk | None) -> bool:
        path = decoded_path_of(target)
        if not is_absolute(target):
            return self.find("", path) == purpose
        if helpdesk is None or self.public.get(path) != purpose:
            return False
        intercepted = helpdesk.auth_url if purpose == "handoff" else helpdesk.logout_url
        return is_same_origin(target, intercepted or "")

    def _use(self, path: Any, setting: str, problem: str | None) -> bool:
        if problem is None and path in self._used:
            problem = f"{path!a} is already used by {self._used[path]}: use a different path for each"
        if problem is None:
            self._used[path] = setting
            return True
        said = self.problems.get(setting)
        self.problems[setting] = f"{said}; {problem}" if said else problem
        return False
