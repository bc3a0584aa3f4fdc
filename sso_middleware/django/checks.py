"""System checks of Django's settings, each with an id and a hint.

Add ``"sso_middleware.django"`` to ``INSTALLED_APPS`` so that Django runs them. With or without it, the
middleware raises these errors when it is created.
"""

# Django comes without type information.
# mypy: disable-error-code="import-untyped"
# pyright: reportMissingTypeStubs=false, reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from typing import Any, cast

from django.conf import settings
from django.core.checks import Error, Tags, register
from django.core.checks import Warning as Caution

from sso_middleware.django.middleware import SSOMiddleware, make_gate
from sso_middleware.django.order import AUTHENTICATION, SESSION, Order, read_order
from sso_middleware.django.settings import FIELDS, REQUIRED, SETTING, USER_MODEL, VARIABLES
from sso_middleware.django.users import user_model
from sso_middleware.errors import ConfigError, ShortTokenWarning

_PANEL = "Copy it from the vendor's panel: Settings > Security > Single sign-on."
_DOTTED = "Set a callable that takes the HttpRequest, or its dotted path."
_CHOOSE = (
    "Set verified to the name of an attribute of your user model, or to a predicate of the user or its "
    "dotted path (with django-allauth, 'sso_middleware.resolvers.django.allauth_verified')."
)
_OF_WHOLE_APPLICATIONS = {"sso_middleware.wsgi.SSOMiddleware", "sso_middleware.asgi.SSOMiddleware"}
_UNKNOWN = (
    2,
    "HELPDESK_SSO takes the fields of HelpDesk and the parameters of SSOMiddleware, in lower case.",
)

#: For each setting, the number of its error and how to fix it. A number never changes its meaning.
_ERRORS = {
    SETTING: (1, "Add HELPDESK_SSO = {...} to your settings, with the fields of a HelpDesk, and verified."),
    "sso_token": (3, _PANEL),
    "sso_auth_url": (4, _PANEL),
    "account_id": (5, _PANEL),
    "auth_url": (6, "Set the Auth URL as registered in the vendor's panel: where your Support links lead."),
    "logout_url": (7, "Set the Logout URL as registered in the vendor's panel, or leave it out."),
    "backdate": (8, "Leave it out, unless this server's clock runs fast."),
    "allow_http": (9, "Leave it out, unless your site really has no https."),
    "helpdesk": (10, "Set a HelpDesk, or a callable (request, email) -> HelpDesk, or its dotted path."),
    "resolve_email": (11, f"{_DOTTED} It returns the visitor's address, or None."),
    "verified": (
        12,
        f"With an unverified address, users can sign in as someone else. {_CHOOSE} Use True only if your "
        "sign-up and every change of an address verify it, or only staff enter addresses.",
    ),
    "paths": (13, "Leave it out to use the path of auth_url, or set paths as in your URLconf, such as /sso."),
    "login_url": (14, "Set it in HELPDESK_SSO or as LOGIN_URL: a path, an absolute URL, or a URL's name."),
    "next_param": (15, "Leave it out: Django's login views call it next."),
    "logout": (
        16,
        "Set True, and logout_url, to log out at the Logout URL with django.contrib.auth.logout. Visitors "
        "are then sent to LOGOUT_REDIRECT_URL, or to the start page.",
    ),
    "on_event": (17, "Set a sync callable that takes an SSOEvent, or its dotted path."),
    "resume_at": (20, "Set the path where your login lands, as in your URLconf, such as /. Or leave it out."),
    "forward_params": (21, "Set the names of the query parameters to pass on, or leave it out."),
    USER_MODEL: (
        19,
        "Add an email field to your user model, or an EMAIL_FIELD that names it; or set resolve_email in "
        "HELPDESK_SSO, which takes the HttpRequest.",
    ),
}


def findings(**_: object) -> list[Any]:
    """Return the check messages for everything that is wrong."""
    order = read_order(SSOMiddleware)
    if order.ours is None:
        return _not_in_middleware()
    problems: dict[str, str] = {}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            make_gate(is_async=False)
        except ConfigError as error:
            problems = error.problems
    missing = set[str]() if SETTING in problems else _missing_variables()
    kept = {
        name: text for name, text in problems.items() if name not in missing or name in settings.HELPDESK_SSO
    }
    found = _in_order(order) + _session_cookie() + _no_variables(missing)
    found += [_error(name, text) for name, text in kept.items()]
    for warning in caught:
        if issubclass(warning.category, ShortTokenWarning):
            found.append(Caution(f"{SETTING}: {warning.message}", hint=_PANEL, id="sso_middleware.W001"))
        else:  # from code that a dotted path imported
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
    return found


