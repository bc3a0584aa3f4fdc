"""`inspect` and the sandbox's pages hold for any input: a verdict or a page, at once, never a crash."""

from __future__ import annotations

import asyncio
import json
import time
from base64 import urlsafe_b64encode
from urllib.parse import quote

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from cli_apps.entry_point import SETTINGS
from clients import make_scope
from sso_middleware.cli.inspect import command
from sso_middleware.sandbox import Sandbox
from sso_middleware.sandbox.verifier.verdicts import CODES

pytestmark = pytest.mark.slow

SIZE = 20_000  # characters
AUTH_URL = SETTINGS["HELPDESK_AUTH_URL"]
HEADER = '{"alg":"HS256","typ":"JWT"}'


def segment(text):
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    return urlsafe_b64encode(data).decode().rstrip("=")


def jwt_of(header, payload):
    return f"{segment(header)}.{segment(payload)}.{'x' * 43}"


def query_of(token="x.y.z", account_id="4711", auth_url=AUTH_URL):
    return f"account_id={account_id}&auth_url={auth_url}&token={token}"


def inspect(text, *args):
    """Return the exit code and what was printed. Any exception but SystemExit fails the test."""
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    environment = SETTINGS | {"HELPDESK_LOGOUT_URL": ""}
    done = CliRunner().invoke(command, args, input=data, env=environment, catch_exceptions=False)
    return done.exit_code, done.output


@pytest.fixture(scope="module")
def ask():
    """Ask a sandbox without a server; an exception that a server would answer with 500 fails the test."""
    sandbox = Sandbox(auth_url=AUTH_URL, account_id="4711", longest_token=100_000)

    def ask(method, path, query=b"", body=b"", headers=(), *, signed_in=False):
        sent = []

        async def receive():
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message):
            sent.append(message)

        async def visit():
            cookie = []
            if signed_in:
                cookie = [("Cookie", await sign_in())]
            sent.clear()
            scope = make_scope(method, path, headers=[("Host", "localhost"), *cookie, *headers])
            await sandbox({**scope, "query_string": query}, receive, send)

        async def sign_in():
            query = sandbox.helpdesk.handoff_url("jane@example.com").partition("?")[2]
            scope = make_scope("GET", "/sso", headers=[("Host", "localhost")], query=query)
            await sandbox(scope, receive, send)
            return dict(sent[0]["headers"])[b"set-cookie"].decode().partition(";")[0]

        asyncio.run(visit())
        return sent[0]["status"]

    return ask


