"""`sso-middleware check`: find mistakes in the settings, an application, or the way to the Help Desk."""

from __future__ import annotations

import inspect
import os
import sys
from contextlib import redirect_stdout
from typing import Any

import click

from sso_middleware._calls import takes
from sso_middleware._secret import Secret
from sso_middleware._urls import mount_prefix
from sso_middleware.cli.check.account import check_account, check_token, reach
from sso_middleware.cli.check.app.django import django_project
from sso_middleware.cli.check.app.loading import PASTE, Loaded, is_paste_factory, load
from sso_middleware.cli.check.app.located import locate
from sso_middleware.cli.check.app.wiring import (
    check_cookies,
    check_hooks,
    check_order,
    check_paths,
    check_proxy_fix,
)
from sso_middleware.cli.check.ending import BLOCKED_IMPORT, BLOCKED_VISIT, ReportCommand, limit
from sso_middleware.cli.check.frameworks import fitted, framework_of
from sso_middleware.cli.check.report import STYLES, Report, print_json, print_report
from sso_middleware.cli.check.route import find_route, wrapped_beside
from sso_middleware.cli.check.rules import RULES, Finding, counts, found, is_of_django, rule_id_of
from sso_middleware.cli.check.trial.sending import Pace
from sso_middleware.cli.check.trial.trial import MOST, Trial, changes
from sso_middleware.cli.check.walk.client import client_of
from sso_middleware.cli.check.walk.walk import Walk
from sso_middleware.cli.options import helpdesk_of, prefix_option, settings_from_environment
from sso_middleware.cli.output import Exit, Failure, json_option, say
from sso_middleware.errors import InvalidEmail
from sso_middleware.helpdesk import HelpDesk, check_email

_MOST_VISITS = 6  # that may take the full timeout each


def _explain(ctx: click.Context, _: click.Parameter, rule_id: str | None) -> None:
    if rule_id is None:
        return
    rule = RULES.get(rule_id_of(rule_id))
    if rule is None:
        raise click.BadParameter(f"{rule_id} does not exist; choose from {', '.join(RULES)}.")
    say((f"{rule.id} {rule.severity}: ", STYLES[rule.severity]), (rule.title, "bold"))
    say(rule.why)
    say(rule.hint)
    ctx.exit()


def _not_empty(_ctx: click.Context, _: click.Parameter, cookie: str | None) -> str | None:
    if cookie is not None and not cookie.strip():
        raise click.BadParameter("is empty: pass name=value, as the browser sends it.")
    return cookie


def _signable(_ctx: click.Context, _: click.Parameter, email: str | None) -> str | None:
    try:
        return None if email is None else check_email(email)
    except InvalidEmail as error:
        raise click.BadParameter(f"{error}.") from None


