"""`sso-middleware inspect`: what is in a hand-off, and why it would be rejected."""

import base64
import hashlib
import json
import subprocess
import sys
import time

import jwt
import pytest

from cli_apps.entry_point import SETTINGS, SSO_TOKEN, environment, run
from sso_middleware import HelpDesk

DESK = HelpDesk.from_env(SETTINGS)
NO_ACCOUNT = {"HELPDESK_SSO_TOKEN": SSO_TOKEN}


def inspect(*args, **options):
    done = run("inspect", *args, "--json", **options)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def signed_with(key):
    claims = {"email": "jane@example.com", "iat": int(time.time()), "jti": "a" * 32}
    return jwt.encode(claims, key, algorithm="HS256")


@pytest.mark.parametrize("args", [(), ("-",)])
@pytest.mark.parametrize("wrapping", ["{}", "  {}\n", "Location: {}\r\n", '"{}"', "<{}>"])
def test_a_good_url_from_standard_input(args, wrapping):
    code, report = inspect(*args, stdin=wrapping.format(DESK.handoff_url("jane@example.com")))
    assert code == 0
    assert report["verdict"] == "accepted"
    assert report["header"] == {"alg": "HS256", "typ": "JWT"}
    assert list(report["claims"]) == ["email", "iat", "jti"]
    assert report["claims"]["email"] == "jane@example.com"
    assert report["account_id"] == "4711"
    assert report["auth_url"] == "https://app.example.com/sso/helpdesk"
    assert 0 <= report["age"] <= 5
    assert (report["not_judged"], report["caveat"]) == ([], None)


@pytest.mark.parametrize("options", [(), ("--insecure",)])
def test_a_url_that_the_shell_cut_at_its_first_ampersand(options):
    url = DESK.handoff_url("jane@example.com")
    report = inspect(url.partition("&")[0], *options)[1]
    said = report["caveat" if options else "hint"]
    assert "The shell cut the URL off at its first &: quote the URL" in said
    done = run("inspect", url.partition("&")[0], *options)
    assert said in done.stdout
    whole = inspect(url.replace("&auth_url=", "&other="), *options)[1]
    assert "shell" not in f"{whole.get('hint')} {whole['caveat']}"


def test_a_good_url_as_an_argument():
    assert inspect(DESK.handoff_url("jane@example.com"))[0] == 0


@pytest.mark.parametrize("settings", [NO_ACCOUNT, SETTINGS])
def test_a_jwt_alone_needs_no_account(settings):
    handoff = DESK.handoff("jane@example.com")
    code, report = inspect(stdin=handoff.token, settings=settings)
    assert (code, report["verdict"]) == (0, "accepted")
    done = run("inspect", stdin=handoff.token, settings=settings)
    caveat = "A JWT alone: account_id and auth_url were not judged."
    assert caveat in done.stdout
    assert (report["not_judged"], report["caveat"]) == (["account_id", "auth_url"], caveat)


def test_for_people():
    handoff = DESK.handoff("jane@example.com")
    done = run("inspect", stdin=handoff.url)
    assert done.returncode == 0
    assert (
        f'Claims      {{"email": "jane@example.com", "iat": {handoff.iat}, "jti": "{handoff.jti}"}}'
        in done.stdout
    )
    assert "Issued      20" in done.stdout
    assert "account_id  4711" in done.stdout
    assert "Verdict     accepted" in done.stdout
    assert "A JWT alone" not in done.stdout


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (f"{SSO_TOKEN}\n", "your SSO Token followed by a newline"),
        (f"  {SSO_TOKEN}"[1:], "your SSO Token with a space before it"),
        (hashlib.md5(SSO_TOKEN.encode()).hexdigest(), "md5"),
        (base64.b64decode(SSO_TOKEN + "=" * (-len(SSO_TOKEN) % 4)), "base64-decoded"),
        (base64.b64encode(SSO_TOKEN.encode()), "base64-encoded"),
        ("quite another token, of a good length", "or a common variation of it"),
    ],
)
def test_a_token_signed_with_the_wrong_key_says_which(key, said):
    done = run("inspect", stdin=signed_with(key))
    assert done.returncode == 1
    assert "Verdict     bad_signature" in done.stdout
    assert said in done.stdout
    assert ("Assumed: " in done.stdout) == (said == "md5")


