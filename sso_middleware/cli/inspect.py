"""`sso-middleware inspect`: decode a hand-off and judge it as the Help Desk would."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlencode

import click

from sso_middleware.cli.options import (
    freshness_option,
    leeway_option,
    prefix_option,
    settings_from_environment,
)
from sso_middleware.cli.output import Exit, json_option, say, say_json
from sso_middleware.errors import ConfigError
from sso_middleware.sandbox.verifier import HandoffRejected, HandoffVerifier, query_of, tokens

_LONGEST_INPUT = 100_000  # bytes
_LOCATION = re.compile(r"^(?:< )?location:[ \t]*(.*)$", re.IGNORECASE | re.MULTILINE)
_CUT = "The shell cut the URL off at its first &: quote the URL, or pass it on standard input."
_DATES = 10**11  # seconds; larger values, beyond the year 5000, are not dates in seconds


@click.command("inspect")
@click.argument("handoff", metavar="[URL|JWT|-]", default="-")
@click.option("--insecure", is_flag=True, help="Decode it without judging it; needs no settings.")
@freshness_option
@leeway_option
@prefix_option
@json_option
def command(
    handoff: str, insecure: bool, freshness: float, leeway: float, prefix: str, as_json: bool
) -> None:
    """Decode a hand-off URL or a JWT, and say why it would be rejected.

    Without an argument, it is read from standard input, which keeps it out of your shell's history. You
    can also pass the output of `curl -si`: the "Location:" header is used. It is judged by the settings
    in the environment.
    """
    given = os.fsencode(handoff)
    if handoff == "-":
        given = sys.stdin.buffer.read(_LONGEST_INPUT) if sys.stdin else b""  # None: it is closed
    text = _handoff_in(given)
    if not text:
        raise click.UsageError("URL|JWT: is empty; pass a URL or a JWT.")
    is_url = "?" in text or "://" in text
    query = parse_qs(query_of(text)) if is_url else {"token": [text]}
    report = _contents({name: values[0] for name, values in query.items()})
    not_judged = [] if is_url else ["account_id", "auth_url"]
    caveat = None if is_url else "A JWT alone: account_id and auth_url were not judged."
    if insecure:
        not_judged = ["token", "account_id", "auth_url"]
        caveat = "Not verified: anyone may have made this."
    else:
        report |= _judge(text, freshness, leeway, prefix, is_url=is_url)
    report |= {"not_judged": not_judged, "caveat": caveat}
    if re.search(r"\?token=[^&#]+$", text):
        report |= {"hint": _CUT} if "hint" in report else {"caveat": f"{caveat} {_CUT}"}
    if as_json:
        say_json(report)
    else:
        _print(report)
    fine = report["claims"] is not None if insecure else report["verdict"] == "accepted"
    raise SystemExit(Exit.FINE if fine else Exit.FINDINGS)


def _handoff_in(given: bytes) -> str:
    text = given.decode(errors="replace").strip()
    locations: list[str] = _LOCATION.findall(text) or [text]
    # If curl follows redirects, it also prints those of the Help Desk.
    found = next((each for each in locations if "token=" in each), locations[-1])
    return found.strip(" \t\r\"'<>")


def _contents(sent: Mapping[str, str]) -> dict[str, Any]:
    header, claims = tokens.decoded(sent.get("token", ""))
    iat = tokens.iat_of(claims)
    return {
        "header": header,
        "claims": claims,
        "age": None if iat is None else int(time.time()) - iat,
        "account_id": sent.get("account_id"),
        "auth_url": sent.get("auth_url"),
    }


def _judge(text: str, freshness: float, leeway: float, prefix: str, *, is_url: bool) -> dict[str, Any]:
    # A JWT alone has no account and no Auth URL; the other settings never matter here.
    unused = "https://unused.invalid/"
    instead = {"SSO_AUTH_URL": unused, "LOGOUT_URL": "", "BACKDATE": "", "ALLOW_HTTP": "1"}
    if not is_url:
        instead |= {"AUTH_URL": unused, "ACCOUNT_ID": os.environ.get(f"{prefix}ACCOUNT_ID") or "unused"}
    settings = settings_from_environment(prefix, instead)
    account = {name: settings[name] for name in ("sso_token", "account_id", "auth_url")}
    if not is_url:
        sent = {"token": text, "account_id": account["account_id"], "auth_url": account["auth_url"]}
        text = f"?{urlencode(sent)}"
    try:
        verifier = HandoffVerifier(**account, freshness=freshness, leeway=leeway)
    except ConfigError as error:
        raise click.UsageError(str(error)) from None
    rejected = _rejection(text, verifier)
    if rejected is None:
        return {
            "verdict": "accepted",
            "message": "The Help Desk would sign the visitor in, according to its documentation and our "
            "assumptions.",
        }
    verdict = {
        "verdict": rejected.code,
        "message": rejected.message,
        "hint": rejected.hint,
        "assumption": rejected.assumption,
    }
    if rejected.code == "stale":
        others = _rejection(text, HandoffVerifier(**account, freshness=_DATES))  # nothing is stale
        verdict["age_apart"] = others.code if others else "accepted"
    return verdict


def _rejection(url: str, verifier: HandoffVerifier) -> HandoffRejected | None:
    try:
        verifier.verify(url)
    except HandoffRejected as rejected:
        return rejected
    return None


def _print(report: dict[str, Any]) -> None:
    for name in ("header", "claims"):
        shown = "cannot be read" if report[name] is None else json.dumps(report[name])
        say((f"{name.capitalize():<12}", "bold"), shown)
    if report["age"] is not None:
        issued = report["claims"]["iat"]
        date = (
            f"{datetime.fromtimestamp(issued, UTC):%Y-%m-%d %H:%M:%S} UTC, " if 0 <= issued < _DATES else ""
        )
        age = report["age"]
        seconds = "1 second" if abs(age) == 1 else f"{abs(age)} seconds"
        say(("Issued      ", "bold"), f"{date}{seconds} {'ago' if age >= 0 else 'in the future'}")
    for name in ("account_id", "auth_url"):
        if report[name] is not None:
            say((f"{name:<12}", "bold"), report[name])
    if "verdict" in report:
        style = "bold green" if report["verdict"] == "accepted" else "bold red"
        say(("Verdict     ", "bold"), (report["verdict"], style))
    assumed, age_apart = report.get("assumption"), report.get("age_apart")
    notes = [
        report.get("message"),
        report.get("hint"),
        f"Assumed: {assumed}" if assumed else None,
        f"Ignoring its age: {age_apart}." if age_apart else None,
        report["caveat"],
    ]
    for note in filter(None, notes):
        say(note)
