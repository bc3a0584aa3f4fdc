"""The PasteDeploy filters, loaded from real INI files, in front of a real Pyramid application."""

from __future__ import annotations

import os

import httpx
import jwt
import pytest
from paste.deploy import loadapp

import paste_app
from clients import JANE, SSO_TOKEN
from sso_middleware import ConfigError
from sso_middleware.paste import filter_app_factory, filter_factory

ACCOUNT = {
    "sso_token": SSO_TOKEN,
    "sso_auth_url": "https://acme.example/sso",
    "account_id": "4711",
    "auth_url": "https://app.example.com/sso/helpdesk",
    "logout_url": "https://app.example.com/sso/logout",
}
BOUND = {
    "use": "egg:sso-middleware#with_app",
    "resolve_email": "paste_app:resolver",
    "end_session": "paste_app:end_session",
    "login_url": "/login",
}
PLAIN = {"use": "egg:sso-middleware", "resolve_email": "paste_app:resolve_email"}
PLAIN_SETTINGS = {"resolve_email": PLAIN["resolve_email"]} | {
    name: text for name, text in ACCOUNT.items() if name != "account_id"
}
INI = """
[DEFAULT]
debug = true
{default}

[app:site]
paste.app_factory = paste_app:main
secret = a secret of the application

[filter:helpdesk]
{filter}

[pipeline:main]
pipeline = helpdesk site
"""


@pytest.fixture(autouse=True)
def no_variables(monkeypatch):
    """The tests do not use the environment of the test run."""
    for name in os.environ:
        if name.startswith("HELPDESK_"):
            monkeypatch.delenv(name)


def lines(settings):
    return "\n".join(f"{name} = {text}" for name, text in settings.items())


@pytest.fixture
def load(tmp_path):
    """Load an application from an INI file with the given settings of the filter."""

    def load(default=(), **settings):
        ini = tmp_path / "site.ini"
        ini.write_text(INI.format(default=lines(dict(default)), filter=lines(settings)))
        app = loadapp(f"config:{ini}")
        transport = httpx.WSGITransport(app)
        return httpx.Client(transport=transport, base_url="http://app.example.com")

    return load


def email(response):
    assert response.status_code == 303, response.text
    return jwt.decode(response.headers["location"].partition("token=")[2].partition("&")[0],
                      SSO_TOKEN, algorithms=["HS256"])["email"]  # fmt: skip


class TestPyramid:
    def test_log_in_hand_off_log_out(self, load):
        """Anonymous to the login, from there to the Help Desk, and anonymous again after the logout."""
        visitor = load(**BOUND, **ACCOUNT)
        response = visitor.get("/sso/helpdesk")
        assert (response.status_code, response.headers["location"]) == (303, "/login?next=/sso/helpdesk")
        response = visitor.get(response.headers["location"], params={"name": "jane", "next": "/sso/helpdesk"})
        assert response.headers["location"].endswith("/sso/helpdesk")
        assert email(visitor.get("/sso/helpdesk")) == JANE
        assert visitor.get("/").text == JANE
        response = visitor.get("/sso/logout")
        assert (response.status_code, response.headers["location"]) == (303, "/")
        assert visitor.get("/").text == "None"
        assert visitor.get("/sso/helpdesk").headers["location"] == "/login?next=/sso/helpdesk"

    def test_deep_link(self, load):
        """resume_at and forward_params bring a visitor of a login that follows nothing to the asked page."""
        visitor = load(**BOUND, **ACCOUNT, resume_at="/home /", forward_params="return_page, site")
        visitor.base_url = "https://app.example.com"  # the cookie is Secure
        visitor.get("/sso/helpdesk", params={"return_page": "/tickets/7"})
        visitor.get("/login", params={"name": "jane"})
        response = visitor.get("/")
        assert response.headers["location"] == "/sso/helpdesk?return_page=%2Ftickets%2F7"
        location = visitor.get(response.headers["location"]).headers["location"]
        assert location.endswith("&return_page=%2Ftickets%2F7")
        assert visitor.get("/").text == JANE

    def test_unverified(self, load):
        """Whom the resolver refuses is refused."""
        visitor = load(**BOUND, **ACCOUNT)
        visitor.get("/login", params={"name": "joe"})
        response = visitor.get("/sso/helpdesk")
        assert response.status_code == 403
        assert "email_not_verified" in response.text

    def test_tampered_cookie(self, load):
        """A cookie that the application did not sign is an anonymous visitor's."""
        visitor = load(**BOUND, **ACCOUNT)
        visitor.get("/login", params={"name": "jane"})
        ticket = visitor.cookies["session"]
        visitor.cookies.clear()
        visitor.cookies.set("session", "0" * 8 + ticket[8:])
        assert visitor.get("/sso/helpdesk").headers["location"] == "/login?next=/sso/helpdesk"

    def test_filter_with(self, tmp_path):
        """One line in the application's own section does the same as a pipeline."""
        ini = tmp_path / "site.ini"
        sections = INI.partition("[pipeline:main]")[0].format(default="", filter=lines(BOUND | ACCOUNT))
        ini.write_text(sections.replace("[app:site]", "[app:main]\nfilter-with = helpdesk"))
        with httpx.Client(transport=httpx.WSGITransport(loadapp(f"config:{ini}"))) as visitor:
            response = visitor.get("http://app.example.com/sso/helpdesk")
        assert (response.status_code, response.headers["location"]) == (303, "/login?next=/sso/helpdesk")