def test_a_stale_token_is_judged_apart_from_its_age_too():
    old = int(time.time()) - 600
    done = run("inspect", stdin=DESK.handoff("jane@example.com", iat=old).url)
    assert done.returncode == 1
    assert "Verdict     stale" in done.stdout
    assert "Ignoring its age: accepted." in done.stdout
    code, report = inspect(stdin=DESK.handoff("jane@example.com", iat=old, jti="short").url)
    assert (code, report["verdict"]) == (1, "invalid_jti")
    assert inspect("--freshness", "700", stdin=DESK.handoff("jane@example.com", iat=old).url)[0] == 0


def test_a_token_from_the_future():
    ahead = DESK.handoff("jane@example.com", iat=int(time.time()) + 60)
    done = run("inspect", stdin=ahead.url)
    assert done.returncode == 1
    assert "Verdict     issued_in_future" in done.stdout
    assert "seconds in the future" in done.stdout
    assert inspect("--leeway", "90", stdin=ahead.url)[0] == 0


def test_another_auth_url():
    other = HelpDesk.from_env(SETTINGS | {"HELPDESK_AUTH_URL": "https://app.example.com/sso/helpdesk/"})
    code, report = inspect(stdin=other.handoff_url("jane@example.com"))
    assert (code, report["verdict"]) == (1, "auth_url_mismatch")
    assert "slash" in report["hint"]


@pytest.mark.parametrize("url", ["https://acme.example/sso", "?account_id=4711"])
def test_a_url_without_a_token(url):
    code, report = inspect(stdin=url)
    assert (code, report["verdict"]) == (1, "missing_token")
    assert report["header"] is None
    assert report["age"] is None
    assert "Claims      cannot be read" in run("inspect", stdin=url).stdout


def test_what_is_no_jwt():
    assert inspect(stdin="hello")[1]["verdict"] == "malformed_token"


@pytest.mark.parametrize("claims", [{"iat": "now"}, {"iat": 1.5}, {}, {"iat": 10**18}, {"iat": -(10**18)}])
def test_odd_claims_are_shown(claims):
    code, report = inspect("--insecure", stdin=jwt.encode(claims | {"sub": "x"}, SSO_TOKEN), settings={})
    assert (code, report["claims"]) == (0, claims | {"sub": "x"})
    done = run("inspect", "--insecure", stdin=jwt.encode(claims | {"sub": "x"}, SSO_TOKEN), settings={})
    assert done.returncode == 0


def test_a_payload_that_is_no_object_is_shown():
    token = ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (b"{}", b"[1]", b"x"))
    assert inspect("--insecure", stdin=token, settings={})[1]["claims"] == [1]


def test_insecure_needs_no_settings_and_says_so():
    done = run("inspect", "--insecure", stdin=DESK.handoff_url("jane@example.com"), settings={})
    assert done.returncode == 0
    assert "Not verified: anyone may have made this." in done.stdout
    assert "Verdict" not in done.stdout
    _, report = inspect("--insecure", stdin=DESK.handoff_url("jane@example.com"), settings={})
    assert report["not_judged"] == ["token", "account_id", "auth_url"]
    assert report["caveat"] == "Not verified: anyone may have made this."
    assert run("inspect", "--insecure", stdin="hello", settings={}).returncode == 1


def test_control_characters_and_secrets_in_claims_stay_off_the_terminal():
    token = jwt.encode({"email": "\x1b[31mred", "note": SSO_TOKEN, "inner": signed_with("x" * 32)}, SSO_TOKEN)
    for args in ((), ("--json",)):
        done = run("inspect", *args, stdin=token)
        assert "\x1b" not in done.stdout
        assert "[SSO Token]" in done.stdout
        assert "[token]" in done.stdout


def test_a_token_from_a_file_stays_off_the_terminal_too(tmp_path):
    (tmp_path / "token").write_text(SSO_TOKEN)
    settings = SETTINGS | {"HELPDESK_SSO_TOKEN": "", "HELPDESK_SSO_TOKEN_FILE": str(tmp_path / "token")}
    done = run("inspect", stdin=jwt.encode({"note": SSO_TOKEN}, SSO_TOKEN), settings=settings)
    assert SSO_TOKEN not in done.stdout
    assert "[SSO Token]" in done.stdout


def test_without_a_token_to_judge_by_it_exits_3():
    done = run("inspect", stdin=DESK.handoff_url("jane@example.com"), settings={})
    assert done.returncode == 3
    assert "HELPDESK_SSO_TOKEN: is not set" in done.stderr


