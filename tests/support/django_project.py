"""A Django project in one module, configured once for the whole test session, and browsers for it."""

from __future__ import annotations

import asyncio
import atexit
import io
import shutil
import tempfile
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode

import django
from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command
from django.db import connections

from clients import AUTH_URL, LOGOUT_URL, SSO_TOKEN, Reply, make_desk, make_environ, make_scope
from sso_middleware import asgi, wsgi

PASSWORD = "the password of everybody"
SESSION = "django.contrib.sessions.middleware.SessionMiddleware"
AUTHENTICATION = "django.contrib.auth.middleware.AuthenticationMiddleware"
OURS = "sso_middleware.django.SSOMiddleware"
WITHOUT_OURS = [SESSION, AUTHENTICATION]
ENGINES = ["db", "cache", "cached_db", "file", "signed_cookies"]

_directory = Path(tempfile.mkdtemp(prefix="django-"))
atexit.register(shutil.rmtree, _directory, ignore_errors=True)


def in_group(user) -> bool:
    """Ask the database whether the address of `user` was verified."""
    return user.groups.filter(name="address verified").exists()


def setting(**changes):
    """Return HELPDESK_SSO with `changes`; what is changed to ... is left out."""
    given = {
        "sso_token": SSO_TOKEN,
        "sso_auth_url": "https://acme.example/sso",
        "account_id": 4711,
        "auth_url": AUTH_URL,
        "logout_url": LOGOUT_URL,
        "verified": in_group,
        "logout": True,
    }
    return {name: value for name, value in (given | changes).items() if value is not ...}


settings.configure(
    SECRET_KEY="the secret key of a project that exists in tests only",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF="django_urls",
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "sso_middleware.django",
    ],
    MIDDLEWARE=[*WITHOUT_OURS, OURS],
    AUTHENTICATION_BACKENDS=["django.contrib.auth.backends.AllowAllUsersModelBackend"],
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    HELPDESK_SSO=setting(),
    LOGIN_URL="/login",
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": _directory / "db.sqlite3",
            "OPTIONS": {"timeout": 30, "init_command": "PRAGMA synchronous = OFF"},
        }
    },
    SESSION_FILE_PATH=str(_directory),
    LOGGING_CONFIG=None,  # the suite's own logging stays as it is
    DEBUG_PROPAGATE_EXCEPTIONS=True,
)
django.setup()


def create_users():
    """Jane's and Bob's address is verified, Joe's is not, Ina is inactive, and Nora has no address."""
    from django.contrib.auth.models import Group, User  # noqa: PLC0415 - after setup()

    call_command("migrate", verbosity=0)
    verified, _ = Group.objects.get_or_create(name="address verified")
    for name in ("jane", "bob", "joe", "ina", "nora"):
        if User.objects.filter(username=name).exists():
            continue
        user = User.objects.create_user(
            name,
            email="" if name == "nora" else f"{name}@example.com",
            password=PASSWORD,
            is_staff=name == "jane",
            is_active=name != "ina",
        )
        if name != "joe":
            user.groups.add(verified)


class Browser:
    """A visitor with a cookie jar; `handler` is what a server would call."""

    def __init__(self, handler) -> None:
        self.handler = handler
        self.cookies: dict[str, str] = {}

    def get(self, path, **request) -> Reply:
        return self.request("GET", path, **request)

    def request(self, method, path, *, data=None, headers=(), prefix="", unprefixed=False) -> Reply:
        body = urlencode(data or {}).encode()
        headers = [*headers, ("Host", "127.0.0.1")]
        if self.cookies:
            headers.append(("Cookie", "; ".join(f"{name}={value}" for name, value in self.cookies.items())))
        reply = self.call(method, path, body, headers, prefix, unprefixed)
        for header in reply.all("set-cookie"):
            for morsel in SimpleCookie(header.strip()).values():
                self.cookies[morsel.key] = morsel.coded_value
                if morsel["max-age"] == "0" or morsel["max-age"] == 0:
                    del self.cookies[morsel.key]
        return reply

    def call(self, method, path, body, headers, prefix, unprefixed) -> Reply:
        raise NotImplementedError

    def sign_in(self, name, **request) -> Reply:
        reply = self.request("POST", "/login", data={"name": name, "password": PASSWORD}, **request)
        assert reply.status == 200
        return reply

    @property
    def name(self) -> str:
        """Who the application says the visitor is."""
        return self.get("/").text


class WSGIBrowser(Browser):
    protocol = "wsgi"
    make_handler = WSGIHandler

    def call(self, method, path, body, headers, prefix, unprefixed):
        path, _, query = path.partition("?")
        environ = make_environ(
            method, path, prefix=prefix, headers=headers, query=query, body=io.BytesIO(body)
        )
        environ |= {
            "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": "application/x-www-form-urlencoded",
        }
        started = []
        answer = self.handler(environ, lambda *args: started.append(args))
        try:
            content = b"".join(answer)
        finally:
            getattr(answer, "close", bool)()
        ((status, response_headers, *_),) = started
        return Reply(int(status.split()[0]), response_headers, content, by_app=False)


class TidyASGIHandler(ASGIHandler):
    """Django's own leaves the request's body and connections open if an exception reaches the server."""

    async def read_body(self, receive):
        self.body_file = await super().read_body(receive)
        return self.body_file

    async def handle(self, scope, receive, send):
        try:
            await super().handle(scope, receive, send)
        finally:
            self.body_file.close()
            await sync_to_async(connections.close_all)()


class ASGIBrowser(Browser):
    protocol = "asgi"
    make_handler = TidyASGIHandler

    def call(self, method, path, body, headers, prefix, unprefixed):
        headers = [*headers, ("Content-Type", "application/x-www-form-urlencoded")]
        path, _, query = path.partition("?")
        sent_path = path if unprefixed else prefix + path
        scope = make_scope(method, sent_path, root_path=prefix, headers=headers, query=query)
        return asyncio.run(self.exchange(scope, body))

    async def exchange(self, scope, body):
        waiting = [{"type": "http.request", "body": body}]
        sent = []

        async def receive():
            return waiting.pop() if waiting else await asyncio.Event().wait()

        async def send(message):
            sent.append(message)

        await self.handler(scope, receive, send)
        start, *bodies = sent
        return Reply(
            start["status"],
            [(name.decode("latin-1"), value.decode("latin-1")) for name, value in start["headers"]],
            b"".join(message.get("body", b"") for message in bodies),
            by_app=False,
        )


def inside(browser):
    """Open a browser on Django with our line in MIDDLEWARE."""
    return browser(browser.make_handler())


def outside(browser, *, verified=in_group, **options):
    """Open a browser on Django with our middleware around it."""
    from sso_middleware.resolvers import django as resolvers  # noqa: PLC0415 - the settings come first

    is_wsgi = browser is WSGIBrowser
    middleware = (wsgi if is_wsgi else asgi).SSOMiddleware
    resolver = resolvers.user_email if is_wsgi else resolvers.user_email_async
    handler = browser.make_handler()
    options = {"login_url": "/login", "resolve_email": resolver(verified=verified), **options}
    return browser(middleware(handler, make_desk(), **options))
