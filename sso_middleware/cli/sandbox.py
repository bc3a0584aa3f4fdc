"""`sso-middleware sandbox`: run a Help Desk on this machine."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any, get_args
from urllib.parse import urljoin

import click

from sso_middleware._urls import is_loopback, url_problem
from sso_middleware.cli.env_file import SHELL, SHELLS, read_env_file, shell_lines, write_env_file
from sso_middleware.cli.options import (
    freshness_option,
    leeway_option,
    prefix_option,
    settings_from_environment,
)
from sso_middleware.cli.output import say
from sso_middleware.cli.serving import PORT, log_option, start, stopping_cleanly, tell
from sso_middleware.errors import ConfigError
from sso_middleware.sandbox import Sandbox
from sso_middleware.sandbox.verifier import Key

_APPLICATION = "http://127.0.0.1:8000"


@click.command("sandbox")
@click.option("--host", default="localhost", show_default=True, help="The address to listen on.")
@click.option("--port", type=PORT, default=9400, show_default=True, help="The port; 0 picks a free one.")
@click.option(
    "--auth-url",
    default=f"{_APPLICATION}/sso/helpdesk",
    show_default=True,
    help="The Auth URL: where your application starts a hand-off.",
)
@click.option(
    "--logout-url",
    show_default="/sso/logout on the Auth URL's host",
    help="The Logout URL: where users go after signing out here.",
)
@click.option("--account-id", show_default="sandbox", help="The Account ID.")
@click.option(
    "--from-env",
    is_flag=True,
    help="Read SSO Token, Account ID, Auth URL and Logout URL from the environment.",
)
@click.option(
    "--env-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the settings to this file instead of printing them; a restart reuses them.",
)
@click.option(
    "--shell",
    type=click.Choice([*SHELLS]),
    default=SHELL,
    show_default=True,
    help="The shell to print the settings for.",
)
@click.option(
    "--key",
    type=click.Choice(get_args(Key)),
    default="raw",
    show_default=True,
    help="How the signing key is derived from the SSO Token (assumed).",
)
@click.option(
    "--sends",
    metavar="NAME",
    help="Add the requested page to the Auth URL as NAME, such as return_page (assumed: nothing).",
)
@freshness_option
@leeway_option
@click.option(
    "--shortest-jti", default=32, show_default=True, help="Minimum length of a jti, in characters (assumed)."
)
@click.option("--reuse-jti", is_flag=True, help="Accept a jti more than once (assumed: once).")
@click.option(
    "--longest-token",
    default=4096,
    show_default=True,
    help="Maximum length of a token, in characters (assumed).",
)
@click.option("--allow-remote", is_flag=True, help="Answer other machines; they can also read the SSO Token.")
@log_option
@prefix_option
def command(
    *,
    host: str,
    port: int,
    auth_url: str,
    logout_url: str | None,
    account_id: str | None,
    from_env: bool,
    env_file: Path | None,
    shell: str,
    reuse_jti: bool,
    allow_remote: bool,
    prefix: str,
    **options: Any,
) -> None:
    """Run a Help Desk on this machine that judges hand-offs and shows why.

    It prints made-up settings to standard output, as lines for your application's environment, and its
    address and each verdict to standard error. Options marked as assumed are not documented by the
    vendor.

    The default host is localhost, so that an application at 127.0.0.1 is another site, as in production:
    a SameSite=Strict session cookie fails here too.
    """
    if from_env and env_file:
        raise click.UsageError("--from-env and --env-file cannot be used together.")
    if from_env and allow_remote:
        raise click.UsageError("--from-env and --allow-remote would show your SSO Token to other machines.")
    if from_env:
        # The address of the real Help Desk does not matter and may not be set yet.
        settings = settings_from_environment(prefix, {"SSO_AUTH_URL": "https://unused.invalid/"})
        account: dict[str, Any] = {
            name: settings[name] for name in ("sso_token", "account_id", "auth_url", "logout_url")
        }
    else:
        kept = read_env_file(env_file, prefix) if env_file else {}
        account = {
            "sso_token": kept.get(f"{prefix}SSO_TOKEN"),
            "account_id": kept.get(f"{prefix}ACCOUNT_ID", "sandbox") if account_id is None else account_id,
            "auth_url": auth_url,
            "logout_url": logout_url or urljoin(auth_url, "/sso/logout"),
        }
    if allow_remote:
        say(
            ("Warning: ", "bold yellow"),
            "anyone who can reach this Help Desk can read its SSO Token and its log.",
            to_stderr=True,
        )
    elif not is_loopback(host):
        raise click.BadParameter("is not a loopback address: add --allow-remote.", param_hint="--host")
    try:
        # The other options have the names of Sandbox's parameters.
        sandbox = Sandbox(**account, jti_once=not reuse_jti, allow_remote=allow_remote, **options)
    except ConfigError as error:
        raise click.UsageError(str(error)) from None
    with stopping_cleanly(), ExitStack() as stack:
        base_url = start(stack, lambda port: sandbox.run(host=host, port=port), port, "--port", or_any=False)
        say(("The Help Desk: ", "bold"), base_url, to_stderr=True)
        variables = _variables(sandbox, prefix)
        if from_env:
            del variables[f"{prefix}SSO_TOKEN"]  # the environment has it
        if env_file:
            write_env_file(env_file, variables, prefix)
            say(f"Its settings are in {env_file}: load that file in your application.", to_stderr=True)
        else:
            say("For the shell that starts your application:", to_stderr=True)
            # say() would hide the SSO Token, and your application needs it.
            click.echo(shell_lines(variables, shell))
        say("Press Ctrl-C to stop.", to_stderr=True)
        tell(sandbox)


def _variables(sandbox: Sandbox, prefix: str) -> dict[str, str]:
    variables = sandbox.environment
    if any(url_problem(url, allow_http=False) for name, url in variables.items() if name.endswith("_URL")):
        variables["HELPDESK_ALLOW_HTTP"] = "1"
    return {f"{prefix}{name.removeprefix('HELPDESK_')}": value for name, value in variables.items()}
