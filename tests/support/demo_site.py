"""What `sso-middleware demo` runs: its sample application and its Help Desk."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass

from sso_middleware.cli.demo.sample import AUTH_PATH, FIX_PATH, LOGOUT_PATH, SampleApplication
from sso_middleware.sandbox import Sandbox
from sso_middleware.sandbox.server import serve


@dataclass(frozen=True)
class Site:
    """The sandbox and the application, both running, and their addresses."""

    sandbox: Sandbox
    url: str
    sample: SampleApplication
    app_url: str


@contextmanager
def running_site():
    sample = SampleApplication()
    with serve(sample, "127.0.0.1", 0) as app_url:
        sandbox = Sandbox(
            auth_url=f"{app_url}{AUTH_PATH}",
            logout_url=f"{app_url}{LOGOUT_PATH}",
            settings_page=f"{app_url}{FIX_PATH}",
        )
        with sandbox.run(host="localhost") as url:
            sample.connect(sandbox.environment)
            yield Site(sandbox, url, sample, app_url)
