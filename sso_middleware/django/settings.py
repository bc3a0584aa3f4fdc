"""Reading ``HELPDESK_SSO`` from Django's settings.

No frame here keeps the SSO Token in a local variable, so that no traceback with locals shows it.
"""

# Django comes without type information.
# mypy: disable-error-code="import-untyped"
# pyright: reportMissingTypeStubs=false, reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

from django.apps import apps
from django.conf import settings
from django.utils.functional import Promise
from django.utils.module_loading import import_string

from sso_middleware._calls import takes
from sso_middleware.django.redirects import Finder, read_target
from sso_middleware.django.users import default_resolver, end_session, user_model_problem
from sso_middleware.errors import ConfigError
from sso_middleware.helpdesk import HelpDesk
from sso_middleware.logout import Logout
from sso_middleware.resolvers.django import allauth_verified, check_verified

SETTING = "HELPDESK_SSO"
VARIABLES = "HELPDESK_"
"""The prefix of the variables that hold the account if the setting does not."""
USER_MODEL = "AUTH_USER_MODEL"

#: The parameters that are passed to `Gate` unchanged, with their defaults. Add new ones here.
_PASSED_ON: dict[str, Any] = {"paths": None, "next_param": "next", "resume_at": None}
_OPTIONS = ("helpdesk", "resolve_email", "verified", "login_url", "logout", "on_event", *_PASSED_ON)
FIELDS = inspect.signature(HelpDesk).parameters
"""The parameters of `HelpDesk`, by name."""
REQUIRED = [name for name, field in FIELDS.items() if field.default is field.empty]
_ALLAUTH = "allauth.account"

#: Replaces a wrong HelpDesk, so that the rest can still be checked. It never signs anything.
_STAND_IN = HelpDesk(
    sso_token="no token at all, and never used for anything",  # noqa: S106
    sso_auth_url="https://helpdesk.invalid/",
    account_id="0",
    auth_url="https://app.invalid/sso-middleware-stand-in",
    logout_url="https://app.invalid/sso-middleware-stand-in-logout",
)


def read_setting() -> dict[str, Any]:
    """Return the arguments of `Gate` from ``HELPDESK_SSO``, except ``wrap``.

    Problems are in ``also_wrong``; the other arguments then only serve to find more of them.

    Raises:
        ConfigError: the setting is missing, or is not a dict.
    """
    if not isinstance(getattr(settings, SETTING, None), Mapping):
        raise ConfigError({SETTING: "must be a dict" if hasattr(settings, SETTING) else "is not set"})
    given = {name: settings.HELPDESK_SSO[name] for name in _OPTIONS if name in settings.HELPDESK_SSO}
    problems: dict[str, str] = {}

    def attempt(read: Callable[[], Any], otherwise: Any) -> Any:
        try:
            return read()
        except ConfigError as error:
            problems.update(error.problems)
            return otherwise

    helpdesk = attempt(lambda: _helpdesk(given), _STAND_IN)
    verified = attempt(lambda: _verified(given), True)
    resolve_email = attempt(lambda: _resolver(given), None)
    login_url, find_login = attempt(lambda: read_target(given, "login_url", "LOGIN_URL"), (None, None))
    logout, find_then = attempt(lambda: _logout(given), (None, None))
    on_event = attempt(lambda: _imported(given, "on_event"), None)
    problems |= _unknown_names()
    if given.get("resolve_email") is None and (problem := user_model_problem()):
        problems[USER_MODEL] = problem
    return {
        "helpdesk": helpdesk,
        "resolve_email": default_resolver(verified) if resolve_email is None else resolve_email,
        "login_url": login_url,
        "find_login": find_login,
        "logout": logout,
        "find_then": find_then,
        "on_event": on_event,
        **{name: _plain(given.get(name, default)) for name, default in _PASSED_ON.items()},
        "also_wrong": problems,
    }


def _unknown_names() -> dict[str, str]:
    known = (*FIELDS, *_OPTIONS)
    problems: dict[str, str] = {}
    for name in map(str, settings.HELPDESK_SSO):
        if name not in known:
            near = get_close_matches(name.lower(), known, 1)
            problems[name] = f"is not a setting: did you mean {near[0]!r}" if near else "is not a setting"
    return problems


def _helpdesk(given: Mapping[str, Any]) -> Any:
    """Return the HelpDesk, or the callable that chooses one."""
    fields = [name for name in settings.HELPDESK_SSO if name in FIELDS]
    if "helpdesk" in given:
        if fields:
            more = ", ".join(fields)
            raise ConfigError({"helpdesk": f"is set, and {more} too: set only helpdesk, or only the others"})
        return _imported(given, "helpdesk")
    if not fields:
        return HelpDesk.from_env(prefix=VARIABLES)
    absent: dict[str, Any] = {name: None for name in REQUIRED if name not in fields}
    try:
        return HelpDesk(**{name: _plain(settings.HELPDESK_SSO[name]) for name in fields}, **absent)
    except ConfigError as error:
        raise ConfigError(error.problems | dict.fromkeys(absent, "is not set")) from None


def _resolver(given: Mapping[str, Any]) -> Any:
    resolver = _imported(given, "resolve_email")
    if callable(resolver) and takes(resolver, 1, follow_wrapped=False) is False:
        said = "must take the HttpRequest alone: if it makes a resolver, set the resolver it returns"
        raise ConfigError({"resolve_email": said})
    return resolver


def _verified(given: Mapping[str, Any]) -> Any:
    if given.get("resolve_email") is not None:
        if "verified" in given:
            said = "only applies to the default resolver: check it in your resolve_email"
            raise ConfigError({"verified": said})
        return True
    verified = given.get("verified")
    if isinstance(verified, str) and "." in verified:  # no attribute name has a dot
        verified = _imported(given, "verified")
    check_verified(verified)
    if verified is allauth_verified and not apps.is_installed(_ALLAUTH):
        raise ConfigError({"verified": f"uses django-allauth, but {_ALLAUTH!r} is not in INSTALLED_APPS"})
    return verified


def _logout(given: Mapping[str, Any]) -> tuple[Logout | None, Finder]:
    wanted = given.get("logout")
    if wanted is None or wanted is False or isinstance(wanted, Logout):
        return wanted or None, None
    if wanted is not True and not isinstance(wanted, Mapping):
        raise ConfigError({"logout": "must be True, a Logout, or a dict of Logout's parameters"})
    arguments: dict[str, Any] = {"end_session": end_session, **({} if wanted is True else wanted)}
    try:
        arguments |= {name: _plain(value) for name, value in arguments.items() if name != "then"}
        then, find_then = read_target(arguments, "then", "LOGOUT_REDIRECT_URL")  # as for Django's own logout
        arguments["end_session"] = _imported(arguments, "end_session")
        arguments["then"] = "/" if then is None else then
        return Logout(**arguments), find_then
    except ConfigError as error:
        said = "; ".join(f"{name} {text}" for name, text in error.problems.items())
    except TypeError:
        said = "must not hold anything but end_session, path and then"
    raise ConfigError({"logout": said})


def _imported(given: Mapping[str, Any], name: str) -> Any:
    """Return the setting `name`, imported if it is a dotted path."""
    value = given.get(name)
    try:
        return import_string(value) if isinstance(value, str) else value
    except ImportError as error:
        raise ConfigError({name: f"{value!a} cannot be imported: {error}"}) from None


def _plain(value: Any) -> Any:
    """Return lazy text, such as gettext_lazy's, as a str; anything else unchanged."""
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return str(value) if isinstance(value, Promise) else value
