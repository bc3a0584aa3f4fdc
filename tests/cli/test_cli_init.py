"""`sso-middleware init`: each snippet is run as it is printed, and walked to a redirect."""

import builtins
import io
import json
import re
import symtable
import sys
import tokenize

import pytest
from werkzeug.test import Client

from browsing import asgi_browser
from cli_apps.entry_point import SETTINGS, run
from cli_apps.handoffs import address_in
from sso_middleware import MiddlewareOrderError
from sso_middleware.cli.init import command as init

# What an application has before: `/login?verified=1` signs Jane in.
PRELUDES = {
    "wsgi": """
from types import SimpleNamespace
USERS = {v: SimpleNamespace(email="jane@example.com", email_verified=v == "1") for v in "01"}
find_user = USERS.get
def application(environ, start_response):
    headers = [("Content-Type", "text/plain")]
    if environ["PATH_INFO"] == "/login":
        headers.append(("Set-Cookie", "session=" + environ["QUERY_STRING"][-1]))
    start_response("200 OK", headers)
    return [b"hello"]
""",
    "bottle": """
import json
from bottle import Bottle, request, response
SECRET = "a secret of the application"
app = Bottle()
app.route("/", callback=lambda: "hello")
@app.route("/login")
def login():
    user = {"email": "jane@example.com", "email_verified": request.query.verified == "1"}
    response.set_cookie("session", json.dumps(user), secret=SECRET)
    return "hello"
""",
    "flask": """
from flask import Flask, request, session
app = Flask(__name__)
app.secret_key = "a secret of the application"
app.add_url_rule("/", "start", lambda: "hello")
@app.route("/login")
def login():
    session["user"] = {"email": "jane@example.com", "email_verified": request.args.get("verified") == "1"}
    return "hello"
""",
    "pyramid": """
from pyramid.authentication import AuthTktCookieHelper
from pyramid.config import Configurator
from pyramid.response import Response
from pyramid.security import remember
class Policy:
    def __init__(self):
        helper = AuthTktCookieHelper("a secret of the application", hashalg="sha512")
        self.identify, self.remember, self.forget = helper.identify, helper.remember, helper.forget
    def identity(self, request):
        ticket = self.identify(request)
        return ticket and {"email": "jane@example.com", "email_verified": ticket["userid"] == "verified"}
def login(request):
    userid = "verified" if request.params.get("verified") == "1" else "anybody"
    response = Response("hello")
    response.headerlist.extend(remember(request, userid))
    return response
config = Configurator(security_policy=Policy())
config.add_route("login", "/login")
config.add_view(login, route_name="login")
config.add_route("start", "/")
config.add_view(lambda request: Response("hello"), route_name="start")
""",
    "quart": """
from quart import Quart, request, session
app = Quart(__name__)
app.secret_key = "a secret of the application"
app.add_url_rule("/", "start", lambda: "hello")
@app.get("/login")
async def login():
    session["user"] = {"email": "jane@example.com", "email_verified": request.args.get("verified") == "1"}
    return "hello"
""",
    "starlette": """
from starlette.responses import PlainTextResponse
from starlette.routing import Route
SECRET = "a secret of the application"
def login(request):
    verified = request.query_params.get("verified") == "1"
    request.session["user"] = {"email": "jane@example.com", "email_verified": verified}
    return PlainTextResponse("hello")
routes = [Route("/", lambda request: PlainTextResponse("hello")), Route("/login", login)]
""",
    "fastapi": """
from fastapi import FastAPI, Request
SECRET = "a secret of the application"
app = FastAPI()
app.get("/")(lambda: "hello")
@app.get("/login")
def login(request: Request, verified: str = ""):
    request.session["user"] = {"email": "jane@example.com", "email_verified": verified == "1"}
""",
}
ASGI = {"fastapi", "quart", "starlette"}
# Pyramid 2 imports pkg_resources, and Bottle imports cgi, which warn on some versions of Python.
QUIET = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:pkg_resources:UserWarning")


def _module(framework, tmp_path, monkeypatch, name, snippet=""):
    """Save prelude and snippet as a module, import it and return it."""
    snippet = snippet or run("init", framework, settings={}).stdout
    (tmp_path / f"{name}.py").write_text(PRELUDES[framework] + snippet)
    monkeypatch.syspath_prepend(tmp_path)
    for variable, value in SETTINGS.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.delitem(sys.modules, name, raising=False)
    return __import__(name)


