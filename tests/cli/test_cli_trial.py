"""`sso-middleware check --online --as EMAIL`, against Help Desks on this machine."""

import hashlib
import io
import json
import logging
import shutil
import socket
import subprocess
import threading
from itertools import count

import pytest

from cli_apps.entry_point import environment, run
from helpdesks import (
    AUTH_URL,
    JANE,
    SSO_TOKEN,
    FakeHelpDesk,
    always,
    cookie,
    page,
    redirect,
    refusing,
    strict,
)
from sso_middleware.cli.check.trial.visitor import Pace
from sso_middleware.sandbox import Sandbox

pytestmark = pytest.mark.server

SLASH = f"{AUTH_URL}/"


class Waits(list):
    """The seconds that a trial would have waited."""

    @property
    def pace(self):
        return Pace(sleep=self.append)


def command(settings, *args, email=JANE, pace=None, **more):
    """Run the command without its pauses."""
    pace = pace or Waits().pace
    return run("check", "--online", "--as", email, "--yes", *args, settings=settings, obj=pace, **more)


def check(settings, **options):
    """Return exit code, ids of the findings that count, and the trial."""
    done = command(settings, "--json", **options)
    assert done.stdout, done.stderr
    report = json.loads(done.stdout)
    assert list(report["trial"]) == ["verdict", "variant", "attempts"]
    found = [finding["id"] for finding in report["findings"] if finding["severity"] != "info"]
    return done.returncode, found, report["trial"]


def try_at(manner, **options):
    """Return the verdict, why that of the settings unchanged was given, and the fake Help Desk."""
    account = {name: options.pop(name) for name in ("key", "auth_url", "email") if name in options}
    with FakeHelpDesk(manner, **account).running() as desk:
        code, found, trial = check(desk.settings, **options)
    ids = {"accepted": ([], ["SSO.E065"]), "not_accepted": (["SSO.E064"],), "cannot_tell": (["SSO.W066"],)}
    assert [each for each in found if each != "SSO.W062"] in ids[trial["verdict"]]
    assert code == (1 if found else 0)
    assert len(trial["attempts"]) == len(desk.handoffs) <= 8
    first = [attempt for attempt in trial["attempts"] if attempt["variant"]]
    return trial["verdict"], first[0]["why"], desk


# What is accepted.


def test_the_settings_are_accepted_at_once():
    with FakeHelpDesk(strict).running() as desk:
        code, found, trial = check(desk.settings)
    assert (code, found, trial["verdict"]) == (0, [], "accepted")
    assert trial["variant"] == {"key": "raw", "auth_url": AUTH_URL, "email": JANE}
    assert [attempt["token"] for attempt in trial["attempts"]] == ["none", "random", "signed", "random"]
    assert trial["attempts"][2] == {
        "token": "signed",
        "variant": trial["variant"],
        "status": 200,
        "url": f"{desk.base_url}/tickets",
        "title": "Tickets",
        "cookies": ["session"],
        "asks_password": False,
        "came_back": False,
        "stopped": "",
        "verdict": "accepted",
        "why": f"its visitor can open {desk.base_url}/tickets, which is closed to others",
    }


@pytest.mark.parametrize(
    ("account", "given", "said"),
    [
        ({"key": "md5"}, JANE, "sso_token: set it to the md5 of the SSO Token"),
        ({"auth_url": SLASH}, JANE, f"auth_url: set HELPDESK_AUTH_URL={SLASH}."),
        ({"key": "md5", "auth_url": SLASH}, JANE, f"auth_url: set HELPDESK_AUTH_URL={SLASH}."),
        ({}, "Jane@Example.com", "resolve_email: return addresses in lower case."),
        (
            {"key": "md5", "auth_url": SLASH, "email": "Jane@Example.com"},
            "Jane@Example.com",
            "auth_url: set HELPDESK_",
        ),
    ],
    ids=["md5", "slash", "md5 and slash", "letter case", "the last variant"],
)
def test_a_variant_is_accepted(account, given, said):
    with FakeHelpDesk(strict, **account).running() as desk:
        code, found, trial = check(desk.settings, email=given)
        done = command(desk.settings, email=given)
    assert (code, found, trial["verdict"]) == (1, ["SSO.E065"], "accepted")
    assert trial["variant"] == {"key": "raw", "auth_url": AUTH_URL, "email": JANE} | account
    assert len(trial["attempts"]) <= 8
    assert done.returncode == 1
    assert "SSO.E065 error: The Help Desk accepts the hand-off with another setting: " in done.stdout
    assert said in done.stdout
    assert "accepted: its visitor can open" in done.stdout


