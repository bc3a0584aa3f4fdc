"""Reading ``HELPDESK_SSO`` out of Django's settings.

No frame here keeps the SSO Token in a local variable, so it is in no traceback with locals.
"""

# Django comes without type information.
# mypy: disable-error-code="import-untyped"
# pyright: reportMissingTypeStubs=false, reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from functools import partial
from typing import Any, NamedTuple

from django.apps import apps
from django.conf import settings
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch, get_script_prefix, set_script_prefix
from django.utils.module_loading import import_string

from sso_middleware._calls import takes
from sso_middleware.errors import ConfigError
from sso_middleware.helpdesk import HelpDesk
from sso_middleware.logout import Logout
from sso_middleware.resolvers._verification import check_settings
from sso_middleware.resolvers.django import allauth_verified

SETTING = "HELPDESK_SSO"

_ALLAUTH = "allauth.account"
_REQUIRED = ("sso_token", "sso_auth_url", "account_id", "auth_url")
_FIELDS = (*_REQUIRED, "logout_url", "forward_params", "backdate", "allow_http")
_SOURCES = ("helpdesk", "resolve_email", "verified")
_OPTIONS = (*_SOURCES, "paths", "login_url", "next_param", "resume_at", "logout", "on_event")

#: In place of what is wrong, so that the rest can be checked all the same. Nothing is ever signed by it.
_STAND_IN: dict[str, Any] = {
    "sso_token": "no token at all, and never used for anything",
    "sso_auth_url": "https://helpdesk.invalid/",
    "account_id": "0",
    "auth_url": "https://app.invalid/sso-middleware-stand-in",
    "logout_url": "https://app.invalid/sso-middleware-stand-in-logout",
}


class Arguments(NamedTuple):
    """What the setting says.

    Attributes:
        helpdesk: a HelpDesk, or the callable that chooses one.
        resolve_email: `None`: the default, with `verified`.
        options: the other arguments of a `Gate` that a user chooses.
        problems: what is wrong with each wrong setting. If there are any, the rest is good for finding
            more of them, and for nothing else.
    """

    helpdesk: Any
    resolve_email: Any
    verified: Any
    options: dict[str, Any]
    problems: dict[str, str]


def read_setting(end_session: Callable[..., Any]) -> Arguments:
    """Read ``HELPDESK_SSO``; `end_session` is what a logout does unless it says otherwise."""
    reader = _Reader()
    logout = reader.logout(end_session)
    return Arguments(
        reader.helpdesk(),
        reader.resolver(),
        reader.verified(),
        {
            "paths": reader.given.get("paths"),
            **reader.login(),
            "next_param": reader.given.get("next_param", "next"),
            "resume_at": reader.given.get("resume_at"),
            "logout": logout,
            "find_then": reader.find_then,
            "on_event": reader.imported("on_event", _STAND_IN.get),
        },
        reader.problems,
    )


