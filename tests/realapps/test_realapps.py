"""Public applications with logins of their own, wrapped as the guide says, and visited over HTTP."""

from __future__ import annotations

import json
import shutil
import sys
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from environments import APPS, Environment, run
from public_applications import APPLICATIONS, Application
from visitor import Visitor

from clients import JANE, SSO_TOKEN
from processes import process
from servers import HOST, clean_environment, free_port
from sso_middleware.sandbox import HandoffVerifier

pytestmark = pytest.mark.realapps

HELPDESK = "https://acme.example/sso"


@pytest.fixture(scope="session")
def kept(request, tmp_path_factory):
    """The folder where environments are kept: for the next run, if pytest's cache is there."""
    if request.config.pluginmanager.has_plugin("cacheprovider"):
        return request.config.cache.mkdir("realapps")
    return tmp_path_factory.getbasetemp().parent / "realapps"


@pytest.fixture(params=APPLICATIONS, ids=lambda application: application.module)
def site(request, kept, tmp_path):
    """The application, installed, with its data; not served yet."""
    return Site(request.param, kept, tmp_path)


class Site:
    """An application with its user, as it is before a server runs it."""

    def __init__(self, application: Application, kept: Path, folder: Path) -> None:
        self.application, self.log, self.data = application, folder / "log.txt", folder / "data"
        self.environment = Environment(kept, application.module, application.requirements)
        shutil.copytree(self.environment.prepare(f"{application.module}_site"), self.data)
        self.port = free_port()
        self.prefix = ""

    @property
    def auth_path(self) -> str:
        return f"{self.prefix}{self.application.below}/sso/helpdesk"

    @property
    def base_url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def settings(self) -> dict[str, str]:
        return {
            "HELPDESK_SSO_TOKEN": SSO_TOKEN,
            "HELPDESK_SSO_AUTH_URL": HELPDESK,
            "HELPDESK_ACCOUNT_ID": "4711",
            "HELPDESK_AUTH_URL": self.base_url + self.auth_path,
            "HELPDESK_LOGOUT_URL": self.base_url + self.logout_path,
            "REALAPPS_PREFIX": self.prefix,
            "PYTHONDONTWRITEBYTECODE": "",
        }

    @property
    def logout_path(self) -> str:
        return f"{self.prefix}{self.application.below}/sso/logout"

    def run(self, *arguments: str) -> str:
        """Run the environment's Python beside the data."""
        return run([self.environment.python, *arguments], cwd=self.data, env=clean_environment(self.settings))

    @contextmanager
    def served(self, prefix: str = ""):
        """Serve it, under a mount prefix; give a visitor."""
        self.prefix = prefix
        command = [str(self.environment.python), "-m", "serve", f"{self.application.module}_wrapped"]
        with process([*command, str(self.port), prefix], self.port, self.data / "log.txt", self.settings):
            yield self.visitor()

    def visitor(self) -> Visitor:
        # A WSGI server takes the prefix off itself.
        return Visitor(self.base_url, self.prefix if self.application.is_asgi else "")

    def sign_in(self, visitor: Visitor) -> str:
        """Open the Help Desk, sign in, and return where that ended."""
        application = self.application
        login = visitor.go(self.auth_path)
        asked = {name: values[0] for name, values in parse_qs(urlsplit(login).query).items()}
        if application.posts_to:
            fields = application.forms[0] | asked
            return visitor.go(self.prefix + application.posts_to, "POST", data=fields)
        for form in application.forms:
            end = visitor.submit(form)
        return visitor.go(asked[application.follows]) if application.follows else end

    def address(self, url: str) -> str | None:
        """Return the address of a hand-off, once it is judged good; `None`: it is none."""
        if not url.startswith(HELPDESK):
            return None
        auth_url = self.base_url + self.auth_path
        return HandoffVerifier(sso_token=SSO_TOKEN, account_id="4711", auth_url=auth_url).verify(url).email


def test_way_back(site):
    """An anonymous visitor signs in and arrives at the Help Desk without a further click."""
    with site.served() as visitor:
        assert site.address(site.sign_in(visitor)) == JANE
        assert site.address(visitor.go(site.auth_path)) == JANE


def test_logout(site):
    """The Logout URL signs the browser out; on the server, too, where the session is kept there."""
    with site.served() as visitor:
        site.sign_in(visitor)
        cookies = visitor.cookies
        visitor.go(site.logout_path)
        assert site.address(visitor.go(site.auth_path)) is None
        thief = site.visitor()
        thief.take(cookies)
        assert site.address(thief.go(site.auth_path)) == (None if site.application.ends_session else JANE)


def test_tampered_cookie(site):
    """A cookie with one changed character signs nobody in."""
    with site.served() as visitor:
        site.sign_in(visitor)
        genuine = {name: value for name, value in visitor.cookies.items() if not name.startswith("sso_")}
        ends = {}
        for name, value in genuine.items():
            forger = site.visitor()
            forger.take(genuine | {name: tampered(value)})
            ends[name] = site.address(forger.go(site.auth_path))
        assert None in ends.values()  # a cookie against CSRF may be as it likes
        nobody = site.visitor()
        nobody.take({name: value for name, value in genuine.items() if ends[name]})
        assert site.address(nobody.go(site.auth_path)) is None


def tampered(value: str) -> str:
    middle = len(value) // 3
    return value[:middle] + ("A" if value[middle] != "A" else "B") + value[middle + 1 :]


def test_mount_prefix(site):
    """Under a mount prefix everything is the same, and nothing leads out of it."""
    with site.served("/office") as visitor:
        assert site.address(site.sign_in(visitor)) == JANE
        visitor.go(site.logout_path)
        assert site.address(visitor.go(site.auth_path)) is None


def test_check(site):
    """`sso-middleware check` finds nothing to complain of."""
    ignored = [f"--ignore={finding}" for finding in site.application.ignored]
    module = f"{site.application.module}_wrapped:application"
    command = "from sso_middleware.cli import main; main()"
    findings = json.loads(site.run("-c", command, "check", "--json", *ignored, module))["findings"]
    assert [finding["id"] for finding in findings] == [*site.application.ignored]


@pytest.mark.parametrize("name", ["datasette", "fastapi_users", "nicegui", "piccolo", "sqladmin"])
def test_length_of_recipe(name):
    """What people paste, beside the imports, is ten lines at most."""
    text = (APPS / f"{name}_wrapped.py").read_text("utf-8")
    recipe = text.partition("# <recipe>\n")[2].partition("# </recipe>")[0]
    lines = [line for line in recipe.splitlines() if line and not line.startswith("#")]
    assert 0 < len(lines) <= 10