def _not_in_middleware() -> list[Any]:
    if not hasattr(settings, SETTING):
        return []
    line = "sso_middleware.django.SSOMiddleware"
    hint = f"Add the line {line!r} below {AUTHENTICATION!r}."
    for other in _OF_WHOLE_APPLICATIONS.intersection(settings.MIDDLEWARE):
        hint = f"Use {line!r} instead of {other!r}, which wraps a whole application."
    return [
        Caution(
            f"{SETTING} is set, and {line!r} is not in MIDDLEWARE: nothing is intercepted.",
            hint=hint,
            id="sso_middleware.W002",
        )
    ]


def _in_order(order: Order) -> list[Any]:
    if order.problem:
        hint = f"Move the line {order.ours!r} below {order.after[-1]!r}."
        return [Error(f"{order.problem}.", hint=hint, id="sso_middleware.E018")]
    given: Any = getattr(settings, SETTING, None)
    if not isinstance(given, Mapping) or cast("Mapping[str, Any]", given).get("resolve_email") is not None:
        return []
    verified = cast("Mapping[str, Any]", given).get("verified")
    if not order.has_authentication:
        return [
            Caution(
                f"The default resolver reads request.user, and {AUTHENTICATION!r} is not in MIDDLEWARE.",
                hint=f"Add {SESSION!r} and {AUTHENTICATION!r}, in this order, above {order.ours!r}.",
                id="sso_middleware.W003",
            )
        ]
    return _verified_is_true() if verified is True else _no_such_attribute(verified)


def _verified_is_true() -> list[Any]:
    return [
        Caution(
            f"{SETTING}['verified'] is True, but Django itself does not verify addresses.",
            hint=f"{_CHOOSE} If only staff enter addresses, or your sign-up and every change of an address "
            "verify them, silence this: SILENCED_SYSTEM_CHECKS = ['sso_middleware.W006'].",
            id="sso_middleware.W006",
        )
    ]


def _no_such_attribute(verified: Any) -> list[Any]:
    if not isinstance(verified, str) or not verified or "." in verified:
        return []
    model = user_model()
    if model is None or hasattr(model, verified):
        return []
    return [
        Caution(
            f"{SETTING}['verified'] is {verified!r}, but {model.__name__} has no such attribute.",
            hint="Name an attribute of your user model, or set a predicate of the user.",
            id="sso_middleware.W004",
        )
    ]


def _no_variables(missing: set[str]) -> list[Any]:
    """Return a warning that replaces the errors of the `missing` variables."""
    if not missing:
        return []
    return [
        Caution(
            f"{SETTING} takes the account from variables, but none is set: {', '.join(sorted(missing))}.",
            hint="Set them where your server runs; it does not start without them. Other commands need none.",
            id="sso_middleware.W007",
        )
    ]


def _missing_variables() -> set[str]:
    """Return the required variables if the setting takes the account from them and none is set."""
    is_given = not {*FIELDS, "helpdesk"}.isdisjoint(settings.HELPDESK_SSO)
    variables = {name: f"{VARIABLES}{name.upper()}" for name in (*FIELDS, "sso_token_file")}
    is_set = any(map(os.environ.get, variables.values()))
    return set() if is_given or is_set else {variables[name] for name in REQUIRED}


def _session_cookie() -> list[Any]:
    same_site = settings.SESSION_COOKIE_SAMESITE
    if str(same_site).lower() != "strict":  # browsers ignore case
        return []
    return [
        Caution(
            f"SESSION_COOKIE_SAMESITE is {same_site!r}: visitors from the Help Desk look anonymous.",
            hint="Set it to 'Lax'.",
            id="sso_middleware.W005",
        )
    ]


def _error(name: str, text: str) -> Any:
    key, where = name, f"{SETTING}[{name!r}]"
    if name in {SETTING, USER_MODEL}:
        where = name
    elif name.startswith(VARIABLES) and name not in settings.HELPDESK_SSO:
        key, where = name.removeprefix(VARIABLES).lower().removesuffix("_file"), name
    number, hint = _ERRORS.get(key, _UNKNOWN)
    return Error(f"{where} {text}.", hint=hint, id=f"sso_middleware.E{number:03}")


# Registering a check runs nothing.
register(findings, "sso_middleware", Tags.security)
