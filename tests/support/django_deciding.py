"""Middlewares that decide who the user is after Django's authentication, and views that say who it is.

The header ``X-Act`` says what a middleware does with a request: ``log-in NAME``, ``log-out``,
``nobody``, ``become NAME``, ``become-later NAME``, ``slots``, ``claims`` or ``auser-only``.
"""

from __future__ import annotations

import django_project  # it configures Django

# isort: split
from asgiref.sync import iscoroutinefunction, sync_to_async
from django.contrib.auth import alogin, alogout, login, logout
from django.contrib.auth.middleware import RemoteUserMiddleware
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpResponse
from django.urls import path
from django.utils.decorators import sync_and_async_middleware
from django.utils.functional import SimpleLazyObject

import django_urls

BACKEND = "django.contrib.auth.backends.AllowAllUsersModelBackend"
BY_THE_SESSION = django_project.WITHOUT_OURS
MIDDLEWARE = [
    *BY_THE_SESSION,
    "django_deciding.HeaderUserMiddleware",
    "django_deciding.token_middleware",
    "django_deciding.session_middleware",
    "django_deciding.acting_middleware",
    django_project.OURS,
]
SETTINGS = {
    "AUTHENTICATION_BACKENDS": [BACKEND, "django.contrib.auth.backends.RemoteUserBackend"],
    "ROOT_URLCONF": "django_deciding",
}


class Slotted:
    """A user whose attributes are in slots."""

    __slots__ = ("email", "groups", "is_authenticated", "username")

    def __init__(self, user):
        self.username, self.email, self.groups = user.username, user.email, user.groups
        self.is_authenticated = True

    def get_username(self):
        return self.username


class Claims:
    """A user made of a token's claims, to whom every other attribute is `None`."""

    def __init__(self, user):
        self.username, self.email, self.groups = user.username, user.email, user.groups
        self.is_authenticated = True

    def get_username(self):
        return self.username

    def __getattr__(self, name):
        return None


class HeaderUserMiddleware(RemoteUserMiddleware):
    """The proxy in front says in ``X-Remote`` who it is."""

    def __init__(self, get_response):
        super().__init__(get_response)
        # Under ASGI, Django itself adds HTTP_.
        self.header = "X_REMOTE" if self.is_async else "HTTP_X_REMOTE"


def token_middleware(get_response):
    """Sign in by a token, for one request, as django-oauth-toolkit does."""

    def middleware(request):
        name = request.headers.get("X-Token")
        if name and request.user.is_anonymous:
            request.user = request._cached_user = User.objects.get(username=name)  # noqa: SLF001
        return get_response(request)

    return middleware


def session_middleware(get_response):
    """Obey what the views below have put into the session: an impersonation, a second factor to come."""

    def middleware(request):
        if name := request.session.get("impersonated"):
            request.user = User.objects.get(username=name)
        if request.session.get("second_factor_to_come"):
            request.user = AnonymousUser()
        return get_response(request)

    return middleware


@sync_and_async_middleware
def acting_middleware(get_response):
    """Do what the request's header says, after a look at the user, as such middlewares have."""

    async def acting_async(request):
        await request.auser()
        act, name = _act(request)
        if act == "log-in":
            await alogin(request, await User.objects.aget(username=name), backend=BACKEND)
        elif act == "log-out":
            await alogout(request)
        else:
            await sync_to_async(_set_user)(request, act, name)
        return await get_response(request)

    def acting(request):
        _ = request.user.is_authenticated
        act, name = _act(request)
        if act == "log-in":
            login(request, User.objects.get(username=name), backend=BACKEND)
        elif act == "log-out":
            logout(request)
        else:
            _set_user(request, act, name)
        return get_response(request)

    return acting_async if iscoroutinefunction(get_response) else acting


def _act(request):
    act, _, name = request.headers.get("X-Act", "").partition(" ")
    return act, name


def _set_user(request, act, name):
    if act == "nobody":
        request.user = AnonymousUser()
    elif act == "become":
        request.user = User.objects.get(username=name)
    elif act == "become-later":
        request.user = SimpleLazyObject(lambda: User.objects.get(username=name))
    elif act == "slots":
        request.user = Slotted(User.objects.get(username=name))
    elif act == "claims":
        request.user = Claims(User.objects.get(username=name))
    elif act == "auser-only":
        del request.user


def in_session(request):
    request.session.update(request.GET.dict())
    return HttpResponse("noted")


def expire(request):
    request.session.set_expiry(-1)
    return HttpResponse("expired")


async def log_out_async(request):
    await alogout(request)
    return HttpResponse("signed out")


def change_user(request):
    """Change a user behind the back of those who are signed in."""
    user = User.objects.get(username=request.GET["name"])
    if "active" in request.GET:
        user.is_active = request.GET["active"] == "1"
    else:
        user.set_password(django_project.PASSWORD)  # salted: the same password is another hash
    user.save()
    return HttpResponse("changed")


def start_again(request):
    for user in User.objects.all():
        user.is_active = user.username != "ina"
        user.set_password(django_project.PASSWORD)
        user.save()
    return HttpResponse("as at the beginning")


urlpatterns = [
    path("in-session", in_session),
    path("expire", expire),
    path("log-out-async", log_out_async),
    path("change-user", change_user),
    path("start-again", start_again),
    *django_urls.urlpatterns,
]