def test_a_slash_less_is_accepted():
    with FakeHelpDesk(strict).running() as desk:
        settings = desk.settings | {"HELPDESK_AUTH_URL": f"{SLASH}?brand=acme"}
        desk.auth_url = f"{AUTH_URL}?brand=acme"
        _, _, trial = check(settings)
    assert trial["variant"]["auth_url"] == f"{AUTH_URL}?brand=acme"


@pytest.mark.skipif(not shutil.which("md5sum"), reason="needs sh and md5sum")
@pytest.mark.parametrize("in_file", [False, True])
def test_the_advice_for_md5_works_in_a_shell(in_file, tmp_path):
    digest = hashlib.md5(SSO_TOKEN.encode()).hexdigest()
    (tmp_path / "token").write_text(f"{SSO_TOKEN}\n")
    with FakeHelpDesk(refusing(lambda _: page(digest, 403)), key="md5").running() as desk:
        settings = dict(desk.settings)
        if in_file:
            del settings["HELPDESK_SSO_TOKEN"]
            settings["HELPDESK_SSO_TOKEN_FILE"] = str(tmp_path / "token")
        done = command(settings)
    assert digest not in done.stdout + done.stderr
    assert ("without HELPDESK_SSO_TOKEN_FILE" in done.stdout) is in_file
    line = done.stdout.partition("In a shell: ")[2].partition(" | md5sum | cut -c1-32)")[0]
    script = f"{line} | md5sum | cut -c1-32); printf %s $HELPDESK_SSO_TOKEN"
    shell = subprocess.run(
        ["sh", "-c", script], env=environment(settings), capture_output=True, text=True, check=True
    )
    assert shell.stdout == digest


def test_a_start_page_that_only_its_visitor_opens():
    def by_script(visit):
        # No redirect: a script would go on, and the URL of the page has the token.
        if visit.path == "/sso" and not visit.desk.problem(visit.query):
            return page("One moment", 200, "", cookie("visitor", "in"))
        if visit.path == "/sso":
            return page("Refused", 200, "", cookie("visitor", "out"))
        return page("Tickets" if visit.cookies.get("visitor") == "in" else "Welcome")

    assert try_at(by_script)[0] == "accepted"
    assert try_at(by_script, email="john@example.com")[0] == "cannot_tell"


def test_a_page_open_to_all_and_a_cookie_where_controls_are_refused():
    def open_portal(visit):
        return page("Portal") if visit.path == "/tickets" else strict(visit)

    assert try_at(open_portal)[:2] == (
        "accepted",
        "it ended at a page and set a cookie, and every control was refused",
    )


# What is not.


@pytest.mark.parametrize(
    "answer",
    [
        page("Refused", 403),
        page("Sorry"),
        page("Sorry", 200, "", cookie("PHPSESSID")),
        page("Sign in", 200, "<input type='password'>", cookie("flash")),
        page("", 404, "no page at all"),
        redirect(f"{AUTH_URL}?error=1"),
        redirect("https://app.example.com/sso/logout?message=no"),
    ],
    ids=["403", "200", "200 and a cookie", "sign-in page", "404", "Auth URL", "Logout URL"],
)
def test_who_refuses_everything_does_not_accept(answer):
    verdict, _, desk = try_at(always(*answer), email="Jane@Example.com")
    assert verdict == "not_accepted"
    assert len(desk.handoffs) == 7


def test_who_sends_everybody_to_sign_in_does_not_accept():
    manner = refusing(lambda _: redirect("/login", cookie("flash")))
    assert try_at(manner, email="john@example.com")[0] == "not_accepted"


def test_eight_hand_offs_at_most_a_second_apart_each_with_a_token_of_its_own():
    waits = Waits()
    with FakeHelpDesk(strict, key="md5", email="nobody@example.com").running() as desk:
        code, found, trial = check(desk.settings, email="Jane@Example.com", pace=waits.pace)
    assert (code, found, trial["verdict"], trial["variant"]) == (1, ["SSO.E064"], "not_accepted", None)
    assert len(desk.handoffs) == len(trial["attempts"]) == 8
    assert waits == [1] * 7
    tokens = [visit.query["token"] for visit in desk.handoffs if "token" in visit.query]
    assert len(set(tokens)) == 7
    assert not any(visit.cookies for visit in desk.handoffs)


