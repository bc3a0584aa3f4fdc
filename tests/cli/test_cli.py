"""The command line's frame: help, version, start-up, missing extras."""

import importlib.metadata
import io
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout

import pytest

import sso_middleware
from cli_apps.entry_point import COMMAND, SETTINGS, environment, run
from sso_middleware.cli.commands import cli

COMMANDS = ("check", "demo", "init", "inspect", "sandbox", "url")


def test_help_lists_the_commands_and_how_to_complete_them():
    done = run("--help")
    assert done.returncode == 0
    for command in COMMANDS:
        assert f"  {command} " in done.stdout
    assert "_SSO_MIDDLEWARE_COMPLETE=bash_source" in done.stdout
    said = " ".join(done.stdout.split())
    assert (
        "0 fine, 1 findings or rejected, 2 usage, 3 settings or import failed, 4 network. The settings"
        in said
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help(command):
    done = run(command, "-h")
    assert done.returncode == 0
    assert done.stdout.startswith(f"Usage: sso-middleware {command}")


def test_module_is_the_same_command():
    done = subprocess.run(
        [sys.executable, "-m", "sso_middleware", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"sso-middleware, version {sso_middleware.__version__}\n"
    assert sso_middleware.__version__ == importlib.metadata.version("sso-middleware")


def test_version():
    assert run("--version").stdout.startswith("sso-middleware, version 0.")


def test_unknown_command_is_a_usage_error():
    done = run("tickets")
    assert done.returncode == 2
    assert "No such command 'tickets'" in done.stderr


@pytest.mark.parametrize("missing", ["click", "rich"])
def test_a_missing_extra_is_one_line_that_says_what_to_install(missing):
    code = f"import sys; sys.modules[{missing!r}] = None; from sso_middleware.cli import main; main()"
    done = _python(code, "--help")
    assert done.returncode == 3  # 1 is "findings"
    assert done.stderr == f"sso-middleware needs {missing}: pip install 'sso-middleware[sandbox]'\n"


def test_a_missing_module_of_another_kind_is_no_missing_extra():
    code = (
        "import sys; from sso_middleware.cli import main\n"
        "sys.modules['sso_middleware.cli.options'] = None; main()"
    )
    done = _python(code, "url", "jane@example.com")
    assert "ModuleNotFoundError" in done.stderr
    assert "pip install" not in done.stderr


def test_output_that_a_program_captures():
    # In this process, because a subprocess's streams are never anything but text over bytes.
    captured = io.StringIO()
    with redirect_stdout(captured):
        cli(["check", "--explain", "SSO.W001"], standalone_mode=False)
    assert captured.getvalue().startswith("SSO.W001 warning: ")


@pytest.mark.parametrize(
    ("args", "heavy"),
    [
        (["init", "flask"], {"starlette", "werkzeug", "uvicorn", "jwt", "jinja2", "sso_middleware.sandbox"}),
        (
            ["url", "jane@example.com"],
            {"starlette", "werkzeug", "uvicorn", "jinja2", "sso_middleware.sandbox"},
        ),
        (["--help"], {"starlette", "werkzeug", "uvicorn", "jinja2", "sso_middleware.sandbox"}),
    ],
)
def test_a_command_imports_no_more_than_it_needs(args, heavy):
    code = (
        "import sys; from sso_middleware.cli import main\n"
        "try: main()\n"
        f"finally: print('loaded:', *sorted({heavy!r} & set(sys.modules)), file=sys.stderr)"
    )
    done = _python(code, *args)
    assert done.returncode == 0
    assert done.stderr.splitlines()[-1] in ("loaded:", "loaded: jwt" if "jwt" in heavy else "loaded:")


def test_output_that_the_terminal_cannot_show_is_escaped():
    settings = SETTINGS | {"HELPDESK_ACCOUNT_ID": "kontö"}
    done = run("check", settings=settings, charset="ascii")
    assert done.returncode == 0
    assert "kont\\xf6" in done.stdout


@pytest.mark.parametrize("args", [["--help"], ["check", "--json"], ["check"]], ids=" ".join)
def test_a_pipe_that_is_closed_is_no_traceback(args):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as output:
        done = subprocess.run(
            [COMMAND, *args],
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
            timeout=60,
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, "")


def test_without_standard_output_there_is_nothing_to_fail(monkeypatch):
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    # As Python has it after `>&-`.
    errors = io.StringIO()
    with redirect_stdout(None), redirect_stderr(errors), pytest.raises(SystemExit) as ended:
        cli(["check"], prog_name="sso-middleware")
    assert (ended.value.code, errors.getvalue()) == (0, "")


def test_no_color_is_respected():
    # Rich colours a pipe only if it is told to.
    coloured = run("check", "--explain", "SSO.W003", FORCE_COLOR="1")
    plain = run("check", "--explain", "SSO.W003", FORCE_COLOR="1", NO_COLOR="1")
    assert "\x1b[1;33m" in coloured.stdout
    assert "\x1b" not in plain.stdout


def _python(code, *args):
    command = [sys.executable, "-c", code, *args]
    return subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=60, check=False)
