"""`sso-middleware init`: the lines that add the middleware."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from importlib.resources import files

import click

from sso_middleware.cli.output import json_option, say_json

# Starlette is this package's own dependency, so finding it says nothing.
_DETECTABLE = ("bottle", "django", "fastapi", "flask", "pyramid", "quart")
_ITSDANGEROUS = "its sessions need `pip install itsdangerous`"

# For each framework: where the lines of snippets/<framework>.py go, and what to pass to `check`.
_PLACES = {
    "bottle": ("Where `app` is your Bottle application:", "yourmodule:application"),
    "django": ("At the end of your settings:", "yourproject.wsgi:application"),
    "fastapi": (f"Below `app = FastAPI(...)`; {_ITSDANGEROUS}:", "yourmodule:app"),
    "flask": ("Below `app = Flask(...)` and its configuration:", "yourmodule:app"),
    "pyramid": ("Instead of `config.make_wsgi_app()`:", "yourmodule:application"),
    "quart": ("Below `app = Quart(...)` and its configuration:", "yourmodule:app"),
    "starlette": (f"Where you make the Starlette application; {_ITSDANGEROUS}:", "yourmodule:app"),
    "wsgi": ("Where `application` is your WSGI application:", "yourmodule:application"),
}


@click.command("init")
@click.argument("framework", type=click.Choice(sorted(_PLACES), case_sensitive=False), required=False)
@json_option
def command(framework: str | None, as_json: bool) -> None:
    """Print the lines that add the middleware to an application of FRAMEWORK.

    Without FRAMEWORK: for the one that is installed beside this package. What is printed is valid
    Python; what has to be put in by you is in its comments.
    """
    framework = framework or _only_installed()
    where, example = _PLACES[framework]
    code = _text(f"{framework}.py")
    if as_json:
        say_json({"framework": framework, "where": where, "example": example, "code": code})
    else:
        click.echo(f"{_text('steps.txt').format(where=where, example=example)}\n{code}", nl=False)


def _text(name: str) -> str:
    return (files("sso_middleware.cli") / "snippets" / name).read_text(encoding="utf-8")


def _only_installed() -> str:
    installed = [name for name in _DETECTABLE if _is_installed(name)]
    if "quart" in installed and "flask" in installed:
        installed.remove("flask")  # Quart brings it along
    if len(installed) == 1:
        return installed[0]
    names = f"name one of {', '.join(sorted(_PLACES))}"
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
