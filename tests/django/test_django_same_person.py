"""In Django, the person who is handed off is the person whom a view sees, whatever has happened before.

Twins do the same things, each with a session of their own. After each step a view says who the one is,
and the other visits the Auth URL.
"""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from django.core.cache import cache
from django.db import connections
from django.test import override_settings

import django_deciding
from clients import Reply
from django_project import ENGINES, ASGIBrowser, Browser, WSGIBrowser, create_users, inside, outside
from servers import local_client, serving

SITE = Path(django_deciding.__file__).parent
NAMES = ["jane", "bob", "joe", "ina", "nora"]


def each_engine(*plain):
    """Run a test with each session engine; the plain run has only those in `plain`."""
    engines = [
        engine if engine in plain else pytest.param(engine, marks=pytest.mark.exhaustive)
        for engine in ENGINES
    ]
    return pytest.mark.parametrize("engine", engines)


BY_THE_SESSION = ["sign in", "sign out", "sign out async", "deactivate", "activate", "change password"]
BY_THE_SESSION += ["expire", "tamper", "nothing"]
BY_MIDDLEWARE = ["impersonate", "second factor", "remote", "token", "log-in", "log-out", "nobody"]
BY_MIDDLEWARE += ["become", "become-later", "slots", "claims"]


class ServedBrowser(Browser):
    """A visitor of a real server; `handler` is a client, and how our middleware is wired there."""

    def call(self, method, path, body, headers, prefix, unprefixed):
        client, wiring = self.handler
        headers = [*headers, ("X-Wiring", wiring), ("Content-Type", "application/x-www-form-urlencoded")]
        response = client.request(method, path, content=body, headers=headers)
        client.cookies.clear()  # they are ours to keep
        return Reply(response.status_code, response.headers.multi_items(), response.content, by_app=False)


class Twins:
    """Two visitors who do the same."""

    def __init__(self, first: Browser) -> None:
        self.seen, self.handed_off = first, type(first)(first.handler)
        self.inactive = {"ina"}
        self.get("/start-again")

    def get(self, path):
        return self.seen.get(path)

    def both(self, do):
        for each in (self.seen, self.handed_off):
            do(each)

    def step(self, act, name):
        """Do something, and return who the visitors are by the view and by the hand-off."""
        headers = []
        if act == "sign in":
            self.both(lambda visitor: visitor.sign_in(name))
        elif act in ("sign out", "sign out async", "expire"):
            path = {"sign out": "/logout", "sign out async": "/log-out-async", "expire": "/expire"}[act]
            self.both(lambda visitor: visitor.get(path))
        elif act in ("deactivate", "activate"):
            self.get(f"/change-user?name={name}&active={int(act == 'activate')}")
            (self.inactive.add if act == "deactivate" else self.inactive.discard)(name)
        elif act == "change password":
            self.get(f"/change-user?name={name}")
        elif act == "impersonate":
            self.both(lambda visitor: visitor.get(f"/in-session?impersonated={name}"))
        elif act == "second factor":
            self.both(lambda visitor: visitor.get("/in-session?second_factor_to_come=1"))
        elif act == "tamper":
            self.both(tamper)
        elif act in ("remote", "token"):
            headers = [(f"X-{act}", name)]
        else:
            headers = [("X-Act", f"{act} {name}")]
        seen = self.seen.get("/", headers=headers).text
        reply = self.handed_off.get("/sso/helpdesk", headers=headers)
        self.handed_off.cookies.pop("sso_handoffs", None)  # the loop breaker's
        return self.expected(seen, flags=act not in ("slots", "claims")), outcome(reply)

    def expected(self, seen, *, flags):
        """What the hand-off has to lead to where the view sees `seen`, a user with flags or without."""
        if seen == "anonymous":
            return "login"
        if flags and seen in self.inactive:
            return "inactive"
        return {"joe": "email_not_verified", "nora": "no address"}.get(seen, seen)


def outcome(reply):
    if reply.status == 403:
        (reason,) = re.findall(r"Code: (\w+)", reply.text)
        return "no address" if reason in ("no_email", "invalid_email") else reason
    if reply.is_handoff:
        return reply.claims["email"].removesuffix("@example.com")
    assert reply["location"] == "/login?next=/sso/helpdesk"
    return "login"


def tamper(visitor):
    cookie = visitor.cookies.get("sessionid", "made up by somebody")
    visitor.cookies["sessionid"] = cookie[:9] + ("a" if cookie[9] != "a" else "b") + cookie[10:]


def check(first, acts, seed):
    """Sign each of them in, then do each act twice in an order that `seed` decides, often signed in."""
    chosen = random.Random(seed)
    order = [act for act in acts for _ in range(2)]
    chosen.shuffle(order)
    steps = [("sign in", name) for name in NAMES]
    for act in order:
        acts_now = [act] if chosen.random() < 0.4 else ["sign in", act]
        steps += [(each, chosen.choices(NAMES, [4, 4, 1, 1, 1])[0]) for each in acts_now]
    twins, outcomes = Twins(first), set()
    for number, (act, name) in enumerate(steps, 1):
        by_view, by_hand_off = twins.step(act, name)
        assert by_hand_off == by_view, steps[:number]
        outcomes.add(by_view)
    assert outcomes >= {"login", "jane", "bob", "inactive", "email_not_verified", "no address"}


@pytest.fixture(scope="module", autouse=True)
def _users():
    create_users()
    connections.close_all()


@pytest.fixture(autouse=True)
def _nothing_left_open():
    yield
    with site("db", django_deciding.BY_THE_SESSION):
        WSGIBrowser(WSGIBrowser.make_handler()).get("/start-again")
    connections.close_all()
    cache.clear()


@pytest.mark.slow
@pytest.mark.parametrize("browser", [WSGIBrowser, ASGIBrowser], ids=lambda browser: browser.protocol)
@each_engine("db")
class TestInProcess:
    def test_inside(self, browser, engine):
        """Whatever a middleware decides counts."""
        with site(engine, django_deciding.MIDDLEWARE):
            check(inside(browser), BY_THE_SESSION + BY_MIDDLEWARE, engine)

    def test_outside(self, browser, engine):
        """Whatever the session says counts."""
        with site(engine, django_deciding.BY_THE_SESSION):
            check(outside(browser), BY_THE_SESSION, engine)


@pytest.mark.server
@each_engine()
def test_on_uvicorn(engine, tmp_path):
    """The same on a real server."""

    def settings(port):
        return {"PORT": str(port), "SESSION_ENGINE": engine}

    with (
        serving(SITE / "django_server.py", settings, tmp_path / "log.txt") as server,
        local_client(server.base_url) as client,
    ):
        check(ServedBrowser((client, "inside")), BY_THE_SESSION + BY_MIDDLEWARE, engine)
        check(ServedBrowser((client, "outside")), BY_THE_SESSION, engine)


def site(engine, middleware):
    return override_settings(
        SESSION_ENGINE=f"django.contrib.sessions.backends.{engine}",
        MIDDLEWARE=middleware,
        **django_deciding.SETTINGS,
    )
