"""A Pyramid application for test_paste.py, as an INI file names it: `paste_app:main`."""

from __future__ import annotations

from pyramid.authentication import AuthTktCookieHelper
from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPSeeOther
from pyramid.response import Response
from pyramid.security import forget, remember

from clients import DESK, jane
from sso_middleware import HandoffRefused, expire_cookies

USERS = {"jane": ("jane@example.com", True), "joe": ("joe@example.com", False)}


class SecurityPolicy:
    def __init__(self, secret):
        self._cookie = AuthTktCookieHelper(secret, cookie_name="session", wild_domain=False)
        self.remember = self._cookie.remember
        self.forget = self._cookie.forget

    def identity(self, request):
        ticket = self._cookie.identify(request)
        return USERS.get(ticket["userid"]) if ticket else None

    def authenticated_userid(self, request):
        return request.identity and request.identity[0]


def login(request):
    return HTTPSeeOther(request.params.get("next", "/"), headers=remember(request, request.params["name"]))


def main(global_config, **settings):
    with Configurator(settings=settings) as config:
        config.set_security_policy(SecurityPolicy(settings["secret"]))
        config.add_route("start", "/")
        config.add_route("login", "/login")
        config.add_view(lambda request: Response(f"{request.authenticated_userid}"), route_name="start")
        config.add_view(login, route_name="login")
        return config.make_wsgi_app()


def resolver(router):
    def resolve_email(environ):
        with router.request_context(environ) as request:
            user = request.identity
        if user and not user[1]:
            raise HandoffRefused("email_not_verified")
        return user[0] if user else None

    return resolve_email


def resolve_plainly(environ):
    return environ.get("REMOTE_USER")


def end_plainly(environ):
    return [("X-User", environ.get("REMOTE_USER"))]


def end_session(router):
    def end(environ):
        with router.request_context(environ) as request:
            return forget(request)

    return end


def choose(environ, email):
    return DESK


EVENTS = []
remember_event = EVENTS.append
resolve_email = jane
expire = expire_cookies("session")
desk = DESK
number = 7


def broken(app):
    raise RuntimeError("broken")
