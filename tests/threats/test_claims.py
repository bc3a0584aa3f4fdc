"""Claims of the threat model (.github/SECURITY.md) that no other test makes."""

from __future__ import annotations

import itertools
import random
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
import pytest

from clients import DESK, JANE, jane, nobody
from key_server import Issuer, rsa_key
from sso_middleware import HandoffRefused, Logout
from sso_middleware.cli.commands import cli
from sso_middleware.resolvers._key_server import KeyServer

PATH = "/sso/helpdesk"
ROOT = Path(__file__).parents[2]
WORKFLOWS = ROOT / ".github" / "workflows"

in_repository = pytest.mark.skipif(not WORKFLOWS.exists(), reason="a source distribution has no workflows")


def test_no_seed_repeats_a_jti():
    """A jti is drawn from the operating system: the seed of Python's generator tells nothing."""
    state = random.getstate()
    drawn = set()
    for _ in range(3):
        random.seed(4711)
        drawn.add(DESK.handoff(JANE).jti)
    random.setstate(state)
    assert len(drawn) == 3
    assert all(re.fullmatch("[0-9a-f]{32}", jti) for jti in drawn)


def test_visitors_at_once_get_their_own_addresses(site):
    """However many visits there are at once, each is handed off under its own address."""
    names = [f"user{number}" for number in range(40)]
    at_once = threading.Barrier(8)

    def resolve_email(source):
        at_once.wait(10)
        headers = dict(source.get("headers", [])) | source
        name = headers.get(b"x-user") or headers["HTTP_X_USER"].encode()
        return f"{name.decode()}@example.com"

    pages = site(resolve_email)
    with ThreadPoolExecutor(8) as pool:
        replies = pool.map(lambda name: pages.get(PATH, headers=[("X-User", name)]), names)
        addresses = [reply.claims["email"] for reply in replies]
    assert addresses == [f"{name}@example.com" for name in names]


CROSS_SITE = [
    ("Origin", "https://evil.example"),
    ("Referer", "https://evil.example/?email=eve@evil.example"),
    ("From", "eve@evil.example"),
    ("Sec-Fetch-Site", "cross-site"),
    ("Sec-Fetch-Mode", "navigate"),
    ("Sec-Fetch-Dest", "document"),
]


def test_a_strangers_page_chooses_and_reads_nothing(site):
    """A page of another site can start a hand-off, as the Help Desk's does: the visitor's own, unread."""
    reply = site(jane).get(PATH, headers=CROSS_SITE, query="email=eve@evil.example&jti=0&then=//evil.example")
    assert reply.claims["email"] == JANE
    assert reply["location"].startswith("https://acme.example/sso?token=")
    assert "evil" not in str(reply.headers)
    assert not [name for name, _ in reply.headers if name.lower().startswith("access-control-")]


def test_every_answer_is_unreadable_to_other_origins(site):
    """No answer opens itself to scripts of another origin."""

    def refuse(source):
        raise HandoffRefused("no_plan")

    options = {"login_url": "/login", "logout": Logout(lambda source: [], path="/bye")}
    for resolve_email in (jane, nobody, refuse):
        pages = site(resolve_email, options=options)
        for method, path in itertools.product(("GET", "HEAD", "POST", "OPTIONS"), (PATH, "/bye")):
            reply = pages.request(method, path, headers=CROSS_SITE[:1])
            assert not reply.by_app
            assert not [name for name, _ in reply.headers if name.lower().startswith("access-control-")]


@pytest.mark.parametrize("path", ["/a\u00a0b", "/caf\u00e9", "/a;b", "/a b"])
def test_a_path_splits_no_header(site, path):
    """An intercepted path with odd characters is percent-encoded in every header that names it."""
    options = {"paths": path, "login_url": "/login"}
    for resolve_email, method in ((jane, "GET"), (nobody, "GET"), (jane, "POST")):
        reply = site(resolve_email, options=options).request(method, path)
        assert reply.status == 303
        for name, value in reply.headers:
            assert value.isascii(), name
            assert path not in value, name


