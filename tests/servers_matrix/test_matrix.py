"""The middleware on the servers people run, reached in the ways people reach them.

Each cell is a real server process, behind a real nginx where it says so. `table.py` writes what came
out into README.md.
"""

from __future__ import annotations

import hashlib
import re
from urllib.parse import parse_qsl

import httpx
import pytest
from cells import ACCOUNT_ID, PROXY_SECRET, SERVERS, SSO_AUTH_URL, SSO_TOKEN, WAYS, Cell, running
from joserfc import jwt
from joserfc.jwk import OctKey

from processes import NGINX
from servers import local_client

pytestmark = [pytest.mark.matrix, pytest.mark.server]

JANE = "jane@example.com"
EVE = "eve@example.com"
HEADER = "X-Auth-Request-Email"


def cells(ways):
    return [
        pytest.param((server, way), id=f"{server.protocol} {server.name} | {way.name}")
        for server in SERVERS
        for way in ways
    ]


@pytest.fixture(scope="module", params=cells(WAYS))
def cell(request, tmp_path_factory):
    server, way = request.param
    if not server.is_installed:
        pytest.skip(f"{server.module} is not installed")
    if way.nginx and NGINX is None:
        pytest.skip("nginx is not installed")
    with running(server, way, tmp_path_factory.mktemp("cell")) as cell:
        yield cell


def visit(cell: Cell, path: str, email: str | None = None, method="GET", headers=(), content=None):
    """Send a request as the proxy passes it on, or to nginx, with what the browser sends."""
    headers = list(headers)
    if email and cell.way.nginx:
        headers.append(("Cookie", f"visitor={email}"))
    elif email:
        headers += [("X-Proxy-Secret", PROXY_SECRET), (HEADER, email)]
    with local_client() as client:
        return client.request(method, cell.base_url + path, headers=headers, content=content)


def email_in(response: httpx.Response, cell: Cell) -> str:
    endpoint, _, query = response.headers["location"].partition("?")
    parameters = dict(parse_qsl(query, strict_parsing=True))
    assert (response.status_code, endpoint) == (303, SSO_AUTH_URL)
    assert parameters["account_id"] == ACCOUNT_ID
    assert parameters["auth_url"] == cell.auth_url
    return jwt.decode(parameters["token"], OctKey.import_key(SSO_TOKEN), algorithms=["HS256"]).claims["email"]


def is_sent_to_login(response: httpx.Response, cell: Cell) -> bool:
    public = cell.way.public
    expected = f"{public}/login?next={public}/sso/helpdesk"
    return (response.status_code, response.headers.get("location")) == (303, expected)


@pytest.mark.parametrize("path", ["/sso/helpdesk", "/sso/helpdesk?a=b", "/s%73o/helpdesk"])
def test_hand_off(cell, path):
    """At the Auth URL a signed-in visitor is handed off, however it is spelt."""
    assert email_in(visit(cell, path, JANE), cell) == JANE


@pytest.mark.parametrize("path", ["/", "/other?a=b", "/sso/helpdesk/", "/sso", "/SSO/helpdesk"])
def test_other_path(cell, path):
    """Any other path is the application's, which sees where it is mounted."""
    response = visit(cell, path, JANE)
    assert response.status_code == 200
    assert response.json()["method"] == "GET"
    assert response.json()["path"] == cell.way.public + path.partition("?")[0]


def test_post(cell):
    """A POST elsewhere reaches the application with its body; at the Auth URL it becomes a GET."""
    content = b"0123456789" * 10_000
    response = visit(cell, "/other", JANE, "POST", content=content)
    assert response.status_code == 200
    assert response.json()["method"] == "POST"
    assert response.json()["body"] == hashlib.sha256(content).hexdigest()
    response = visit(cell, "/sso/helpdesk", JANE, "POST", content=b"name=jane")
    assert response.status_code == 303
    assert response.headers["location"] == f"{cell.way.public}/sso/helpdesk"


def test_anonymous(cell):
    """An anonymous visitor is sent to the login, with the way back as the browser sees it."""
    assert is_sent_to_login(visit(cell, "/sso/helpdesk"), cell)


