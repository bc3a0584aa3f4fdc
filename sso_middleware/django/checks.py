"""System checks of Django's settings: an id and a hint for each way they can be wrong.

Django runs them if something imports `sso_middleware.django` before it begins; to be sure of that, list
``"sso_middleware.django"`` in ``INSTALLED_APPS``. Whether it is there or not, the middleware raises what
is an error here as soon as it is made.
"""

# Django comes without type information.
# mypy: disable-error-code="import-untyped"
# pyright: reportMissingTypeStubs=false, reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, cast

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.checks import Error, Tags, register
from django.core.checks import Warning as Caution
from django.core.exceptions import ImproperlyConfigured

from sso_middleware.django.middleware import SSOMiddleware, make_gate
from sso_middleware.django.order import AUTHENTICATION, SESSION, Order, read_order
from sso_middleware.django.settings import SETTING, USER_MODEL, VARIABLES, missing_variables
from sso_middleware.errors import ConfigError, ShortTokenWarning

_PANEL = "Copy it from the vendor's panel: Settings > Security > Single sign-on."
_DOTTED = "Give a callable, or the dotted path of one, which is given the HttpRequest."
_CHOOSE = (
    "Choose how to know that an address was verified: the name of an attribute of your user model, a "
    "predicate of the user or its dotted path; with django-allauth, "
    "'sso_middleware.resolvers.django.allauth_verified'."
)
_OF_WHOLE_APPLICATIONS = {"sso_middleware.wsgi.SSOMiddleware", "sso_middleware.asgi.SSOMiddleware"}
_UNKNOWN = (
    2,
    "HELPDESK_SSO holds the fields of a HelpDesk and the parameters of SSOMiddleware, in lower case.",
)

#: For each setting the number of its error and how to fix it. A number never changes its meaning.
_ERRORS = {
    SETTING: (1, "HELPDESK_SSO = {...} in your settings: the fields of a HelpDesk, and verified."),
    "sso_token": (3, _PANEL),
    "sso_auth_url": (4, _PANEL),
    "account_id": (5, _PANEL),
    "auth_url": (6, "Give the Auth URL as it is registered in the vendor's panel: where Support links lead."),
    "logout_url": (7, "Give the Logout URL as it is registered in the vendor's panel, or leave it out."),
    "backdate": (8, "Leave it out, unless this server's clock runs ahead."),
    "allow_http": (9, "Leave it out, unless your site really is without https."),
    "helpdesk": (10, "Give a HelpDesk, or a callable (request, email) -> HelpDesk, or its dotted path."),
    "resolve_email": (11, f"{_DOTTED} It returns the visitor's address, or None."),
    "verified": (
        12,
        f"An address that users may type in freely lets them be signed in as somebody else. {_CHOOSE} True "
        "only if your sign-up and each change of an address verify it, or only staff enter addresses.",
    ),
    "paths": (13, "Leave it out to take over the path of auth_url, or give paths as in your URLconf: /sso."),
    "login_url": (14, "Give it in HELPDESK_SSO or as LOGIN_URL: a path, an absolute URL, or a URL's name."),
    "next_param": (15, "Leave it out: Django's login views call it next."),
    "logout": (
        16,
        "Give True, and logout_url, to log out at the Logout URL by django.contrib.auth.logout. Then "
        "visitors go to LOGOUT_REDIRECT_URL, or to the start page.",
    ),
    "on_event": (17, "Give a sync callable, or the dotted path of one, which is given each SSOEvent."),
    "resume_at": (20, "Give the path where your login lands, as in your URLconf: /. Or leave it out."),
    "forward_params": (21, "Give the names of the query parameters to pass on, or leave it out."),
    USER_MODEL: (
        19,
        "Give your user model an email, or an EMAIL_FIELD that names the field of the address; or give "
        "resolve_email in HELPDESK_SSO, which is given the HttpRequest.",
    ),
}


def findings(**_: object) -> list[Any]:
    """Return Django's messages about what is wrong."""
    order = read_order(SSOMiddleware)
    if order.ours is None:
        return _unused()
    problems: dict[str, str] = {}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            make_gate(is_async=False)
        except ConfigError as error:
            problems = error.problems
    found = _in_order(order) + _of_session() + _of_variables(problems)
    found += [_error(name, text) for name, text in problems.items()]
    for warning in caught:
        if issubclass(warning.category, ShortTokenWarning):
            found.append(Caution(f"{SETTING}: {warning.message}", hint=_PANEL, id="sso_middleware.W001"))
        else:  # from whatever a dotted path has imported
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
    return found


def _unused() -> list[Any]:
    if not hasattr(settings, SETTING):
        return []
    line = "sso_middleware.django.SSOMiddleware"
    hint = f"Add the line {line!r} below {AUTHENTICATION!r}."
    for other in _OF_WHOLE_APPLICATIONS.intersection(settings.MIDDLEWARE):
        hint = f"Write {line!r} instead of {other!r}, which is for wrapping a whole application."
    return [
        Caution(
            f"{SETTING} is set, and {line!r} is not in MIDDLEWARE: nothing is taken over.",
            hint=hint,
            id="sso_middleware.W002",
        )
    ]


def _in_order(order: Order) -> list[Any]:
    if order.problem:
        hint = f"Move the line {order.ours!r} to below {order.after[-1]!r}."
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
    return _of_promise() if verified is True else _of_user(verified)


def _of_promise() -> list[Any]:
    return [
        Caution(
            f"{SETTING}['verified'] is True, and Django itself verifies no address.",
            hint=f"{_CHOOSE} If only staff enter addresses, or your sign-up and each change of an address "
            "verify them, silence this: SILENCED_SYSTEM_CHECKS = ['sso_middleware.W006'].",
            id="sso_middleware.W006",
        )
    ]


def _of_user(verified: Any) -> list[Any]:
    if not isinstance(verified, str) or not verified or "." in verified:
        return []
    try:
        model = get_user_model()
    except ImproperlyConfigured:
        return []  # Django will say so
    if hasattr(model, verified):
        return []
    return [
        Caution(
            f"{SETTING}['verified'] is {verified!r}, and {model.__name__} has no such attribute.",
            hint="Name an attribute of your user model, or give a predicate of the user.",
            id="sso_middleware.W004",
        )
    ]


def _of_variables(problems: dict[str, str]) -> list[Any]:
    """Return a warning instead of the errors where none of the variables is set, and take those out."""
    if SETTING in problems or not (missing := missing_variables()):
        return []
    for name in missing.intersection(problems):
        if name not in settings.HELPDESK_SSO:
            del problems[name]
    return [
        Caution(
            f"{SETTING} leaves the account to variables, and none is set: {', '.join(sorted(missing))}.",
            hint="Set them where your server runs: it does not start without them. Other commands need none.",
            id="sso_middleware.W007",
        )
    ]


def _of_session() -> list[Any]:
    same_site = settings.SESSION_COOKIE_SAMESITE
    if str(same_site).lower() != "strict":  # in any case, as for browsers
        return []
    return [
        Caution(
            f"SESSION_COOKIE_SAMESITE is {same_site!r}: whoever comes from the Help Desk looks anonymous.",
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


# Django's registry is empty until somebody asks for its checks, so nothing happens by registering one.
register(findings, "sso_middleware", Tags.security)