@click.command("check", cls=ReportCommand)
@click.argument("target", metavar="[MODULE:APP]", required=False)
@click.option(
    "--cookie",
    envvar="SSO_MIDDLEWARE_COOKIE",
    show_envvar=True,
    callback=_not_empty,
    help="The Cookie header of a signed-in user, to walk as that user too.",
)
@click.option(
    "--walk/--no-walk",
    "walk",
    default=True,
    help="Whether to visit the application in process (the default).",
)
@click.option("--root-path", default="", help="The mount prefix that your server sets, such as /app.")
@click.option(
    "--online", "go_online", is_flag=True, help="Also request the SSO Auth URL; only --as sends tokens."
)
@click.option(
    "--as",
    "email",
    metavar="EMAIL",
    callback=_signable,
    help="With --online: try real hand-offs for EMAIL, an existing Help Desk user.",
)
@click.option("--yes", is_flag=True, help="With --as: do not ask before sending.")
@click.option("--ignore", multiple=True, metavar="ID", help="Ignore a finding; may be repeated.")
@click.option(
    "--explain",
    metavar="ID",
    callback=_explain,
    is_eager=True,
    expose_value=False,
    help="Explain a finding and exit.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=20,
    show_default=True,
    help="Seconds to wait for the import, for the start, and for each visit.",
)
@prefix_option
@json_option
@click.make_pass_decorator(Pace, ensure=True)
def command(
    pace: Pace,
    target: str | None,
    cookie: str | None,
    walk: bool,
    root_path: str,
    go_online: bool,
    email: str | None,
    yes: bool,
    ignore: tuple[str, ...],
    timeout: float,
    prefix: str,
    as_json: bool,
) -> None:
    """Find mistakes in the settings in the environment, or in an application.

    MODULE:APP is what you pass to gunicorn or uvicorn, in Django mysite.wsgi:application or
    mysite.asgi:application. MODULE:make_app() calls a factory. The application is imported and visited
    in process: as an anonymous visitor, with forged identity headers and, with --cookie, as a signed-in
    user. Redirects to the login page and from the Logout URL are followed inside the application. Your
    resolver and event hooks run, and in Django the system checks of sso_middleware. Nothing is sent to
    the Help Desk without --online.
    """
    ignored = {rule_id_of(rule_id) for rule_id in ignore}
    if unknown := {rule_id for rule_id in ignored - RULES.keys() if not is_of_django(rule_id)}:
        raise click.BadParameter(f"there is no finding {', '.join(sorted(unknown))}.", param_hint="--ignore")
    if email is not None:
        if not go_online or target is not None:
            raise click.UsageError(
                "--as needs --online and cannot be used with MODULE:APP: it signs hand-offs itself."
            )
        _confirm(email, prefix, yes=yes)
    root_path = mount_prefix(root_path)
    if target is None:
        report = _check_environment(prefix)
    else:
        # Keep what the application prints out of our output.
        with limit(target, timeout, BLOCKED_IMPORT, as_json=as_json), redirect_stdout(sys.stderr):
            loaded = load(target)
        most = _MOST_VISITS * timeout
        with limit(target, most, BLOCKED_VISIT, as_json=as_json), redirect_stdout(sys.stderr):
            report = _check_application(loaded, target, prefix, root_path, cookie, timeout if walk else None)
            report.findings = fitted(report.findings, framework_of(loaded.app))
    if go_online:
        if report.helpdesk is None:
            raise click.UsageError("--online needs an account with known settings.")
        report.online = reach(report.helpdesk.sso_auth_url)
        report.findings += report.online.findings
        if email is not None:
            _try(report, report.online.reached, email, prefix, pace)
    (print_json if as_json else print_report)(report, ignored)
    if report.online is not None and not report.online.reached:
        raise SystemExit(Exit.NETWORK)
    if report.trial is not None and report.trial.is_unanswered:
        raise SystemExit(Exit.NETWORK)
    raise SystemExit(Exit.FINDINGS if counts(report.findings, ignored) else Exit.FINE)


def _confirm(email: str, prefix: str, *, yes: bool) -> None:
    helpdesk = helpdesk_of(settings_from_environment(prefix))
    if yes:
        return
    if not (sys.stdin and sys.stdin.isatty()):
        raise click.UsageError("--as asks for confirmation: without a terminal, pass --yes.")
    say(
        f"This sends up to {MOST} hand-offs for {email} to {helpdesk.sso_auth_url}. An accepted one signs "
        "that user in. What happens to an unknown address is not documented, so name an existing user.",
        to_stderr=True,
    )
    if not click.confirm("Send them?", err=True):
        raise SystemExit(Exit.USAGE)


def _try(report: Report, reached: bool, email: str, prefix: str, pace: Pace) -> None:
    trial = Trial(Secret(settings_from_environment(prefix)), email, pace)
    if reached:
        trial.run()
    outcome = report.trial = trial.outcome
    if outcome.variant is None:
        rule_id = "SSO.E064" if outcome.verdict == "not_accepted" else "SSO.W066"
        report.findings.append(found(rule_id, outcome.why))
    elif outcome.variant != outcome.given:
        token_file = bool(os.environ.get(f"{prefix}SSO_TOKEN_FILE"))
        steps = changes(outcome.given, outcome.variant, prefix, token_file=token_file)
        report.findings.append(found("SSO.E065", " ".join(steps)))


