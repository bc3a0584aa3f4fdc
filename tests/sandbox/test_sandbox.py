"""The sandbox over real HTTP: its pages, its JSON, and what it keeps to itself."""

import asyncio
import base64
import hashlib
import json
import logging
import re
import threading
import traceback
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from browsing import asgi_browser
from servers import local_client
from sso_middleware import ConfigError, HelpDesk
from sso_middleware.sandbox import HandoffRejected, HandoffVerifier, Sandbox
from sso_middleware.sandbox.server import serve
from sso_middleware.sandbox.verifier import CODES

AUTH_URL = "https://app.example.com/sso/helpdesk"
LOGOUT_URL = "https://app.example.com/sso/logout"
EMAIL = "visitor@customer.example"

pytestmark = pytest.mark.server


class Clock:
    def __init__(self, now=1_800_000_000):
        self.now = now

    def __call__(self):
        return self.now


@pytest.fixture(scope="module")
def running():
    sandbox = Sandbox(auth_url=AUTH_URL, logout_url=LOGOUT_URL)
    with sandbox.run() as base_url:
        yield sandbox, base_url


@pytest.fixture
def sandbox(running):
    running[0].reset()
    return running[0]


@pytest.fixture
def client(running, sandbox):
    with local_client(running[1]) as client:
        yield client


@pytest.fixture
def visitor(client, sandbox):
    """A client that was handed off."""
    client.get(sandbox.helpdesk.handoff_url(EMAIL))
    return client


def csrf_of(page):
    return re.search(r'name="csrf" value="([^"]+)"', page.text)[1]


def send(client, path, page="/tickets", **fields):
    return client.post(path, data={"csrf": csrf_of(client.get(page))} | fields)


def other_desk(sandbox, **settings):
    """The sandbox's account with some settings wrong."""
    variables = {f"HELPDESK_{name.upper()}": value for name, value in settings.items()}
    return HelpDesk.from_env(sandbox.environment | variables)


def test_handoff_signs_in(client, sandbox):
    """An accepted hand-off leads to the tickets, away from the token, with a session of its own."""
    answer = client.get(sandbox.helpdesk.handoff_url(EMAIL))
    assert (answer.status_code, answer.headers["location"]) == (303, "/tickets")
    assert answer.headers["referrer-policy"] == "no-referrer"
    cookie = answer.headers["set-cookie"].lower()
    assert cookie.startswith("helpdesk_sandbox_session=")
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "max-age" not in cookie
    page = client.get("/tickets")
    assert EMAIL in page.text
    assert "1 ticket:" in page.text
    assert client.get("/").headers["location"] == "/tickets"


def test_anonymous_visitor_is_asked_to_sign_in(client):
    """Without a session there are no tickets, and the button starts at the Auth URL."""
    for path in ("/tickets", "/tickets/1001"):
        assert client.get(path).headers["location"] == "/"
    assert f'<a class="button" href="{AUTH_URL}">' in client.get("/").text


def test_tickets(visitor):
    """A visitor opens a ticket, reads it and replies to it; the summary counts along."""
    created = send(visitor, "/tickets", subject=" <b>Broken</b> ", text="It does\nnot work.")
    ticket = created.headers["location"]
    page = visitor.get(ticket)
    assert "&lt;b&gt;Broken&lt;/b&gt;" in page.text
    assert "It does\nnot work." in page.text
    assert "2 tickets:\n1 answered, 1 waiting" in visitor.get("/tickets").text
    welcome = re.findall(r'href="(/tickets/\d+)"', visitor.get("/tickets").text)[-1]
    assert send(visitor, welcome, text="Thank you").status_code == 303
    assert "Thank you" in visitor.get(welcome).text
    assert "0 answered, 2 waiting" in visitor.get("/tickets").text


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"subject": "", "text": "x"}, "Subject: this field is required."),
        ({"subject": "x", "text": " "}, "Message: this field is required."),
        ({"subject": "x" * 121, "text": "x"}, "Subject: at most 120 characters."),
        ({"subject": "x", "text": "x" * 4001}, "Message: at most 4000 characters."),
    ],
)
def test_incomplete_ticket(visitor, fields, says):
    """A form that is not in order comes back with what was typed, and with what is wrong."""
    answer = send(visitor, "/tickets", **fields)
    assert answer.status_code == 422
    assert says in answer.text
    assert "1 ticket:" in answer.text