@pytest.mark.parametrize("piece", [";", ",", "; ", " ", "=;", "sso_handoffs", "sso_handoffs="])
def test_a_hostile_cookie_costs_no_more_than_its_length(site, piece):
    """No Cookie header makes the pattern that reads it go over it again and again."""
    pages = site(jane)
    hostile = piece * (60_000 // len(piece))
    started = time.process_time()
    assert pages.get(PATH, headers=[("Cookie", hostile)]).is_handoff
    assert time.process_time() - started < 0.3


def test_a_hanging_key_server_holds_up_nobody_whose_key_is_known():
    """While a forged key id makes the key server hang, visitors with a known key are let in at once."""
    issuer = Issuer(known=rsa_key())
    now = [1000.0]
    with issuer.serving() as url:
        keys = KeyServer(url, clock=lambda: now[0])
        assert keys.find("known") is not None
        now[0] += 20
        forger = threading.Thread(target=keys.find, args=["forged"])
        with issuer.hanging():
            forger.start()
            issuer.wait_until_asked(2)
            assert keys.find("known") is not None
            assert forger.is_alive()
        forger.join()


def test_no_command_takes_a_secret_as_an_argument():
    """No option or argument of the command line is for the SSO Token: other users can read argv."""
    context = click.Context(cli)
    names = {
        f"{command} {option}"
        for command in cli.list_commands(context)
        for parameter in cli.get_command(context, command).params
        for option in parameter.opts
    }
    assert "url email" in names
    secret = {name for name in names if re.search("token|secret|key|password", name)}
    assert secret == {"sandbox --longest-token", "sandbox --key"}  # a length, and a choice of two


@in_repository
def test_every_action_is_pinned_by_its_hash():
    """What runs in CI and publishes a release is named by the hash of a commit, which nobody can move."""
    used = [
        line.partition("uses:")[2].split("#")[0].strip()
        for workflow in WORKFLOWS.glob("*.yml")
        for line in workflow.read_text().splitlines()
        if "uses:" in line
    ]
    assert len(used) > 5
    assert [action for action in used if not re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", action)] == []


@in_repository
def test_what_builds_a_release_is_locked_by_hash():
    """The build installs nothing but what a lock file names by hash, and the files go on by their digest."""
    lock = (ROOT / ".github" / "build-requirements.txt").read_text()
    for requirement in re.findall(r"^[a-z].*(?:\n .*)*", lock, re.MULTILINE):
        assert re.match(r"[a-z-]+==[\w.]+ .*\\\n +--hash=sha256:[0-9a-f]{64}", requirement), requirement
    release = (WORKFLOWS / "release.yml").read_text()
    assert "pip install --only-binary :all: --require-hashes -r .github/build-requirements.txt" in release
    assert "python -m build --no-isolation" in release
    downloads = release.count("actions/download-artifact@")
    assert release.count('diff <(echo "$DIGESTS") <(sha256sum dist/*)') == downloads == 2


@in_repository
def test_workflows_have_no_password_and_no_permission_to_spare():
    """A workflow may do nothing but what a job asks for, and no secret is stored for it."""
    for workflow in WORKFLOWS.glob("*.yml"):
        text = workflow.read_text()
        assert "\npermissions: {}\n" in text, workflow.name
        assert "secrets." not in text, workflow.name
        asked = re.findall(r"^ +([a-z-]+): write\b", text, re.MULTILINE)
        assert asked == (["id-token"] if workflow.name == "release.yml" else [])


@in_repository
def test_ci_looks_for_known_holes():
    """CI ends where a workflow or a dependency has a known hole."""
    steps = (ROOT / ".ci" / "run").read_text()
    assert "set -e" in steps
    for tool in ("zizmor", "pip-audit"):
        assert re.findall(rf"^\.venv/bin/{tool} ", steps, re.MULTILINE), tool
    for workflow in WORKFLOWS.glob("*.yml"):
        text = workflow.read_text()
        strict = 'bash .ci/run\n        env:\n          AUDIT_STRICTLY: "1"\n'
        assert text.count("bash .ci/run") == text.count(strict), workflow.name
        assert workflow.name == "mutation.yml" or strict in text
