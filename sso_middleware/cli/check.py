"""`sso-middleware check`: what is wrong with the settings, an application, or the way to the Help Desk."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from typing import Any

import click

from sso_middleware.cli.checks.application import Located, check_order, check_paths, locate
from sso_middleware.cli.checks.client import client_of
from sso_middleware.cli.checks.django import django_project
from sso_middleware.cli.checks.findings import Finding, counts
from sso_middleware.cli.checks.loading import load
from sso_middleware.cli.checks.online import Online, reach
from sso_middleware.cli.checks.rules import RULES, found, is_of_django, rule_id_of
from sso_middleware.cli.checks.settings import check_account, check_token, panel
from sso_middleware.cli.checks.walk import Step, Walk
from sso_middleware.cli.environment import helpdesk_of, prefix_option, settings_from_environment
from sso_middleware.cli.output import Exit, Failure, json_option, say, say_json
from sso_middleware.helpdesk import HelpDesk

_STYLES = {"error": "bold red", "warning": "bold yellow", "info": "bold cyan"}


@dataclass
class _Report:
    """What was found out; `None` and empty where it was not looked for."""

    source: str
    helpdesk: HelpDesk | None = None
    findings: list[Finding] = field(default_factory=list[Finding])
    walk: list[Step] = field(default_factory=list[Step])
    online: Online | None = None


def _explain(ctx: click.Context, _: click.Parameter, rule_id: str | None) -> None:
    if rule_id is None:
        return
    rule = RULES.get(rule_id_of(rule_id))
    if rule is None:
        raise click.BadParameter(f"there is no {rule_id}; there are {', '.join(RULES)}.")
    say((f"{rule.id} {rule.severity}: ", _STYLES[rule.severity]), (rule.title, "bold"))
    say(rule.why)
    say(rule.hint)
    ctx.exit()


@click.command("check")
@click.argument("target", metavar="[MODULE:APP]", required=False)
@click.option(
    "--cookie",
    envvar="SSO_MIDDLEWARE_COOKIE",
    show_envvar=True,
    help="The Cookie header of somebody signed in to the application: walks that way, too.",
)
@click.option(
    "--walk/--no-walk", "walk", default=True, help="Visit the application in process (the default), or not."
)
@click.option("--root-path", default="", help="The mount prefix your server announces, such as /app.")
@click.option("--online", "go_online", is_flag=True, help="Also reach the SSO Auth URL; no token is sent.")
@click.option(
    "--ignore", multiple=True, metavar="ID", help="A finding that is not to count; may be repeated."
)
@click.option(
    "--explain",
    metavar="ID",
    callback=_explain,
    is_eager=True,
    expose_value=False,
    help="Explain a finding and exit.",
)
@prefix_option
@json_option
def command(
    target: str | None,
    cookie: str | None,
    walk: bool,
    root_path: str,
    go_online: bool,
    ignore: tuple[str, ...],
    prefix: str,
    as_json: bool,
) -> None:
    """Look for what is wrong with the settings in the environment, or with an application.

    MODULE:APP is what you would hand to gunicorn or uvicorn, for Django mysite.wsgi:application or
    mysite.asgi:application; MODULE:make_app() calls a factory. It is imported and visited in process,
    as an anonymous visitor, with forged identity headers and, given a cookie, as its owner; nothing
    is sent to the Help Desk. Your resolver and event hooks run. Of Django's system checks, those of
    sso_middleware run, too.
    """
    ignored = {rule_id_of(rule_id) for rule_id in ignore}
    if unknown := {rule_id for rule_id in ignored - RULES.keys() if not is_of_django(rule_id)}:
        raise click.BadParameter(f"there is no {', '.join(sorted(unknown))}.", param_hint="--ignore")
    # What the application prints is not to end up in our output.
    with redirect_stdout(sys.stderr):
        if target is None:
            report = _check_environment(prefix)
        else:
            report = _check_application(target, prefix, root_path, cookie, walk=walk)
    if go_online:
        if report.helpdesk is None:
            raise click.UsageError("--online needs an account whose settings are known.")
        report.online = reach(report.helpdesk.sso_auth_url)
        report.findings += report.online.findings
    (_print_json if as_json else _print)(report, ignored)
    if report.online is not None and not report.online.reached:
        raise SystemExit(Exit.NETWORK)
    raise SystemExit(Exit.FINDINGS if counts(report.findings, ignored) else Exit.FINE)


def _check_environment(prefix: str) -> _Report:
    settings = settings_from_environment(prefix)
    helpdesk = helpdesk_of(settings)
    findings = [*check_token(settings["sso_token"]), *check_account(helpdesk)]
    return _Report("the environment", helpdesk, findings)


def _check_application(
    target: str, prefix: str, root_path: str, cookie: str | None, *, walk: bool
) -> _Report:
    loaded = load(target)
    located = locate(loaded.app)
    report = _Report(target)
    if project := django_project():
        project.show_errors()
        report.findings += project.findings()
    if not located:
        report.findings.append(found("SSO.E020", f"{target} is {type(loaded.app).__name__}"))
        return report
    # The outermost answers first; a second one is another account's.
    first = located[0]
    report.helpdesk = first.helpdesk
    if report.helpdesk is not None:
        report.findings += _check_token_of(report.helpdesk, prefix, short=loaded.short_token)
        report.findings += check_account(report.helpdesk)
    paths = [finding for each in located for finding in check_paths(each, root_path)]
    order = [finding for each in located for finding in check_order(each)]
    if walk:
        report.walk = _walk(loaded.app, first, root_path, cookie)
    handed_off = any(step.name == "signed-in visit" and step.finding is None for step in report.walk)
    # Who is handed off has been recognised, wherever the session middleware is.
    report.findings += paths + ([] if handed_off else order)
    report.findings += [step.finding for step in report.walk if step.finding]
    return report


def _walk(app: Callable[..., Any], located: Located, root_path: str, cookie: str | None) -> list[Step]:
    with client_of(app) as client:
        return list(Walk(client, located, root_path, cookie).steps())


def _check_token_of(helpdesk: HelpDesk, prefix: str, *, short: bool) -> list[Finding]:
    """Look at the SSO Token of an application: a HelpDesk does not give it away, the environment may."""
    try:
        settings = settings_from_environment(prefix)
    except Failure:
        settings = None
    if settings is not None and _sign_alike(helpdesk, helpdesk_of(settings)):
        return list(check_token(settings["sso_token"]))
    return [found("SSO.W001", "a HelpDesk says so while the application is imported")] if short else []


def _sign_alike(*helpdesks: HelpDesk) -> bool:
    same = {helpdesk.handoff("a@b.invalid", iat=0, jti="0" * 32).token for helpdesk in helpdesks}
    return len(same) == 1


def _print(report: _Report, ignored: set[str]) -> None:
    if report.helpdesk is not None:
        say(("Settings", "bold"), f" of {report.source}")
        say(f"  SSO Auth URL  {report.helpdesk.sso_auth_url}")
        say(f"  Account ID    {report.helpdesk.account_id}")
        say(("Enter in the vendor's panel", "bold"), ", Settings -> Security -> Single sign-on")
        for name, value in panel(report.helpdesk).items():
            say(f"  {name:<12}  {value or '(where users go after logging out: a page of yours)'}")
    if report.walk:
        say(("A walk through the application", "bold"))
    for step in report.walk:
        mark = ("  wrong ", "bold red") if step.is_wrong else ("  fine  ", "green")
        say(mark, f"{step.name}: {step.said}")
    if wrong := next((step for step in report.walk if step.is_wrong), None):
        say(f"  The first wrong link is the {wrong.name}.")
    if report.online is not None:
        say(("The SSO Auth URL", "bold"))
        say(f"  {_describe(report.online)}")
    say(("Findings", "bold"), "" if report.findings else ": none")
    for finding in report.findings:
        severity = finding.rule.severity
        note = " (ignored)" if finding.rule.id in ignored else ""
        say(
            (f"  {finding.rule.id} {severity}: ", _STYLES[severity]),
            f"{finding.rule.title}: {finding.message}{note}",
        )
        say(f"    {finding.rule.hint}")


def _describe(online: Online) -> str:
    if not online.reached:
        return "no answer"
    clock = (
        "no clock in its answer"
        if online.clock_difference is None
        else (f"its clock and ours differ by {abs(online.clock_difference)} s")
    )
    return f"answers {online.status}, {online.tls or 'no TLS'}, {clock}"


def _print_json(report: _Report, ignored: set[str]) -> None:
    helpdesk, online = report.helpdesk, report.online
    account = (
        {"sso_auth_url": helpdesk.sso_auth_url, "account_id": str(helpdesk.account_id)} if helpdesk else None
    )
    say_json(
        {
            "source": report.source,
            "settings": account,
            "panel": panel(helpdesk) if helpdesk else None,
            "walk": [
                {"step": step.name, "said": step.said, "finding": step.finding and step.finding.rule.id}
                for step in report.walk
            ],
            "online": online
            and {"status": online.status, "tls": online.tls, "clock_difference": online.clock_difference},
            "findings": [
                finding.as_json() | {"ignored": finding.rule.id in ignored} for finding in report.findings
            ],
        }
    )