def test_empty_reply(visitor):
    """A reply needs text."""
    ticket = re.search(r'href="(/tickets/\d+)"', visitor.get("/tickets").text)[1]
    answer = send(visitor, ticket, text="")
    assert (answer.status_code, "Reply: this field is required." in answer.text) == (422, True)


def test_tickets_are_ones_own(visitor, sandbox, running):
    """Nobody sees somebody else's ticket, or one that does not exist."""
    ticket = send(visitor, "/tickets", subject="Private", text="x").headers["location"]
    with local_client(running[1]) as other:
        other.get(sandbox.helpdesk.handoff_url("somebody@else.example"))
        assert other.get(ticket).status_code == 404
        assert send(other, ticket, text="x").status_code == 404


def test_sign_out(visitor):
    """Signing out ends the session and leads to the Logout URL, where no policy stops a form."""
    assert "form-action" not in visitor.get("/tickets").headers["content-security-policy"]
    session = dict(visitor.cookies)
    answer = send(visitor, "/logout")
    assert (answer.status_code, answer.headers["location"]) == (303, LOGOUT_URL)
    visitor.cookies.update(session)
    assert visitor.get("/tickets").headers["location"] == "/"


def test_next_handoff_ends_the_session_before(visitor, sandbox):
    """A second hand-off starts a new session, and the one before no longer works."""
    before = dict(visitor.cookies)
    visitor.get(sandbox.helpdesk.handoff_url("somebody@else.example"))
    assert "somebody@else.example" in visitor.get("/tickets").text
    visitor.cookies.clear()
    visitor.cookies.update(before)
    assert visitor.get("/tickets").headers["location"] == "/"


def test_another_sandbox_takes_no_session_of_this_one(visitor):
    """Browsers share cookies between ports, and a sandbox knows only the sessions that it started."""
    with Sandbox(auth_url=AUTH_URL).run() as base_url, local_client(base_url) as client:
        client.cookies.update(visitor.cookies)
        assert client.get("/tickets").headers["location"] == "/"


def test_sign_out_without_logout_url():
    """With no Logout URL, signing out leads to the sign-in page."""
    sandbox = Sandbox(auth_url=AUTH_URL)
    with sandbox.run() as base_url, local_client(base_url) as client:
        client.get(sandbox.helpdesk.handoff_url(EMAIL))
        assert "not set" in client.get("/settings").text
        assert send(client, "/logout").headers["location"] == "/"
        assert "HELPDESK_LOGOUT_URL" not in sandbox.environment


@pytest.mark.parametrize("csrf", ["", "wrong", "é"])
def test_form_needs_the_sessions_secret(visitor, csrf):
    """A form without the session's secret is refused: another site cannot know it."""
    for path in ("/tickets", "/logout"):
        assert visitor.post(path, data={"csrf": csrf, "subject": "x", "text": "x"}).status_code == 403
    assert "1 ticket:" in visitor.get("/tickets").text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site", "Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "http://127.0.0.1"}, 403),
        ({"Origin": "null"}, 403),
        ({}, 200),
    ],
)
def test_other_sites_change_nothing(client, headers, status):
    """A request that a page of another site caused is refused."""
    assert client.post("/api/reset", headers=headers).status_code == status


def test_form_without_session(client):
    """A form of somebody who is signed out is refused with a page that says so."""
    answer = client.post("/tickets", data={"csrf": "x"})
    assert (answer.status_code, "no longer signed in" in answer.text) == (403, True)


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"x" * 70_000, "application/x-www-form-urlencoded", 413),
        (b"--b\r\n" + b"x" * 70_000, "multipart/form-data; boundary=b", 413),
        (b"{}", "application/json", 403),
        (b"csrf=%ff", "application/x-www-form-urlencoded", 403),
        (b"a;" * 32_000, "application/x-www-form-urlencoded", 403),
    ],
)
def test_bodies_are_limited(visitor, content, kind, status):
    """A body that is too long, of another kind, or no form is refused."""
    answer = visitor.post("/tickets", content=content, headers={"Content-Type": kind})
    assert answer.status_code == status


