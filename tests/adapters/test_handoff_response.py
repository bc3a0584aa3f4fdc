"""`handoff_response`: a hand-off from a route of the application."""

from __future__ import annotations

import asyncio
import logging

import pytest
from werkzeug.test import run_wsgi_app

from clients import DESK, JANE, Reply, make_desk, make_environ, make_scope
from sso_middleware import ConfigError, ResolverError, asgi, wsgi

PATH = "/support"


def by_wsgi(method="GET", *, helpdesk=DESK, email=JANE, headers=(), query="", **options):
    environ = make_environ(method, PATH, headers=headers, query=query)
    response = wsgi.handoff_response(environ, helpdesk, email, **options)
    body, status, sent = run_wsgi_app(response, environ)
    return Reply(int(status.split()[0]), list(sent), b"".join(body), by_app=False)


def by_asgi(method="GET", *, helpdesk=DESK, email=JANE, headers=(), query="", **options):
    scope = make_scope(method, PATH, headers=headers, query=query)
    response = asgi.handoff_response(scope, helpdesk, email, **options)
    sent = []

    async def send(message):
        sent.append(message)

    asyncio.run(response(scope, None, send))
    start, *bodies = sent
    names = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in start["headers"]]
    return Reply(start["status"], names, b"".join(message["body"] for message in bodies), by_app=False)


@pytest.fixture(params=[by_wsgi, by_asgi], ids=["wsgi", "asgi"])
def visit(request):
    return request.param


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_hand_off(visit, method):
    """It is the middleware's redirect, with its headers and the loop cookie of this path."""
    reply = visit(method)
    assert reply.is_handoff
    assert reply.claims["email"] == JANE
    assert reply["cache-control"] == "no-store, private"
    assert reply["referrer-policy"] == "no-referrer"
    assert "Path=/support;" in reply["set-cookie"]


def test_claims_and_forwarding(visit):
    """Further claims are signed, and forward_params of the request are passed on."""
    reply = visit(helpdesk=make_desk(forward_params="page"), query="page=/t/7", claims={"name": "Jane"})
    assert reply.claims["name"] == "Jane"
    assert reply["location"].endswith("&page=%2Ft%2F7")


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("HEAD", [], 200),
        ("PUT", [], 405),
        ("GET", [("Sec-Purpose", "prefetch")], 403),
        ("GET", [("Sec-WebSocket-Key", "x")], 403),
        ("POST", [("Sec-Fetch-Mode", "cors")], 403),
        ("GET", [("Cookie", "sso_handoffs={now}.7")], 409),
    ],
)
def test_guards(visit, method, headers, status):
    """What makes no hand-off in the middleware makes none here."""
    import time  # noqa: PLC0415 - the loop cookie counts from now

    headers = [(name, value.replace("{now}", str(int(time.time())))) for name, value in headers]
    reply = visit(method, headers=headers)
    assert (reply.status, reply.all("location")) == (status, [])


def test_allowed_methods(visit):
    """A 405 names the methods that a route may use."""
    assert visit("PUT")["allow"] == "GET, HEAD, POST"


def test_own_frame(visit):
    """A frame on the same site is accepted, as in the middleware."""
    assert visit(headers=[("Sec-Fetch-Dest", "iframe"), ("Sec-Fetch-Site", "same-origin")]).is_handoff


@pytest.mark.parametrize(("email", "reason"), [("", "no_email"), ("nobody", "invalid_email")])
def test_unacceptable_address(visit, email, reason):
    """A user without an acceptable address gets the page that says so."""
    events = []
    reply = visit(email=email, on_event=events.append)
    assert (reply.status, events[0].reason, events[0].account_id) == (403, reason, "4711")
    assert f"Code: {reason}" in reply.text


def test_event(visit):
    """A hand-off is an event of this path."""
    events = []
    visit(on_event=events.append)
    assert [(event.outcome, event.path, event.email) for event in events] == [("handed_off", PATH, JANE)]


def test_names_of_parameters_in_the_log(visit, caplog):
    """The log names parameters that are not forwarded, never their values."""
    with caplog.at_level(logging.DEBUG, "sso_middleware"):
        visit(helpdesk=make_desk(forward_params="page"), query="page=%00&state=s3cret")
    assert "not printable: ['page']" in caplog.text
    assert "not forwarded: ['state']" in caplog.text
    assert "s3cret" not in caplog.text


@pytest.mark.parametrize("email", [None, 7])
def test_no_address(visit, email):
    """An anonymous visitor is the route's to send to the login."""
    with pytest.raises(ResolverError):
        visit(email=email)


@pytest.mark.parametrize(
    ("options", "setting"),
    [({"helpdesk": lambda scope, email: DESK}, "helpdesk"), ({"on_event": 7}, "on_event")],
)
def test_wrong_settings(visit, options, setting):
    """A wrong parameter is named."""
    with pytest.raises(ConfigError) as caught:
        visit(**options)
    assert set(caught.value.problems) == {setting}
