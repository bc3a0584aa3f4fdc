"""The package from outside: what importing it does, and what it ships."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

import sso_middleware
from sso_middleware import SSOError

ROOT = Path(__file__).parents[2]


def modules_after(statement, *, without=()):
    """Return the top-level modules of others that a new interpreter has imported after `statement`."""
    code = f"""
import sys, json
sys.modules.update(dict.fromkeys({list(without)!r}))
{statement}
tops = {{name.partition('.')[0] for name, module in sys.modules.items() if module}}
print(json.dumps(sorted(tops - sys.stdlib_module_names)))
"""
    result = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(result.stdout))


FRAMEWORKS = {
    "starlette",
    "werkzeug",
    "anyio",
    "django",
    "flask",
    "fastapi",
    "bottle",
    "pyramid",
    "click",
    "pytest",
}


class TestImports:
    def test_package_imports_the_standard_library_only(self):
        """`import sso_middleware` imports nothing of others."""
        assert modules_after("import sso_middleware") - modules_after("pass") == {"sso_middleware"}

    def test_names_bring_pyjwt_only(self):
        """Using a public name imports PyJWT (and what that imports), and no framework."""
        statement = f"from sso_middleware import {', '.join(sso_middleware.__all__)}"
        assert modules_after(statement) - modules_after("import jwt") == {"sso_middleware"}

    def test_wsgi_never_imports_starlette(self):
        """The WSGI adapter imports Werkzeug, and works where Starlette and anyio are not there."""
        imported = modules_after("import sso_middleware.wsgi", without=["starlette", "anyio"])
        assert imported & FRAMEWORKS == {"werkzeug"}

    def test_asgi_never_imports_werkzeug(self):
        """The ASGI adapter imports Starlette, and works where Werkzeug is not there."""
        imported = modules_after("import sso_middleware.asgi", without=["werkzeug"])
        assert imported & FRAMEWORKS == {"starlette", "anyio"}

    def test_importing_reads_no_environment(self):
        """Importing does nothing: no variable of ours is read, no handler but NullHandler installed."""
        statement = (
            "import os, logging; os.environ['HELPDESK_BACKDATE'] = 'wrong'; "
            "import sso_middleware, sso_middleware.wsgi, sso_middleware.asgi; "
            "assert not logging.getLogger().handlers"
        )
        assert "sso_middleware" in modules_after(statement)


class TestPublicNames:
    def test_all_of_them_are_there(self):
        """What __all__ names exists, sorted, and is documented."""
        assert sorted(sso_middleware.__all__) == list(sso_middleware.__all__)
        for name in sso_middleware.__all__:
            assert getattr(sso_middleware, name).__doc__

    def test_they_are_listed_before_they_are_used(self):
        """dir() lists them, and each is found there."""
        code = (
            "import sso_middleware as package; assert set(package.__all__) < set(dir(package)); "
            "[getattr(package, name) for name in package.__all__]"
        )
        subprocess.run([sys.executable, "-I", "-c", code], check=True)

    def test_other_names(self):
        """A name that is not there is an AttributeError."""
        with pytest.raises(AttributeError, match="has no attribute 'SSOMiddleware'"):
            _ = sso_middleware.SSOMiddleware

    def test_errors_have_one_base(self):
        """Every error is an SSOError, with the built-in class that its meaning suggests."""
        bases = {
            "ConfigError": ValueError,
            "InvalidEmail": ValueError,
            "HandoffRefused": SSOError,
            "ResolverUnavailable": SSOError,
            "ResolverError": TypeError,
            "MiddlewareOrderError": RuntimeError,
        }
        for name, base in bases.items():
            error = getattr(sso_middleware, name)
            assert issubclass(error, SSOError)
            assert issubclass(error, base)
        assert issubclass(sso_middleware.ShortTokenWarning, UserWarning)

    @pytest.mark.parametrize("reason", ["", "Not Verified", "a" * 65, "é", "a-b", "a\n", None, 7])
    def test_reason_of_a_refusal(self, reason):
        """A reason that is no code is a ValueError at once."""
        with pytest.raises(ValueError, match="reason must be a code"):
            sso_middleware.HandoffRefused(reason)

    @pytest.mark.parametrize("retry_after", [-1, 1.5, "7", True, None])
    def test_retry_after(self, retry_after):
        """A Retry-After that is not a whole number of seconds is a ValueError."""
        with pytest.raises(ValueError, match="retry_after must be"):
            sso_middleware.ResolverUnavailable(retry_after=retry_after)


@pytest.mark.packaging
class TestDistribution:
    """What `python -m build` makes, installed in an empty environment."""

    @pytest.fixture(scope="class")
    @classmethod
    def dist(cls, tmp_path_factory):
        target = tmp_path_factory.mktemp("dist")
        subprocess.run(
            [sys.executable, "-m", "build", "--outdir", target, ROOT], check=True, capture_output=True
        )
        return target

    @pytest.fixture(scope="class")
    @classmethod
    def python(cls, dist, tmp_path_factory):
        place = tmp_path_factory.mktemp("venv")
        venv.create(place, with_pip=True)
        python = place / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
        (wheel,) = dist.glob("*.whl")
        subprocess.run([python, "-m", "pip", "install", "-q", wheel], check=True)
        return python

    def test_wheel(self, dist):
        """The wheel holds every module of the package, py.typed and the licence, and nothing else."""
        (wheel,) = dist.glob("*.whl")
        names = set(zipfile.ZipFile(wheel).namelist())
        package = {
            str(path.relative_to(ROOT))
            for path in (ROOT / "sso_middleware").rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
        assert "sso_middleware/py.typed" in package
        assert {name for name in names if ".dist-info/" not in name} == package
        assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)

    def test_sdist(self, dist):
        """The sdist holds what running the tests needs, and no dot-file but .gitignore."""
        (sdist,) = dist.glob("*.tar.gz")
        with tarfile.open(sdist) as archive:
            names = {name.partition("/")[2] for name in archive.getnames()}
        tops = {name.partition("/")[0] for name in names}
        assert tops == {
            "sso_middleware",
            "tests",
            "examples",
            "README.md",
            "CHANGELOG.md",
            "LICENSE",
            "pyproject.toml",
            "PKG-INFO",
            ".gitignore",
        }
        assert "tests/package/test_package.py" in names

    def test_metadata(self, dist):
        """Name, licence and version are those of this tree."""
        (wheel,) = dist.glob("*.whl")
        assert wheel.name.startswith(
            f"sso_middleware-{importlib.metadata.version('sso-middleware')}-py3-none-any"
        )

    def test_wheel_works_alone(self, python):
        """With nothing but its own dependencies it hands off on both protocols."""
        code = """
