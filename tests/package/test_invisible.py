"""Characters that nobody can see, and what is pasted beside a setting: refused, by name, everywhere."""

from __future__ import annotations

import unicodedata

import pytest

from clients import AUTH_URL, LOGOUT_URL, SSO_TOKEN, make_desk
from sso_middleware import ConfigError, HelpDesk, Logout
from sso_middleware.resolvers.assertion import signed_assertion
from sso_middleware.resolvers.bottle import signed_cookie_email
from sso_middleware.resolvers.starlette import session_email, user_email

INVISIBLE = {
    "\ufeff": "U+FEFF ZERO WIDTH NO-BREAK SPACE",
    "\u200b": "U+200B ZERO WIDTH SPACE",
    "\u00ad": "U+00AD SOFT HYPHEN",
    "\u2060": "U+2060 WORD JOINER",
    "\u202e": "U+202E RIGHT-TO-LEFT OVERRIDE",
    "\U000e0061": "U+E0061 TAG LATIN SMALL LETTER A",
    "\0": "U+0000 NULL",
    "\n": "U+000A LINE FEED",
    "\r": "U+000D CARRIAGE RETURN",
    "\t": "U+0009 TABULATION",
    "\x1b": "U+001B CONTROL CHARACTER",
    "\x85": "U+0085 CONTROL CHARACTER",
    "\u2028": "U+2028 LINE SEPARATOR",
    "\u2029": "U+2029 PARAGRAPH SEPARATOR",
    "\udc80": "U+DC80 SURROGATE",
}
VALUES = {
    "sso_token": SSO_TOKEN,
    "sso_auth_url": "https://acme.example/sso",
    "account_id": "4711",
    "auth_url": AUTH_URL,
    "logout_url": LOGOUT_URL,
}
SHOWN = "contains {} at position 4, which cannot be seen: remove it"


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("character", INVISIBLE, ids=INVISIBLE.get)
def test_account(name, character):
    """The error names the character and its position, and not the value."""
    value = VALUES[name][:3] + character + VALUES[name][3:]
    with pytest.raises(ConfigError) as caught:
        make_desk(**{name: value})
    assert caught.value.problems == {name: SHOWN.format(INVISIBLE[character])}


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("at_begin", [True, False])
def test_ends(name, at_begin):
    """At either end, too, where they come from a page or another file."""
    value = f"\u200b{VALUES[name]}" if at_begin else f"{VALUES[name]}\u200b"
    with pytest.raises(ConfigError) as caught:
        make_desk(**{name: value})
    position = 1 if at_begin else len(value)
    assert caught.value.problems[name].startswith(f"contains U+200B ZERO WIDTH SPACE at position {position},")


def test_every_such_character():
    """Every control and format character, separator and surrogate of Unicode is refused; no other is."""
    refused = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    for code in [*range(0x3100), *range(0xD7F0, 0xE010), *range(0xFE00, 0x10000), *range(0xE0000, 0xE0100)]:
        is_refused = unicodedata.category(chr(code)) in refused
        if not chr(code).isspace() and (is_refused or code % 7 == 0):  # a seventh of the others
            accepted = True
            try:
                make_desk(account_id=f"a{chr(code)}b")
            except ConfigError:
                accepted = False
            assert accepted is not is_refused, hex(code)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("paths", {"paths": "/ss\u200bo"}),
        ("login_url", {"login_url": "/lo\u200bgin"}),
        ("login_url", {"login_url": "https://id.example/\u200b"}),
        ("next_param", {"next_param": "nex\u200bt"}),
    ],
)
def test_middleware(site, name, options):
    """The middleware's own settings."""
    with pytest.raises(ConfigError, match=rf"{name}: .*contains U\+200B ZERO WIDTH SPACE at position "):
        site(options=options)


@pytest.mark.parametrize("options", [{"path": "/b\u200bye"}, {"then": "/b\u200bye"}])
def test_logout(options):
    """Those of Logout."""
    with pytest.raises(ConfigError, match=r"contains U\+200B ZERO WIDTH SPACE at position 3"):
        Logout(list, **options)


ASSERTION = {
    "jwks_url": "https://id.example/keys",
    "audience": "app",
    "issuer": "https://id.example",
    "algorithms": "RS256",
}


