"""`forward_params`: deep links survive the login and reach the Help Desk."""

from __future__ import annotations

import logging
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients import UnprefixedASGISite, WSGISite, jane, make_desk, nobody
from sso_middleware import ConfigError, HelpDesk, Logout

PATH = "/sso/helpdesk"
DESK = make_desk(forward_params=("return_page", "site"))
TAIL = "&account_id=4711&auth_url=https%3A%2F%2Fapp.example.com%2Fsso%2Fhelpdesk"


def forwarded(reply):
    return parse_qsl(urlsplit(reply["location"]).query, keep_blank_values=True)[3:]


class TestHandOff:
    def test_appended(self, site):
        """The values follow the three parameters, in the order of forward_params."""
        reply = site(jane, DESK).get(PATH, query="site=a%20b&return_page=/tickets/7%3Fx%3D1%26y&z=3")
        assert reply["location"].endswith(f"{TAIL}&return_page=%2Ftickets%2F7%3Fx%3D1%26y&site=a%20b")

    def test_form_encoding(self, site):
        """A plus sign is a space, and an equals sign is part of a value."""
        reply = site(jane, DESK).get(PATH, query="return_page=a+b=c&s%69te=d")
        assert forwarded(reply) == [("return_page", "a b=c"), ("site", "d")]

    def test_name_that_is_not_utf_8(self, site):
        """A parameter whose name is not UTF-8 is ignored."""
        assert forwarded(site(jane, DESK).get(PATH, query="%ff=a&site=b")) == [("site", "b")]

    def test_query_that_is_no_bytes(self):
        """A WSGI server may decode the query, against PEP 3333: the visit goes on without the character."""
        assert forwarded(WSGISite(jane, DESK).get(PATH, query="site=\u20ac")) == [("site", "?")]

    def test_off_by_default(self, site):
        """Without forward_params nothing of the query is passed on."""
        assert site(jane).get(PATH, query="return_page=/tickets/7")["location"].endswith(TAIL)

    def test_first_value_counts(self, site):
        """Of several values of a name, the first is taken."""
        reply = site(jane, DESK).get(PATH, query="return_page=a&return_page=b")
        assert forwarded(reply) == [("return_page", "a")]

    @pytest.mark.parametrize("value", ["%0D%0AX: y", "%00", "%E2%80%8B", "%ff", "a" * 1025, "%ED%A0%80"])
    def test_unfit_values_are_dropped(self, site, caplog, value):
        """A value that is too long, not printable or not UTF-8 is dropped; the log has its name only."""
        reply = site(jane, DESK).get(PATH, query=f"return_page={value}&site=b")
        assert forwarded(reply) == [("site", "b")]
        assert "not forwarded, because the value" in caplog.text
        assert "return_page" in caplog.text
        assert value not in caplog.text

    @pytest.mark.parametrize("value", ["", "a" * 1024, "\u00fc\u65e5", "a+b"])
    def test_fit_values(self, site, value):
        """Any printable value arrives as it was sent."""
        reply = site(jane, DESK).get(PATH, query=f"return_page={quote(value, safe='')}")
        assert forwarded(reply) == [("return_page", value)]


class TestWayBack:
    @pytest.mark.parametrize("login_url", ["/login", "https://id.example/login"])
    def test_through_the_login(self, site, login_url):
        """`next` carries the forwarded parameters, and nothing else of the query."""
        reply = site(nobody, DESK, {"login_url": login_url}).get(PATH, query="return_page=/t/7%26a&evil=1")
        way_back = dict(parse_qsl(urlsplit(reply["location"]).query))["next"]
        assert way_back.endswith("/sso/helpdesk?return_page=%2Ft%2F7%26a")
        assert forwarded(site(jane, DESK).get(PATH, query=urlsplit(way_back).query)) == [
            ("return_page", "/t/7&a")
        ]

    def test_post(self, site):
        """A login form's 307 keeps them, too."""
        reply = site(nobody, DESK, {"login_url": "/login"}).request("POST", PATH, query="return_page=/t&x=1")
        assert reply["location"] == "/sso/helpdesk?return_page=%2Ft"

    def test_by_the_cookie(self, site):
        """resume_at carries them in its cookie."""
        options = {"login_url": "/login", "resume_at": "/"}
        sent = site(nobody, DESK, options).get(PATH, query="return_page=/t/7;%2C%22&x=1")
        value = sent["set-cookie"].partition(";")[0]
        assert value == "sso_pending=1.return_page=%2Ft%2F7%3B%2C%22"
        reply = site(jane, DESK, options).get("/", headers=[("Cookie", value)])
        assert reply["location"] == "/sso/helpdesk?return_page=%2Ft%2F7%3B%2C%22"

    @pytest.mark.parametrize(("length", "kept"), [(3500, True), (3501, False)])
    def test_too_long_for_a_cookie(self, site, length, kept):
        """What no browser would keep is left out of the cookie."""
        options = {"login_url": "/login", "resume_at": "/"}
        page = f"return_page={'%E6%97%A5' * 340}&site="
        query = page + "x" * (length - len(page))
        reply = site(nobody, DESK, options).get(PATH, query=query)
        assert reply["set-cookie"].startswith(f"sso_pending=1.{query};" if kept else "sso_pending=1;")

    def test_a_made_up_cookie(self, site):
        """What is in the cookie is judged like a query."""
        options = {"login_url": "/login", "resume_at": "/"}
        cookie = ("Cookie", "sso_pending=1.return_page=%0d%0a&evil=1&site=ok")
        reply = site(jane, DESK, options).get("/", headers=[cookie])
        assert reply["location"] == "/sso/helpdesk?site=ok"

    def test_several_accounts(self, site):
        """A HelpDesk that a callable chooses forwards its own parameters."""
        reply = site(jane, lambda source, email: DESK, {"paths": "/sso"}).get("/sso", query="site=b&x=1")
        assert forwarded(reply) == [("site", "b")]


