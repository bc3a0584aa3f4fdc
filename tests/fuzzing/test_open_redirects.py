"""No address of the kind that has led visitors away from other sites does so here, wherever it comes in."""

from __future__ import annotations

import pytest

from clients import DESK, jane, make_desk, nobody
from fuzzing import logins, prefixes
from fuzzing.browsers import decoded_path, destination, parts, stays
from fuzzing.payloads import payloads
from fuzzing.visiting import Pair
from sso_middleware import ConfigError, Logout

PAYLOADS = payloads()

pytestmark = pytest.mark.slow


@pytest.fixture(
    params=[
        pytest.param(PAYLOADS[::17], id="some"),
        pytest.param(PAYLOADS, id="all", marks=pytest.mark.exhaustive),
    ]
)
def chosen(request):
    """One payload in seventeen, in the plain run."""
    return request.param


def test_there_are_many_and_they_bite():
    """Most of them do lead a browser away if they are redirected to as they are."""
    assert len(PAYLOADS) > 5000
    assert sum(not stays(payload) for payload in PAYLOADS) > len(PAYLOADS) / 4
    assert sum(stays(f"/{payload}") for payload in PAYLOADS) > len(PAYLOADS) / 4


def test_as_a_mount_prefix(chosen):
    """As SCRIPT_NAME or root_path: refused, or the visitor stays."""
    outcomes = {prefixes.check(payload) for payload in chosen}
    assert outcomes == {"redirects", "refused"}


def test_as_the_login_address(chosen):
    """As login_url: refused, or it is followed to where it says by itself, and never elsewhere."""
    outcomes = {logins.check(payload, "next", "/", "/sso", payload) for payload in chosen}
    assert outcomes == {"inside inside", "outside inside", "refused"}


def test_where_a_logout_leads(chosen):
    """As Logout(then): the same."""
    outcomes = {logins.check("/login", "next", payload, "/sso", payload) for payload in chosen}
    assert outcomes == {"inside inside", "inside outside", "refused"}


def test_an_inside_address_stays_inside():
    """An accepted address that starts with / leads nowhere else in a browser."""
    accepted = 0
    for payload in PAYLOADS:
        if payload.startswith("/"):
            try:
                Logout(bool, then=payload)
            except ConfigError:
                continue
            accepted += 1
            assert stays(payload)
    assert accepted > 100


def test_as_the_intercepted_path(chosen):
    """As the path itself, the way back that the login gets is one on the site."""
    outcomes = {logins.check("/login", "next", "/", payload, "") for payload in chosen}
    assert outcomes == {"inside inside", "refused"}


def test_as_the_path_of_the_auth_url(chosen):
    """As the path of auth_url: refused, or the way back is one on the site."""
    accepted = 0
    for payload in chosen:
        try:
            desk = make_desk(auth_url=f"https://app.example.com{payload}", logout_url=None)
            pair = Pair(desk, nobody, login_url="/login")
        except ConfigError:
            continue
        if destination(desk.auth_url) != "https://app.example.com":
            continue  # "https://app.example.com.evil.example/" is another site that the operator chose
        for seen in pair.everywhere("GET", decoded_path(desk.auth_url)):
            accepted += 1
            assert stays(seen.headers["location"])
            assert stays(parts(seen.headers["location"])[1].removeprefix("next="))
    assert accepted > 100


HEADERS = [
    "Host",
    "Origin",
    "Referer",
    "Forwarded",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Forwarded-Prefix",
]
HEADERS += ["X-Forwarded-Uri", "X-Original-Url", "X-Rewrite-Url", "X-Script-Name", "Cookie"]


@pytest.mark.parametrize(("method", "path"), [("GET", "/sso"), ("POST", "/sso"), ("GET", "/bye")])
def test_in_the_request(method, path, chosen):
    """In the query or in any header, nothing comes of it."""
    pair = Pair(DESK, nobody, paths="/sso", login_url="/login", logout={"path": "/bye"})
    expected = pair.everywhere(method, path)
    for payload in chosen:
        noise = {
            "query": f"next={payload}&rd={payload}&auth_url={payload}&{payload}",
            "headers": [(name, payload) for name in HEADERS],
        }
        assert pair.everywhere(method, path, **noise) == expected


def test_as_a_forwarded_parameter(chosen):
    """As the value of a forwarded parameter, or in the cookie of resume_at: no redirect leads elsewhere."""
    desk = make_desk(forward_params="return_page")
    options = {"paths": "/sso", "login_url": "/login", "resume_at": "/"}
    anonymous, known = Pair(desk, nobody, **options), Pair(desk, jane, **options)
    for payload in chosen:
        for seen in anonymous.everywhere("GET", "/sso", query=f"return_page={payload}"):
            assert stays(seen.headers["location"])
            assert stays(parts(seen.headers["location"])[1].removeprefix("next="))
        for seen in known.everywhere("GET", "/sso", query=f"return_page={payload}"):
            assert destination(seen.headers["location"]) == "https://acme.example"
        cookie = ("Cookie", f"sso_pending=1.return_page={payload}")
        for seen in known.everywhere("GET", "/", headers=[cookie]):
            assert seen.status is None or stays(seen.headers["location"])