def test_rejection_page_says_what_to_do(client, sandbox):
    """A rejected hand-off ends on a page with verdict, remedy, difference, claims and clock."""
    desk = other_desk(sandbox, auth_url=AUTH_URL + "/")
    iat = desk.handoff(EMAIL).iat - 7
    answer = client.get(desk.handoff(EMAIL, iat=iat).url)
    assert answer.status_code == 403
    assert answer.headers["referrer-policy"] == "no-referrer"
    for part in (
        "auth_url_mismatch",
        "trailing slash",
        "assumed",
        f"{AUTH_URL}<mark>/</mark>",
        f"{AUTH_URL}<mark>(nothing)</mark>",
        "&#34;alg&#34;: &#34;HS256&#34;",
        EMAIL,
        "seconds behind this Help Desk",
        "differs",
    ):
        assert part in answer.text
    assert client.get("/tickets").headers["location"] == "/"


def test_visit_without_a_handoff_blames_no_application(client):
    """A bare SSO Auth URL says what it is for, and not that an application sent the visitor."""
    page = client.get("/sso").text
    assert "<h1>Nothing was handed off</h1>" in page
    assert "Your application sent you here" not in page
    assert "Your application sent you here" in client.get("/sso?account_id=sandbox").text


def test_words_are_explained_once(client, sandbox):
    """JWT, iat and jti are explained in the first report of a page alone."""
    for _ in range(2):
        client.get("/sso?token=nonsense")
    page = client.get("/handoffs").text
    for word in ("JWT", "iat", "jti"):
        assert page.count(f"<b>{word}</b>: ") == 1


def test_page_names_the_setting_or_says_that_none_is_wrong(client, sandbox):
    """A verdict names setting and variable, and one that no setting changes says so."""
    page = client.get(other_desk(sandbox, account_id="other").handoff_url(EMAIL)).text
    assert 'account_id <span class="whole">(HELPDESK_ACCOUNT_ID)</span>: ' in page
    assert '(<span class="assumed">' not in page
    assert 'character by character <span class="assumed">assumed</span>.' in page
    assert "does this correctly" not in page
    assert "does this correctly" in client.get(sandbox.helpdesk.handoff(EMAIL, iat=1).url).text
    assert sandbox.handoffs[0].as_json()["setting"] == "account_id (HELPDESK_ACCOUNT_ID)"


def test_try_again_leads_to_the_page_that_changes_settings():
    """With `settings_page`, a refused visitor is led there, not to the Auth URL that would fail again."""
    fix = "http://127.0.0.1:8000/#broken"
    sandbox = Sandbox(auth_url=AUTH_URL, settings_page=fix)
    with sandbox.run() as base_url, local_client(base_url) as client:
        assert f'<a class="button" href="{fix}">Try again' in client.get("/sso?token=nonsense").text
        assert fix not in client.get("/sso").text


@pytest.fixture
def returning():
    """A client of a sandbox that adds return_page to the Auth URL."""
    sandbox = Sandbox(auth_url=f"{AUTH_URL}?tenant=1", sends="return_page")
    with sandbox.run() as base_url, local_client(base_url) as client:
        yield sandbox, client


def test_sign_in_adds_the_page_that_was_asked_for(returning):
    """With `sends`, the button says which page was asked for, and nothing is added without."""
    _, client = returning
    asked = client.get("/tickets/1001").headers["location"]
    assert asked == "/sign-in?return_page=%2Ftickets%2F1001"
    button = re.search(r'class="button" href="([^"]+)"', client.get(asked).text)[1]
    assert button == f"{AUTH_URL}?tenant=1&amp;return_page=%2Ftickets%2F1001"
    assert "return_page=%2Ftickets" in client.get("/").text
    assert "return_page" in client.get("/settings").text


def test_accepted_handoff_leads_to_the_page_that_was_asked_for(returning):
    """A hand-off that brings return_page back ends there, by the account's own forward_params."""
    sandbox, client = returning
    assert sandbox.environment["HELPDESK_FORWARD_PARAMS"] == "return_page"
    desk = HelpDesk.from_env(sandbox.environment)
    handoff = desk.handoff(EMAIL, forward={"return_page": "/tickets/1001"})
    assert client.get(handoff.url).headers["location"] == "/tickets/1001"
    assert client.get("/sign-in").status_code == 200


@pytest.mark.parametrize(
    "page",
    ["//evil.example", "/\\evil.example", "https://evil.example/", "/\t/evil.example", "evil", "/a?b", ""],
)
def test_no_page_of_another_site_is_returned_to(returning, page):
    """Only a path of the Help Desk's own is honoured, in the hand-off and on the sign-in page."""
    sandbox, client = returning
    url = f"{sandbox.helpdesk.handoff_url(EMAIL)}&return_page={quote(page, safe='')}"
    assert client.get(url).headers["location"] == "/tickets"
    assert "evil" not in client.get(f"/sign-in?return_page={quote(page, safe='')}").text


