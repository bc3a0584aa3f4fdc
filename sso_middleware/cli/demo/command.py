"""`sso-middleware demo`: run a Help Desk and a sample application."""

from __future__ import annotations

from contextlib import ExitStack

import click
from click.core import ParameterSource

from sso_middleware.cli.demo.journey import Broken, journey
from sso_middleware.cli.demo.sample import AUTH_PATH, FIX_PATH, LOGOUT_PATH, SampleApplication
from sso_middleware.cli.output import Exit, say
from sso_middleware.cli.serving import PORT, log_option, start, stopping_cleanly, tell
from sso_middleware.sandbox import Sandbox
from sso_middleware.sandbox.server import serve


@click.command("demo")
@click.option(
    "--port", type=PORT, default=8000, show_default=True, help="The application's port; 0 picks a free one."
)
@click.option(
    "--helpdesk-port",
    type=PORT,
    default=9400,
    show_default=True,
    help="The Help Desk's port; 0 picks a free one.",
)
@click.option("--self-test", is_flag=True, help="Walk the whole journey, print how each step went, and stop.")
@log_option
@click.pass_context
def command(ctx: click.Context, port: int, helpdesk_port: int, self_test: bool) -> None:
    """Run a Help Desk and a sample application on this machine, each on its own port.

    Sign in to the application and open Support to sign in to the Help Desk. Then break a setting on the
    application's page and see what the Help Desk says. Each verdict is printed to standard error.
    """
    chosen = {
        name: ctx.get_parameter_source(name) is not ParameterSource.DEFAULT
        for name in ("port", "helpdesk_port")
    }
    if self_test:  # any free port will do
        port = port if chosen["port"] else 0
        helpdesk_port = helpdesk_port if chosen["helpdesk_port"] else 0
    with stopping_cleanly(), ExitStack() as stack:
        sample = SampleApplication()
        app_url = start(
            stack,
            lambda port: serve(sample, "127.0.0.1", port),
            port,
            "--port",
            or_any=not chosen["port"],
        )
        sandbox = Sandbox(
            auth_url=f"{app_url}{AUTH_PATH}",
            logout_url=f"{app_url}{LOGOUT_PATH}",
            settings_page=f"{app_url}{FIX_PATH}",
        )
        helpdesk_url = start(
            stack,
            lambda port: sandbox.run(host="localhost", port=port),  # not the application's site
            helpdesk_port,
            "--helpdesk-port",
            or_any=not chosen["helpdesk_port"],
        )
        sample.connect(sandbox.environment)
        if self_test:
            raise SystemExit(run_self_test(app_url, helpdesk_url))
        say(("Sample application  ", "bold"), f"{app_url}/")
        say(("Help Desk           ", "bold"), f"{helpdesk_url}/")
        say("Sign in to the application and open Support. Then break a setting there.")
        say("The account is made up, and the Help Desk is a stand-in. Press Ctrl-C to stop both.")
        tell(sandbox)


def run_self_test(app_url: str, helpdesk_url: str) -> Exit:
    """Walk the journey, print each step, and return the exit code."""
    try:
        for sentence in journey(app_url, helpdesk_url):
            say(("ok      ", "green"), sentence)
    except Broken as broken:
        say(("FAILED  ", "bold red"), str(broken))
        return Exit.FINDINGS
    return Exit.FINE