class _Reader:
    """Reads one setting after the other, and collects what is wrong.

    Attributes:
        given: the setting without the HelpDesk's fields.
        problems: what is wrong with each wrong setting.
        find_then: where a logout leads, as Django says at a request; `None`: the Logout says it.
    """

    def __init__(self) -> None:
        self.find_then: Callable[[], str] | None = None
        self.problems: dict[str, str] = {}
        self.given: dict[str, Any] = {}
        self._fields: list[str] = []
        self._is_dict = isinstance(getattr(settings, SETTING, None), Mapping)
        if not self._is_dict:
            self.problems[SETTING] = "must be a dict" if hasattr(settings, SETTING) else "is not set"
            return
        for name in settings.HELPDESK_SSO:
            if name in _FIELDS:
                self._fields.append(name)
            elif name in _OPTIONS:
                self.given[name] = settings.HELPDESK_SSO[name]
            else:
                near = get_close_matches(str(name).lower(), (*_FIELDS, *_OPTIONS), 1)
                said = f"is no setting: did you mean {near[0]!r}" if near else "is no setting"
                self.problems[str(name)] = said

    def imported(self, name: str, stand_in: Any) -> Any:
        return self._import(name, self.given.get(name), stand_in)

    def _import(self, name: str, value: Any, stand_in: Any) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return import_string(value)
        except ImportError as error:
            self.problems[name] = f"{value!a} cannot be imported: {error}"
            return stand_in

    def helpdesk(self) -> Any:
        if "helpdesk" in self.given:
            if self._fields:
                more = ", ".join(self._fields)
                self.problems["helpdesk"] = f"is given, and {more} too: give either it or those"
            return self.imported("helpdesk", HelpDesk(**_STAND_IN))
        try:
            return HelpDesk(**_values(self._fields))
        except ConfigError as error:
            problems = error.problems
        if self._is_dict:
            missing = {name: "is not set" for name in _REQUIRED if name not in self._fields}
            self.problems |= problems | missing
        sound = [name for name in self._fields if name not in problems and name != "sso_token"]
        others = {*_REQUIRED, *self._fields} - {*sound}
        return HelpDesk(**_values(sound) | {name: _STAND_IN[name] for name in _STAND_IN if name in others})

    def resolver(self) -> Any:
        resolver = self.imported("resolve_email", _STAND_IN.get)
        if callable(resolver) and takes(resolver, 1, follow_wrapped=False) is False:
            self.problems["resolve_email"] = (
                "cannot be called with the HttpRequest alone: if it makes a resolver, give what it returns"
            )
        return resolver

    def verified(self) -> Any:
        if self.given.get("resolve_email") is not None:
            if "verified" in self.given:
                self.problems["verified"] = (
                    "only applies to the default resolver: check it in your resolve_email"
                )
            return True
        verified = self.given.get("verified")
        if isinstance(verified, str) and "." in verified:  # no attribute has such a name
            verified = self.imported("verified", True)
        if self._is_dict:
            try:
                check_settings(verified)
            except ConfigError as error:
                self.problems |= error.problems
        if verified is allauth_verified and not apps.is_installed(_ALLAUTH):
            self.problems["verified"] = f"asks django-allauth, and {_ALLAUTH!r} is not in INSTALLED_APPS"
        return verified

    def login(self) -> dict[str, Any]:
        if "login_url" not in self.given:
            target = settings.LOGIN_URL
            return {
                "login_url": self._resolved("login_url", target, source="LOGIN_URL"),
                "find_login": partial(resolve_url, target),
            }
        target = self.given["login_url"]
        # A path of ours has no mount prefix yet, and one of Django's has.
        is_path = isinstance(target, str) and target.startswith("/")
        return {
            "login_url": self._resolved("login_url", target),
            "find_login": None if is_path else partial(resolve_url, target),
        }

    def _resolved(self, name: str, target: Any, *, source: str | None = None) -> str | None:
        """Return what a view's name, or a lazy path, stands for at the start: without a mount prefix."""
        if target is None:
            return None
        prefix = get_script_prefix()
        set_script_prefix("/")
        try:
            text = str(target)
            # A path is not looked up: that would load the URLconf, and with it the whole application.
            return text if text.startswith("/") or "://" in text else str(resolve_url(text))
        except NoReverseMatch as error:
            said = str(error).rstrip(".")
            where = f"(from {source}) " if source else ""
            self.problems[name] = f"{where}is neither a path, nor a URL, nor the name of one: {said}"
            return None
        finally:
            set_script_prefix(prefix)

    def logout(self, end_session: Callable[..., Any]) -> Logout | None:
        wanted = self.given.get("logout")
        if wanted is None or wanted is False or isinstance(wanted, Logout):
            return wanted or None
        if wanted is not True and not isinstance(wanted, Mapping):
            self.problems["logout"] = "must be True, a Logout, or a dict of what Logout takes"
            return None
        arguments: dict[str, Any] = {"end_session": end_session}
        arguments |= {} if wanted is True else wanted
        target = settings.LOGOUT_REDIRECT_URL  # where Django's own logout leads
        if "then" not in arguments and target is not None:
            arguments["then"] = self._resolved("logout", target, source="LOGOUT_REDIRECT_URL") or "/"
            self.find_then = partial(resolve_url, target)
        arguments["end_session"] = self._import("logout", arguments["end_session"], end_session)
        try:
            return Logout(**arguments)
        except ConfigError as error:
            self.problems["logout"] = "; ".join(f"{name} {text}" for name, text in error.problems.items())
        except TypeError:
            self.problems["logout"] = "may hold end_session, path and then, and nothing else"
        return None


def _values(names: Iterable[str]) -> dict[str, Any]:
    return {**dict.fromkeys(_REQUIRED), **{name: settings.HELPDESK_SSO[name] for name in names}}
