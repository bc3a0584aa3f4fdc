"""`sso-middleware init`: the lines that add the middleware."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from importlib.resources import files

import click

from sso_middleware.cli.output import json_option, say_json

# Without Starlette: it is a dependency of this package and always installed.
_DETECTABLE = ("bottle", "django", "fastapi", "flask", "pyramid", "quart")
_ITSDANGEROUS = "its sessions need `pip install itsdangerous`"

# Where the lines of _snippets/<framework>.py go, and what to pass to `check`.
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

# Session and user libraries by distribution name: the framework and the snippet.
_SESSIONS = {
    "beaker": ("bottle", "bottle_beaker.py"),
    "django-otp": ("django", "django_otp.py"),
    "django-allauth": ("django", "django_allauth.py"),
    "fastapi-users": ("fastapi", "fastapi_users.py"),
    "flask-login": ("flask", "flask_login.py"),
    "flask-session": ("flask", "flask_session.py"),
}


@click.command("init")
@click.argument("framework", type=click.Choice(sorted(_PLACES), case_sensitive=False), required=False)
@click.option(
    "--session",
    type=click.Choice([*sorted(_SESSIONS), "none"], case_sensitive=False),
    help="The session or user library; detected if only one framework is installed.",
)
@json_option
def command(framework: str | None, session: str | None, as_json: bool) -> None:
    """Print the lines that add the middleware to a FRAMEWORK application.

    FRAMEWORK defaults to the installed one. The output is valid Python; its comments say what to
    fill in.
    """
    if framework is None:
        framework = _SESSIONS[session][0] if session in _SESSIONS else _only_installed()
    beside = [name for name, (of, _) in _SESSIONS.items() if of == framework and _is_installed(name)]
    if session is None and beside and _found_frameworks() == [framework]:
        session = beside[0]
    its_framework, snippet = _SESSIONS.get(session or "none", (framework, f"{framework}.py"))
    if its_framework != framework:
        raise click.UsageError(f"--session: {session} is for {its_framework}, not for {framework}.")
    where, example = _PLACES[framework]
    code = _text(snippet)
    if as_json:
        say_json(
            {"framework": framework, "session": session, "where": where, "example": example, "code": code}
        )
        return
    steps = _text("steps.txt").format(where=where, example=example)
    others = [] if session == "none" else [name for name in beside if name != session]
    also = "".join(f"#    {name} is installed: --session {name} prints its lines.\n" for name in others)
    click.echo(f"{steps}{also}\n{code}", nl=False)


def _text(name: str) -> str:
    return (files("sso_middleware.cli") / "_snippets" / name).read_text(encoding="utf-8")


def _only_installed() -> str:
    installed = _found_frameworks()
    if len(installed) == 1:
        return installed[0]
    names = f"pass one of {', '.join(sorted(_PLACES))}"
    if installed:
        raise click.UsageError(f"FRAMEWORK: several are installed ({', '.join(installed)}); {names}.")
    raise click.UsageError(
        "FRAMEWORK: none is installed except Starlette, which this package itself needs; "
        f"{names}, for example `sso-middleware init starlette` or `sso-middleware init wsgi`."
    )


def _found_frameworks() -> list[str]:
    installed = [name for name in _DETECTABLE if _is_installed(name)]
    if "quart" in installed and "flask" in installed:
        installed.remove("flask")  # Quart depends on it
    return installed


def _is_installed(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True
