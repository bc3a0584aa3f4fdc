"""Serve the project on uvicorn with one session engine, our middleware inside of Django and around it."""

from __future__ import annotations

import os

import uvicorn
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler

import django_deciding
from clients import make_desk
from django_project import create_users, in_group
from servers import HOST
from sso_middleware import asgi
from sso_middleware.resolvers.django import user_email_async


def make_handlers():
    for name, value in django_deciding.SETTINGS.items():
        setattr(settings, name, value)
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{os.environ['SESSION_ENGINE']}"
    settings.MIDDLEWARE = django_deciding.MIDDLEWARE
    inside = ASGIHandler()
    settings.MIDDLEWARE = django_deciding.BY_THE_SESSION
    resolver = user_email_async(verified=in_group)
    outside = asgi.SSOMiddleware(ASGIHandler(), make_desk(), resolver, login_url="/login")
    return {b"inside": inside, b"outside": outside}


def main():
    create_users()
    handlers = make_handlers()

    async def app(scope, receive, send):
        await handlers[dict(scope["headers"])[b"x-wiring"]](scope, receive, send)

    uvicorn.run(app, host=HOST, port=int(os.environ["PORT"]), lifespan="off", log_level="warning")


if __name__ == "__main__":
    main()