import asyncio
from sso_middleware import HelpDesk, wsgi, asgi
desk = HelpDesk(sso_token="x" * 32, sso_auth_url="https://h.example/", account_id=1, auth_url="https://a.example/sso")
started = []
wsgi.SSOMiddleware(lambda e, s: [], desk, lambda e: "jane@example.com")(
    {"REQUEST_METHOD": "GET", "PATH_INFO": "/sso"}, lambda *a: started.append(a))
assert started[0][0] == "303 See Other", started
sent = []
async def send(message): sent.append(message)
async def app(scope, receive, send): pass
scope = {"type": "http", "method": "GET", "path": "/sso", "headers": []}
asyncio.run(asgi.SSOMiddleware(app, desk, lambda s: "jane@example.com")(scope, None, send))
assert sent[0]["status"] == 303, sent
"""
        subprocess.run([python, "-I", "-W", "error", "-c", code], check=True)

    def test_command_without_its_extra(self, python):
        """Without the extra the command says in one line what to install."""
        command = python.parent / "sso-middleware"
        result = subprocess.run([command, "demo"], capture_output=True, text=True, check=False)
        assert result.returncode == 3
        assert result.stderr.splitlines() == [
            "sso-middleware needs click: pip install 'sso-middleware[sandbox]'"
        ]