def test_another_refusal_than_that_of_the_controls_says_that_the_key_may_be_right():
    verdict, why, _ = try_at(refusing(lambda problem: page(problem, 403)), email="john@example.com")
    assert verdict == "not_accepted"
    assert "unlike the controls: the key may be right" in why


# What cannot be told.


def to_tickets(visit):
    if visit.path == "/sso":
        return redirect("/tickets", cookie("session"))
    return strict(visit)


def for_any_token(visit):
    return to_tickets(visit) if visit.path != "/sso" or "token" in visit.query else page("Refused", 403)


def open_for_any_token(visit):
    return page("Tickets") if visit.path == "/tickets" else for_any_token(visit)


def open_to_all(visit):
    return page("Tickets") if visit.path == "/tickets" else to_tickets(visit)


@pytest.mark.parametrize("manner", [to_tickets, for_any_token, open_for_any_token, open_to_all])
def test_who_accepts_everything(manner):
    assert try_at(manner)[0] == "cannot_tell"


@pytest.mark.parametrize(
    "refuse",
    [
        page,
        lambda problem: page(problem, 200, "", cookie("PHPSESSID")),
        lambda problem: page(problem, 200, "", cookie("PHPSESSID"), cookie(problem)),
        lambda problem: redirect(f"/error/{problem}", cookie(problem)),
        lambda problem: redirect("/login", cookie(problem)),
    ],
    ids=["title", "title and session", "title and cookie", "place", "cookie at the sign-in page"],
)
def test_a_page_for_each_error_is_no_acceptance(refuse):
    def error_pages(visit):
        if visit.path.startswith("/error"):
            return page("Error")
        return strict(visit, refuse)

    assert try_at(error_pages, email="john@example.com")[0] != "accepted"
    assert try_at(error_pages)[0] == "accepted"


def test_an_unknown_user_who_is_sent_to_sign_in():
    def by_form(visit):
        if visit.path == "/sso" and visit.desk.problem(visit.query) == "address":
            return redirect("/login", cookie("flash"))
        return strict(visit)

    assert try_at(by_form, email="john@example.com")[0] == "cannot_tell"


def test_a_session_that_strangers_get_as_well():
    def portal(visit):
        if visit.path == "/sso" and visit.desk.problem(visit.query) != "address":
            return page("Refused", 403)
        return redirect("/home") if visit.path == "/sso" else page("Home", 200, "", cookie("PHPSESSID"))

    assert try_at(portal, email="john@example.com")[0] == "cannot_tell"


def test_titles_that_vary_by_themselves():
    numbers = count()
    manner = refusing(lambda _: page(f"Error {next(numbers)}"))
    assert try_at(manner, email="john@example.com")[0] == "not_accepted"
    assert try_at(manner)[0] == "accepted"


def test_cookies_that_vary_by_themselves():
    numbers = count()
    manner = refusing(lambda _: page("Error", 200, "", cookie(f"csrf{next(numbers)}")))
    verdict, why, _ = try_at(manner, email="john@example.com")
    assert verdict == "cannot_tell"
    assert why.startswith("it ended at the same page as a control")
    assert try_at(manner)[0] == "accepted"


def test_a_page_that_never_looks_the_same():
    numbers = count()

    def news(visit):
        if visit.path == "/sso" and visit.desk.problem(visit.query) != "address":
            return page("Refused", 403)
        return redirect("/news") if visit.path == "/sso" else page(f"News {next(numbers)}")

    assert try_at(news, email="john@example.com")[0] == "cannot_tell"


def test_a_page_that_fails_for_strangers():
    def fragile(visit):
        if visit.path == "/sso" and visit.desk.problem(visit.query) != "address":
            return page("Refused", 403, "", cookie("sid"))
        if visit.path == "/sso":
            return redirect("/home", cookie("sid"))
        return page("Home") if visit.cookies else page("Oops", 503)

    assert try_at(fragile, email="john@example.com")[0] == "cannot_tell"