class TestSettings:
    def test_plain_filter(self, load):
        """`egg:sso-middleware` takes the resolver as it is."""
        assert email(load(**PLAIN, **ACCOUNT).get("/sso/helpdesk")) == JANE

    @pytest.mark.parametrize(
        "factory",
        [
            {"paste.filter_factory": "sso_middleware.paste:filter_factory"} | PLAIN,
            {"paste.filter_app_factory": "sso_middleware.paste:filter_app_factory"} | BOUND,
        ],
        ids=["filter", "filter_app"],
    )
    def test_by_dotted_name(self, load, factory):
        """The factories may be named without the egg, too."""
        del (settings := dict(factory))["use"]
        visitor = load(**settings, **ACCOUNT)
        visitor.get("/login", params={"name": "jane"})
        assert email(visitor.get("/sso/helpdesk")) == JANE

    def test_several_paths(self, load):
        """`paths` are separated by white space, over several lines or on one."""
        visitor = load(**PLAIN, **ACCOUNT, paths="/support\n    /help /aid")
        assert [email(visitor.get(path)) for path in ("/support", "/help", "/aid")] == [JANE] * 3
        assert visitor.get("/sso/helpdesk").status_code == 404

    def test_logout(self, load):
        """`end_session`, `logout_path` and `logout_then` stand for `Logout`."""
        visitor = load(
            **PLAIN,
            **ACCOUNT,
            end_session="paste_app:expire",
            logout_path="/bye",
            logout_then="/login?name=x",
        )
        response = visitor.get("/bye")
        assert (response.status_code, response.headers["location"]) == (303, "/login?name=x")
        assert "Max-Age=0" in response.headers["set-cookie"]

    def test_login_and_next(self, load):
        """`login_url` and `next_param` are those of the middleware."""
        visitor = load(**BOUND | {"login_url": "/enter", "next_param": "back"}, **ACCOUNT)
        assert visitor.get("/sso/helpdesk").headers["location"] == "/enter?back=/sso/helpdesk"

    @pytest.mark.parametrize("name", ["paste_app:choose", "paste_app:desk"])
    def test_helpdesk(self, load, name):
        """`helpdesk` names a HelpDesk, or what chooses one."""
        visitor = load(**PLAIN, helpdesk=name, paths="/support")
        assert email(visitor.get("/support")) == JANE

    def test_events(self, load):
        """`on_event` names what is called with each event."""
        paste_app.EVENTS.clear()
        load(**PLAIN, **ACCOUNT, on_event="paste_app:remember_event").get("/sso/helpdesk")
        assert [event.outcome for event in paste_app.EVENTS] == ["handed_off"]

    def test_numbers_and_switches(self, load):
        """`backdate` and `allow_http` are read as HelpDesk.from_env reads them."""
        settings = ACCOUNT | {"auth_url": "http://app.example.com/sso", "allow_http": "yes", "backdate": "7"}
        assert email(load(**PLAIN, **settings).get("/sso")) == JANE

    def test_token_file(self, load, tmp_path):
        """`sso_token_file` keeps the token out of the INI file."""
        (tmp_path / "token").write_text(f"{SSO_TOKEN}\n")
        settings = ACCOUNT | {"sso_token": "", "sso_token_file": str(tmp_path / "token")}
        assert email(load(**PLAIN, **settings).get("/sso/helpdesk")) == JANE


