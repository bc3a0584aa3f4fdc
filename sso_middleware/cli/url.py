"""`sso-middleware url`: print a live hand-off URL."""

from __future__ import annotations

import json

import click

from sso_middleware.cli.options import helpdesk_of, prefix_option, settings_from_environment
from sso_middleware.cli.output import json_option, say
from sso_middleware.errors import InvalidEmail


@click.command("url")
@click.argument("email")
@prefix_option
@json_option
def command(email: str, prefix: str, as_json: bool) -> None:
    """Print a live hand-off URL for EMAIL, signed with the settings in the environment.

    The first person to open it is signed in as EMAIL. Use it for testing, and do not share it.
    """
    helpdesk = helpdesk_of(settings_from_environment(prefix))
    try:
        handoff = helpdesk.handoff(email)
    except InvalidEmail as error:
        raise click.BadParameter(f"{error}.", param_hint="EMAIL") from None
    say(
        ("Warning: ", "bold yellow"),
        f"anyone who opens this URL is signed in as {email}. Keep it out of chats, tickets and logs.",
        to_stderr=True,
    )
    if as_json:
        facts = {"url": handoff.url, "email": handoff.email, "iat": handoff.iat, "jti": handoff.jti}
        click.echo(json.dumps(facts, indent=2))  # say_json would hide the token
    else:
        click.echo(handoff.url)