def test_cookies_whose_names_vary():
    numbers = count()

    def varied(visit):
        if visit.path == "/sso" and visit.desk.problem(visit.query) != "address":
            return page("Refused", 403, "", cookie(f"csrf{next(numbers)}"))
        return redirect("/home", cookie(f"csrf{next(numbers)}")) if visit.path == "/sso" else page("Home")

    assert try_at(varied, email="john@example.com")[0] == "cannot_tell"


def test_a_page_for_each_visitor_whatever_the_key():
    numbers = count()

    def by_number(visit):
        if visit.path.startswith("/page/"):
            return page("Page") if "session" in visit.cookies else redirect("/login")
        return strict(visit, lambda _: redirect(f"/page/{next(numbers)}", cookie("session")))

    verdict, why, _ = try_at(by_number)
    assert (verdict, why) == (
        "cannot_tell",
        "a token signed with a random key also seems to be accepted",
    )


@pytest.mark.parametrize("status", [500, 503])
def test_a_server_error(status):
    verdict, why, desk = try_at(always(*page("Oops", status)))
    assert (verdict, why) == (
        "cannot_tell",
        f"the Help Desk answered {status}, which says nothing about the hand-off",
    )
    assert len(desk.handoffs) == 7


def test_a_help_desk_that_crashes_at_tokens_it_does_not_like():
    assert try_at(refusing(lambda _: page("Oops", 500)), key="md5")[0] == "accepted"


def test_a_redirect_without_a_target():
    assert try_at(always(302, [], ""))[:2] == ("cannot_tell", "it ended with 302")


def test_too_many_requests_end_it():
    visits = count()

    def limited(visit):
        return page("Slow down", 429) if visit.path == "/sso" and next(visits) > 3 else strict(visit)

    with FakeHelpDesk(limited, key="md5").running() as desk:
        code, found, trial = check(desk.settings)
        assert len(desk.handoffs) == 4
    assert (code, found, trial["verdict"]) == (1, ["SSO.W066"], "cannot_tell")


# The network.


def test_nobody_there():
    with FakeHelpDesk(strict).running() as desk:
        settings = desk.settings
    code, found, trial = check(settings)
    assert (code, found) == (4, ["SSO.E060", "SSO.W066"])
    assert trial == {"verdict": "cannot_tell", "variant": None, "attempts": []}
    assert "cannot tell, because the SSO Auth URL cannot be reached" in command(settings).stdout


def test_a_slow_help_desk():
    closed = threading.Event()

    def slow(visit):
        if "token" in visit.query:
            closed.wait(30)
        return strict(visit)

    with FakeHelpDesk(slow).running() as desk:
        try:
            code, found, trial = check(desk.settings, pace=Pace(patience=0.3, pause=0))
        finally:
            closed.set()
    assert (code, found, trial["verdict"]) == (4, ["SSO.W066"], "cannot_tell")
    assert [attempt["stopped"] for attempt in trial["attempts"]] == ["", "no response within 0.3 seconds"]
    assert trial["attempts"][1]["status"] is None


def test_a_help_desk_that_hangs_up():
    def hang_up(visit):
        if "token" not in visit.query:
            return strict(visit)
        visit.handler.connection.shutdown(socket.SHUT_RDWR)
        return None

    with FakeHelpDesk(hang_up).running() as desk:
        code, _, trial = check(desk.settings)
    assert (code, trial["verdict"]) == (4, "cannot_tell")
    assert trial["attempts"][-1]["stopped"] == "no usable response: RemoteProtocolError"


def test_an_endless_body():
    def endless(visit):
        if visit.path != "/tickets" or "session" not in visit.cookies:
            return strict(visit)
        visit.handler.send_response_only(200)
        visit.handler.end_headers()
        try:
            visit.handler.wfile.write(b"<title>Tickets</title>")
            while True:
                visit.handler.wfile.write(b" " * 10_000)
        except OSError:
            return None

    verdict, _, desk = try_at(endless)
    assert verdict == "accepted"
    assert desk.visits[-1].path == "/tickets"


# Redirects.


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("/sso?again=1", "more than 10 redirects"),
        ("ftp://help.example/", "it redirected to something other than a plain web address"),
        ("https://jane:secret@help.example/", "it redirected to something other than a plain web address"),
    ],
)
def test_a_redirect_that_is_not_followed(target, why):
    assert try_at(always(*redirect(target)))[:2] == ("cannot_tell", why)


