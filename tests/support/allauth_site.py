"""A project with the real django-allauth: walk through it, and print what each hand-off led to as JSON.

In a process of its own, because django-allauth wants to be among the applications from the start.
"""

from __future__ import annotations

import json
import re

import django
from django.conf import settings
from django.core.management import call_command
from django.http import HttpResponse
from django.urls import include, path

from clients import AUTH_URL, SSO_TOKEN, Reply

PASSWORD = "the password of everybody"

settings.configure(
    SECRET_KEY="the secret key of a project that exists in tests only",
    ALLOWED_HOSTS=["testserver"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.messages",
        "allauth",
        "allauth.account",
        "sso_middleware.django",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "allauth.account.middleware.AccountMiddleware",
        "sso_middleware.django.SSOMiddleware",
    ],
    AUTHENTICATION_BACKENDS=["allauth.account.auth_backends.AuthenticationBackend"],
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    ACCOUNT_RATE_LIMITS=False,
    ACCOUNT_SIGNUP_FIELDS=["email*", "username*", "password1*"],
    EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
        }
    ],
    LOGIN_REDIRECT_URL="/",
    HELPDESK_SSO={
        "sso_token": SSO_TOKEN,
        "sso_auth_url": "https://acme.example/sso",
        "account_id": 4711,
        "auth_url": AUTH_URL,
        "verified": "sso_middleware.resolvers.django.allauth_verified",
    },
)
django.setup()

urlpatterns = [
    path("", lambda request: HttpResponse("hello")),
    path("accounts/", include("allauth.account.urls")),
]


def main():
    from allauth.account.models import EmailAddress  # noqa: PLC0415 - after setup()
    from django.contrib.auth.models import User  # noqa: PLC0415
    from django.core import mail  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415

    def outcome():
        response = client.get("/sso/helpdesk")
        reply = Reply(response.status_code, list(response.items()), response.content, by_app=False)
        return reply.claims["email"] if reply.status == 303 else re.findall("Code: (\\w+)", reply.text)[0]

    def confirm():
        (link,) = re.findall("http://testserver(/accounts/confirm-email/\\S+)", mail.outbox[-1].body)
        assert client.post(link).status_code == 302

    call_command("migrate", verbosity=0)
    call_command("check", fail_level="WARNING")
    outcomes = {}

    client = Client()
    form = {"username": "ann", "email": "Ann@Example.com", "password1": PASSWORD}
    assert client.post("/accounts/signup/", form).status_code == 302
    outcomes["signed up"] = outcome()
    confirm()
    outcomes["confirmed"] = outcome()
    ann = User.objects.get(username="ann")
    ann.email = "director@example.com"
    ann.save()
    outcomes["edited"] = outcome()
    EmailAddress.objects.create(user=ann, email="director@example.com", verified=False)
    outcomes["added"] = outcome()

    client = Client()
    User.objects.create_user("boss", "Boss@Example.com", PASSWORD)
    client.post("/accounts/login/", {"login": "boss", "password": PASSWORD})
    outcomes["made by staff"] = outcome()
    client.get("/accounts/email/")  # where allauth notes the address
    client.post("/accounts/email/", {"email": "boss@example.com", "action_send": ""})
    confirm()
    User.objects.filter(username="boss").update(email="Boss@Example.com")
    outcomes["made by staff, confirmed"] = outcome()
    address = EmailAddress.objects.get(user__username="boss")
    outcomes["stored"] = address.email
    User.objects.filter(username="boss").update(email="bo\N{LATIN SMALL LETTER LONG S}s@example.com")
    EmailAddress.objects.filter(pk=address.pk).update(email="bo\N{LATIN SMALL LETTER LONG S}s@example.com")
    outcomes["another letter"] = outcome()
    print(json.dumps(outcomes))  # noqa: T201


if __name__ == "__main__":
    main()