class TestDefaultSection:
    @pytest.mark.parametrize("names", [PLAIN, BOUND], ids=["filter", "filter_app"])
    def test_for_what_is_left_out(self, load, names):
        """[DEFAULT] has what the filter's section leaves out; keys that are not ours are ignored."""
        visitor = load(
            default=ACCOUNT | {"login_url": "/enter", "email": "x"}, **names | {"login_url": "/login"}
        )
        visitor.get("/login", params={"name": "jane"})
        assert email(visitor.get("/sso/helpdesk")) == JANE

    def test_key_in_both(self, load):
        """PasteDeploy then tells of the one in [DEFAULT] alone, which counts, unless the other is `set`."""
        names = {"use": BOUND["use"], "resolve_email": BOUND["resolve_email"], **ACCOUNT}
        default = {"login_url": "/enter"}
        for name, expected in (("login_url", "/enter"), ("set login_url", "/login")):
            response = load(default, **names, **{name: "/login"}).get("/sso/helpdesk")
            assert response.headers["location"] == f"{expected}?next=/sso/helpdesk"

    def test_section_wins(self):
        """What a factory is given as the section's own counts, also where it is empty."""
        settings = ACCOUNT | {"resolve_email": "paste_app:resolve_email", "sso_token_file": ""}
        default = dict.fromkeys(settings, "wrong")
        app = filter_factory(default, **settings)(paste_app.main({}, secret="x"))
        with httpx.Client(transport=httpx.WSGITransport(app)) as visitor:
            assert email(visitor.get("http://app.example.com/sso/helpdesk")) == JANE

    @pytest.mark.parametrize(
        ("default", "settings"),
        [
            ({"sso_token_file": "/nowhere"}, ACCOUNT),
            (ACCOUNT | {"account_id": ""}, {"helpdesk": "paste_app:desk", "paths": "/sso/helpdesk"}),
            ({"helpdesk": "paste_app:nothing"}, ACCOUNT),
            ({"logout_then": "/bye"}, ACCOUNT),
        ],
    )
    def test_what_does_not_go_with_the_section(self, default, settings):
        """A key of [DEFAULT] that does not fit the section's keys is ignored."""
        settings = settings | {"resolve_email": "paste_app:resolve_email"}
        app = filter_factory(default, **settings)(paste_app.main({}, secret="x"))
        with httpx.Client(transport=httpx.WSGITransport(app)) as visitor:
            assert email(visitor.get("http://app.example.com/sso/helpdesk")) == JANE

    def test_problems_are_named(self):
        """A key of [DEFAULT] that is wrong is named as the filter's own would be."""
        with pytest.raises(ConfigError) as error:
            filter_factory({"account_id": " ", "other": "x"}, **PLAIN_SETTINGS | {"sso_auth_url": ""})
        assert error.value.problems.keys() == {"account_id", "HELPDESK_SSO_AUTH_URL"}


class TestEnvironment:
    def test_whatever_is_left_out(self, load, monkeypatch):
        """What the file leaves out, or leaves empty, is taken from the HELPDESK_ variables."""
        for name, value in ACCOUNT.items():
            monkeypatch.setenv(f"HELPDESK_{name.upper()}", value)
        assert email(load(**PLAIN).get("/sso/helpdesk")) == JANE
        assert email(load(**PLAIN, auth_url="https://app.example.com/other").get("/other")) == JANE
        assert email(load(**PLAIN, auth_url="").get("/sso/helpdesk")) == JANE

    @pytest.mark.parametrize("variable", ["HELPDESK_SSO_TOKEN", "HELPDESK_SSO_TOKEN_FILE"])
    def test_token(self, load, monkeypatch, variable):
        """A token in the file outdoes one in the environment, or one in a file that that names."""
        monkeypatch.setenv(variable, "another token")
        assert email(load(**PLAIN, **ACCOUNT).get("/sso/helpdesk")) == JANE


