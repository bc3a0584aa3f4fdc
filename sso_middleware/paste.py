"""PasteDeploy filters, for applications that an INI file sets up, such as Pyramid's.

::

    [filter:helpdesk]
    use = egg:sso-middleware#with_app
    sso_token_file = /run/secrets/helpdesk
    sso_auth_url = https://acme.example/sso
    account_id = 4711
    auth_url = https://app.example.com/sso/helpdesk
    logout_url = https://app.example.com/sso/logout
    resolve_email = myapp.helpdesk:resolver
    end_session = myapp.helpdesk:end_session
    login_url = /login

    [pipeline:main]
    pipeline = helpdesk myapp

``egg:sso-middleware`` uses `resolve_email` and `end_session` directly. If they need the application
itself, as Pyramid's `request_email` does, use ``egg:sso-middleware#with_app`` as the last filter before the
application: both then name factories, which are called with the application.

The keys are the settings of `HelpDesk`, `sso_token_file`, and the parameters of `SSOMiddleware`, with
`end_session`, `logout_path` and `logout_then` instead of `logout`. `helpdesk`, `resolve_email`,
`end_session` and `on_event` are dotted names: ``module:attribute``. `paths` and `resume_at` are separated
by white space, `forward_params` by commas. A missing or empty setting of `HelpDesk` is read from its
``HELPDESK_`` variable. In an INI file, write ``%`` as ``%%``.

A key that is missing in the filter's section is taken from ``[DEFAULT]`` unless the two conflict:
`sso_token_file` with `sso_token`, or an account with `helpdesk`. If a key is in both, PasteDeploy passes on
the one in ``[DEFAULT]``, unless the section uses ``set account_id = 4711``.
"""

from __future__ import annotations

import os
import pkgutil
from collections.abc import Callable, Mapping
from typing import Any
from wsgiref.types import WSGIApplication

from sso_middleware._secret import Secret
from sso_middleware.errors import ConfigError
from sso_middleware.helpdesk import HelpDesk
from sso_middleware.logout import Logout
from sso_middleware.wsgi import SSOMiddleware

__all__ = ["filter_app_factory", "filter_factory"]

_PREFIX = "HELPDESK_"
_TOKEN = {f"{_PREFIX}SSO_TOKEN", f"{_PREFIX}SSO_TOKEN_FILE"}
_ACCOUNT = (
    "sso_token",
    "sso_token_file",
    "sso_auth_url",
    "account_id",
    "auth_url",
    "logout_url",
    "forward_params",
    "backdate",
    "allow_http",
)
_DOTTED = ("helpdesk", "resolve_email", "end_session", "on_event")
_PLAIN = ("login_url", "next_param")
_LISTS = ("paths", "resume_at")
_LOGOUT = {"logout_path": "path", "logout_then": "then"}
#: Keys in the section override these keys in [DEFAULT].
_RULES_OUT = {name: {"helpdesk"} for name in _ACCOUNT} | {
    "helpdesk": {*_ACCOUNT},
    "sso_token": {"helpdesk", "sso_token_file"},
    "sso_token_file": {"helpdesk", "sso_token"},
}
_KEYS = (*_ACCOUNT, *_DOTTED, *_PLAIN, *_LOGOUT, *_LISTS)


def filter_factory(
    global_conf: Mapping[str, str], /, **settings: str
) -> Callable[[WSGIApplication], SSOMiddleware]:
    """Make a filter from the settings in an INI file: entry point ``paste.filter_factory``.

    Args:
        global_conf: the file's ``[DEFAULT]``; other keys are ignored.
        settings: see the module docstring.

    Raises:
        ConfigError: a setting is wrong; the error lists all of them.
    """
    said = Secret(_with_defaults(global_conf, settings))
    del global_conf, settings  # keep out of tracebacks: importing your code may raise
    options = _options(said)

    def wrap(app: WSGIApplication) -> SSOMiddleware:
        return _middleware(app, options, said)

    return wrap


