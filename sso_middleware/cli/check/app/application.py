"""What is checked in an application, in order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from sso_middleware.cli.check.account import check_account, check_token
from sso_middleware.cli.check.app.django import session_cookie, show_errors, system_checks
from sso_middleware.cli.check.app.layers import (
    Located,
    attributes_of,
    dict_of,
    framework_of,
    layers,
    locate,
    wrapped_beside,
)
from sso_middleware.cli.check.app.loading import PASTE, Loaded, is_factory, is_paste_factory
from sso_middleware.cli.check.app.wiring import check_order, check_wiring
from sso_middleware.cli.check.findings import Finding, Rule, Step, found
from sso_middleware.cli.check.walk import SIGNED_IN_VISIT, Endpoint, Walk, client_of, find_route
from sso_middleware.cli.options import helpdesk_of, settings_from_environment
from sso_middleware.cli.output import Failure
from sso_middleware.helpdesk import HelpDesk


class VisitOptions(NamedTuple):
    """How to visit an application; `timeout`: seconds for the start and each visit, `None` for no visits."""

    root_path: str
    cookie: str | None
    timeout: float | None


class Checked(NamedTuple):
    """What was found in an application; without `helpdesk` if the account is not known."""

    helpdesk: HelpDesk | None
    findings: list[Finding]
    walk: Sequence[Step] = ()


def check_application(loaded: Loaded, prefix: str, options: VisitOptions) -> Checked:
    """Check `loaded`, and visit it.

    Args:
        loaded: the application.
        prefix: the prefix of the environment variables that may hold its settings.
        options: how to visit it.

    Raises:
        Failure: it does not start, or ends the process.
    """
    located = locate(loaded.app)
    show_errors()
    of_django = [
        Finding(Rule(each.id, "Django's system check", "", each.hint), each.msg, each.hint)
        for each in system_checks()
    ]
    if located:
        checked = _check_wrapped(loaded, located, prefix, options)
    else:
        checked = _check_route(loaded, prefix, options) or _nothing_found(loaded)
    of_walk = [step.finding for step in checked.walk if step.finding]
    framework = framework_of(loaded.app)
    findings = [finding.fitted(framework) for finding in (*of_django, *checked.findings, *of_walk)]
    return checked._replace(findings=findings)


def _check_wrapped(loaded: Loaded, located: list[Located], prefix: str, options: VisitOptions) -> Checked:
    first = located[0]  # It answers first; a second one belongs to another account.
    findings: list[Finding] = []
    if first.gate.helpdesk is not None:
        findings += _check_token_of(first.gate.helpdesk, prefix, short=loaded.short_token)
        findings += check_account(first.gate.helpdesk)
    findings += check_wiring(loaded.app, located, options.root_path)
    steps: list[Step] = []
    if options.timeout is not None:
        endpoint = _endpoint_of(loaded.app, first, options.root_path)
        with client_of(loaded.app, options.timeout, options.root_path) as client:
            steps += Walk(client, endpoint, options.cookie).steps()
    # A signed-in visitor who is handed off shows that the session middleware is in the right place.
    if not any(step.name == SIGNED_IN_VISIT and step.walked and not step.finding for step in steps):
        findings += check_order(located)
    return Checked(first.gate.helpdesk, findings, steps)


def _check_token_of(helpdesk: HelpDesk, prefix: str, *, short: bool) -> list[Finding]:
    """Check the application's SSO Token if the environment holds it; a HelpDesk does not reveal it."""
    with suppress(Failure):
        settings = settings_from_environment(prefix)
        if _sign_alike(helpdesk, helpdesk_of(settings)):
            return list(check_token(settings["sso_token"]))
    return [found("SSO.W001", "a HelpDesk warned about it during the import")] if short else []


def _sign_alike(*helpdesks: HelpDesk) -> bool:
    return len({helpdesk.handoff("a@b.invalid", iat=0, jti="0" * 32).token for helpdesk in helpdesks}) == 1


def _endpoint_of(app: Any, located: Located, root_path: str) -> Endpoint:
    public, relative = located.paths("handoff")
    names = [name for _, node in layers(app, located.inner, mounts=False) for name in _session_cookies(node)]
    if located.inner is None:
        names.append(session_cookie())
    return Endpoint(
        located.gate.helpdesk,
        path=min(public) if public else root_path + min(relative),
        root_path=root_path,
        resumes=any(located.paths("resume")),
        takes_over_logout=any(located.paths("logout")),
        looked_for=tuple(f"the cookie {name}" for name in dict.fromkeys(names)),
    )


def _session_cookies(node: Any) -> Iterator[str]:
    """Yield the names of the session cookies that `node` itself sets."""
    for holder, key in (("config", "SESSION_COOKIE_NAME"), ("options", "key")):  # Flask, Quart; Beaker
        settings = dict_of(node, holder)
        if key in settings:
            yield str(settings[key])
    attributes = attributes_of(node)
    if "session_cookie" in attributes:  # Starlette's SessionMiddleware
        yield str(attributes["session_cookie"])


def _check_route(loaded: Loaded, prefix: str, options: VisitOptions) -> Checked | None:
    """Check an application that hands visitors off in a route of its own; `None` if it does not."""
    app = loaded.app
    # Calling something that is not an application, such as a factory, may have any effect.
    if options.timeout is None or is_paste_factory(app) or is_factory(app):
        return None
    with suppress(Failure):
        settings = settings_from_environment(prefix)
        helpdesk = helpdesk_of(settings)
        with client_of(app, options.timeout, options.root_path) as client:
            if endpoint := find_route(client, helpdesk, options.root_path):
                findings = [
                    *check_token(settings["sso_token"]),
                    *check_account(helpdesk),
                    found("SSO.I029", f"{endpoint.path} of {loaded.target} answers"),
                ]
                return Checked(helpdesk, findings, [*Walk(client, endpoint, options.cookie).steps()])
    return None


def _nothing_found(loaded: Loaded) -> Checked:
    app, hint = loaded.app, ""
    if is_paste_factory(app):
        hint = f"; {PASTE}"
    elif is_factory(app):
        hint = f"; if it is a factory, pass {loaded.target}()"
    elif name := wrapped_beside(app, loaded.module):
        hint = f"; {loaded.target.partition(':')[0]}:{name} is wrapped: serve that instead"
    message = f"{loaded.target} is {type(app).__name__}{hint}"
    return Checked(None, [found("SSO.E020", message)])
