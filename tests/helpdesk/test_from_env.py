"""HelpDesk.from_env: settings from variables."""

from __future__ import annotations

import traceback

import jwt
import pytest

from clients import AUTH_URL, JANE, LOGOUT_URL, SSO_TOKEN
from sso_middleware import ConfigError, HelpDesk, ShortTokenWarning

VARIABLES = {
    "HELPDESK_SSO_TOKEN": SSO_TOKEN,
    "HELPDESK_SSO_AUTH_URL": "https://acme.example/sso",
    "HELPDESK_ACCOUNT_ID": "4711",
    "HELPDESK_AUTH_URL": AUTH_URL,
}


def key_is(desk, sso_token):
    return jwt.decode(desk.handoff(JANE).token, sso_token, algorithms=["HS256"])["email"] == JANE


def test_environment(monkeypatch):
    """By default it reads the process's environment."""
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HELPDESK_LOGOUT_URL", LOGOUT_URL)
    desk = HelpDesk.from_env()
    assert (desk.account_id, desk.auth_url, desk.logout_url, desk.backdate, desk.allow_http) == (
        "4711",
        AUTH_URL,
        LOGOUT_URL,
        0,
        False,
    )
    assert key_is(desk, SSO_TOKEN)


def test_mapping_with_prefix():
    """Any mapping will do, such as Flask's app.config, with values that are no strings."""
    config = {name.replace("HELPDESK_", "SUPPORT_"): value for name, value in VARIABLES.items()}
    config |= {
        "SUPPORT_ACCOUNT_ID": 4711,
        "SUPPORT_BACKDATE": 5,
        "SUPPORT_ALLOW_HTTP": True,
        "SUPPORT_LOGOUT_URL": None,
    }
    desk = HelpDesk.from_env(config, prefix="SUPPORT_")
    assert (desk.account_id, desk.backdate, desk.allow_http, desk.logout_url) == ("4711", 5, True, None)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1", True),
        ("true", True),
        ("YES", True),
        ("On", True),
        ("0", False),
        ("false", False),
        ("No", False),
        ("OFF", False),
        ("", False),
    ],
)
def test_allow_http(value, expected):
    """1/true/yes/on and 0/false/no/off or empty, in any letter case."""
    assert HelpDesk.from_env(VARIABLES | {"HELPDESK_ALLOW_HTTP": value}).allow_http is expected


def test_backdate():
    """Seconds as digits; empty is none."""
    assert HelpDesk.from_env(VARIABLES | {"HELPDESK_BACKDATE": "30"}).backdate == 30
    assert HelpDesk.from_env(VARIABLES | {"HELPDESK_BACKDATE": ""}).backdate == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HELPDESK_SSO_TOKEN", f"{SSO_TOKEN} "),
        ("HELPDESK_SSO_AUTH_URL", "acme.example"),
        ("HELPDESK_ACCOUNT_ID", " 4711"),
        ("HELPDESK_AUTH_URL", "http://app.example.com/"),
        ("HELPDESK_LOGOUT_URL", "/logout"),
        ("HELPDESK_BACKDATE", "31"),
        ("HELPDESK_BACKDATE", "-1"),
        ("HELPDESK_BACKDATE", "1.5"),
        ("HELPDESK_BACKDATE", "\u0663"),
        ("HELPDESK_BACKDATE", "9" * 5000),
        ("HELPDESK_ALLOW_HTTP", "maybe"),
        ("HELPDESK_ALLOW_HTTP", "2"),
    ],
)
def test_wrong_variable(name, value):
    """A wrong variable is a ConfigError that names the variable."""
    with pytest.raises(ConfigError) as caught:
        HelpDesk.from_env(VARIABLES | {name: value})
    assert caught.value.problems.keys() == {name}


def test_what_allow_http_may_be():
    """The message for ALLOW_HTTP lists the words that are understood, for it is a word in a variable."""
    with pytest.raises(ConfigError, match="HELPDESK_ALLOW_HTTP: must be one of 1, true, yes, on, 0,"):
        HelpDesk.from_env(VARIABLES | {"HELPDESK_ALLOW_HTTP": "maybe"})


def test_other_variable_in_a_message():
    """Where a message tells of another setting, it is by the name of its variable."""
    variables = {name.replace("HELPDESK", "ACME"): value for name, value in VARIABLES.items()}
    with pytest.raises(ConfigError, match=r"\(ACME_ALLOW_HTTP permits it\)"):
        HelpDesk.from_env(variables | {"ACME_AUTH_URL": "http://app.example.com/"}, "ACME_")