FORGED = {
    "plain": [(HEADER, EVE)],
    "doubled": [(HEADER, EVE), (HEADER, EVE)],
    "underscores": [("X_Auth_Request_Email", EVE)],
    "mixed": [("X-Auth_Request-Email", EVE), (HEADER.lower(), EVE)],
    "wrong secret": [("X-Proxy-Secret", "a guess"), (HEADER, EVE)],
    "empty secret": [("X-Proxy-Secret", ""), (HEADER, EVE)],
    "another prefix": [("X-Forwarded-Prefix", "//evil.example"), ("Script-Name", "//evil.example")],
    "underscores in the secret": [("X_Proxy_Secret", "a guess"), (HEADER, EVE)],
}


@pytest.mark.parametrize("headers", FORGED.values(), ids=FORGED)
def test_forged_headers(cell, headers):
    """No header hands a visitor off as somebody else, or redirects them elsewhere."""
    response = visit(cell, "/sso/helpdesk", headers=headers)
    assert response.status_code in (303, 400, 403)
    assert response.status_code != 303 or is_sent_to_login(response, cell)
    if cell.way.nginx:
        # The proxy has set its own header, so that a visitor who is signed in stays who they are.
        assert email_in(visit(cell, "/sso/helpdesk", JANE, headers=headers), cell) == JANE


class TestCarelessProxy:
    """A proxy sets its header and its secret, and lets a visitor's own headers through beside them.

    Here the test is that proxy, and talks to the server straight.
    """

    pytestmark = pytest.mark.parametrize("cell", cells(WAYS[:1]), indirect=True, scope="module")
    genuine = (HEADER, JANE)

    def outcome(self, cell, *headers):
        """Return the reason of the refusal, ``"login"``, or who is handed off."""
        response = visit(cell, "/sso/helpdesk", headers=[("X-Proxy-Secret", PROXY_SECRET), *headers])
        if response.status_code == 403:
            return re.search("Code: ([a-z0-9_]+)<", response.text)[1]
        return "login" if is_sent_to_login(response, cell) else email_in(response, cell)

    @pytest.mark.parametrize("value", [EVE, ""], ids=["forged", "empty"])
    @pytest.mark.parametrize("name", [HEADER, HEADER.lower()])
    def test_doubled(self, cell, name, value):
        """A forged header beside the genuine one is refused, where the server shows both."""
        both = self.genuine, (name, value)
        expected = {"both": ["ambiguous_header"] * 2, "last": [value or "login", JANE]}
        outcomes = [self.outcome(cell, *both), self.outcome(cell, *both[::-1])]
        assert outcomes == expected[cell.server.doubled]

    @pytest.mark.parametrize("name", ["X_Auth_Request_Email", "X-Auth_Request-Email", "x_auth_request_email"])
    def test_underscore_twin(self, cell, name):
        """One under a name with underscores is refused or dropped, where it is not taken for genuine."""
        twin = name, EVE
        expected = {
            "told apart": ["ambiguous_header"] * 3,
            "dropped": [JANE, JANE, "login"],
            "last": [EVE, JANE, EVE],
            "joined": ["ambiguous_header", "ambiguous_header", EVE],
        }
        outcomes = [
            self.outcome(cell, *headers) for headers in ([self.genuine, twin], [twin, self.genuine], [twin])
        ]
        assert outcomes == expected[cell.server.twin]

    def test_two_addresses_in_one(self, cell):
        """Two addresses in one header are refused everywhere."""
        for value in (f"{JANE},{EVE}", f"{EVE}, {JANE}", f",{EVE}"):
            assert self.outcome(cell, (HEADER, value)) == "ambiguous_header"

    def test_guess_beside_the_secret(self, cell):
        """A guessed secret, under any name, does not hand a visitor off as somebody else."""
        for name in ("X-Proxy-Secret", "X_Proxy_Secret"):
            outcome = self.outcome(cell, (name, "a guess"), self.genuine)
            assert outcome in (JANE, "ambiguous_header", "untrusted_proxy")

    @pytest.mark.parametrize(
        "value",
        [
            b"j\xe4ne@example.com",
            "j\xe4ne@example.com".encode(),
            b"\xa0jane@example.com",
            b"jane",
            b"jane@a b",
        ],
        ids=ascii,
    )
    def test_no_address(self, cell, value):
        """What is no address is refused, or lost on the way, and not repaired, except by the server."""
        trimmed = JANE if cell.server.strips_no_break_space and value.startswith(b"\xa0") else None
        assert self.outcome(cell, (HEADER, value)) in ("invalid_email", "login", trimmed)

    def test_genuine(self, cell):
        """Without a forgery the visitor is handed off, with the name in any letter case."""
        for name in (HEADER, HEADER.lower(), HEADER.upper()):
            assert self.outcome(cell, (name, JANE)) == JANE
