"""The examples that stand behind an identity-aware proxy, with a real nginx or signed assertions."""

from __future__ import annotations

import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from test_examples import EXAMPLES, SSO_TOKEN, settings, verified

from key_server import Issuer, rsa_key
from processes import NGINX, nginx
from servers import Server, free_port, local_client, serving

pytestmark = pytest.mark.server

JANE = "jane@example.com"
EVE = "eve@example.com"


def get(url: str, *headers: tuple[str, str]) -> httpx.Response:
    with local_client() as client:
        return client.get(url, headers=list(headers))


class TestCloudflare:
    HEADER = "Cf-Access-Jwt-Assertion"

    @pytest.fixture(scope="class")
    @classmethod
    def issuer(cls):
        return Issuer(rsa=rsa_key())

    @pytest.fixture(scope="class")
    @classmethod
    def server(cls, issuer, tmp_path_factory):
        log = tmp_path_factory.mktemp("cloudflare") / "output.txt"
        with (
            issuer.serving() as url,
            serving(
                EXAMPLES["cloudflare_assertion"],
                lambda port: settings(port) | {"ACCESS_JWKS_URL": url, "no_proxy": "127.0.0.1"},
                log,
            ) as server,
        ):
            yield server

    def sign(self, issuer, **changes):
        claims = {
            "aud": ["the-audience-tag"],
            "iss": "https://acme.cloudflareaccess.com",
            "type": "app",
            "sub": "7335d417-61da-459d-899c-0a01c76a2f94",
        }
        return issuer.sign(**claims | changes)

    def test_hand_off(self, issuer, server):
        """A user from Cloudflare Access is handed off from the Support link."""
        assertion = (self.HEADER, self.sign(issuer))
        assert f'href="{server.base_url}/sso/helpdesk"' in get(server.base_url, assertion).text
        response = get(f"{server.base_url}/sso/helpdesk", assertion)
        assert verified(response.headers["location"], server)["email"] == JANE

    def test_without_cloudflare(self, server):
        """A user from elsewhere gets a page that says so."""
        response = get(f"{server.base_url}/sso/helpdesk")
        assert response.status_code == 401
        assert "through Cloudflare Access" in response.text

    @pytest.mark.parametrize(
        "changes",
        [
            {"aud": ["another application's"]},
            {"iss": "https://globex.cloudflareaccess.com"},
            {"key": rsa_key()},
            {"email": None, "common_name": "a service token"},
        ],
        ids=lambda value: re.sub(" object at 0x[0-9a-f]+", "", str(value)),
    )
    def test_forged(self, issuer, server, changes):
        """An assertion for another application, of another team, forged, or of no person is refused."""
        response = get(f"{server.base_url}/sso/helpdesk", (self.HEADER, self.sign(issuer, **changes)))
        assert response.status_code == 403

    def test_team_without_a_key_server(self, tmp_path):
        """Without ACCESS_JWKS_URL it starts, and asks nobody until an assertion comes."""
        with serving(EXAMPLES["cloudflare_assertion"], settings, tmp_path / "output.txt") as server:
            assert get(f"{server.base_url}/sso/helpdesk").status_code == 401

    def test_no_secret_reaches_the_output(self, issuer, server):
        """No token, assertion or address is in what the server writes."""
        assertion = self.sign(issuer)
        url = get(f"{server.base_url}/sso/helpdesk", (self.HEADER, assertion)).headers["location"]
        get(server.base_url)
        assert "handed_off" in server.output
        token = parse_qs(urlsplit(url).query)["token"][0]
        for secret in (assertion, *token.split("."), SSO_TOKEN, JANE):
            assert secret not in server.output