@pytest.mark.parametrize(
    ("wrong", "error"), [({"HELPDESK_ACCOUNT_ID": ""}, ConfigError), ({}, ShortTokenWarning)]
)
@pytest.mark.filterwarnings("error::sso_middleware.ShortTokenWarning")
def test_no_frame_shows_the_token(wrong, error):
    """A traceback with locals, as some error trackers send, does not show what the mapping holds."""
    with pytest.raises(error) as caught:
        HelpDesk.from_env(VARIABLES | {"HELPDESK_SSO_TOKEN": "short-secret"} | wrong)
    stack = traceback.TracebackException.from_exception(caught.value, capture_locals=True).stack
    assert [frame.name for frame in stack if "short-secret" in str(frame.locals)] == []


def test_everything_missing():
    """All that is missing is named at once."""
    with pytest.raises(ConfigError) as caught:
        HelpDesk.from_env({})
    assert caught.value.problems == dict.fromkeys(VARIABLES, "is not set")


def test_empty_is_not_set():
    """An empty value counts as not set."""
    with pytest.raises(ConfigError) as caught:
        HelpDesk.from_env(dict.fromkeys(VARIABLES, ""))
    assert caught.value.problems == dict.fromkeys(VARIABLES, "is not set")


class TestTokenFile:
    @pytest.fixture
    def variables(self, tmp_path):
        path = tmp_path / "token"

        def write(content):
            path.write_bytes(content)
            return {**VARIABLES, "HELPDESK_SSO_TOKEN": "", "HELPDESK_SSO_TOKEN_FILE": str(path)}

        return write

    @pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
    @pytest.mark.parametrize("bom", ["", "\ufeff"])
    def test_one_newline_is_taken_off(self, variables, ending, bom):
        """Exactly one trailing newline is taken off, and the byte-order mark of some editors."""
        assert key_is(HelpDesk.from_env(variables(f"{bom}{SSO_TOKEN}{ending}".encode())), SSO_TOKEN)

    @pytest.mark.parametrize(
        "content", [f"{SSO_TOKEN}\n\n", f"{SSO_TOKEN}\r", f" {SSO_TOKEN}", f"{SSO_TOKEN} \n", "", "\n"]
    )
    def test_nothing_else_is(self, variables, content):
        """Other white space is an error that names the variable of the file."""
        with pytest.raises(ConfigError) as caught:
            HelpDesk.from_env(variables(content.encode()))
        assert caught.value.problems.keys() == {"HELPDESK_SSO_TOKEN_FILE"}

    @pytest.mark.parametrize("content", [b"\xff\xfe\x00" + SSO_TOKEN.encode(), SSO_TOKEN.encode("utf-16-le")])
    def test_not_text(self, variables, content):
        """A file that is not UTF-8 is an error, also UTF-16 without a byte-order mark."""
        with pytest.raises(ConfigError, match="HELPDESK_SSO_TOKEN_FILE: names a file that is not UTF-8"):
            HelpDesk.from_env(variables(content))

    @pytest.mark.parametrize("path", [SSO_TOKEN, f"{SSO_TOKEN}\x00", "/"])
    def test_token_in_the_wrong_variable(self, path):
        """A token put where a file's name belongs is not shown, nor is the name."""
        with pytest.raises(ConfigError, match="HELPDESK_SSO_TOKEN_FILE: names a file that") as caught:
            HelpDesk.from_env({**VARIABLES, "HELPDESK_SSO_TOKEN": "", "HELPDESK_SSO_TOKEN_FILE": path})
        assert SSO_TOKEN not in "".join(traceback.format_exception(caught.value))

    def test_both(self, variables):
        """Token and file at once is an error, whatever they hold."""
        for token in (SSO_TOKEN, " "):
            with pytest.raises(
                ConfigError, match="HELPDESK_SSO_TOKEN_FILE: is set, and HELPDESK_SSO_TOKEN too"
            ):
                HelpDesk.from_env(variables(SSO_TOKEN.encode()) | {"HELPDESK_SSO_TOKEN": token})

    def test_short(self, variables):
        """A short token in a file warns like any other, once."""
        with pytest.warns(ShortTokenWarning) as caught:
            HelpDesk.from_env(variables(b"short"))
        assert len(caught) == 1