def test_a_token_with_white_space_in_the_settings_is_named():
    done = run(
        "inspect",
        stdin=DESK.handoff_url("a@b.example"),
        settings=SETTINGS | {"HELPDESK_SSO_TOKEN": f"{SSO_TOKEN} "},
    )
    assert done.returncode == 3
    assert "HELPDESK_SSO_TOKEN: starts or ends with white space" in done.stderr


@pytest.mark.parametrize("args", [(), ("--json",)])
@pytest.mark.parametrize("given", ["http://[?token=x", b"\xff\xfe\x80", b"http://x/?token=\xff"])
def test_what_cannot_be_read_is_rejected(args, given):
    assert run("inspect", *args, stdin=given).returncode == 1
    if args:
        assert run("inspect", *args, given).returncode == 1


@pytest.mark.parametrize("nested", ["[" * 101, [[]] * 101])
def test_a_stale_token_that_is_not_shown_is_judged_all_the_same(nested):
    claims = {"email": "jane@example.com", "iat": int(time.time()) - 600, "jti": "a" * 32, "more": nested}
    code, report = inspect(stdin=jwt.encode(claims, SSO_TOKEN))
    assert (code, report["verdict"], report["age_apart"]) == (1, "stale", "accepted")


@pytest.mark.parametrize("option", ["--freshness", "--leeway"])
@pytest.mark.parametrize("value", ["nan", "inf", "-1"])
def test_seconds_that_are_none_are_a_usage_error(option, value):
    done = run("inspect", option, value, stdin=DESK.handoff_url("jane@example.com"))
    assert done.returncode == 2
    assert f"{option[2:]}: must be a number, at least 0" in done.stderr


def test_a_value_cannot_make_a_line_of_its_own():
    url = DESK.handoff_url("jane@example.com").replace(
        "account_id=4711", "account_id=4711%0AVerdict%20%20%20"
    )
    done = run("inspect", stdin=url)
    assert done.returncode == 1
    assert "account_id  4711\\nVerdict" in done.stdout
    assert [line for line in done.stdout.splitlines() if line.startswith("Verdict ")] == [
        "Verdict     unknown_account"
    ]
    assert inspect(stdin=url)[1]["account_id"] == "4711\nVerdict   "


def test_a_url_with_its_parameters_behind_a_hash_is_no_jwt_alone():
    done = run("inspect", stdin=DESK.handoff_url("jane@example.com").replace("?", "#"))
    assert done.returncode == 1
    assert "after a #" in done.stdout
    assert "A JWT alone" not in done.stdout


def test_an_iat_of_true_is_no_date():
    done = run("inspect", "--insecure", stdin=jwt.encode({"sub": "x", "iat": True}, SSO_TOKEN))
    assert done.returncode == 0
    assert "Issued" not in done.stdout


def test_nothing_to_inspect_is_a_usage_error():
    done = run("inspect", stdin=" \n")
    assert done.returncode == 2
    assert "URL|JWT: is empty" in done.stderr


def test_standard_input_that_is_closed_is_a_usage_error():
    # As Python has it after `<&-`.
    code = "import sys; sys.stdin = None; from sso_middleware.cli import main; main()"
    command = [sys.executable, "-c", code, "inspect", "-"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=60, check=False)
    assert done.returncode == 2
    assert "URL|JWT: is empty" in done.stderr


HEADERS = """HTTP/1.1 303 See Other\r
Content-Type: text/html; charset=utf-8\r
{}Location: {}\r
Set-Cookie: sso_handoffs=1795390433.1; Max-Age=20; Path=/sso/helpdesk; HttpOnly; SameSite=Lax; Secure\r
\r
{}"""


FIRST = "HTTP/1.1 301 Moved\r\nLocation: https://app.example.com/sso/helpdesk\r\n\r\n"
LAST = "HTTP/1.1 303 See Other\r\nlocation: /tickets\r\n\r\n"


@pytest.mark.parametrize("mark", ["", "< "], ids=["include", "verbose"])
@pytest.mark.parametrize(("before", "after"), [("", ""), (FIRST, LAST)], ids=["one", "followed"])
def test_what_curl_prints(mark, before, after):
    printed = before + HEADERS.format(mark, DESK.handoff_url("jane@example.com"), after)
    code, report = inspect(stdin=printed)
    assert (code, report["verdict"]) == (0, "accepted")
    assert report["auth_url"] == "https://app.example.com/sso/helpdesk"


def test_an_answer_that_leads_elsewhere():
    code, report = inspect(stdin=HEADERS.format("", "/login?next=/sso/helpdesk", ""))
    assert (code, report["verdict"]) == (1, "missing_token")
