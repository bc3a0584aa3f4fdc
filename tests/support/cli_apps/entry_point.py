"""Running the `sso-middleware` command: in this process, or in one of its own."""

import contextlib
import inspect
import io
import os
import re
import shutil
import signal
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace

from click.testing import CliRunner

import forks
from sso_middleware.cli.commands import cli

COMMAND = shutil.which("sso-middleware", path=str(Path(sys.executable).parent)) or "sso-middleware"
APPS = Path(__file__).parent

SSO_TOKEN = "kV9pXq2LmW7zRt4cYh8bNf3sDj6gAe1uQo5iTx0wPz2J"
SETTINGS = {
    "HELPDESK_SSO_TOKEN": SSO_TOKEN,
    "HELPDESK_SSO_AUTH_URL": "https://acme.example/sso",
    "HELPDESK_ACCOUNT_ID": "4711",
    "HELPDESK_AUTH_URL": "https://app.example.com/sso/helpdesk",
    "HELPDESK_LOGOUT_URL": "https://app.example.com/sso/logout",
}
# What commands import when they are called.
IMPORTS = [
    "sso_middleware.cli.check.command",
    "sso_middleware.cli.demo.command",
    "sso_middleware.cli.serving",
]
# Click 8.1 does so only if it is told to.
STDERR_APART = {"mix_stderr": False} if "mix_stderr" in inspect.signature(CliRunner).parameters else {}
JWT = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+")


def environment(settings=SETTINGS, **more):
    """What the command sees: nothing of this machine's own settings."""
    kept = {
        name: value for name, value in os.environ.items() if "HELPDESK" not in name and name != "NO_COLOR"
    }
    return kept | {"PYTHONWARNINGS": "error"} | settings | more


def run(*args, stdin="", settings=SETTINGS, cwd=APPS, may_print_jwt=False, obj=None, charset="utf-8", **more):
    """Run the command in this process, and look at once that it does not give a secret away.

    `obj` is what click's context starts with: a `Pace`, for `check --as`. `charset` is the terminal's.
    """
    env = environment(settings, **more)
    with _as_in_a_new_process(cwd), warnings.catch_warnings():
        warnings.simplefilter(env["PYTHONWARNINGS"] or "ignore")
        result = CliRunner(charset=charset, **STDERR_APART).invoke(
            cli,
            args,
            input=stdin,
            env=dict.fromkeys(os.environ) | env,  # None: it is not there
            prog_name="sso-middleware",
            obj=obj,
        )
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    done = SimpleNamespace(returncode=result.exit_code, stdout=result.stdout, stderr=result.stderr)
    return _without_secrets(done, env, may_print_jwt=may_print_jwt)


def run_process(*args, stdin="", settings=SETTINGS, cwd=APPS, may_print_jwt=False, imports=IMPORTS, **more):
    """Run the command in a process of its own, and look at once that it does not give a secret away."""
    env = environment(settings, **more)
    done = forks.run(COMMAND, *args, stdin=stdin, env=env, cwd=cwd, imports=imports)
    return _without_secrets(done, env, may_print_jwt=may_print_jwt)


READY = "Press Ctrl-C to stop."


class _Served(io.StringIO):
    """Standard error of a command that serves: visit it as soon as it is ready, and then press Ctrl-C."""

    def __init__(self, visit, until):
        super().__init__()
        self._visit, self._until = visit, until

    def write(self, text):
        written = super().write(text)
        if self._visit and READY in self.getvalue():
            visit, self._visit = self._visit, None
            visit()
        if self._until and self._until in self.getvalue():
            self._until = None
            raise KeyboardInterrupt
        return written


def serve(*args, visit=None, until=READY, settings=None, **more):
    """Run a command that serves, in this process.

    Call `visit` with what is on standard output and standard error once the command is ready, and press
    Ctrl-C once it has printed `until`.
    """
    printed = io.StringIO()
    errors = _Served(visit and (lambda: visit(printed.getvalue(), errors.getvalue())), until)
    at_sigterm = signal.getsignal(signal.SIGTERM)
    with _as_in_a_new_process(APPS), contextlib.redirect_stdout(printed), contextlib.redirect_stderr(errors):
        os.environ.clear()
        os.environ.update(environment(settings or {}, **more))
        try:
            cli(args, prog_name="sso-middleware")
        except SystemExit as ending:
            code = ending.code
        finally:
            signal.signal(signal.SIGTERM, at_sigterm)
    return SimpleNamespace(returncode=code, stdout=printed.getvalue(), stderr=errors.getvalue())


@contextlib.contextmanager
def _as_in_a_new_process(directory):
    """Forget afterwards what was imported from `directory`, and changes of variables and of the path."""
    variables, path, modules = {**os.environ}, [*sys.path], {*sys.modules}
    try:
        with contextlib.chdir(directory):
            yield
    finally:
        os.environ.clear()
        os.environ.update(variables)
        sys.path[:] = path
        for name in sys.modules.keys() - modules:
            if (getattr(sys.modules[name], "__file__", None) or "").startswith(f"{directory}{os.sep}"):
                del sys.modules[name]


def _without_secrets(done, env, *, may_print_jwt):
    output = done.stdout + done.stderr
    token = env.get("HELPDESK_SSO_TOKEN", "")
    assert len(token) < 6 or token not in output
    assert may_print_jwt or not JWT.search(output)
    assert "Traceback" not in output
    return done


class Running:
    """A command that runs until it is told to stop.

    Attributes:
        printed: what it printed on standard output and standard error.
    """

    def __init__(self, process, output):
        self._process = process
        self._output = output
        self.printed = ""

    def read_until(self, text):
        """Read lines until one has `text`; return that line."""
        for line in self._output:
            self.printed += line
            if text in line:
                return line.strip()
        raise AssertionError(f"it ended without saying {text!r}:\n{self.printed}")

    def stop(self, by=signal.SIGINT):
        """Stop it as Ctrl-C does, and return its exit code."""
        self._process.send_signal(by)
        code = self._process.wait(60)
        self.printed += self._output.read()
        return code


@contextlib.contextmanager
def running(*args, settings=None, stdout=None, **more):
    """Start `sso-middleware`, which is to run until it is stopped.

    With a file for `stdout`, what is read is standard error alone.
    """
    env = environment(settings or {}, PYTHONUNBUFFERED="1", **more)
    reading, writing = os.pipe()
    with os.fdopen(reading, encoding="utf-8") as output:
        with Path(os.devnull).open() as nothing, os.fdopen(writing, "w") as printed:
            streams = [stream.fileno() for stream in (nothing, stdout or printed, printed)]
            process = forks.start(COMMAND, *args, env=env, cwd=APPS, streams=streams, imports=IMPORTS)
        try:
            yield Running(process, output)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
