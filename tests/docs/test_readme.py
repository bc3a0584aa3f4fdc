"""The README's code runs, and does what the README says."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import shlex
import subprocess
import sys
import time
from http.cookiejar import http2time
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import bottle
import itsdangerous
import jwt
import pytest
from markdown_it import MarkdownIt
from paste.deploy import loadapp
from pyramid.security import remember
from servers_matrix.cells import table_of_forged_headers
from starlette.applications import Starlette
from starlette.middleware.sessions import SessionMiddleware

from clients import SSO_TOKEN, make_environ, make_scope
from readme_tables import read_table
from sso_middleware import ConfigError, HelpDesk, asgi

README = Path(__file__).parents[2] / "README.md"
SECRET = "a-secret-of-more-than-thirty-two-bytes"
ACCOUNT = {
    "SSO_TOKEN": SSO_TOKEN,
    "SSO_AUTH_URL": "https://acme.example/sso",
    "ACCOUNT_ID": "4711",
    "AUTH_URL": "https://app.example.com/sso/helpdesk",
    "LOGOUT_URL": "https://app.example.com/sso/logout",
}


def blocks(language):
    """Return the fenced blocks of a language by the heading they stand under."""
    tokens = MarkdownIt().parse(README.read_text("utf-8"))
    found, heading = {}, None
    for token, following in pairwise(tokens):
        if token.type == "heading_open":
            heading = following.content
        elif token.type == "fence" and token.info == language:
            assert heading not in found, "one block of a language a heading"
            found[heading] = token.content
    return found


PYTHON = blocks("python")


@pytest.fixture
def run(monkeypatch):
    """Run the block under a heading as a module, with the settings that the README asks for."""
    for prefix in ("HELPDESK_", "ACME_", "GLOBEX_"):
        for name, value in ACCOUNT.items():
            monkeypatch.setenv(prefix + name, value)
    monkeypatch.setenv("SESSION_SECRET", SECRET)
    monkeypatch.setenv("PROXY_SECRET", SECRET)

    def execute(heading):
        namespace = {"__name__": "readme"}
        monkeypatch.setitem(sys.modules, "readme", type(sys)("readme"))
        exec(compile(PYTHON[heading], f"README.md, {heading}", "exec"), namespace)
        return namespace

    return execute


def starlette_cookie(namespace, user):
    return cookie_of_starlette({"user": user_of(namespace, user)})


def cookie_of_starlette(session):
    data = base64.b64encode(json.dumps(session).encode())
    return f"session={itsdangerous.TimestampSigner(SECRET).sign(data).decode()}"


def bottle_cookie(namespace, user):
    value = json.dumps(user_of(namespace, user))
    app = bottle.Bottle()
    app.route("/", callback=lambda: bottle.response.set_cookie("session", value, secret=SECRET))
    _, headers, _ = call_wsgi(app, "/")
    return dict(headers)["Set-Cookie"].split(";")[0]


def flask_cookie(namespace, session):
    app = namespace["app"]
    serializer = app.session_interface.get_signing_serializer(app)
    return f"session={serializer.dumps(session)}"


def user_of(namespace, name):
    """Return what the login of the block keeps in the session."""
    users = namespace.setdefault("USERS", {"jane": {"email": "jane@example.com", "email_verified": True}})
    return users.get(name) or users[7]


def pyramid_cookie(namespace, user):
    with namespace["router"].request_context(make_environ("GET", "/")) as request:
        return remember(request, user)[0][1].split(";")[0]


def beaker_cookie(namespace, user):
    def sign_in():
        session = bottle.request.environ["beaker.session"]
        session["user"] = user_of(namespace, user)
        session.save()

    namespace["app"].route("/sign-in", callback=sign_in)
    _, headers, _ = call_wsgi(namespace["application"], "/sign-in")
    return next(value for name, value in headers if name.lower() == "set-cookie").split(";")[0].strip()


def plain_cookie(namespace, user):
    namespace["SESSIONS"]["abc"] = namespace.get("USERS", {}).get(user, {}).get("email", "jane@example.com")
    return "session=abc"


# heading: (protocol, name of the application, headers that sign jane in)
WALKS = {
    "WSGI": ("wsgi", "application", lambda namespace: [("Cookie", bottle_cookie(namespace, "jane"))]),
    "Bottle with Beaker": (
        "wsgi",
        "application",
        lambda namespace: [("Cookie", beaker_cookie(namespace, "jane"))],
    ),
    "ASGI": ("asgi", "app", lambda namespace: [("Cookie", starlette_cookie(namespace, "jane"))]),
    "Flask": ("wsgi", "app", lambda namespace: [("Cookie", flask_cookie(namespace, {"user_id": 7}))]),
    "Pyramid": ("wsgi", "app", lambda namespace: [("Cookie", pyramid_cookie(namespace, "jane"))]),
    "Quart": (
        "asgi",
        "app",
        lambda namespace: [("Cookie", flask_cookie(namespace, {"user": user_of(namespace, "jane")}))],
    ),
    "Starlette": ("asgi", "app", lambda namespace: [("Cookie", starlette_cookie(namespace, "jane"))]),
    "Plain WSGI": ("wsgi", "app", lambda namespace: [("Cookie", plain_cookie(namespace, "jane"))]),
    "Behind an identity-aware proxy": (
        "asgi",
        "app",
        lambda namespace: [("X-Proxy-Secret", SECRET), ("X-Forwarded-Email", "jane@example.com")],
    ),
}
OTHERS = {
    "A user id in the session",
    "Django",
    "In a route of your own",
    "Pyramid by INI file",
    "Settings of the middleware",
    "Test your integration",
}


FORM = "application/x-www-form-urlencoded"


def call_wsgi(app, path, headers=(), method="GET", query="", body=b""):
    started = []
    environ = make_environ(method, path, headers=headers, query=query, body=io.BytesIO(body))
    environ |= {"CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": FORM}
    iterable = app(environ, lambda *args: started.append(args))
    body = b"".join(iterable)
    getattr(iterable, "close", bool)()
    status, response_headers, *_ = started[-1]
    return int(status.split()[0]), response_headers, body


def call_asgi(app, path, headers=(), method="GET", query="", body=b""):
    sent = []

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message):
        sent.append(message)

    headers = [*headers, ("Content-Length", str(len(body))), ("Content-Type", FORM)]
    asyncio.run(app(make_scope(method, path, headers=headers, query=query), receive, send))
    response_headers = [(name.decode(), value.decode()) for name, value in sent[0]["headers"]]
    return sent[0]["status"], response_headers, b"".join(message.get("body", b"") for message in sent[1:])


CALL = {"wsgi": call_wsgi, "asgi": call_asgi}


def email_in(url):
    token = url.partition("token=")[2].partition("&")[0]
    return jwt.decode(token, SSO_TOKEN, algorithms=["HS256"])["email"]


def location(headers):
    return next(value for name, value in headers if name.lower() == "location")


def is_over(cookie):
    """Tell a cookie that ends with this response."""
    attributes = dict(part.strip().lower().partition("=")[::2] for part in cookie.split(";"))
    return attributes.get("max-age") == "0" or http2time(attributes["expires"]) < time.time()


def test_every_block_is_walked():
    """A new Python block needs a walk here."""
    assert PYTHON.keys() == WALKS.keys() | OTHERS


@pytest.mark.parametrize("heading", WALKS)
class TestWiring:
    def test_anonymous(self, run, heading):
        """An anonymous visitor is sent to the login page, with the way back."""
        protocol, name, _ = WALKS[heading]
        status, headers, _ = CALL[protocol](run(heading)[name], "/sso/helpdesk")
        assert status == 303
        assert location(headers) in ("/login?next=/sso/helpdesk", "/oauth2/start?rd=/sso/helpdesk")

    def test_signed_in(self, run, heading):
        """Whoever is signed in by the framework's own means is handed off under their address."""
        protocol, name, sign_in = WALKS[heading]
        namespace = run(heading)
        status, headers, _ = CALL[protocol](namespace[name], "/sso/helpdesk", sign_in(namespace))
        assert status == 303
        assert email_in(location(headers)) == "jane@example.com"

    def test_unverified(self, run, heading):
        """An address that is not verified is refused, where the application knows the difference."""
        protocol, name, sign_in = WALKS[heading]
        namespace = run(heading)
        if "email_verified" in PYTHON[heading]:
            user_of(namespace, "jane")["email_verified"] = False
            status, _, body = CALL[protocol](namespace[name], "/sso/helpdesk", sign_in(namespace))
            assert status == 403
            assert b"email_not_verified" in body

    def test_logout(self, run, heading):
        """The Logout URL ends the session, where the block takes it over."""
        protocol, name, sign_in = WALKS[heading]
        namespace = run(heading)
        status, headers, _ = CALL[protocol](namespace[name], "/sso/logout", sign_in(namespace))
        if "Logout(" in PYTHON[heading]:
            assert (status, location(headers)) == (303, "/")
            cookies = [value for name, value in headers if name.lower() == "set-cookie"]
            assert cookies
            assert all(is_over(cookie) for cookie in cookies)
        else:
            assert status != 303