@pytest.mark.parametrize("target", ["https://help.example:port/", "https://xn--a.example/"])
def test_a_redirect_that_is_no_url(target):
    with FakeHelpDesk(always(*redirect(target))).running() as desk:
        code, _, trial = check(desk.settings)
    assert (code, trial["verdict"]) == (4, "cannot_tell")
    assert trial["attempts"][0]["stopped"].startswith("no usable response: ")


def test_an_application_whose_host_is_no_domain():
    with FakeHelpDesk(strict, auth_url="https://\u2603.example/sso").running() as desk:
        own = {"HELPDESK_AUTH_URL": desk.auth_url, "HELPDESK_LOGOUT_URL": f"{desk.auth_url}/logout"}
        code, _, trial = check(desk.settings | own)
    assert (code, trial["verdict"]) == (0, "accepted")


def test_no_proxy_reads_a_token():
    with FakeHelpDesk(strict).running() as proxy, FakeHelpDesk(strict).running() as desk:
        code, _, _ = check(desk.settings, HTTP_PROXY=proxy.base_url, ALL_PROXY=proxy.base_url, NO_PROXY="")
        assert proxy.visits == []
    assert code == 0


def test_another_origin_gets_no_token():
    with FakeHelpDesk(strict).running() as other:

        def hand_on(visit):
            token = visit.query.get("token", "")
            return redirect(f"{other.base_url}/tickets?jwt={token}")

        verdict, why, _ = try_at(hand_on)
        seen = [visit for visit in other.visits if "jwt" in visit.query]
    assert verdict == "cannot_tell"
    assert "127.0.0.1 with the token, which may only go to the SSO Auth URL" in why
    assert seen == []


def test_another_origin_is_visited_without_a_token():
    with FakeHelpDesk(always(*page("Elsewhere"))).running() as other:
        with FakeHelpDesk(always(*redirect(f"{other.base_url}/tickets?a=b"))).running() as desk:
            _, _, trial = check(desk.settings)
        assert {attempt["url"] for attempt in trial["attempts"]} == {f"{other.base_url}/tickets"}
        assert other.visits


def test_https_does_not_become_http(certificate):
    with FakeHelpDesk(strict).running() as plain:
        manner = always(*redirect(f"{plain.base_url}/tickets"))
        with FakeHelpDesk(manner).running(certificate) as desk:
            code, _, trial = check(desk.settings, SSL_CERT_FILE=str(certificate))
        assert plain.visits == []
    assert (code, trial["verdict"]) == (1, "cannot_tell")
    assert trial["attempts"][0]["stopped"] == "it redirected from https to http"


def test_certificates_are_verified(certificate):
    with FakeHelpDesk(strict).running(certificate) as elsewhere:

        def lead_there(visit):
            return redirect(f"{elsewhere.base_url}/tickets") if "account_id" in visit.query else page("Hello")

        with FakeHelpDesk(lead_there).running() as desk:
            code, _, trial = check(desk.settings)
        assert elsewhere.visits == []
    assert (code, trial["verdict"]) == (4, "cannot_tell")
    assert "certificate verify failed" in trial["attempts"][0]["stopped"]


# The sandbox.


def sandbox(**options):
    return Sandbox(auth_url=AUTH_URL, sso_token=SSO_TOKEN, **options)


def test_the_sandbox_accepts():
    desk = sandbox()
    with desk.run():
        assert check(desk.environment)[0] == 0
        assert [each.verdict for each in desk.handoffs].count("accepted") == 1


@pytest.mark.parametrize(
    ("options", "changed"),
    [
        ({}, {"HELPDESK_SSO_TOKEN": SSO_TOKEN[:-1]}),
        ({}, {"HELPDESK_ACCOUNT_ID": "another"}),
        ({}, {"HELPDESK_AUTH_URL": "https://app.example.com/elsewhere"}),
        ({"clock": lambda: 4_000_000_000}, {}),
        ({"clock": lambda: 1_000_000_000}, {}),
        ({"shortest_jti": 33}, {}),
        ({"longest_token": 20}, {}),
    ],
    ids=["token", "account", "auth_url", "stale", "from the future", "jti", "long"],
)
def test_the_sandbox_refuses(options, changed):
    desk = sandbox(**options)
    with desk.run():
        code, found, trial = check(desk.environment | changed)
    assert code == 1
    assert (found[-1], trial["verdict"]) == ("SSO.E064", "not_accepted")


