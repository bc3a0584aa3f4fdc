"""The project's views."""

from __future__ import annotations

from django.contrib.auth import authenticate, login, logout
from django.http import HttpResponse
from django.urls import path


def start(request):
    return HttpResponse(request.user.get_username() or "anonymous")


def login_view(request):
    user = authenticate(request, username=request.POST["name"], password=request.POST["password"])
    login(request, user)
    return HttpResponse("signed in")


def logout_view(request):
    logout(request)
    return HttpResponse("signed out")


def own_page(request):
    return HttpResponse(f"the application's own page, {request.method} {request.body.decode()}")


urlpatterns = [
    path("", start),
    path("login", login_view, name="the-login"),
    path("logout", logout_view),
    path("sso/helpdesk", own_page),
    path("<path:path>", lambda request, path: HttpResponse(f"nothing at {path}", status=404)),
]
