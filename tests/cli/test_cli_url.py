"""`sso-middleware url`: a live hand-off URL, and a warning."""

import json

import pytest

from cli_apps.entry_point import SETTINGS, SSO_TOKEN, run
from sso_middleware.sandbox import HandoffVerifier


def _verify(url):
    verifier = HandoffVerifier(
        sso_token=SSO_TOKEN, account_id="4711", auth_url="https://app.example.com/sso/helpdesk", leeway=1
    )
    return verifier.verify(url)


def test_the_url_alone_is_on_standard_output_and_the_warning_on_standard_error():
    done = run("url", "jane@example.com", may_print_jwt=True)
    assert done.returncode == 0
    assert done.stdout.startswith("https://acme.example/sso?token=")
    assert done.stdout.count("\n") == 1
    assert _verify(done.stdout.strip()).email == "jane@example.com"
    assert "eyJ" not in done.stderr
    assert done.stderr.startswith("Warning: anyone who opens this URL is signed in as jane@example.com.")


def test_json():
    done = run("url", "jane@example.com", "--json", may_print_jwt=True)
    facts = json.loads(done.stdout)
    verified = _verify(facts["url"])
    assert facts == {"url": facts["url"], "email": verified.email, "iat": verified.iat, "jti": verified.jti}


def test_another_prefix():
    settings = {name.replace("HELPDESK_", "SUPPORT_"): value for name, value in SETTINGS.items()}
    assert run("url", "jane@example.com", settings=settings).returncode == 3
    done = run("url", "--prefix", "SUPPORT_", "jane@example.com", settings=settings, may_print_jwt=True)
    assert _verify(done.stdout.strip()).email == "jane@example.com"


def test_the_token_may_be_in_a_file(tmp_path):
    (tmp_path / "token").write_text(f"{SSO_TOKEN}\n")
    settings = SETTINGS | {"HELPDESK_SSO_TOKEN": "", "HELPDESK_SSO_TOKEN_FILE": str(tmp_path / "token")}
    done = run("url", "jane@example.com", settings=settings, may_print_jwt=True)
    assert _verify(done.stdout.strip()).email == "jane@example.com"
    assert SSO_TOKEN not in done.stdout + done.stderr


def test_a_short_token_works():
    done = run("url", "a@b.example", settings=SETTINGS | {"HELPDESK_SSO_TOKEN": "short"}, may_print_jwt=True)
    assert done.returncode == 0


@pytest.mark.parametrize("email", ["jane", "", "jane@example.com "])
def test_what_is_no_address_is_a_usage_error(email):
    done = run("url", email)
    assert done.returncode == 2
    assert "not an email address that may be signed" in done.stderr
    assert done.stdout == ""


def test_wrong_settings_are_all_named():
    done = run("url", "jane@example.com", settings={"HELPDESK_AUTH_URL": "http://app.example.com/sso"})
    assert done.returncode == 3
    for name in ("SSO_TOKEN", "SSO_AUTH_URL", "ACCOUNT_ID", "AUTH_URL"):
        assert f"HELPDESK_{name}: " in done.stderr


def test_the_token_is_not_taken_from_the_command_line():
    done = run("url", "jane@example.com", "--sso-token", "anything-at-all")
    assert done.returncode == 2
    assert "No such option" in done.stderr