@contextmanager
def oauth2_proxy():
    """Stand in for oauth2-proxy: its /oauth2/auth and /oauth2/start, and a cookie that it set itself."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            target = urlsplit(self.path)
            cookie = self.headers.get("Cookie", "")
            if target.path == "/oauth2/start":
                self.send_response(302)
                self.send_header("Location", parse_qs(target.query)["rd"][0])
                self.send_header("Set-Cookie", "_oauth2_proxy=genuine; Path=/; HttpOnly")
            elif target.path == "/oauth2/auth" and "_oauth2_proxy=genuine" in cookie:
                self.send_response(202)
                self.send_header("X-Auth-Request-Email", JANE)
            else:
                self.send_response(401)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.nginx
@pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
class TestOAuth2Proxy:
    CONF = EXAMPLES["oauth2_proxy_headers"].with_suffix(".conf")

    @pytest.fixture(scope="class")
    @classmethod
    def front(cls, tmp_path_factory):
        """The example, behind the nginx that it brings along: its origin as a browser sees it."""
        directory: Path = tmp_path_factory.mktemp("oauth2")
        front = free_port()

        def behind(port):
            auth_url = f"http://127.0.0.1:{front}/sso/helpdesk"
            return settings(port) | {"HELPDESK_AUTH_URL": auth_url}

        example = EXAMPLES["oauth2_proxy_headers"]
        with oauth2_proxy() as proxy, serving(example, behind, directory / "output.txt") as server:
            changes = {
                "127.0.0.1:8080": f"127.0.0.1:{front}",
                "127.0.0.1:8000": server.base_url.removeprefix("http://"),
                "127.0.0.1:4180": f"127.0.0.1:{proxy}",
                "the value of PROXY_SECRET": settings(0)["PROXY_SECRET"],
            }
            conf = re.sub(
                "|".join(map(re.escape, changes)), lambda found: changes[found[0]], cls.CONF.read_text()
            )
            with nginx(directory, front, conf):
                yield Server(f"http://127.0.0.1:{front}", server.log)

    @pytest.fixture
    def visitor(self, front):
        with local_client(front.base_url) as visitor:
            yield visitor

    def test_sign_in_and_hand_off(self, front, visitor):
        """Support leads through oauth2-proxy's sign-in, and back, to the Help Desk."""
        assert f'href="{front.base_url}/sso/helpdesk"' in visitor.get("/").text
        response = visitor.get("/sso/helpdesk")
        assert response.headers["location"] == "/oauth2/start?rd=/sso/helpdesk"
        response = visitor.get(response.headers["location"])
        assert response.headers["location"].endswith("/sso/helpdesk")
        response = visitor.get("/sso/helpdesk")
        assert verified(response.headers["location"], front)["email"] == JANE
        assert "handed_off" in front.output
        for secret in (JANE, SSO_TOKEN, settings(0)["PROXY_SECRET"]):
            assert secret not in front.output

    @pytest.mark.parametrize(
        "headers",
        [
            [("X-Auth-Request-Email", EVE)],
            [("X-Auth-Request-Email", EVE), ("X-Proxy-Secret", settings(0)["PROXY_SECRET"])],
            [("X_Auth_Request_Email", EVE), ("X_Proxy_Secret", settings(0)["PROXY_SECRET"])],
            [("X-Auth-Request-Email", EVE), ("X-Auth-Request-Email", EVE)],
        ],
        ids=["plain", "secret known", "underscores", "doubled"],
    )
    def test_forged(self, front, visitor, headers):
        """What a visitor sends under the header's name counts for nothing, signed in or not."""
        response = visitor.get("/sso/helpdesk", headers=headers)
        assert response.headers["location"] == "/oauth2/start?rd=/sso/helpdesk"
        visitor.cookies.set("_oauth2_proxy", "genuine")
        response = visitor.get("/sso/helpdesk", headers=headers)
        assert verified(response.headers["location"], front)["email"] == JANE

    def test_past_the_proxy(self, tmp_path):
        """Who reaches the application past nginx does not know the secret, and is refused."""
        with serving(EXAMPLES["oauth2_proxy_headers"], settings, tmp_path / "output.txt") as server:
            response = get(f"{server.base_url}/sso/helpdesk", ("X-Auth-Request-Email", EVE))
            assert response.status_code == 403
            assert "untrusted_proxy" in response.text
