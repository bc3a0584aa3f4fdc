"""`handoff_response` in views, and the middleware with `forward_params`, `resume_at` and mount prefixes."""

from __future__ import annotations

import pytest
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import path

from clients import DESK, JANE, make_desk
from django_project import WITHOUT_OURS, inside, setting
from sso_middleware.django import handoff_response

EVENTS = []
FORWARDING = make_desk(forward_params=["page"])


def support(request):
    email = request.headers.get("X-Email")
    if email is None:
        return redirect("/login?next=/support")
    return handoff_response(request, FORWARDING, email, claims={"name": "Jane"}, on_event=EVENTS.append)


async def support_async(request):
    return handoff_response(request, DESK, request.headers["X-Email"])


urlpatterns = [
    path("support", support),
    path("support-async", support_async),
    path("", lambda request: HttpResponse("the start page")),
]
SIGNED_IN = ("X-Email", JANE)


@pytest.fixture
def project(browser, configure):
    """Open a browser on a project with these views."""
    EVENTS.clear()

    def project(middleware=WITHOUT_OURS, **changes):
        configure(ROOT_URLCONF=__name__, MIDDLEWARE=middleware, **changes)
        return inside(browser)

    return project


@pytest.mark.parametrize("name", ["support", "support-async"])
def test_hand_off(project, name):
    """Sync and async views give the middleware's redirect, and the loop cookie has this path."""
    reply = project().get(f"/{name}", headers=[SIGNED_IN])
    assert reply.is_handoff
    assert reply.claims["email"] == JANE
    assert reply["cache-control"] == "no-store, private"
    assert f"Path=/{name};" in reply["set-cookie"]


def test_claims_forwarding_and_event(project):
    """Further claims are signed, parameters are passed on, and the event has the public path."""
    reply = project().get("/support?page=/t/7", prefix="/app", headers=[SIGNED_IN])
    assert reply.claims["name"] == "Jane"
    assert reply["location"].endswith("&page=%2Ft%2F7")
    assert [(event.outcome, event.path, event.email) for event in EVENTS] == [
        ("handed_off", "/app/support", JANE)
    ]


@pytest.mark.parametrize("header", [("Sec-Purpose", "prefetch"), ("Sec-WebSocket-Key", "x")])
def test_guards(project, header):
    """Where no person opens the page there is no token."""
    reply = project().get("/support", headers=[SIGNED_IN, header])
    assert (reply.status, reply.all("location")) == (403, [])


def test_anonymous_visitors_are_the_views(project):
    """The view sends them to its login."""
    assert project().get("/support")["location"] == "/login?next=/support"


def from_header(request):
    return request.headers.get("X-Email")


def test_the_middleware_forwards_and_resumes(project):
    """`forward_params` and `resume_at` stand in HELPDESK_SSO as for the other middlewares."""
    given = setting(
        resolve_email=from_header,
        verified=...,
        logout=...,
        login_url="/login",
        forward_params=["page"],
        resume_at="/",
    )
    visitor = project([*WITHOUT_OURS, "sso_middleware.django.SSOMiddleware"], HELPDESK_SSO=given)
    login = visitor.get("/sso/helpdesk?page=/t/7")["location"]
    assert login == "/login?next=/sso/helpdesk%3Fpage%3D%252Ft%252F7"
    assert visitor.get("/").text == "the start page"
    resumed = visitor.get("/", headers=[SIGNED_IN])
    assert (resumed.status, resumed["location"]) == (303, "/sso/helpdesk?page=%2Ft%2F7")
    assert visitor.get(resumed["location"], headers=[SIGNED_IN])["location"].endswith("&page=%2Ft%2F7")
    assert visitor.get("/", headers=[SIGNED_IN]).text == "the start page"


@pytest.mark.parametrize("script_name", ["/app/", "app", "/app"])
def test_mount_prefixes_as_servers_spell_them(project, script_name):
    """SCRIPT_NAME and root_path count as Django's own routes do."""
    given = setting(auth_url="https://app.example.com/app/sso/helpdesk", logout=..., login_url="/login")
    visitor = project([*WITHOUT_OURS, "sso_middleware.django.SSOMiddleware"], HELPDESK_SSO=given)
    reply = visitor.get("/sso/helpdesk", prefix=script_name, unprefixed=True)
    assert reply["location"] == "/app/login?next=/app/sso/helpdesk"
