"""The middleware on the servers people run, reached in the ways people reach them.

Each cell is a real server process, behind a real nginx where it says so. `table.py` writes what came
out into the README.
"""

from __future__ import annotations

import hashlib
from urllib.parse import parse_qsl

import httpx
import pytest
from cells import ACCOUNT_ID, PROXY_SECRET, SERVERS, SSO_AUTH_URL, SSO_TOKEN, WAYS, Cell, running
from joserfc import jwt
from joserfc.jwk import OctKey

from processes import NGINX
from servers import PATIENCE

pytestmark = [pytest.mark.matrix, pytest.mark.server]

JANE = "jane@example.com"
EVE = "eve@example.com"
HEADER = "X-Auth-Request-Email"


@pytest.fixture(
    scope="module",
    params=[pytest.param((server, way), id=f"{server.protocol} {server.name} | {way.name}")
            for server in SERVERS for way in WAYS],
)  # fmt: skip
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
    with httpx.Client(trust_env=False, timeout=PATIENCE) as client:
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
    """Whatever headers a visitor sends, they are handed off as nobody else, and redirected nowhere else."""
    response = visit(cell, "/sso/helpdesk", headers=headers)
    assert response.status_code in (303, 400, 403)
    assert response.status_code != 303 or is_sent_to_login(response, cell)
    if cell.way.nginx:
        # The proxy has set its own header, so that a visitor who is signed in stays who they are.
        assert email_in(visit(cell, "/sso/helpdesk", JANE, headers=headers), cell) == JANE
