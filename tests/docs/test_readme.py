"""The README's code runs and does what the README says, and the README can be read on a package index."""

from __future__ import annotations

import re

import flask
import pytest

import forks
from cli_apps import entry_point
from documents import (
    ACCOUNT,
    CALL,
    README,
    blocks,
    cookie_of_flask,
    cookies_in,
    email_in,
    execute,
    is_over,
    location,
    pairs,
    set_variables,
)

PYTHON = blocks(README, "python")
TEXT = README.read_text("utf-8")
SHORT = "sso_middleware"
COMPLETE = {"Flask": "wsgi", "FastAPI": "asgi"}


@pytest.fixture
def run(monkeypatch):
    """Run the block under a heading as a module, with the settings that the README asks for."""
    set_variables(monkeypatch)
    return lambda heading: execute(monkeypatch, PYTHON[heading], f"README.md, {heading}")


def test_every_block_is_tried():
    """A new Python block needs a test here."""
    assert PYTHON.keys() == {SHORT, "Django", *COMPLETE}


def test_first_screen(run):
    """The first lines of code send an anonymous visitor to the login, and a user to the Help Desk."""
    app = run(SHORT)["app"]
    assert len([line for line in PYTHON[SHORT].splitlines() if line]) <= 10
    assert TEXT.count("\n", 0, TEXT.index("```\n")) < 30
    _, headers, _ = CALL["wsgi"](app, "/sso/helpdesk")
    assert location(headers) == "/login?next=/sso/helpdesk"
    user = {"email": "jane@example.com", "email_verified": True}
    _, headers, _ = CALL["wsgi"](app, "/sso/helpdesk", [("Cookie", cookie_of_flask(app, {"user": user}))])
    assert email_in(location(headers)) == "jane@example.com"


@pytest.mark.parametrize(("heading", "protocol"), COMPLETE.items())
class TestCompleteApplications:
    def test_sign_in(self, run, heading, protocol):
        """A visitor gets from the Auth URL through the login to the Help Desk, and is signed out again."""
        call, app = CALL[protocol], run(heading)["app"]
        if isinstance(app, flask.Flask):
            assert app.secret_key
        _, headers, _ = call(app, "/sso/helpdesk")
        login, _, query = location(headers).partition("?")
        assert b"<form" in call(app, login, query=query)[2]
        status, headers, _ = call(app, login, method="POST", query=query, body=b"name=jane")
        assert (status, location(headers)) == (303, "/sso/helpdesk")
        cookie = cookies_in(headers)[0].split(";")[0]
        _, headers, _ = call(app, "/sso/helpdesk", [("Cookie", cookie)])
        assert email_in(location(headers)) == "jane@example.com"
        status, headers, _ = call(app, "/sso/logout", [("Cookie", cookie)])
        assert (status, location(headers)) == (303, "/")
        assert all(is_over(each) for each in cookies_in(headers))

    def test_next_stays_on_the_site(self, run, heading, protocol):
        """The login follows `next` to the Auth URL only."""
        app = run(heading)["app"]
        _, headers, _ = CALL[protocol](
            app, "/login", method="POST", query="next=//evil.example", body=b"name=jane"
        )
        assert location(headers) == "/"

    def test_address_that_is_not_verified(self, run, heading, protocol):
        """A user whose address is not verified gets a page that says so."""
        namespace = run(heading)
        namespace["USERS"]["jane"]["email_verified"] = False
        call, app = CALL[protocol], namespace["app"]
        _, headers, _ = call(app, "/login", method="POST", body=b"name=jane")
        cookie = cookies_in(headers)[0].split(";")[0]
        status, _, body = call(app, "/sso/helpdesk", [("Cookie", cookie)])
        assert status == 403
        assert b"email_not_verified" in body

    def test_check(self, heading, protocol, tmp_path):
        """The command that the README names finds nothing wrong with it."""
        (tmp_path / "readme.py").write_text(PYTHON[heading], "utf-8")
        done = entry_point.run("check", "readme:app", cwd=tmp_path)
        assert (done.returncode, "Findings: none" in done.stdout) == (0, True)


DJANGO = """
import django

django.setup()

from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

PBKDF2PasswordHasher.iterations = 1  # Django's own number takes half a second for each login
call_command("check", fail_level="WARNING")
call_command("migrate", verbosity=0)
client = Client(headers={"host": "localhost"})
sent = client.get("/sso/helpdesk")["Location"]
print(sent)
User.objects.create_superuser("jane", "jane@example.com", "a password")
User.objects.create_user("joe", "joe@example.com", "a password")
answer = client.post(sent, {"username": "jane", "password": "a password"})
print(client.get(answer["Location"])["Location"])
print(client.get("/sso/logout")["Location"])
print(client.get("/sso/helpdesk")["Location"])
client.login(username="joe", password="a password")
print(client.get("/sso/helpdesk").status_code)
"""


def django(directory, *command):
    done = forks.run(*command, cwd=directory, imports=forks.DJANGO)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_django(run, monkeypatch, tmp_path):
    """At the end of new settings, the lines pass the checks, hand off through the login, and log out."""
    django(tmp_path, "-m", "django", "startproject", "mysite", ".")
    with (tmp_path / "mysite" / "settings.py").open("a") as settings:
        settings.write(PYTHON["Django"])
    (tmp_path / "walk.py").write_text(DJANGO)
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "mysite.settings")
    *_, anonymous, handed_off, signed_out, again, not_staff = django(tmp_path, "walk.py").splitlines()
    assert anonymous == again == "/admin/login/?next=/sso/helpdesk"
    assert email_in(handed_off) == "jane@example.com"
    assert signed_out == "/"
    assert not_staff == "403"


def test_variables():
    """The table of the vendor's panel names every variable of an account."""
    names = set(re.findall(r"HELPDESK_\w+", TEXT)) - {"HELPDESK_SSO"}  # the setting of Django
    assert names == {f"HELPDESK_{name}" for name in (*ACCOUNT, "SSO_TOKEN_FILE")}


def test_commands():
    """The two commands are there once each, as CI looks for them."""
    for end in (r"\.venv/bin/pytest", "sso-middleware demo"):
        assert len(re.findall(rf"^ {{4}}python3 .*{end}$", TEXT, re.MULTILINE)) == 1


def test_on_a_package_index():
    """It is short, and needs no diagram language, no HTML and no picture of this repository."""
    assert len(README.read_bytes()) <= 12_000
    kinds = {token.type for token, _ in pairs(README)}
    assert "html_block" not in kinds
    assert {token.info for token, _ in pairs(README) if token.type == "fence"} == {"python"}
    assert "![" not in TEXT