def filter_app_factory(
    app: WSGIApplication, global_conf: Mapping[str, str], /, **settings: str
) -> SSOMiddleware:
    """Wrap an application with the settings in an INI file: entry point ``paste.filter_app_factory``.

    Here `resolve_email` and `end_session` name factories: each is called once, with `app`.

    Args:
        app: the application, or the next filter.
        global_conf: the file's ``[DEFAULT]``; other keys are ignored.
        settings: see the module docstring.

    Raises:
        ConfigError: a setting is wrong; the error lists all of them.
        Exception: from a factory, with a note.
    """
    said = Secret(_with_defaults(global_conf, settings))
    del global_conf, settings  # keep out of tracebacks: calling your code may raise
    options = _options(said)
    problems: dict[str, str] = {}
    for name in ("resolve_email", "end_session"):
        if name in options:
            try:
                options[name] = options[name](app)
            except Exception as error:
                error.add_note(
                    f"With #with_app, {name} = {said()[name]} must name a factory, which is called with "
                    "the application. If it is not a factory, use egg:sso-middleware instead."
                )
                raise
            if not callable(options[name]):
                problems[name] = f"{said()[name]} is called with the application and must return a callable"
    if problems:
        raise ConfigError(problems)
    return _middleware(app, options, said)


def _with_defaults(global_conf: Mapping[str, str], settings: Mapping[str, str]) -> dict[str, str]:
    ruled_out = {other for name in settings for other in _RULES_OUT.get(name, ())}
    if "end_session" not in {*settings, *global_conf}:
        ruled_out.update(_LOGOUT)
    defaults = {name: global_conf[name] for name in _KEYS if name in global_conf and name not in ruled_out}
    return defaults | {**settings}


def _middleware(app: WSGIApplication, options: dict[str, Any], said: Secret[dict[str, str]]) -> SSOMiddleware:
    options = dict(options)
    if "end_session" in options:
        where = {name: said()[key] for key, name in _LOGOUT.items() if key in said()}
        options["logout"] = Logout(options.pop("end_session"), **where)
    return SSOMiddleware(app, **options)


def _options(said: Secret[dict[str, str]]) -> dict[str, Any]:
    """Return the arguments of `SSOMiddleware`, and `end_session`."""
    problems = _key_problems(said)
    options: dict[str, Any] = {name: said()[name] for name in _PLAIN if name in said()}
    options |= {name: said()[name].split() for name in _LISTS if name in said()}
    for name in _DOTTED:
        if name in said():
            try:
                options[name] = _named(said()[name])
            except ValueError as error:
                problems[name] = str(error)
    if "helpdesk" not in said():
        try:
            options["helpdesk"] = _helpdesk(said)
        except ConfigError as error:
            problems |= error.problems
    if problems:
        raise ConfigError(problems)
    return options


def _key_problems(said: Secret[dict[str, str]]) -> dict[str, str]:
    problems = {name: f"is not a setting: use {', '.join(_KEYS)}" for name in said() if name not in _KEYS}
    if "resolve_email" not in said():
        problems["resolve_email"] = "is not set: set it to your resolver, as module:attribute"
    if "helpdesk" in said():
        problems |= {name: "is set, and helpdesk too: remove one" for name in _ACCOUNT if name in said()}
    if "end_session" not in said():
        problems |= {name: "needs end_session: set it too" for name in _LOGOUT if name in said()}
    return problems


def _named(dotted: str) -> Any:
    module, _, attribute = dotted.partition(":")
    if not module or not attribute:
        raise ValueError("must be a dotted name with a colon: module:attribute")
    try:
        named = pkgutil.resolve_name(dotted)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"{dotted} cannot be imported: {error}") from error
    if not callable(named) and not isinstance(named, HelpDesk):
        raise ValueError(f"{dotted} is a {type(named).__name__}, not a callable")  # noqa: TRY004 - a setting's
    return named


def _helpdesk(said: Secret[dict[str, str]]) -> HelpDesk:
    given = {f"{_PREFIX}{name.upper()}": name for name in _ACCOUNT if said().get(name)}
    # Either token setting in the file overrides both in the environment.
    outdone = set[str]() if _TOKEN.isdisjoint(given) else _TOKEN

    def variables() -> dict[str, str]:
        environment = {name: value for name, value in os.environ.items() if name not in outdone}
        return environment | {variable: said()[name] for variable, name in given.items()}

    try:
        return HelpDesk.from_env(variables())
    except ConfigError as error:
        # Report a key in the file by its name there.
        raise ConfigError({given.get(name, name): text for name, text in error.problems.items()}) from None