@pytest.mark.parametrize("secret", [[], [("X-Proxy-Secret", "x")], [("X-Proxy-Secret", "")]])
def test_proxy_header_without_the_secret(run, secret):
    """Without the proxy's secret the identity header counts for nothing."""
    headers = [("X-Forwarded-Email", "eve@evil.example"), *secret]
    status, _, body = call_asgi(run("Behind an identity-aware proxy")["app"], "/sso/helpdesk", headers)
    assert status == 403
    assert b"untrusted_proxy" in body


@pytest.mark.parametrize("heading", [heading for heading in PYTHON if "_SECRET" in PYTHON[heading]])
def test_empty_secret(run, monkeypatch, heading):
    """A secret that is set and empty ends the program, as one that is not set."""
    for name in ("SESSION_SECRET", "PROXY_SECRET"):
        monkeypatch.setenv(name, "")
    with pytest.raises((SystemExit, ConfigError), match=r"_SECRET is not set|secret: must be"):
        run(heading)


@pytest.mark.parametrize(("bearer", "status"), [("the token of a test", 200), ("another", 401)])
def test_route(run, bearer, status):
    """The route returns a hand-off URL for the bearer, and to nobody else."""
    app = run("In a route of your own")["app"]
    answered, _, body = call_asgi(app, "/support", [("Authorization", f"Bearer {bearer}")], method="POST")
    assert answered == status
    if status == 200:
        assert email_in(json.loads(body)["url"]) == "jane@example.com"