def test_return_page_does_nothing_by_default(client, sandbox):
    """Without `sends`, nothing is added, nothing is forwarded and nothing is honoured."""
    assert "HELPDESK_FORWARD_PARAMS" not in sandbox.environment
    url = f"{sandbox.helpdesk.handoff_url(EMAIL)}&return_page=/settings"
    assert client.get(url).headers["location"] == "/tickets"


def test_key_of_the_sandbox_may_be_the_md5():
    """With key="md5" the SSO Token itself is refused, with the setting to change; its md5 is accepted."""
    sandbox = Sandbox(auth_url=AUTH_URL, key="md5")
    with pytest.raises(HandoffRejected, match="Set it to the md5 of the SSO Token"):
        sandbox.verify(sandbox.helpdesk.handoff_url(EMAIL))
    md5 = hashlib.md5(sandbox.environment["HELPDESK_SSO_TOKEN"].encode()).hexdigest()
    assert sandbox.verify(other_desk(sandbox, sso_token=md5).handoff_url(EMAIL)).email == EMAIL


def test_log_page(client, sandbox):
    """The log shows each hand-off, the latest first, and never a token."""
    assert "appears here" in client.get("/handoffs").text
    good = sandbox.helpdesk.handoff(EMAIL)
    client.get(good.url)
    client.get(good.url)
    client.get("/sso")
    page = client.get("/handoffs").text
    verdicts = re.findall(r"(?:Accepted|<code>(?:replayed|missing_token)</code>)", page)
    assert verdicts == ["<code>missing_token</code>", "<code>replayed</code>", "Accepted"]
    assert "It cannot be read." in page
    assert good.token not in page
    assert good.token.split(".")[2] not in page
    assert sandbox.environment["HELPDESK_SSO_TOKEN"] not in page


def test_settings_page(client, sandbox):
    """The settings page says what to enter at the vendor's, what to paste, and what is assumed."""
    page = client.get("/settings").text
    for name, value in sandbox.environment.items():
        assert f"{name}={value}" in page
    assert "180 seconds from its iat" in page
    assert HelpDesk.from_env(sandbox.environment).account_id == "sandbox"


def test_settings_page_does_not_show_a_given_token():
    """An SSO Token that was given may be a real one: the page leaves it out; `environment` has it."""
    sandbox = Sandbox(auth_url=AUTH_URL, sso_token="given-" * 6)
    with sandbox.run() as base_url:
        page = httpx.get(f"{base_url}/settings").text
    assert "given-given" not in page
    assert "HELPDESK_SSO_TOKEN=" not in page
    assert "is the one you passed" in page
    assert "HELPDESK_ACCOUNT_ID=sandbox" in page
    assert sandbox.environment["HELPDESK_SSO_TOKEN"] == "given-" * 6


def test_pages_say_assumed(client, sandbox):
    """Every page, and every verdict that rests on an assumption, says so."""
    for path in ("/", "/handoffs", "/settings", "/nowhere"):
        assert "assumed" in client.get(path).text
    client.get(sandbox.helpdesk.handoff(EMAIL, iat=1).url)
    assert "assumed</span>. How long a token is valid" in client.get("/handoffs").text


def test_every_answer_is_guarded(client):
    """Each answer forbids scripts, framing and caching, pages and errors alike."""
    for path in ("/", "/style.css", "/nowhere", "/api/nowhere", "/healthz"):
        headers = client.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'; style-src 'self';")
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
    assert client.post("/").status_code == 405
    assert client.post("/").headers["allow"]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:1", 200), ("localhost", 200), ("a.localhost:80", 200), ("[::1]:80", 200),
        ("testserver", 403), ("evil.example", 403), ("127.0.0.1.evil.example", 403), ("[", 403), ("", 403),
    ],
)  # fmt: skip
def test_foreign_names_are_refused(client, host, status):
    """A name that somebody else's DNS points to this machine gets no answer."""
    assert client.get("/healthz", headers={"Host": host}).status_code == status


def test_in_process_client_is_answered():
    """What Starlette's TestClient calls its application is a name in process, and only there."""

    async def get():
        transport = httpx.ASGITransport(Sandbox(auth_url=AUTH_URL))
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
            return (await client.get("/healthz")).status_code

    assert asyncio.run(get()) == 200