def _check_environment(prefix: str) -> Report:
    settings = settings_from_environment(prefix)
    helpdesk = helpdesk_of(settings)
    findings = [*check_token(settings["sso_token"]), *check_account(helpdesk)]
    return Report("the environment", helpdesk, findings)


def _check_application(
    loaded: Loaded, target: str, prefix: str, root_path: str, cookie: str | None, timeout: float | None
) -> Report:
    located = locate(loaded.app)
    report = Report(target)
    if project := django_project():
        project.show_errors()
        report.findings += project.findings()
    if not located:
        if timeout is not None and _walk_route(report, loaded.app, prefix, root_path, cookie, timeout):
            return report
        hint = ""
        if is_paste_factory(loaded.app):
            hint = f"; {PASTE}"
        elif inspect.isfunction(loaded.app) and takes(loaded.app, 0):
            hint = f"; if it is a factory, pass {target}()"
        elif name := wrapped_beside(loaded.app, loaded.module):
            hint = f"; {target.partition(':')[0]}:{name} is wrapped: serve that instead"
        report.findings.append(found("SSO.E020", f"{target} is {type(loaded.app).__name__}{hint}"))
        return report
    # The outermost one answers first; a second one belongs to another account.
    first = located[0]
    report.helpdesk = first.helpdesk
    if report.helpdesk is not None:
        report.findings += _check_token_of(report.helpdesk, prefix, short=loaded.short_token)
        report.findings += check_account(report.helpdesk)
    report.findings += check_cookies(loaded.app, located)
    report.findings += check_proxy_fix(loaded.app)
    report.findings += [finding for each in located for finding in check_hooks(each)]
    paths = [finding for each in located for finding in check_paths(each, root_path)]
    order = [finding for each in located for finding in check_order(each)]
    if timeout is not None:
        with client_of(loaded.app, root_path, timeout) as client:
            report.walk = list(Walk(client, first.entrance(loaded.app, root_path), root_path, cookie).steps())
    handed_off = any(
        step.name == "signed-in visit" and step.walked and step.finding is None for step in report.walk
    )
    # A signed-in visitor was handed off, so the session middleware is in the right place.
    report.findings += paths + ([] if handed_off else order)
    report.findings += [step.finding for step in report.walk if step.finding]
    return report


def _walk_route(
    report: Report, app: Any, prefix: str, root_path: str, cookie: str | None, timeout: float
) -> bool:
    """Look for a hand-off in a route of the application, and walk it."""
    # Calling something that is not an application, such as a factory, may have any effect.
    if is_paste_factory(app) or (inspect.isfunction(app) and takes(app, 0)):
        return False
    try:
        settings = settings_from_environment(prefix)
        with client_of(app, root_path, timeout) as client:
            helpdesk = helpdesk_of(settings)
            entrance = find_route(client, helpdesk)
            if entrance is None:
                return False
            report.walk = list(Walk(client, entrance, root_path, cookie).steps())
    except Failure:
        return False
    report.helpdesk = helpdesk
    report.findings += [*check_token(settings["sso_token"]), *check_account(helpdesk)]
    report.findings.append(found("SSO.I029", f"{entrance.path} of {report.source} answers"))
    report.findings += [step.finding for step in report.walk if step.finding]
    return True


def _check_token_of(helpdesk: HelpDesk, prefix: str, *, short: bool) -> list[Finding]:
    """Check the application's SSO Token if the environment holds it; a HelpDesk does not reveal it."""
    try:
        settings = settings_from_environment(prefix)
    except Failure:
        settings = None
    if settings is not None and _sign_alike(helpdesk, helpdesk_of(settings)):
        return list(check_token(settings["sso_token"]))
    return [found("SSO.W001", "a HelpDesk warned about it during the import")] if short else []


def _sign_alike(*helpdesks: HelpDesk) -> bool:
    same = {helpdesk.handoff("a@b.invalid", iat=0, jti="0" * 32).token for helpdesk in helpdesks}
    return len(same) == 1