class TestErrors:
    def problems(self, factory=filter_factory, **settings):
        site = paste_app.main({}, secret="x")
        with pytest.raises(ConfigError) as error:
            filter_factory({}, **settings)(site) if factory is filter_factory else factory(
                site, {}, **settings
            )
        return error.value.problems

    def test_all_at_once(self):
        """Every wrong setting of the file is named at once, by its name in the file."""
        settings = ACCOUNT | {"account_id": " ", "auth_url": "ftp://x", "login-url": "/login"}
        found = self.problems(**settings, resolve_email="nothing", on_event="paste_app:nothing")
        assert found.keys() == {"account_id", "auth_url", "login-url", "resolve_email", "on_event"}
        assert found["login-url"].startswith("is not a setting: use sso_token, ")
        assert found["resolve_email"] == "must be a dotted name with a colon: module:attribute"
        assert found["on_event"].startswith("paste_app:nothing cannot be imported: ")

    def test_left_out(self):
        """A setting that is neither in the file nor in the environment is named as the variable."""
        found = self.problems(auth_url="https://app.example.com/sso")
        assert found.keys() == {
            "resolve_email", "HELPDESK_SSO_TOKEN", "HELPDESK_SSO_AUTH_URL", "HELPDESK_ACCOUNT_ID",
        }  # fmt: skip

    @pytest.mark.parametrize(
        "name", ["", "paste_app", ":x", "paste_app:", "no_such_module:x", "paste_app:number", "a b:c"]
    )
    @pytest.mark.parametrize("factory", [filter_factory, filter_app_factory])
    def test_dotted_name(self, factory, name):
        """A name that leads to nothing that can be called is named."""
        assert self.problems(factory, **ACCOUNT, resolve_email=name).keys() == {"resolve_email"}

    def test_factories_that_are_none(self):
        """`#with_app` calls what is named with the application, and says so where that gives no callable."""
        names = {"resolve_email": "paste_app:resolve_email", "end_session": "paste_app:expire"}
        found = self.problems(filter_app_factory, **ACCOUNT, **names)
        assert found.keys() == names.keys()
        for name, problem in found.items():
            assert problem.startswith(
                f"{names[name]} is called with the application and must return a callable"
            )

    @pytest.mark.parametrize(
        ("name", "dotted"),
        [("resolve_email", "paste_app:resolve_plainly"), ("end_session", "paste_app:end_plainly")],
    )
    def test_no_factory(self, name, dotted):
        """What is no factory fails in its own way when it is called with the application: a note says why."""
        settings = ACCOUNT | {"resolve_email": "paste_app:resolver", name: dotted}
        with pytest.raises(AttributeError) as error:
            filter_app_factory(paste_app.main({}, secret="x"), {}, **settings)
        (note,) = error.value.__notes__
        assert f"{name} = {dotted} must name a factory, which is called with the application" in note
        assert note.endswith("use egg:sso-middleware instead.")

    def test_account_beside_helpdesk(self):
        """A HelpDesk of its own leaves no use for the account's settings."""
        found = self.problems(**ACCOUNT, helpdesk="paste_app:desk", resolve_email="paste_app:resolve_email")
        assert found == dict.fromkeys(ACCOUNT, "is set, and helpdesk too: remove one")

    def test_logout_without_end_session(self):
        """`logout_path` without `end_session` would do nothing."""
        found = self.problems(**ACCOUNT, resolve_email="paste_app:resolve_email", logout_path="/bye")
        assert found == {"logout_path": "needs end_session: set it too"}

    @pytest.mark.parametrize("factory", [filter_factory, filter_app_factory])
    def test_of_the_middleware(self, factory):
        """What the middleware finds wrong is a ConfigError as ever."""
        names = {"resolve_email": "paste_app:resolver"}
        assert self.problems(factory, **ACCOUNT, **names, login_url="login").keys() == {"login_url"}

    def test_token_is_not_told(self):
        """No error shows the token."""
        settings = ACCOUNT | {"account_id": "", "sso_token": f" {SSO_TOKEN}"}
        assert SSO_TOKEN not in str(self.problems(**settings, resolve_email="x"))