def _visitor(framework, module):
    app = vars(module).get("application") or module.app
    if framework in ASGI:
        return asgi_browser(app)
    return Client(app)


def _location(answer):
    return answer.headers["Location"]


@QUIET
@pytest.mark.parametrize("framework", sorted(PRELUDES))
def test_the_printed_lines_lead_from_login_to_the_help_desk(framework, tmp_path, monkeypatch):
    visitor = _visitor(framework, _module(framework, tmp_path, monkeypatch, f"snippet_{framework}"))
    anonymous = visitor.get("/sso/helpdesk")
    assert anonymous.status_code == 303
    assert _location(anonymous) == "/login?next=/sso/helpdesk"

    assert visitor.get("/login?verified=0").status_code == 200
    assert visitor.get("/sso/helpdesk").status_code == 403

    assert visitor.get("/login?verified=1").status_code == 200
    signed_in = visitor.get("/sso/helpdesk")
    assert signed_in.status_code == 303
    assert address_in(_location(signed_in)) == "jane@example.com"

    signed_out = visitor.get("/sso/logout")
    assert signed_out.status_code == 303
    assert _location(signed_out) == "/"
    assert _location(visitor.get("/sso/helpdesk")) == "/login?next=/sso/helpdesk"


@QUIET
@pytest.mark.parametrize("framework", sorted(PRELUDES))
def test_check_finds_nothing_wrong_with_the_printed_lines(framework, tmp_path, monkeypatch):
    module = _module(framework, tmp_path, monkeypatch, f"checked_{framework}")
    cookie = _visitor(framework, module).get("/login?verified=1").headers["Set-Cookie"].partition(";")[0]
    example = json.loads(run("init", framework, "--json").stdout)["example"]
    target = example.replace("yourmodule", module.__name__)
    settings = SETTINGS | {"PYTHONWARNINGS": ""}
    done = run("check", target, "--cookie", cookie, "--json", cwd=tmp_path, settings=settings)
    report = json.loads(done.stdout)
    assert report["findings"] == []
    assert done.returncode == 0
    assert [step["step"] for step in report["walk"]] == [
        "anonymous visit",
        "login page",
        "forged identity headers",
        "signed-in visit",
        "logout",
    ]
    assert "as jane@example.com" in report["walk"][3]["said"]


SESSION_LINE = {
    "starlette": r"^ +Middleware\(SessionMiddleware, .*\),\n",
    "fastapi": r"^app\.add_middleware\(SessionMiddleware, .*\)\n",
}


def _lines_with_session_inside(framework):
    """Return the printed lines with that of the session moved to where it is too late."""
    snippet = run("init", framework, settings={}).stdout
    (line,) = re.findall(SESSION_LINE[framework], snippet, re.MULTILINE)
    rest = snippet.replace(line, "")
    if framework == "fastapi":
        return rest.replace("app.add_middleware(\n", f"{line}app.add_middleware(\n")
    return rest.replace("        ),\n    ],\n", f"        ),\n{line}    ],\n")


@pytest.mark.parametrize("framework", sorted(SESSION_LINE))
def test_the_printed_lines_in_the_wrong_order_say_which_one_to_move(framework, tmp_path, monkeypatch):
    lines = _lines_with_session_inside(framework)
    module = _module(framework, tmp_path, monkeypatch, f"wrong_{framework}", lines)
    said = r"below app.add_middleware\(SSOMiddleware.*above Middleware\(SSOMiddleware"
    with pytest.raises(MiddlewareOrderError, match=said):
        _visitor(framework, module).get("/sso/helpdesk")


@pytest.mark.parametrize("framework", ["flask", "quart"])
def test_the_printed_lines_sign_out_cookies_of_a_domain(framework, tmp_path, monkeypatch):
    printed = run("init", framework, settings={}).stdout
    config = "\napp.config |= {'SESSION_COOKIE_DOMAIN': 'example.com', 'SESSION_COOKIE_PATH': '/sso'}\n"
    module = _module(framework, tmp_path, monkeypatch, f"domain_{framework}", config + printed)
    (session,) = _cookies(_visitor(framework, module).get("/sso/logout"))
    assert session.startswith("session=; ")
    parts = set(session.split("; "))
    assert {"Max-Age=0", "Path=/sso", "Domain=example.com"} <= parts


def _cookies(answer):
    """Return the Set-Cookie lines of an answer to either visitor."""
    lines = getattr(answer.headers, "get_list", None) or answer.headers.getlist
    return lines("Set-Cookie")


