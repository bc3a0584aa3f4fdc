"""`sso-middleware init`: the lines that add the middleware."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution

import click

from sso_middleware.cli.output import json_option, say_json
from sso_middleware.cli.snippets import SNIPPETS

# Starlette is this package's own dependency, so finding it says nothing.
_DETECTABLE = ("bottle", "django", "fastapi", "flask", "pyramid", "quart")


@click.command("init")
@click.argument("framework", type=click.Choice(sorted(SNIPPETS), case_sensitive=False), required=False)
@json_option
def command(framework: str | None, as_json: bool) -> None:
    """Print the lines that add the middleware to an application of FRAMEWORK.

    Without FRAMEWORK: for the one that is installed beside this package. What is printed is valid
    Python; what has to be put in by you is in its comments.
    """
    framework = framework or _only_installed()
    snippet = SNIPPETS[framework]
    if as_json:
        say_json({"framework": framework, **snippet._asdict()})
    else:
        click.echo(str(snippet), nl=False)


def _only_installed() -> str:
    installed = [name for name in _DETECTABLE if _is_installed(name)]
    if "quart" in installed and "flask" in installed:
        installed.remove("flask")  # Quart brings it along
    if len(installed) == 1:
        return installed[0]
    names = f"name one of {', '.join(sorted(SNIPPETS))}"
    if installed:
        raise click.UsageError(f"installed are {', '.join(installed)}: {names}.")
    raise click.UsageError(
        f"no framework is found in this environment but Starlette, which this package itself needs: {names}; "
        "for example `sso-middleware init starlette`, or `sso-middleware init wsgi`."
    )


def _is_installed(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True
