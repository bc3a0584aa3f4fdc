"""`sso-middleware check`: find mistakes in the settings, an application, or the way to the Help Desk."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterable
from contextlib import contextmanager, redirect_stdout, suppress
from threading import Timer
from typing import NoReturn

import click

from sso_middleware._secret import Secret
from sso_middleware._urls import mount_prefix
from sso_middleware.cli.check.account import check_account, check_token, reach
from sso_middleware.cli.check.app import VisitOptions, check_application, load
from sso_middleware.cli.check.findings import RULES, rule_id_of
from sso_middleware.cli.check.report import (
    STYLES,
    Report,
    ReportCommand,
    print_error,
    print_json,
    print_report,
)
from sso_middleware.cli.check.trial import Pace, Trial, confirm
from sso_middleware.cli.options import helpdesk_of, prefix_option, settings_from_environment
from sso_middleware.cli.output import Exit, Failure, json_option, say
from sso_middleware.errors import InvalidEmail
from sso_middleware.helpdesk import check_email

_MOST_VISITS = 6  # that may take the full timeout each
_BLOCKED_IMPORT = (
    "its import blocks. A call that serves the application, such as ui.run() or app.run(), never returns: "
    'move it under if __name__ == "__main__":. If the import is just slow, pass a longer --timeout.'
)
_BLOCKED_VISIT = "it blocks its event loop or a thread. Start it, and find the page that never loads."


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
    ignored = _ids(ignore)
    if email is not None and (not go_online or target is not None):
        raise click.UsageError(
            "--as needs --online and cannot be used with MODULE:APP: it signs hand-offs itself."
        )
    if target is None:
        settings = settings_from_environment(prefix)
        helpdesk = helpdesk_of(settings)
        if email is not None and not yes:
            confirm(helpdesk, email)
        findings = [*check_token(settings["sso_token"]), *check_account(helpdesk)]
        report = Report("the environment", helpdesk, findings)
    else:
        options = VisitOptions(mount_prefix(root_path), cookie, timeout if walk else None)
        with _limit(target, timeout, _BLOCKED_IMPORT, as_json=as_json):
            loaded = load(target)
        with _limit(target, _MOST_VISITS * timeout, _BLOCKED_VISIT, as_json=as_json):
            checked = check_application(loaded, prefix, options)
        report = Report(target, checked.helpdesk, checked.findings, checked.walk)
    if go_online:
        _go_online(report, email, prefix, pace)
    (print_json if as_json else print_report)(report, ignored)
    raise SystemExit(report.exit_code(ignored))


def _ids(ignore: Iterable[str]) -> set[str]:
    ignored = {rule_id_of(rule_id) for rule_id in ignore}
    # The ids of Django's system checks are not known here.
    if unknown := {each for each in ignored - RULES.keys() if not each.startswith("sso_middleware.")}:
        raise click.BadParameter(f"there is no finding {', '.join(sorted(unknown))}.", param_hint="--ignore")
    return ignored


def _go_online(report: Report, email: str | None, prefix: str, pace: Pace) -> None:
    if report.helpdesk is None:
        raise click.UsageError("--online needs an account with known settings.")
    report.online = reach(report.helpdesk.sso_auth_url)
    report.findings += report.online.findings
    if email is not None:
        trial = Trial(Secret(settings_from_environment(prefix)), email, pace)
        if report.online.reached:
            trial.run()
        report.trial = trial.result
        report.findings += trial.result.findings(prefix)


def leave(code: str | int | None) -> NoReturn:
    """End the process at once, because the application's threads and processes may keep it alive."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, OSError, ValueError):  # missing, closed, or a broken pipe
            stream.flush()
    os._exit(code if isinstance(code, int) else Exit.SETTINGS)


@contextmanager
def _limit(target: str, seconds: float, words: str, *, as_json: bool) -> Generator[None, None, None]:
    """Keep what the block prints out of our output, and end the process if it takes longer than `seconds`.

    An import, which runs in the main thread as in servers, cannot be interrupted. Neither can a blocked event
    loop. The error message ends with `words`.
    """
    stdout = sys.stdout

    def give_up() -> NoReturn:
        sys.stdout = stdout
        unit = "second" if seconds == 1 else "seconds"
        failure = Failure(f"{target} timed out after {seconds:g} {unit}: {words}")
        if as_json:
            print_error(target, failure)
        failure.show()
        leave(Exit.SETTINGS)

    timer = Timer(seconds, give_up)
    timer.daemon = True
    timer.start()
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        timer.cancel()
