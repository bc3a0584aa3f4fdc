"""Running the real `sso-middleware` command in a process of its own."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

COMMAND = shutil.which("sso-middleware", path=str(Path(sys.executable).parent)) or "sso-middleware"
APPS = Path(__file__).parent

SSO_TOKEN = "kV9pXq2LmW7zRt4cYh8bNf3sDj6gAe1uQo5iTx0w"
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
        input=stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=env,
        cwd=cwd,
        timeout=60,
        check=False,
    )
    output = done.stdout + done.stderr
    token = env.get("HELPDESK_SSO_TOKEN", "")
    assert len(token) < 6 or token not in output
    assert may_print_jwt or not JWT.search(output)
    assert "Traceback" not in output
    return done