def test_base_url_is_answered():
    """Served by a server of one's own, it answers to the name in its base URL, and to no other."""
    sandbox = Sandbox(auth_url=AUTH_URL, base_url="https://helpdesk.example:9400")
    assert sandbox.helpdesk.sso_auth_url == "https://helpdesk.example:9400/sso"

    async def get(origin):
        async with httpx.AsyncClient(transport=httpx.ASGITransport(sandbox), base_url=origin) as client:
            return (await client.get("/healthz")).status_code

    assert asyncio.run(get("https://helpdesk.example:9400")) == 200
    assert asyncio.run(get("https://helpdesk.example")) == 403


def test_remote():
    """Other machines are answered only if that is allowed, and with a warning in the log."""
    with pytest.raises(ConfigError, match="allow_remote"), Sandbox(auth_url=AUTH_URL).run(host="0.0.0.0"):
        pass


def test_remote_allowed(caplog):
    """With allow_remote any name is answered, and the log warns."""
    sandbox = Sandbox(auth_url=AUTH_URL, allow_remote=True)
    with sandbox.run(host="0.0.0.0") as base_url:
        assert base_url.startswith("http://127.0.0.1:")
        answer = httpx.get(f"{base_url}/healthz", headers={"Host": "helpdesk.example"})
        assert answer.status_code == 200
    assert "anyone who can reach it" in caplog.text


def test_run_points_the_account_to_the_server():
    """While it runs, `helpdesk` points to the free port; afterwards, to where it did before."""
    sandbox = Sandbox(auth_url=AUTH_URL, base_url="http://helpdesk.localhost:9400")
    before = sandbox.helpdesk.sso_auth_url
    with sandbox.run() as base_url:
        assert sandbox.helpdesk.sso_auth_url == f"{base_url}/sso"
        with pytest.raises(OSError, match="in use"), sandbox.run(port=int(base_url.rpartition(":")[2])):
            pass
    assert sandbox.helpdesk.sso_auth_url == before == "http://helpdesk.localhost:9400/sso"
    with pytest.raises(httpx.ConnectError):
        httpx.get(base_url)


def test_ipv6():
    """It listens on IPv6 loopback, too."""
    try:
        with Sandbox(auth_url=AUTH_URL).run(host="::1") as base_url:
            assert httpx.get(f"{base_url}/healthz").json() == {"status": "ok"}
            assert base_url.startswith("http://[::1]:")
    except OSError:
        assert not Path("/proc/net/if_inet6").exists()


def test_head_is_no_handoff(client, sandbox):
    """HEAD does not use a token up."""
    url = sandbox.helpdesk.handoff_url(EMAIL)
    assert client.head(url).status_code == 200
    assert sandbox.handoffs == []
    assert client.get(url).status_code == 303


def test_api_handoffs(client, sandbox):
    """The JSON log says all the page says, the oldest first."""
    client.get(sandbox.helpdesk.handoff_url(EMAIL))
    client.get(other_desk(sandbox, sso_token="x" * 40).handoff_url(EMAIL) + "&token=x")
    first, second = client.get("/api/handoffs").json()["handoffs"]
    assert (first["number"], first["verdict"], first["accepted"]) == (1, "accepted", True)
    assert first["header"] == {"alg": "HS256", "typ": "JWT"}
    assert first["claims"]["email"] == EMAIL
    assert first["clock_difference"] in (0, -1)
    assert first["parameters"][0] == {
        "name": "account_id", "expected": "sandbox", "received": "sandbox", "same": True,
    }  # fmt: skip
    assert (second["verdict"], second["assumption"] is None) == ("duplicate_parameter", False)
    assert second["message"]
    assert second["hint"]


def test_api_reset(client, sandbox):
    """Reset forgets everything: log, used tokens, sessions, planned failures."""
    url = sandbox.helpdesk.handoff_url(EMAIL)
    client.get(url)
    sandbox.fail_next("stale")
    assert client.post("/api/reset").json() == {"ok": True}
    assert client.get("/api/handoffs").json() == {"handoffs": []}
    assert client.get("/tickets").headers["location"] == "/"
    assert client.get(url).status_code == 303


