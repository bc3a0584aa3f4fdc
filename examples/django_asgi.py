# /// script
# requires-python = ">=3.11"
# dependencies = ["sso-middleware", "django>=5.2", "uvicorn>=0.30"]
# ///
"""Django under ASGI with async views: the settings are the same as under WSGI.

To run it, take the first three values from the vendor's panel (Settings > Security > Single
sign-on), enter the next two there, and choose the last two::

    export HELPDESK_SSO_TOKEN=...                                # SSO Token
    export HELPDESK_SSO_AUTH_URL=...                             # SSO Auth URL
    export HELPDESK_ACCOUNT_ID=...                               # Account ID
    export HELPDESK_AUTH_URL=http://127.0.0.1:8000/sso/helpdesk  # Auth URL
    export HELPDESK_LOGOUT_URL=http://127.0.0.1:8000/sso/logout  # Logout URL
    export SESSION_SECRET=...                                    # 32 characters or more
    export DEMO_PASSWORD=...                                     # signs in jane and joe
    python examples/django_asgi.py
"""

import logging
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import uvicorn
from django.conf import settings
from django.contrib.auth import aauthenticate, alogin, get_user_model
from django.core.asgi import get_asgi_application
from django.core.management import call_command
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import path
from django.utils.http import url_has_allowed_host_and_scheme

START = """<!doctype html><html lang="en"><title>Demo</title>
<p>You are {{ user.get_username|default:"not signed in" }}.
<p><a href="/login">Sign in</a> <a href="{{ logout_url }}">Sign out</a>
<p><a href="{{ auth_url }}">Support</a>
"""
LOGIN = """<!doctype html><html lang="en"><title>Sign in</title>
{% if failed %}<p role="alert">Name or password is wrong.</p>{% endif %}
<form method="post" action="/login">
{% csrf_token %}
<input type="hidden" name="next" value="{{ next }}">
<label>Name <input name="name" required></label>
<label>Password <input name="password" type="password" required></label>
<button>Sign in</button>
</form>
"""


def required(variable: str) -> str:
    return os.environ.get(variable) or sys.exit(f"{variable} is not set")


def has_verified_address(user) -> bool:
    # It queries the database; the middleware calls it where Django allows that.
    # With django-allauth, use "sso_middleware.resolvers.django.allauth_verified" instead.
    return user.groups.filter(name="address verified").exists()


# The middleware reads the account itself, and reports every missing variable.
auth_url = os.environ.get("HELPDESK_AUTH_URL", "")
logout_url = os.environ.get("HELPDESK_LOGOUT_URL", "")
demo_password = required("DEMO_PASSWORD")
database = TemporaryDirectory(prefix="demo-")

settings.configure(
    SECRET_KEY=required("SESSION_SECRET"),
    ALLOWED_HOSTS=["127.0.0.1", "localhost", urlsplit(auth_url).hostname],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "sso_middleware.django",  # its system checks
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "sso_middleware.django.SSOMiddleware",
    ],
    HELPDESK_SSO={"verified": has_verified_address, "logout": True},
    LOGIN_URL="/login",
    SESSION_COOKIE_NAME="session",
    SESSION_COOKIE_SECURE=auth_url.startswith("https:"),
    DATABASES={
        "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": Path(database.name) / "db.sqlite3"}
    },
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
)
application = get_asgi_application()


def page(request: HttpRequest, template: str, status: int = 200, **context: object) -> HttpResponse:
    return HttpResponse(engines["django"].from_string(template).render(context, request), status=status)


async def start(request: HttpRequest) -> HttpResponse:
    return page(request, START, user=await request.auser(), auth_url=auth_url, logout_url=logout_url)


async def login_view(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return page(request, LOGIN, next=request.GET.get("next", "/"))
    way_back = request.POST.get("next", "/")
    user = await aauthenticate(
        request, username=request.POST.get("name", ""), password=request.POST.get("password", "")
    )
    if user is None:
        return page(request, LOGIN, status=403, next=way_back, failed=True)
    await alogin(request, user)
    return HttpResponse(status=303, headers={"Location": way_back if is_own_path(way_back) else "/"})


def is_own_path(target: str) -> bool:
    return target.startswith("/") and url_has_allowed_host_and_scheme(target, allowed_hosts=None)


urlpatterns = [path("", start), path("login", login_view)]


def create_users() -> None:
    call_command("migrate", verbosity=0)
    users = get_user_model().objects
    jane = users.create_user("jane", "jane@example.com", demo_password)
    jane.groups.create(name="address verified")
    users.create_user("joe", "joe@example.com", demo_password)  # may have typed in someone else's address


def main() -> None:
    logging.basicConfig(level=logging.INFO)  # logs each hand-off, without address or token
    create_users()
    uvicorn.run(application, host="127.0.0.1", port=int(os.environ.get("PORT", "8000")), lifespan="off")


if __name__ == "__main__":
    main()