def test_the_printed_lines_for_flask_without_a_session_say_what_is_missing(tmp_path, monkeypatch):
    module = _module("flask", tmp_path, monkeypatch, "wrong_flask")
    module.app.secret_key = None
    with pytest.raises(MiddlewareOrderError, match=r"set app\.secret_key first"):
        _visitor("flask", module).get("/sso/helpdesk")


def test_every_choice_is_tested():
    # Django's is in test_cli_django.py.
    assert set(init.params[0].type.choices) == {*PRELUDES, "django"}


def test_the_framework_found_in_the_environment(tmp_path, monkeypatch):
    # A distribution is found by its metadata; with a path of our own there is only what we put there.
    _install(tmp_path, "Flask")
    done = _init_seeing(tmp_path, monkeypatch)
    assert done.returncode == 0
    assert "app.wsgi_app = SSOMiddleware(" in done.stdout


def test_flask_that_only_quart_brings_along(tmp_path, monkeypatch):
    _install(tmp_path, "flask")
    _install(tmp_path, "quart")
    done = _init_seeing(tmp_path, monkeypatch)
    assert done.returncode == 0
    assert "app.asgi_app = SSOMiddleware(" in done.stdout


def test_no_framework_or_several_is_a_usage_error(tmp_path, monkeypatch):
    none = _init_seeing(tmp_path, monkeypatch)
    assert none.returncode == 2
    said = " ".join(none.stderr.split())
    assert "FRAMEWORK: none is installed except Starlette, which this package itself needs" in said
    assert "pass one of bottle, django, fastapi" in said
    assert "`sso-middleware init starlette` or `sso-middleware init wsgi`" in said
    _install(tmp_path, "bottle")
    _install(tmp_path, "fastapi")
    several = _init_seeing(tmp_path, monkeypatch)
    assert several.returncode == 2
    assert "FRAMEWORK: several are installed (bottle, fastapi); pass one of" in several.stderr


def test_an_unknown_framework_is_a_usage_error():
    done = run("init", "rails")
    assert done.returncode == 2
    assert "'rails' is not one of" in done.stderr


@pytest.mark.parametrize("framework", sorted({*PRELUDES, "django"}))
def test_what_has_to_be_put_in_is_in_the_comments(framework):
    printed = run("init", framework, settings={}).stdout
    module = symtable.symtable(printed, "printed", "exec")
    symbols = module.get_symbols()
    bound = {each.get_name() for each in symbols if each.is_assigned() or each.is_imported()}
    inside = [each for scope in module.get_children() for each in scope.get_symbols() if each.is_global()]
    used = {each.get_name() for each in [*symbols, *inside] if each.is_referenced()}
    yours = used - bound - set(vars(builtins))
    tokens = tokenize.generate_tokens(io.StringIO(printed).readline)
    said = "".join(token.line for token in tokens if token.type == tokenize.COMMENT)
    assert bool(yours) == (framework != "django")
    assert [name for name in yours if not re.search(rf"\b{name}\b", said)] == []


@pytest.mark.parametrize("framework", ["flask", "quart"])
def test_the_printed_lines_let_the_session_come_along_from_the_help_desk(framework, tmp_path, monkeypatch):
    visitor = _visitor(framework, _module(framework, tmp_path, monkeypatch, f"cookie_{framework}"))
    cookie = visitor.get("/login?verified=1").headers["Set-Cookie"]
    assert "SameSite=Lax" in cookie
    assert "Secure" in cookie


def test_what_is_not_seen_in_the_code_is_in_the_comments():
    assert "context_email(app, getter, verified=...)" in run("init", "flask", settings={}).stdout
    assert 'pyramid.paster.get_app("development.ini")' in run("init", "pyramid", settings={}).stdout
    assert "sso_middleware.resolvers.django.allauth_verified" in run("init", "django", settings={}).stdout


@pytest.mark.parametrize("framework", ["fastapi", "starlette"])
def test_the_printed_steps_name_what_sessions_need(framework):
    assert "`pip install itsdangerous`" in run("init", framework, settings={}).stdout


def test_what_is_printed_names_every_setting():
    printed = run("init", "wsgi", settings={}).stdout
    assert set(re.findall(r"HELPDESK_\w+", printed)) == set(SETTINGS)


def _install(path, name):
    info = path / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")


def _init_seeing(path, monkeypatch):
    """Run `init` where importlib.metadata sees what is in `path` alone."""
    with monkeypatch.context() as patch:
        patch.setattr(sys, "path", [str(path)])
        return run("init")