class TestLog:
    def test_names_at_the_auth_url(self, site, caplog):
        """DEBUG names the parameters that are not forwarded, never their values."""
        with caplog.at_level(logging.DEBUG, "sso_middleware"):
            site(jane, DESK).get(PATH, query="state=s3cret&return_page=/t&jane%40example.com&x%0A=1")
        assert f"query parameters at '{PATH}' that are not forwarded: ['state']" in caplog.text
        assert "s3cret" not in caplog.text
        assert "jane" not in caplog.text

    def test_names_at_the_logout_url(self, site, caplog):
        """The Logout URL's are named, too."""
        with caplog.at_level(logging.DEBUG, "sso_middleware"):
            site(jane, options={"logout": Logout(lambda source: [])}).get("/sso/logout", query="error=x9y")
        assert "['error']" in caplog.text
        assert "x9y" not in caplog.text

    def test_dropped_from_a_post(self, site, caplog):
        """The parameters that the redirect of a POST drops are logged, too."""
        reply = site(jane, DESK, {"login_url": "/login"}).request(
            "POST", PATH, query="return_page=%00&site=b"
        )
        assert reply["location"] == f"{PATH}?site=b"
        assert "not forwarded, because the value" in caplog.text

    def test_silent_above_debug(self, site, caplog):
        """At INFO nothing is said of them."""
        with caplog.at_level(logging.INFO, "sso_middleware"):
            site(jane, DESK).get(PATH, query="state=1")
        assert "state" not in caplog.text


class TestSettings:
    @pytest.mark.parametrize(
        "names",
        [["a b"], ["token"], ["account_id"], ["auth_url"], ["a", "a"], [""], [7], 7, None, ["\u00e4"]],
    )
    def test_wrong(self, names):
        """Names are plain, none of the three, and no two are the same."""
        with pytest.raises(ConfigError) as caught:
            make_desk(forward_params=names)
        assert "forward_params" in caught.value.problems

    def test_in_the_sso_auth_url(self):
        """sso_auth_url must not carry one already."""
        with pytest.raises(ConfigError, match="already has site"):
            make_desk(sso_auth_url="https://acme.example/sso?site=1", forward_params="site")

    def test_from_env(self):
        """The variable lists them, separated by commas; a mapping may hold a tuple."""
        variables = {
            "HELPDESK_SSO_TOKEN": "x" * 32,
            "HELPDESK_SSO_AUTH_URL": "https://acme.example/sso",
            "HELPDESK_ACCOUNT_ID": "4711",
            "HELPDESK_AUTH_URL": "https://app.example.com/sso",
        }
        assert HelpDesk.from_env(variables).forward_params == ()
        named = HelpDesk.from_env(variables | {"HELPDESK_FORWARD_PARAMS": "return_page, site"})
        assert named.forward_params == ("return_page", "site")
        named = HelpDesk.from_env(variables | {"HELPDESK_FORWARD_PARAMS": ("return_page", "site")})
        assert named.forward_params == ("return_page", "site")
        with pytest.raises(ConfigError) as caught:
            HelpDesk.from_env(variables | {"HELPDESK_FORWARD_PARAMS": "a,,b"})
        assert set(caught.value.problems) == {"HELPDESK_FORWARD_PARAMS"}


LATIN = st.text(st.characters(max_codepoint=255), max_size=40)
ENCODED = st.text(max_size=20).map(lambda text: quote(text, errors="replace"))


@given(
    query=LATIN | st.builds("return_page={}&site={}".format, ENCODED, LATIN),
    cookie=st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=40),
)
def test_whatever_the_query(query, cookie):
    """Nothing but the parameters named is added to a redirect, and each header is printable ASCII."""
    for kind in (WSGISite, UnprefixedASGISite):
        options = {"login_url": "/login", "resume_at": "/"}
        replies = [
            kind(jane, DESK, options).get(PATH, query=query),
            kind(nobody, DESK, options).get(PATH, query=query),
            kind(jane, DESK, options).get("/", headers=[("Cookie", f"sso_pending=1.{cookie}")]),
        ]
        for reply in replies:
            for name, value in reply.headers:
                assert value.isascii(), name
                assert value.isprintable(), name
        assert {name for name, _ in forwarded(replies[0])} <= {"return_page", "site"}
        if not replies[2].by_app:
            target = urlsplit(replies[2]["location"])
            assert (target.netloc, target.path) == ("", PATH)
            assert {name for name, _ in parse_qsl(target.query)} <= {"return_page", "site"}