RESOLVERS = {
    "audience": lambda: signed_assertion("X-Assertion", **ASSERTION | {"audience": ["app", "ap\u200bp"]}),
    "issuer": lambda: signed_assertion("X-Assertion", **ASSERTION | {"issuer": "id\u200b"}),
    "claim": lambda: signed_assertion("X-Assertion", **ASSERTION, claim="em\u200bail"),
    "jwks_url": lambda: signed_assertion(
        "X-Assertion", **ASSERTION | {"jwks_url": "https://id.example/\u200b"}
    ),
    "name": lambda: signed_cookie_email("us\u200ber", "secret", verified=True),
    "keys": lambda: session_email("us\u200ber", verified=True),
    "attr": lambda: user_email("em\u200bail", verified=True),
    "verified": lambda: user_email(verified="ver\u200bified"),
}


@pytest.mark.parametrize("name", RESOLVERS)
def test_resolvers(name):
    """Those of resolvers, where one would make everybody anonymous, or nobody verified, and say nothing."""
    with pytest.raises(ConfigError, match=rf"{name}: contains U\+200B ZERO WIDTH SPACE at position "):
        RESOLVERS[name]()


@pytest.mark.parametrize(
    "pasted",
    [
        f"HELPDESK_SSO_TOKEN={SSO_TOKEN}",
        f"export HELPDESK_SSO_TOKEN={SSO_TOKEN}",
        f'HELPDESK_SSO_TOKEN="{SSO_TOKEN}"',
        f"SUPPORT_SSO_TOKEN = {SSO_TOKEN}",
        f"sso_token: {SSO_TOKEN}",
        f"HELPDESK_ACCOUNT_ID={SSO_TOKEN}",
    ],
)
def test_whole_line(pasted):
    """A line of an environment file instead of the token is a ConfigError, however it is passed."""
    for make in (lambda: make_desk(sso_token=pasted), lambda: HelpDesk.from_env(variables(pasted))):
        with pytest.raises(ConfigError, match=r"(sso_token|HELPDESK_SSO_TOKEN): is a whole line NAME=value"):
            make()


@pytest.mark.parametrize("mark", ["'", '"', "`"])
def test_quotation_marks(mark):
    """A token with the quotation marks around it says so."""
    with pytest.raises(ConfigError, match="sso_token: is in quotation marks"):
        make_desk(sso_token=f"{mark}{SSO_TOKEN}{mark}")


@pytest.mark.parametrize("pasted", ["HELPDESK_ACCOUNT_ID=4711", "account_id=4711", '"4711"'])
def test_account_id_with_more(pasted):
    """An Account ID with more around it is a ConfigError: the Help Desk would not find it."""
    with pytest.raises(ConfigError, match="account_id: must be the value alone"):
        make_desk(account_id=pasted)


@pytest.mark.parametrize("token", [f"{SSO_TOKEN}=", f"{SSO_TOKEN}==", f"key={SSO_TOKEN}", f'"{SSO_TOKEN}'])
def test_what_a_token_may_hold(token):
    """An equals sign or a quotation mark of its own is part of a token."""
    assert make_desk(sso_token=token)


def variables(sso_token):
    return {f"HELPDESK_{name.upper()}": value for name, value in (VALUES | {"sso_token": sso_token}).items()}


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-16", "utf-32-le"])
def test_file_in_another_encoding(tmp_path, encoding):
    """A file in UTF-16, which Windows PowerShell writes, with or without a byte-order mark, says so."""
    path = tmp_path / "token"
    path.write_bytes(f"{SSO_TOKEN}\n".encode(encoding))
    with pytest.raises(ConfigError, match="HELPDESK_SSO_TOKEN_FILE: names a file that is not UTF-8 text"):
        HelpDesk.from_env(variables("") | {"HELPDESK_SSO_TOKEN_FILE": str(path)})


@pytest.mark.parametrize(
    "content", [f"HELPDESK_SSO_TOKEN={SSO_TOKEN}\n", f"{SSO_TOKEN}\nmore\n", f"\u200b{SSO_TOKEN}"]
)
def test_file_that_holds_more(tmp_path, content):
    """The error of what a file holds is that of its variable."""
    path = tmp_path / "token"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        HelpDesk.from_env(variables("") | {"HELPDESK_SSO_TOKEN_FILE": str(path)})
    assert caught.value.problems.keys() == {"HELPDESK_SSO_TOKEN_FILE"}
    assert SSO_TOKEN not in str(caught.value)
