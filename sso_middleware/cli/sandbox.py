"""`sso-middleware sandbox`: a Help Desk on this machine."""

from __future__ import annotations

import shlex
from contextlib import ExitStack
from typing import Any
from urllib.parse import urljoin

import click

from sso_middleware._urls import is_loopback, url_problem
from sso_middleware.cli.options import (
    freshness_option,
    leeway_option,
    prefix_option,
    settings_from_environment,
)
from sso_middleware.cli.output import say
from sso_middleware.cli.serving import PORT, log_option, show_access_log, start, stopping_cleanly, tell
from sso_middleware.errors import ConfigError
from sso_middleware.sandbox import Sandbox

_APPLICATION = "http://127.0.0.1:8000"


@click.command("sandbox")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=PORT, default=9400, show_default=True, help="0 takes any free one.")
@click.option(
    "--auth-url",
    default=f"{_APPLICATION}/sso/helpdesk",
    show_default=True,
    help="The Auth URL: where your application is entered for a hand-off.",
)
@click.option(
    "--logout-url",
    show_default="/sso/logout beside the Auth URL",
    help="The Logout URL: where users go after signing out here.",
)
@click.option("--account-id", default="sandbox", show_default=True, help="The Account ID.")
@click.option(
    "--from-env",
    is_flag=True,
    help="Take SSO Token, Account ID, Auth URL and Logout URL from the environment instead.",
)
@freshness_option
@leeway_option
@click.option(
    "--shortest-jti", default=32, show_default=True, help="Characters a jti has at least (assumed)."
)
@click.option("--reuse-jti", is_flag=True, help="Let a jti be used more than once (assumed: once).")
@click.option(
    "--longest-token", default=4096, show_default=True, help="Characters a token has at most (assumed)."
)
@click.option("--allow-remote", is_flag=True, help="Answer other machines: they can read the SSO Token, too.")
@log_option
@prefix_option
def command(
    host: str,
    port: int,
    auth_url: str,
    logout_url: str | None,
    account_id: str,
    from_env: bool,
    freshness: float,
    leeway: float,
    shortest_jti: int,
    reuse_jti: bool,
    longest_token: int,
    allow_remote: bool,
    access_log: bool,
    prefix: str,
) -> None:
    """Run a Help Desk on this machine that judges hand-offs and shows why.

    Its settings, made up, are printed on standard output, as lines for your application's environment;
    its address and what becomes of each hand-off on standard error. What is marked as assumed is not
    documented by the vendor.
    """
    account: dict[str, Any] = {
        "sso_token": None,
        "account_id": account_id,
        "auth_url": auth_url,
        "logout_url": logout_url or urljoin(auth_url, "/sso/logout"),
    }
    if from_env:
        if allow_remote:
            raise click.UsageError(
                "--from-env and --allow-remote would show your SSO Token to other machines."
            )
        # Where the real Help Desk is does not matter; it may not be there yet.
        settings = settings_from_environment(prefix, {"SSO_AUTH_URL": "https://unused.invalid/"})
        account = {name: settings[name] for name in account}
    if allow_remote:
        say(
            ("Warning: ", "bold yellow"),
            "whoever reaches this Help Desk reads its SSO Token and its log.",
            to_stderr=True,
        )
    elif not is_loopback(host):
        raise click.BadParameter("is not this machine alone: add --allow-remote.", param_hint="--host")
    try:
        sandbox = Sandbox(
            **account,
            freshness=freshness,
            leeway=leeway,
            shortest_jti=shortest_jti,
            jti_once=not reuse_jti,
            longest_token=longest_token,
            allow_remote=allow_remote,
        )
    except ConfigError as error:
        raise click.UsageError(str(error)) from None
    if access_log:
        show_access_log()
    with stopping_cleanly(), ExitStack() as stack:
        base_url = start(stack, lambda port: sandbox.run(host=host, port=port), port, "--port", or_any=False)
        say(("The Help Desk: ", "bold"), base_url, to_stderr=True)
        say("For the shell that starts your application:", to_stderr=True)
        _print_settings(sandbox, prefix, hide_token=from_env)
        say("Ctrl-C stops.", to_stderr=True)
        tell(sandbox)


def _print_settings(sandbox: Sandbox, prefix: str, *, hide_token: bool) -> None:
    variables = sandbox.environment
    if hide_token:
        del variables["HELPDESK_SSO_TOKEN"]  # the environment has it
    if any(url_problem(url, allow_http=False) for name, url in variables.items() if name.endswith("_URL")):
        variables["HELPDESK_ALLOW_HTTP"] = "1"
    for name, value in variables.items():
        # Not by say(): the SSO Token is the sandbox's own, and this is how one gets it.
        click.echo(f"export {prefix}{name.removeprefix('HELPDESK_')}={shlex.quote(value)}")
