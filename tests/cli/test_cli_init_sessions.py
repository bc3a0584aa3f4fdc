"""`sso-middleware init` beside Flask-Login and the like: each snippet is run as it is printed."""

import ast
import json
import sys
from pathlib import Path

import pytest
from werkzeug.test import Client

from browsing import asgi_browser
from cli_apps.django_projects import manage
from cli_apps.entry_point import SETTINGS, run
from cli_apps.handoffs import address_in

CHECK = """
from django.conf import settings
from django.core.management import call_command
call_command("check")
print(settings.HELPDESK_SSO)
"""
EXAMPLES = Path(__file__).parents[2] / "examples"
FLASK = """
from types import SimpleNamespace
from flask import Flask, request, session
app = Flask(__name__)
app.secret_key = "a secret of the application"
app.add_url_rule("/", "start", lambda: "hello")
"""
# What an application has before: `/login?verified=1` signs Jane in.
PRELUDES = {
    "flask-login": FLASK
    + """
from flask_login import LoginManager, UserMixin, login_user
class User(UserMixin):
    def __init__(self, id):
        self.id, self.email, self.email_verified = id, "jane@example.com", id == "1"
LoginManager(app).user_loader(User)
@app.route("/login")
def login():
    login_user(User(request.args.get("verified")), remember=True)
    return "hello"
""",
    "flask-session": FLASK
    + """
from cachelib import SimpleCache
from flask_session import Session
app.config |= {"SESSION_TYPE": "cachelib", "SESSION_CACHELIB": SimpleCache()}
Session(app)
@app.route("/login")
def login():
    session["user"] = {"email": "jane@example.com", "email_verified": request.args.get("verified") == "1"}
    return "hello"
""",
    "beaker": """
from bottle import Bottle, request
SECRET = "a secret of the application"
app = Bottle()
app.route("/", callback=lambda: "hello")
@app.route("/login")
def login():
    visitors = request.environ["beaker.session"]
    visitors["user"] = {"email": "jane@example.com", "email_verified": request.query.verified == "1"}
    visitors.save()
    return "hello"
""",
    "fastapi-users": """
from types import SimpleNamespace
from fastapi import Depends, FastAPI
from fastapi_users import BaseUserManager, FastAPIUsers
from fastapi_users.authentication import AuthenticationBackend, CookieTransport, JWTStrategy
USERS = {
    id: SimpleNamespace(id=id, email="jane@example.com", is_active=True, is_verified=id == "1") for id in "01"
}
class Database:
    async def get(self, id):
        return USERS[id]
class Manager(BaseUserManager):
    def parse_id(self, value):
        return value
auth_backend = AuthenticationBackend(
    "jwt", CookieTransport(), lambda: JWTStrategy("a secret of the application, at least 32 bytes", 60)
)
fastapi_users = FastAPIUsers(lambda: Manager(Database()), [auth_backend])
app = FastAPI()
app.get("/")(lambda: "hello")
@app.get("/login")
async def login(verified: str = "", strategy=Depends(auth_backend.get_strategy)):
    return await auth_backend.login(strategy, USERS[verified or "0"])
""",
}
IN_EXAMPLES = {"flask-login": "flask_login_app", "beaker": "bottle_beaker"}


def printed(session):
    return run("init", "--session", session, settings={}).stdout


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Bottle imports cgi, Flask-Session its own past
@pytest.mark.parametrize("session", PRELUDES)
def test_the_printed_lines_lead_from_login_to_the_help_desk_and_out(session, tmp_path, monkeypatch):
    name = f"session_{session.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(PRELUDES[session] + printed(session))
    monkeypatch.syspath_prepend(tmp_path)
    for variable, value in SETTINGS.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.delitem(sys.modules, name, raising=False)
    module = __import__(name)
    app = vars(module).get("application") or module.app
    visitor = asgi_browser(app) if session == "fastapi-users" else Client(app)

    def leads_to(path):
        answer = visitor.get(path)
        return answer.headers["Location"] if answer.status_code == 303 else answer.status_code

    assert leads_to("https://app.example.com/sso/helpdesk") == "/login?next=/sso/helpdesk"
    assert visitor.get("https://app.example.com/login?verified=0").status_code < 300
    assert leads_to("https://app.example.com/sso/helpdesk") == ("/" if session == "fastapi-users" else 403)
    assert visitor.get("https://app.example.com/login?verified=1").status_code < 300
    assert address_in(leads_to("https://app.example.com/sso/helpdesk")) == "jane@example.com"
    assert leads_to("https://app.example.com/sso/logout") == "/"
    assert leads_to("https://app.example.com/sso/helpdesk") == "/login?next=/sso/helpdesk"