@pytest.mark.parametrize(
    ("session", "verified", "outcome"),
    [
        ({}, True, "/login?next=/sso/helpdesk"),
        ({"user_id": 8}, True, "/login?next=/sso/helpdesk"),
        ({"user_id": 7}, True, "jane@example.com"),
        ({"user_id": 7}, False, b"email_not_verified"),
    ],
)
def test_user_id(run, session, verified, outcome):
    """The function finds the user whose id is in Starlette's session."""
    namespace = run("A user id in the session")
    user_of(namespace, "jane")["email_verified"] = verified
    app = asgi.SSOMiddleware(Starlette(), HelpDesk.from_env(), namespace["resolve_email"], login_url="/login")
    app = SessionMiddleware(app, SECRET)
    status, headers, body = call_asgi(app, "/sso/helpdesk", [("Cookie", cookie_of_starlette(session))])
    if status == 303:
        where = location(headers)
        assert (email_in(where) if "token=" in where else where) == outcome
    else:
        assert outcome in body


def test_several_accounts(run):
    """The account is chosen by the visitor's address."""
    status, headers, _ = call_wsgi(run("Settings of the middleware")["app"], "/sso/helpdesk")
    assert status == 303
    assert email_in(location(headers)) == "jane@globex.example"


FACTORY = """
import flask
import pytest
from sso_middleware.wsgi import SSOMiddleware


def create_app(helpdesk):
    app = flask.Flask(__name__)
    app.secret_key = "of a test"

    @app.post("/login")
    def login():
        flask.session["name"] = flask.request.form["name"]
        return ""

    def resolve_email(environ):
        session = app.session_interface.open_session(app, app.request_class(environ))
        return f"{session['name']}@EXAMPLE" if "name" in session else None

    app.wsgi_app = SSOMiddleware(app.wsgi_app, helpdesk, resolve_email, login_url="/login")
    return app
"""


@pytest.mark.slow
@pytest.mark.parametrize(("domain", "outcome"), [("example.com", "1 passed"), ("example.org", "1 failed")])
def test_test(tmp_path, domain, outcome):
    """The test of one's own integration passes for an application that is right, and fails for another."""
    factory = FACTORY.replace("EXAMPLE", domain)
    (tmp_path / "test_it.py").write_text(f"{factory}\n\n{PYTHON['Test your integration']}")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert outcome in result.stdout, result.stdout + result.stderr