def test_api_fail(client, sandbox):
    """The next hand-offs are refused as asked for, and the one after is judged again."""
    url = sandbox.helpdesk.handoff_url(EMAIL)
    assert client.post("/api/fail", json={"code": "stale", "times": 2}).json() == {"ok": True}
    assert client.post("/api/fail", json={"delay": 0.05}).status_code == 200
    assert [client.get(url).status_code for _ in range(2)] == [403, 403]
    answer = client.get(url)
    assert answer.status_code == 303
    assert answer.elapsed.total_seconds() >= 0.05
    assert [attempt.verdict for attempt in sandbox.handoffs] == ["stale", "stale", "accepted"]
    assert "asked to" in sandbox.handoffs[0].message


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b'{"code": "nonsense"}', 400), (b'{"code": ["stale"]}', 400), (b'{"times": 0}', 400),
        (b'{"times": true}', 400), (b'{"times": 1001}', 400), (b'{"delay": 61}', 400),
        (b'{"delay": NaN}', 400), (b'{"delay": "1"}', 400), (b'{"delay": true}', 400),
        (b'{"surprise": 1}', 400), (b"[]", 400), (b"{", 400), (b"[" * 60_000, 400),
        (b'{"x":"' + b"x" * 70_000, 413),
    ],
)  # fmt: skip
def test_api_fail_refuses_nonsense(client, content, status):
    """What is not understood is refused with a reason, in JSON."""
    answer = client.post("/api/fail", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == status
    assert answer.json()["error"]
    assert client.post("/api/fail", content=b"{}").status_code == 415


def test_failures_are_bounded(sandbox):
    """No more than a thousand failures can be planned at a time."""
    sandbox.fail_next("stale", times=1000)
    with pytest.raises(ValueError, match="above 1000"):
        sandbox.fail_next("stale")


@pytest.mark.parametrize("code", CODES)
def test_fail_next_with_every_code(sandbox, code):
    """Each verdict can be asked for."""
    sandbox.fail_next(code)
    with pytest.raises(HandoffRejected) as caught:
        sandbox.verify(sandbox.helpdesk.handoff_url(EMAIL))
    assert caught.value.code == code


def test_verify_in_process(sandbox):
    """Without a server the judgement is the same, and it is logged."""
    handoff = sandbox.helpdesk.handoff(EMAIL)
    assert sandbox.verify(handoff.url).jti == handoff.jti
    with pytest.raises(HandoffRejected, match="replayed"):
        sandbox.verify(handoff.url)
    assert [attempt.number for attempt in sandbox.handoffs] == [1, 2]


@pytest.mark.slow
def test_replay_over_http_from_many_threads(sandbox, running):
    """Of 50 browsers with the same link one gets in."""
    url, start, statuses = sandbox.helpdesk.handoff_url(EMAIL), threading.Barrier(50), []

    def visit():
        with local_client() as client:
            start.wait()
            statuses.append(client.get(url, timeout=30).status_code)

    threads = [threading.Thread(target=visit) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [303] + [403] * 49


@pytest.mark.slow
def test_memory_is_bounded():
    """Log, sessions, tickets and messages keep the latest and let go of the oldest."""
    sandbox = Sandbox(auth_url=AUTH_URL, jti_once=False, base_url="https://app.example.com")
    with asgi_browser(sandbox) as client, asgi_browser(sandbox) as first:
        first.get(sandbox.helpdesk.handoff_url("first@customer.example"))
        assert "first@customer.example" in first.get("/tickets").text
        for number in range(101):
            client.get(sandbox.helpdesk.handoff_url(f"v{number}@customer.example"))
            client.get("/tickets")
        assert [sandbox.handoffs[0].number, len(sandbox.handoffs)] == [3, 100]
        numbers = [int(n) for n in re.findall(r"/tickets/(\d+)", first.get("/tickets").text)]
        assert numbers[0] > 1001  # a new sample: the old tickets are gone
        csrf = csrf_of(client.get("/tickets"))
        for number in range(50):
            client.post("/tickets", data={"csrf": csrf, "subject": f"s{number}", "text": "x"})
        page = client.get("/tickets").text
        assert "50 tickets:" in page
        assert "Welcome" not in page
        ticket = re.search(r'href="(/tickets/\d+)"', page)[1]
        for number in range(51):
            client.post(ticket, data={"csrf": csrf, "text": f"reply {number}"})
        assert client.get(ticket).text.count("reply ") == 50


@pytest.mark.slow
def test_sessions_are_bounded():
    """The oldest session ends when there are too many."""
    sandbox = Sandbox(auth_url=AUTH_URL, jti_once=False, base_url="http://localhost")

    async def visit():
        transport = httpx.ASGITransport(sandbox)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            answers = [await client.get(sandbox.helpdesk.handoff_url(EMAIL)), await client.get("/tickets")]
            first = dict(client.cookies)
            for _ in range(1000):
                client.cookies.clear()
                await client.get(answers[0].request.url)
            client.cookies.clear()
            client.cookies.update(first)
            return [answers[1].status_code, (await client.get("/tickets")).headers["location"]]

    assert asyncio.run(visit()) == [200, "/"]


def test_log_stands_anything(client, sandbox):
    """Whatever is sent, the log pages and the JSON show it and stay valid."""
    desk = sandbox.helpdesk
    token = desk.handoff(EMAIL).token
    deep = "W1tb" * 500
    nan = "eyJhIjpOYU4sImIiOiJcdWQ4MDAiLCJpYXQiOnRydWV9"  # {"a":NaN,"b":"\ud800","iat":true}
    for sent in (f"{nan}.{nan}.x", f"{deep}.{deep}.x", f"{token}%ff", "x" * 5000, "%00", "..", "W10.W10.x"):
        client.get(f"/sso?token={sent}&account_id={quote('<script>')}&auth_url=%ff&auth_url={token}")
        assert client.get("/handoffs").status_code == 200
    page = client.get("/handoffs").text
    assert "<script>" not in page
    assert token not in page
    logged = client.get("/api/handoffs").text
    first = json.loads(logged)["handoffs"][0]
    assert first["claims"] == {"a": "NaN", "b": "\ud800", "iat": True}
    assert first["clock_difference"] is None
    assert token not in logged


def segment(text):
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def test_log_stands_numbers_that_json_does_not_have(client, sandbox):
    """A number too large for JSON is shown as it was sent, and the answer stays valid JSON."""
    claims = segment('{"iat": 1e999, "x": [-1e999, 1.5]}')
    client.get("/sso", params={"token": f"{claims}.{claims}.x", "account_id": "a", "auth_url": "b"})

    def refuse(name):
        raise AssertionError(f"{name} is no JSON")

    logged = json.loads(client.get("/api/handoffs").text, parse_constant=refuse)
    assert logged["handoffs"][0]["claims"] == {"iat": "1e999", "x": ["-1e999", 1.5]}
    assert client.get("/handoffs").status_code == 200


@pytest.mark.filterwarnings("ignore::sso_middleware.ShortTokenWarning")
@pytest.mark.parametrize("sso_token", ["1", '"', 'quo"te\\' * 4, "schl\u00fcssel-" * 4, "plain-" * 6])
def test_log_hides_the_sso_token_in_claims(sso_token):
    """Whatever the SSO Token is, it is taken out of the names and texts of a JWT in the log."""
    sandbox = Sandbox(auth_url=AUTH_URL, sso_token=sso_token)
    content = {"kid": [f"<{sso_token}>"], f"x{sso_token}": {"a": sso_token}, "iat": 0, "n": None}
    part = segment(json.dumps(content))
    with pytest.raises(HandoffRejected):
        sandbox.verify(f"?token={part}.{part}.x&account_id=sandbox&auth_url={quote(AUTH_URL)}")
    shown = {"kid": ["<[SSO Token]>"], "x[SSO Token]": {"a": "[SSO Token]"}, "iat": 0, "n": None}
    assert sandbox.handoffs[0].header == sandbox.handoffs[0].claims == shown
    assert sandbox.handoffs[0].as_json()["claims"] == shown
    assert sandbox.handoffs[0].clock_difference < 0


def test_nothing_shows_the_sso_token():
    """Neither vars() nor a traceback with locals shows SSO Token, URL or JWT."""
    sso_token = "given-" * 6

    def printed(call):
        with pytest.raises((ConfigError, HandoffRejected)) as caught:
            call()
        frames = traceback.TracebackException.from_exception(caught.value, capture_locals=True).stack
        return "".join(str(frame.locals) for frame in frames if frame.filename != __file__)

    sandbox = Sandbox(auth_url=AUTH_URL, sso_token=sso_token)
    desk = other_desk(sandbox, sso_token="x" * 40)
    url, sso_auth_url = desk.handoff_url(EMAIL), desk.sso_auth_url
    verifier = HandoffVerifier(sso_token=sso_token, account_id="sandbox", auth_url=AUTH_URL)
    shown = [
        str([vars(part) for part in (sandbox, *vars(sandbox).values()) if hasattr(part, "__dict__")]),
        printed(lambda: Sandbox(auth_url="nonsense", sso_token=sso_token)),
        printed(lambda: Sandbox(auth_url=AUTH_URL, sso_token=sso_token, freshness=-1)),
        printed(lambda: sandbox.verify(url)),
        printed(lambda: verifier.verify(url)),
        repr(verifier),
        printed(lambda: sandbox.verify(f"{sso_auth_url}?account_id={sso_token}&token=eyJ&auth_url=x")),
    ]
    for text in shown:
        assert "given-given" not in text
        assert "eyJ" not in text
        assert "token=" not in text


@pytest.mark.parametrize("level", [1, logging.INFO])
def test_no_token_in_any_log(caplog, level):
    """At no level does a log of the server hold a token, a signature or the SSO Token."""
    for name in ("httpx", "httpcore"):
        caplog.set_level(logging.WARNING, name)  # the client's log is not the server's
    caplog.set_level(level)
    sandbox = Sandbox(auth_url=AUTH_URL)
    with sandbox.run() as base_url:
        good = sandbox.helpdesk.handoff(EMAIL)
        for url in (good.url, good.url, f"{base_url}/sso?TOKEN={good.token}", f"{base_url}/{good.token}"):
            httpx.get(url, headers={"Referer": good.url})
        httpx.get(f"{base_url}/sso?account_id='{sandbox.environment['HELPDESK_SSO_TOKEN']}&token=x")
        httpx.get(f"{base_url}/sso?account_id=%61%2F%2B&auth_url=next_token=secret")
    assert '"GET /sso?[hidden] HTTP/1.1" 303' in caplog.text
    assert "%2F%2B" not in caplog.text
    assert "=secret" not in caplog.text
    assert good.token not in caplog.text
    assert good.token.split(".")[2] not in caplog.text
    assert sandbox.environment["HELPDESK_SSO_TOKEN"] not in caplog.text


def test_long_tokens_are_not_kept(sandbox):
    """A token that is too long is not decoded for the log, which would fill memory."""
    header, _, signature = sandbox.helpdesk.handoff(EMAIL).token.split(".")
    with pytest.raises(HandoffRejected, match="token_too_long"):
        sandbox.verify(
            f"?token={header}.{'A' * 5000}.{signature}&account_id=sandbox&auth_url={quote(AUTH_URL)}"
        )
    assert sandbox.handoffs[0].header is None


def test_settings_are_checked():
    """A wrong setting is named at construction."""
    with pytest.raises(ConfigError, match="auth_url"):
        Sandbox(auth_url="nonsense")
    with pytest.raises(ConfigError, match="freshness"):
        Sandbox(auth_url=AUTH_URL, freshness=-1)


def test_options_reach_the_verifier(client):
    """Each assumption is an option."""
    clock = Clock()
    sandbox = Sandbox(
        auth_url=AUTH_URL,
        sso_token="t" * 32,
        account_id=7,
        freshness=10,
        leeway=5,
        shortest_jti=8,
        jti_once=False,
        longest_token=300,
        clock=clock,
    )
    url = sandbox.helpdesk.handoff(EMAIL, iat=clock.now + 5, jti="12345678").url
    assert sandbox.verify(url) == sandbox.verify(url)
    clock.now += 21
    with pytest.raises(HandoffRejected, match="valid for 15"):
        sandbox.verify(url)
    assert sandbox.handoffs[-1].clock_difference == -16


def test_lifespan(sandbox):
    """Any ASGI server can run it, one that speaks lifespan too."""
    received, sent = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}], []

    async def receive():
        return received.pop(0)

    async def send(message):
        sent.append(message["type"])

    asyncio.run(sandbox({"type": "lifespan"}, receive, send))
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_redaction_of_any_record(sandbox, caplog):
    """A record in any of logging's forms is redacted on the server's loggers."""
    caplog.set_level(logging.INFO)
    token = sandbox.helpdesk.handoff(EMAIL).token
    log = logging.getLogger("uvicorn.error")
    log.info("?token=%(token)s", {"token": token})
    log.info("?token=%s %s %s", token, 1, None)
    log.info("%s %s", token, "next_token=1")
    assert caplog.messages == ["?[hidden]", "?[hidden] 1 None", "[hidden] next_token=1"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_server_that_does_not_start():
    """A server that cannot start is an error, not a block that runs without one."""
    with (
        pytest.raises(RuntimeError, match="did not start"),
        serve("sso_middleware.no_such_module:app", "127.0.0.1", 0),
    ):
        pass