@pytest.mark.parametrize("session", IN_EXAMPLES)
def test_the_printed_lines_are_those_of_the_example(session):
    assert _middleware(printed(session)) == _middleware((EXAMPLES / f"{IN_EXAMPLES[session]}.py").read_text())


def _middleware(source):
    """Return every call in `source` that makes a middleware, without the values of its settings."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [ast.unparse(call) for call in calls if getattr(call.func, "id", "") == "SSOMiddleware"]


@pytest.mark.parametrize(
    ("session", "installed", "found"),
    [
        (
            "django-allauth",
            "allauth, allauth.account",
            "'verified': 'sso_middleware.resolvers.django.allauth_v",
        ),
        ("django-otp", "django_otp", "'resolve_email': <function resolve_email"),
    ],
)
def test_the_printed_lines_for_django(session, installed, found, project):
    apps = [f"INSTALLED_APPS.append({name!r})" for name in installed.split(", ")]
    extra = {"django-otp": "django_otp.middleware.OTPMiddleware"}.get(session)
    lines = ["from mysite.settings import *", *apps]
    lines += ["INSTALLED_APPS.remove('sso_middleware.django')", "MIDDLEWARE.pop()"]
    lines += [f"MIDDLEWARE.append({extra!r})"] if extra else []
    if session == "django-allauth":
        lines.append("MIDDLEWARE.append('allauth.account.middleware.AccountMiddleware')")
        lines.append("ROOT_URLCONF = 'mysite.allauth_urls'")
        urls = "from django.urls import include, path\nurlpatterns = [path('', include('allauth.urls'))]"
        (project / "mysite" / "allauth_urls.py").write_text(urls)
    module = session.replace("-", "_") + "_settings"
    (project / "mysite" / f"{module}.py").write_text("\n".join([*lines, printed(session)]))
    done = manage(project, "shell", "-c", CHECK, DJANGO_SETTINGS_MODULE=f"mysite.{module}", PYTHONWARNINGS="")
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout
    assert found in done.stdout


# What is found.


@pytest.mark.parametrize(
    ("framework", "session"),
    [
        ("Flask", "Flask_Login"),
        ("Flask", "Flask_Session"),
        ("Django", "django_allauth"),
        ("Django", "django_otp"),
        ("fastapi", "fastapi_users"),
        ("bottle", "Beaker"),
    ],
)
@pytest.mark.parametrize("named", [True, False])
def test_what_is_installed_beside_the_framework(framework, session, named, tmp_path, monkeypatch):
    _install(tmp_path, framework)
    _install(tmp_path, session)
    args = [framework.lower()] if named else []
    name = session.lower().replace("_", "-")
    done = _init_seeing(tmp_path, monkeypatch, *args, "--json")
    report = json.loads(done.stdout)
    assert (report["framework"], report["session"]) == (framework.lower(), name)
    assert report["code"] in printed(name)


def test_what_is_found_is_told_and_may_be_declined(tmp_path, monkeypatch):
    for name in ("Flask", "Flask_Login", "Flask_Session"):
        _install(tmp_path, name)
    done = _init_seeing(tmp_path, monkeypatch)
    assert "login_user_email(app" in done.stdout
    assert "# flask-session is installed: --session flask-session prints" in " ".join(done.stdout.split())
    assert "--session flask-login" not in done.stdout
    done = _init_seeing(tmp_path, monkeypatch, "--session", "none")
    assert "session_email(app" in done.stdout
    assert "is installed: " not in done.stdout


def test_a_session_of_another_framework_is_a_usage_error():
    done = run("init", "django", "--session", "beaker")
    assert done.returncode == 2
    assert "beaker is for bottle, not for django" in done.stderr


def test_the_steps_say_what_the_login_has_to_do():
    said = " ".join(run("init", "wsgi", settings={}).stdout.replace("#", "").split())
    assert "must redirect to the query parameter `next`" in said
    assert 'next_param="came_from"' in said
    assert 'resume_at="/"' in said


def _install(path, name):
    info = path / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")


def _init_seeing(path, monkeypatch, *args):
    """Run `init` where importlib.metadata sees what is in `path` alone."""
    with monkeypatch.context() as patch:
        patch.setattr(sys, "path", [str(path)])
        return run("init", *args)