def test_the_sandbox_wants_no_slash():
    desk = sandbox()
    with desk.run():
        code, found, trial = check(desk.environment | {"HELPDESK_AUTH_URL": SLASH})
    assert (code, found, trial["variant"]["auth_url"]) == (1, ["SSO.E065"], AUTH_URL)


def test_the_sandbox_fails_as_it_is_told():
    desk = sandbox()
    with desk.run():
        desk.fail_next("replayed", times=7)
        assert check(desk.environment)[2]["verdict"] == "not_accepted"


# What is shown.


def test_for_people():
    with FakeHelpDesk(strict).running() as desk:
        done = command(desk.settings)
    assert done.returncode == 0
    assert f"Hand-offs for {JANE}" in done.stdout
    assert f'  control without a token: 403 at {desk.base_url}/sso, title "Refused"\n' in done.stdout
    assert f"  control with a random key: 403 at {desk.base_url}/sso" in done.stdout
    assert (
        f'  the settings unchanged: 200 at {desk.base_url}/tickets, title "Tickets", cookies session\n'
        in done.stdout
    )
    assert "  Verdict: accepted, because its visitor can open" in done.stdout


def test_for_people_with_variants():
    with FakeHelpDesk(always(*redirect(f"{AUTH_URL}?error=1"))).running() as desk:
        done = command(desk.settings)
    assert f"  md5 key, auth_url {SLASH}: 303 at {AUTH_URL}, it led back to the application\n" in done.stdout
    assert "    not accepted: it led back to the application\n" in done.stdout


def test_nothing_secret_is_shown_or_logged(caplog):
    def chatty(visit):
        token = visit.query.get("token", "none")
        if visit.path == "/sso":
            signature = token.rpartition(".")[2]
            target = f"/seen/{signature};jsessionid=F00?token={token}"
            return redirect(target, cookie("sid", "S3cretValue"))
        return page(f"Seen {visit.path.partition(';')[0]}")

    caplog.set_level(logging.DEBUG)
    with FakeHelpDesk(chatty).running() as desk:
        done = command(desk.settings)
        shown = done.stdout + done.stderr + command(desk.settings, "--json").stdout + caplog.text
    assert 'title "Seen' in shown
    for visit in desk.handoffs:
        for part in visit.query.get("token", "").split(".")[1:]:
            assert part not in shown
    for secret in ("S3cretValue", "F00", SSO_TOKEN, "token="):
        assert secret not in shown
    assert logging.root.manager.disable == logging.NOTSET


# Usage.


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--as", JANE, "--yes"], "--as needs --online and cannot be used with MODULE:APP"),
        (["wsgi_apps:application", "--online", "--as", JANE, "--yes"], "cannot be used with MODULE:APP"),
        (["--online", "--as", "jane", "--yes"], "not an email address that may be signed (malformed)."),
        (["--online", "--as", JANE], "without a terminal, pass --yes"),
    ],
)
def test_usage_errors(args, said):
    with FakeHelpDesk(strict).running() as desk:
        done = run("check", *args, settings=desk.settings)
    assert done.returncode == 2
    assert said in " ".join(done.stderr.split())
    assert done.stdout == ""
    assert desk.visits == []


def test_wrong_settings_are_told_first():
    assert run("check", "--online", "--as", JANE, settings={}).returncode == 3


class Terminal(io.BytesIO):
    """Standard input, with somebody at it."""

    def isatty(self):
        return True


@pytest.mark.parametrize(("typed", "code", "handoffs"), [(b"y\n", 0, 4), (b"n\n", 2, 0), (b"\n", 2, 0)])
def test_it_asks_first(typed, code, handoffs):
    with FakeHelpDesk(strict).running() as desk:
        args = ("check", "--online", "--as", JANE, "--json")
        done = run(*args, stdin=Terminal(typed), settings=desk.settings, obj=Waits().pace)
    assert done.returncode == code
    assert f"This sends up to 8 hand-offs for {JANE} to {desk.base_url}/sso." in done.stderr
    assert "Send them? [y/N]" in done.stderr
    assert len(desk.handoffs) == handoffs
    assert "Send them?" not in done.stdout
    assert (done.stdout != "") is bool(handoffs)