NESTED = 600  # json reads it, and repr() does not
TEXTS = {
    **{
        name: f"x{name * SIZE}x"
        for name in ("", ".", "9", "%", "&", "?", "#", " ", "'", "\r", "\x00", "\x1b")
    },
    "tokens": "eyJ" * (SIZE // 3),
    "tokens and dots": "eyJ." * (SIZE // 4),
    "locations": "location: token=\n" * (SIZE // 17),
    "parameters": "a=b&" * (SIZE // 4),
    "percent-encoded": "%ff%41" * (SIZE // 6),
    "marks on letters": "\u0301\u0327" * (SIZE // 4),
    "brackets": "[" * SIZE,
    "not ASCII": "é%" * (SIZE // 3),
}
JSONS = {
    "deep": "[" * SIZE,
    "deep and whole": f'{{"alg":{"[" * NESTED}{"]" * NESTED}}}',
    "longest number": f'{{"alg":{"9" * 4300},"iat":{"9" * 4300}}}',
    "longest negative number": f'{{"alg":-{"9" * 4300},"iat":-{"9" * 4300}}}',
    "number too long": f'{{"iat":{"9" * (SIZE // 2)}}}',
    "long fraction": f'{{"iat":{"9" * (SIZE // 4)}.{"9" * (SIZE // 4)}}}',
    "exponent": '{"alg":1e999999,"iat":-1e999999}',
    "no numbers": '{"alg":NaN,"iat":Infinity,"jti":-Infinity}',
    "twice": '{"iat":1,"iat":2}',
    "many names": "{" + ",".join(f'"{number}":1' for number in range(SIZE // 20)) + "}",
    "surrogates": '{"\\ud800":"\\udfff","alg":"\\ud800","iat":1}',
    "tokens": f'{{"{"eyJ" * (SIZE // 6)}":1,"iat":"{"eyJ" * (SIZE // 6)}"}}',
}
INPUTS = {
    **{f"{name} alone": text for name, text in TEXTS.items()},
    **{f"{name} as token": f"?{query_of(token=text)}" for name, text in TEXTS.items()},
    **{f"{name} as Account ID": f"?{query_of(account_id=text)}" for name, text in TEXTS.items()},
    **{f"{name} as Auth URL": f"?{query_of(auth_url=f'https://{text}')}" for name, text in TEXTS.items()},
    **{f"{name} in the payload": f"?{query_of(jwt_of(HEADER, text))}" for name, text in JSONS.items()},
    **{f"{name} in both": f"?{query_of(jwt_of(text, text))}" for name, text in JSONS.items()},
}


@pytest.mark.parametrize("args", [["--json"], [], ["--insecure"]], ids=["json", "people", "insecure"])
@pytest.mark.parametrize("name", INPUTS)
def test_inspect_hostile(name, args):
    """40 KB of anything are judged within a moment, and nothing is accepted."""
    started = time.process_time()
    code, printed = inspect(INPUTS[name], *args)
    assert time.process_time() - started < 1
    assert code in ((0, 1) if args == ["--insecure"] else (1,))
    if args == ["--json"]:
        assert json.loads(printed)["verdict"] in CODES


@pytest.mark.parametrize("name", INPUTS)
def test_sandbox_hostile(ask, name):
    """The sandbox refuses the same within a moment, and shows its log afterwards."""
    query = quote(INPUTS[name].removeprefix("?").encode(), safe="=&%").encode()
    started = time.process_time()
    assert ask("GET", "/sso", query) == 403
    assert ask("GET", "/handoffs") == 200
    assert ask("GET", "/api/handoffs") == 200
    assert time.process_time() - started < 2


numbers = st.sampled_from(["9" * 4300, "-" + "9" * 4300, "1e999999", "NaN", "-0", "1" * 101, "0.1", "-1"])
values = st.recursive(
    numbers | st.text(max_size=20).map(json.dumps) | st.sampled_from(["null", "true", '"\\ud800"', "\ud800"]),
    lambda inner: st.lists(inner, max_size=3).map(lambda items: f"[{','.join(items)}]"),
    max_leaves=5,
)
objects = st.lists(st.tuples(st.sampled_from(["alg", "typ", "email", "iat", "jti", "x"]), values), max_size=6)
jsons = objects.map(lambda members: "{" + ",".join(f'"{name}":{value}' for name, value in members) + "}")
tokens = st.builds(jwt_of, jsons | st.just(HEADER), jsons) | st.text(max_size=30)
given_texts = st.one_of(
    st.text(st.characters() | st.sampled_from("%&=#?.\n")),
    tokens,
    st.builds(lambda *parts: f"?{query_of(*parts)}", tokens, st.text(max_size=9), st.text(max_size=30)),
    tokens.map(lambda token: f"Location: /sso?{query_of(token)}\r\n"),
)


@given(given_texts | st.binary(max_size=100), st.sampled_from([[], ["--json"], ["--insecure"]]))
def test_inspect_anything(text, args):
    """Any text, and any bytes, end in an exit code and never in a traceback."""
    assert inspect(text, *args)[0] in (0, 1, 2)


@given(
    st.sampled_from(["/sso", "/", "/handoffs", "/api/handoffs", "/tickets", "/elsewhere"]),
    given_texts.map(lambda text: text.encode("utf-8", "surrogatepass")) | st.binary(max_size=100),
)
def test_pages_with_any_query(ask, path, query):
    """No query makes a page fail, in UTF-8 or not."""
    assert ask("GET", path, query) in (200, 303, 403, 404)


@given(st.text(max_size=20) | st.integers(0, 999).map(str) | st.just("9" * 5000), st.booleans())
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_any_ticket(ask, method, number, signed_in):
    """A ticket that does not exist is never an error of the sandbox."""
    form = [("Content-Type", "application/x-www-form-urlencoded")]
    assert ask(method, f"/tickets/{number}", headers=form, signed_in=signed_in) in (303, 307, 403, 404)


@given(jsons.map(lambda text: text.encode("utf-8", "surrogatepass")) | st.binary(max_size=100))
def test_any_body(ask, body):
    """No body makes the JSON interface fail."""
    json_body = [("Content-Type", "application/json")]
    assert ask("POST", "/api/fail", body=body, headers=json_body) in (200, 400)
