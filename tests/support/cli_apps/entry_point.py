"""Running the real `sso-middleware` command in a process of its own."""

import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

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
JWT = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+")


def environment(settings=SETTINGS, **more):
    """What the command sees: nothing of this machine's own settings."""
    kept = {
        name: value for name, value in os.environ.items() if "HELPDESK" not in name and name != "NO_COLOR"
    }
    return kept | {"PYTHONWARNINGS": "error"} | settings | more


def run(*args, stdin="", settings=SETTINGS, cwd=APPS, may_print_jwt=False, **more):
    """Run `sso-middleware` and look at once that it does not give a secret away."""
    env = environment(settings, **more)
    done = subprocess.run(
        [COMMAND, *args],
        input=stdin if isinstance(stdin, bytes) else stdin.encode(),
        capture_output=True,
        env=env,
        cwd=cwd,
        timeout=60,
        check=False,
    )
    done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode()
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

    def __init__(self, process):
        self._process = process
        self._output = process.stdout or process.stderr
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
        self.printed += next(filter(None, self._process.communicate(timeout=20)), "")
        return self._process.returncode


@contextmanager
def running(*args, settings=None, stdout=None, **more):
    """Start `sso-middleware`, which is to run until it is stopped.

    With a file for `stdout`, what is read is standard error alone.
    """
    with subprocess.Popen(
        [COMMAND, *args],
        stdout=stdout or subprocess.PIPE,
        stderr=subprocess.PIPE if stdout else subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        env=environment(settings or {}, PYTHONUNBUFFERED="1", **more),
        cwd=APPS,
    ) as process:
        try:
            yield Running(process)
        finally:
            if process.poll() is None:
                process.kill()