def test_ini_file(run, monkeypatch, tmp_path):
    """The filter of the INI file stands around the application, and asks it who is signed in."""
    site = run("Pyramid")
    project, helpdesk = type(sys)("myproject"), type(sys)("myproject.helpdesk")
    project.main = lambda _global_config, **_settings: site["router"]
    exec(PYTHON["Pyramid by INI file"], vars(helpdesk))
    monkeypatch.setitem(sys.modules, "myproject", project)
    monkeypatch.setitem(sys.modules, "myproject.helpdesk", helpdesk)
    (block,) = blocks("ini").values()
    ini = tmp_path / "production.ini"
    ini.write_text(block.replace("[app:main]", "[app:main]\npaste.app_factory = myproject:main"))
    app = loadapp(f"config:{ini}")
    status, headers, _ = call_wsgi(app, "/sso/helpdesk")
    assert (status, location(headers)) == (303, "/login?next=/sso/helpdesk")
    cookie = ("Cookie", pyramid_cookie(site, "jane"))
    _, headers, _ = call_wsgi(app, "/sso/helpdesk", [cookie])
    assert email_in(location(headers)) == "jane@example.com"
    status, headers, _ = call_wsgi(app, "/sso/logout", [cookie])
    assert (status, location(headers)) == (303, "/")
    assert any(name == "Set-Cookie" for name, _ in headers)


DJANGO = """
import django

django.setup()

from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

call_command("check", fail_level="WARNING")
call_command("migrate", verbosity=0)
client = Client(headers={"host": "localhost"})
print(client.get("/sso/helpdesk")["Location"])
client.force_login(User.objects.create_user("jane", "jane@example.com", is_staff=True))
print(client.get("/sso/helpdesk")["Location"])
print(client.get("/sso/logout")["Location"])
print(client.get("/sso/helpdesk")["Location"])
"""


def test_django(run, monkeypatch, tmp_path):
    """At the end of new settings, with `verified` chosen, they pass the checks, hand off, and log out."""
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)
    run_in(tmp_path, "-m", "django", "startproject", "mysite", ".")
    with (tmp_path / "mysite" / "settings.py").open("a") as settings:
        settings.write(PYTHON["Django"].replace('"verified": None', '"verified": "is_staff"'))
    (tmp_path / "walk.py").write_text(DJANGO)
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "mysite.settings")
    *_, anonymous, handed_off, signed_out, again = run_in(tmp_path, "walk.py").splitlines()
    assert anonymous == again == "/accounts/login/?next=/sso/helpdesk"
    assert email_in(handed_off) == "jane@example.com"
    assert signed_out == "/"


def run_in(directory, *command):
    result = subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, check=False, cwd=directory
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.parametrize("name", ["servers", "benchmarks"])
def test_written_tables(name):
    """The tables that a command writes into the README are there."""
    readme = README.read_text("utf-8")
    assert f"<!-- {name}: begin -->\n|" in readme


def test_variables():
    """The shell block sets variables that exist, and all that are obligatory."""
    (block,) = blocks("shell").values()
    names = {
        word.partition("=")[0] for line in block.splitlines() for word in shlex.split(line, comments=True)[1:]
    }
    assert names == {f"HELPDESK_{name}" for name in ACCOUNT}


@pytest.mark.parametrize("heading", ["WSGI", "ASGI"])
def test_complete_applications(run, heading):
    """The two complete applications take a visitor from the Support link through login to the Help Desk."""
    protocol, name, _ = WALKS[heading]
    call, app = CALL[protocol], run(heading)[name]
    assert b'href="/sso/helpdesk"' in call(app, "/")[2]
    _, headers, _ = call(app, "/sso/helpdesk")
    login, _, query = location(headers).partition("?")
    assert b"<form" in call(app, login, query=query)[2]
    status, headers, _ = call(app, login, method="POST", query=query, body=b"name=jane")
    assert (status, urlsplit(location(headers)).path) == (303, "/sso/helpdesk")
    cookie = next(value for name, value in headers if name.lower() == "set-cookie").split(";")[0]
    _, headers, _ = call(app, "/sso/helpdesk", [("Cookie", cookie)])
    assert email_in(location(headers)) == "jane@example.com"


def test_table_of_forged_headers():
    """The README says of each server what the matrix asserts; `servers_matrix/table.py` writes it."""
    assert read_table("forged headers") == table_of_forged_headers()
