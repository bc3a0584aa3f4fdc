"""The results of `check`, printed for people or programs."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import click

from sso_middleware.cli.check.account import Online
from sso_middleware.cli.check.findings import Finding, Step
from sso_middleware.cli.check.trial import TrialResult, TriedHandoff, differences
from sso_middleware.cli.output import Exit, Json, say, say_json
from sso_middleware.helpdesk import HelpDesk

STYLES = {"error": "bold red", "warning": "bold yellow", "info": "bold cyan"}


@dataclass
class Report:
    """The results; `None` or empty where nothing was checked."""

    source: str | None
    helpdesk: HelpDesk | None = None
    findings: list[Finding] = field(default_factory=list[Finding])
    walk: Sequence[Step] = ()
    online: Online | None = None
    trial: TrialResult | None = None

    def exit_code(self, ignored: set[str]) -> Exit:
        """Return the exit code of the command, where findings that are `ignored` do not count."""
        if (self.online and not self.online.reached) or (self.trial and self.trial.is_unanswered):
            return Exit.NETWORK
        failed = any(each.rule.counts and each.rule.id not in ignored for each in self.findings)
        return Exit.FINDINGS if failed else Exit.FINE


def print_report(report: Report, ignored: set[str]) -> None:
    """Print `report` for people and mark the `ignored` findings."""
    if report.helpdesk is not None:
        say(("Settings", "bold"), f" of {report.source}")
        say(f"  SSO Auth URL  {report.helpdesk.sso_auth_url}")
        say(f"  Account ID    {report.helpdesk.account_id}")
        say(("Enter in the vendor's panel", "bold"), ", Settings -> Security -> Single sign-on", indent=2)
        for name, value in _panel(report.helpdesk).items():
            say(
                f"  {name:<12}  {value or '(a page of your application where users go after logging out)'}",
                indent=16,
            )
    if report.walk:
        say(("A walk through the application", "bold"))
    for step in report.walk:
        say(_mark(step), f"{step.name}: {step.said}", indent=8)
    if wrong := next((step for step in report.walk if step.is_wrong), None):
        say(f"  The first failed step is the {wrong.name}.")
    if report.online is not None:
        say(("The SSO Auth URL", "bold"))
        say(f"  {_response(report.online)}")
    if report.trial is not None:
        _print_trial(report.trial)
    say(("Findings", "bold"), "" if report.findings else ": none")
    for finding in report.findings:
        severity = finding.rule.severity
        note = " (ignored)" if finding.rule.id in ignored else ""
        say(
            (f"  {finding.rule.id} {severity}: ", STYLES[severity]),
            f"{finding.rule.title}: {finding.message}{note}",
            indent=4,
        )
        say(f"    {finding.hint}", indent=4)


def _panel(helpdesk: HelpDesk) -> dict[str, str | None]:
    """Return what to enter in the vendor's panel, by field name."""
    return {"Auth URL": helpdesk.auth_url, "Logout URL": helpdesk.logout_url}


def _mark(step: Step) -> tuple[str, str]:
    if not step.walked:
        return "  ----  ", "cyan"
    return ("  wrong ", "bold red") if step.is_wrong else ("  fine  ", "green")


def _response(online: Online) -> str:
    if not online.reached:
        return "no response"
    clock = "no Date header"
    if online.clock_difference is not None:
        clock = f"its clock and this machine's differ by {abs(online.clock_difference)} s"
    return f"answers {online.status}, {online.tls or 'no TLS'}, {clock}"


def _print_trial(trial: TrialResult) -> None:
    say(("Hand-offs", "bold"), f" for {trial.given.email}")
    for tried in trial.handoffs:
        say(f"  {_name(tried, trial)}: {_where(tried)}")
        if tried.verdict:
            say(f"    {tried.verdict.replace('_', ' ')}: {tried.why}")
    say(("  Verdict: ", "bold"), f"{trial.verdict.replace('_', ' ')}, because {trial.why}")


def _name(tried: TriedHandoff, trial: TrialResult) -> str:
    if tried.variant is None:
        return "control without a token" if tried.token == "none" else "control with a random key"
    return ", ".join(differences(trial.given, tried.variant)) or "the settings unchanged"


def _where(tried: TriedHandoff) -> str:
    ending = tried.ending
    parts = [f"{ending.status or 'no response'} at {ending.url}"]
    parts += [f'title "{ending.title}"'] if ending.title else []
    parts += [f"cookies {' '.join(ending.cookies)}"] if ending.cookies else []
    parts += [ending.stopped] if ending.stopped else []
    return ", ".join(parts)


def print_json(report: Report, ignored: set[str]) -> None:
    """Print `report` for programs."""
    say_json(_as_json(report, ignored))


def print_error(source: str | None, error: click.ClickException) -> None:
    """Print `error` for programs, as a report on `source` without results."""
    say_json(_as_json(Report(source), set()) | {"error": error.format_message()})


def _as_json(report: Report, ignored: set[str]) -> dict[str, Json]:
    helpdesk, online = report.helpdesk, report.online
    account = (
        {"sso_auth_url": helpdesk.sso_auth_url, "account_id": str(helpdesk.account_id)} if helpdesk else None
    )
    trial = {"trial": _trial_as_json(report.trial)} if report.trial else {}
    error = {"error": online.findings[0].message} if online and not online.reached else {}
    return {
        "source": report.source,
        "settings": account,
        "panel": _panel(helpdesk) if helpdesk else None,
        "walk": [
            {
                "step": step.name,
                "walked": step.walked,
                "said": step.said,
                "finding": step.finding and step.finding.rule.id,
            }
            for step in report.walk
        ],
        "online": online
        and {"status": online.status, "tls": online.tls, "clock_difference": online.clock_difference},
        **trial,
        "findings": [
            {
                "id": finding.rule.id,
                "severity": finding.rule.severity,
                "message": finding.message,
                "hint": finding.hint,
                "ignored": finding.rule.id in ignored,
            }
            for finding in report.findings
        ],
        **error,
    }


def _trial_as_json(trial: TrialResult) -> dict[str, Json]:
    return {
        "verdict": trial.verdict,
        "variant": trial.variant and trial.variant._asdict(),
        "attempts": [
            {
                "token": tried.token,
                "variant": tried.variant and tried.variant._asdict(),
                **tried.ending._asdict(),
                "verdict": tried.verdict,
                "why": tried.why or None,
            }
            for tried in trial.handoffs
        ],
    }


class ReportCommand(click.Command):
    """A command whose ``--json`` also prints errors as an object with the keys of a report."""

    def make_context(self, info_name: str | None, args: list[str], *more: Any, **extra: Any) -> click.Context:
        """Read the arguments."""
        with _errors_printed(None, as_json="--json" in args):
            return super().make_context(info_name, args, *more, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        with _errors_printed(ctx.params["target"], as_json=ctx.params["as_json"]):
            return super().invoke(ctx)


@contextmanager
def _errors_printed(source: str | None, *, as_json: bool) -> Generator[None, None, None]:
    try:
        yield
    except click.ClickException as error:  # click prints it to standard error
        if as_json:
            print_error(source, error)
        raise
