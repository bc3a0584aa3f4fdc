"""The pytest plugin: its fixtures, and what a failed check prints."""

import http.client
import io
import os
import subprocess
import sys
import textwrap
import warnings
from unittest import mock

import httpx
import pytest
from werkzeug.datastructures import Headers
from werkzeug.test import Client, EnvironBuilder, TestResponse

from pytest_options import WITHOUT_OTHERS
from servers import local_client
from sso_middleware import HelpDesk, pytest_plugin
from sso_middleware.sandbox import HandoffRejected
from sso_middleware.wsgi import SSOMiddleware

pytest_plugins = ["pytester", "sso_middleware.pytest_plugin"]

EMAIL = "visitor@customer.example"
EMPTY = EnvironBuilder().get_request()


class Response:
    """What any client's response has."""

    def __init__(self, status_code=303, **headers):
        self.status_code = status_code
        self.headers = headers


def test_verify_takes_url_or_response(helpdesk_sandbox):
    """A hand-off is judged by its URL, or by the response that redirects there."""
    desk = helpdesk_sandbox.helpdesk
    assert isinstance(desk, HelpDesk)
    assert helpdesk_sandbox.verify(desk.handoff_url(EMAIL)).email == EMAIL
    assert helpdesk_sandbox.verify(Response(Location=desk.handoff_url(EMAIL))).email == EMAIL
    assert helpdesk_sandbox.verify({"Location": desk.handoff_url(EMAIL)}).email == EMAIL
    assert helpdesk_sandbox.verify(httpx.URL(desk.handoff_url(EMAIL))).email == EMAIL
    assert [attempt.verdict for attempt in helpdesk_sandbox.handoffs] == ["accepted"] * 4
    assert helpdesk_sandbox.base_url is None


def test_response_without_location(helpdesk_sandbox):
    """A response that does not redirect is no hand-off, and the failure says which status it has."""
    with pytest.raises(AssertionError, match=r"not a hand-off: the response \(status 303\) has no Location"):
        helpdesk_sandbox.verify(Response())


@pytest.mark.parametrize("status", [200, 302, 307])
def test_response_with_another_status(helpdesk_sandbox, status):
    """What browsers do not follow, or follow otherwise, is no hand-off, Location or not."""
    response = Response(status, Location=helpdesk_sandbox.helpdesk.handoff_url(EMAIL))
    with pytest.raises(AssertionError, match=f"not a hand-off: the response has status {status}, not 303"):
        helpdesk_sandbox.verify(response)
    assert helpdesk_sandbox.handoffs == []


def parsed_by_http_client(location):
    """What http.client makes of an answer."""

    class Connection:
        def makefile(self, _mode):
            return io.BytesIO(f"HTTP/1.1 303 See Other\r\nlocation: {location}\r\n\r\n".encode())

    response = http.client.HTTPResponse(Connection())
    response.begin()
    return response


class PlaywrightResponse:
    """What Playwright's APIResponse, which needs a browser, looks like."""

    status = 303

    def __init__(self, location):
        self.headers = {"content-type": "text/html", "location": location}


def webob_refusal(body):
    response = webob_response("/")
    del response.headers["Location"]
    response.status, response.body = 403, body
    return response


def webob_response(location):
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # WebOb imports cgi
        from webob import Response as WebObResponse  # noqa: PLC0415
    return WebObResponse(status=303, headers={"Location": location})


@pytest.mark.parametrize(
    "make",
    [
        parsed_by_http_client,
        PlaywrightResponse,
        webob_response,
        lambda location: httpx.Response(303, headers={"LOCATION": location}),
        lambda location: TestResponse(b"", "303 SEE OTHER", Headers({"location": location}), EMPTY),
        lambda location: {"location": location},
    ],
    ids=["http.client", "playwright", "webob", "httpx", "werkzeug", "mapping"],
)
def test_responses_of_many_kinds(helpdesk_sandbox, make):
    """The header's name is found in any spelling, and the status wherever the response keeps it."""
    response = make(helpdesk_sandbox.helpdesk.handoff_url(EMAIL))
    assert helpdesk_sandbox.verify(response).email == EMAIL
    for status in ("status_code", "status_int", "status"):
        if isinstance(getattr(response, status, None), int):
            setattr(response, status, 307)
            with pytest.raises(AssertionError, match="has status 307, not 303"):
                helpdesk_sandbox.verify(response)
            break


def test_status_is_never_made_up(helpdesk_sandbox):
    """What has headers and no status is no response; a mapping of headers without Location has no status."""
    url = helpdesk_sandbox.helpdesk.handoff_url(EMAIL)
    with pytest.raises(TypeError, match="a response with headers and a status"):
        helpdesk_sandbox.verify(Response("303 See Other", Location=url))
    with pytest.raises(AssertionError) as caught:
        helpdesk_sandbox.verify({"Content-Type": "text/html"})
    assert str(caught.value) == "not a hand-off: the response has no Location"


@pytest.mark.parametrize(
    ("status", "headers", "history", "said"),
    [
        (200, {}, [], r"\(status 200\) has no Location\. If it comes from a later page: disable redirects"),
        (200, {}, ["a 303"], r"has no Location\. It comes from a later page: disable redirects"),
        (404, {}, ("a 303",), r"\(status 404\) has no Location\. It comes from a later page"),
        (
            303,
            {"Location": "/tickets"},
            ["a 303"],
            r"leads to /tickets, not to the Help Desk\. It comes from a later",
        ),
        (
            302,
            {"Location": "/sso"},
            [],
            r"status 302, not 303\. That is the default of redirect\(\) in Flask and Django",
        ),
    ],
)
def test_failure_says_what_to_do(helpdesk_sandbox, status, headers, history, said):
    """Following redirects and the frameworks' default status are the likely mistakes."""
    response = Response(status, **headers)
    response.history = history
    with pytest.raises(AssertionError, match=said):
        helpdesk_sandbox.verify(response)


def elsewhere(url):
    """The hand-off at other places, and how each is named: never with its token."""
    token = url.partition("token=")[2].partition("&")[0]
    return [
        (url.replace("helpdesk.", "www."), "http://www.localhost/sso"),
        (url.replace("/sso?", "/sso-not?"), "http://helpdesk.localhost/sso-not"),
        (url.replace("/sso?", "/#"), "http://helpdesk.localhost/"),
        (f"https://www.example/{token}/x", "https://www.example/[token]/x"),
    ]


def test_url_that_leads_elsewhere(helpdesk_sandbox):
    """A whole URL has to be the Help Desk's, as a response's; a query alone is judged as it is."""
    url = helpdesk_sandbox.helpdesk.handoff_url(EMAIL)
    for other, place in elsewhere(url):
        for given in (other, httpx.URL(other)):
            with pytest.raises(AssertionError) as caught:
                helpdesk_sandbox.verify(given)
            assert str(caught.value) == f"not a hand-off: the URL leads to {place}, not to the Help Desk"
    assert helpdesk_sandbox.handoffs == []
    assert helpdesk_sandbox.verify(f"?{url.partition('?')[2]}").email == EMAIL


def test_response_that_leads_elsewhere(helpdesk_sandbox):
    """A redirect to somewhere else is no hand-off, and the failure says where it leads, without the query."""
    url = helpdesk_sandbox.helpdesk.handoff_url(EMAIL)
    for location, place in [*elsewhere(url), ("/login?next=/sso/helpdesk", "/login")]:
        with pytest.raises(AssertionError) as caught:
            helpdesk_sandbox.verify(Response(Location=location))
        assert str(caught.value) == f"not a hand-off: the response leads to {place}, not to the Help Desk"


def refusing(sandbox):
    return SSOMiddleware(
        lambda environ, start_response: [], helpdesk=sandbox.helpdesk, resolve_email=lambda environ: "nobody"
    )


@pytest.mark.parametrize(
    "response_of",
    [
        lambda answer: answer,
        lambda answer: httpx.Response(answer.status_code, content=answer.data),
        lambda answer: webob_refusal(answer.data),
    ],
    ids=["werkzeug", "httpx", "webob"],
)
def test_refusal_says_its_reason_code(helpdesk_sandbox, response_of):
    """A page of the middleware's is no hand-off, and the failure says which."""
    answer = Client(refusing(helpdesk_sandbox)).get("/sso/helpdesk")
    with pytest.raises(AssertionError) as caught:
        helpdesk_sandbox.verify(response_of(answer))
    assert str(caught.value) == (
        "not a hand-off: the response (status 403) has no Location: the middleware refused it, invalid_email"
    )


def test_body_that_was_not_read_is_not_asked_for(helpdesk_sandbox):
    """A response whose body the client has not read is judged by its status alone."""
    response = httpx.Response(403, stream=httpx.ByteStream(b"x"))
    with pytest.raises(AssertionError, match=r"\(status 403\) has no Location$"):
        helpdesk_sandbox.verify(response)


@pytest.mark.parametrize("value", [None, b"http://helpdesk.localhost/sso?token=x", 7, ["token"]])
def test_what_is_no_url_and_no_response(helpdesk_sandbox, value):
    """Something else is a TypeError that does not show it."""
    with pytest.raises(TypeError) as caught:
        helpdesk_sandbox.verify(value)
    assert str(caught.value) == "response_or_url must be a URL, or a response with headers and a status"


def test_reset_and_fail_next(helpdesk_sandbox):
    """Failures come as they are asked for, and reset forgets what was."""
    helpdesk_sandbox.fail_next("stale")
    url = helpdesk_sandbox.helpdesk.handoff_url(EMAIL)
    with pytest.raises(HandoffRejected) as caught:
        helpdesk_sandbox.verify(url)
    assert caught.value.code == "stale"
    helpdesk_sandbox.verify(url)
    helpdesk_sandbox.reset()
    assert helpdesk_sandbox.handoffs == []
    assert helpdesk_sandbox.verify(url)


@pytest.mark.server
def test_live(live_helpdesk_sandbox):
    """The live one answers on a port of its own, and keeps one account with the in-process one."""
    desk = live_helpdesk_sandbox.helpdesk
    assert desk.sso_auth_url == f"{live_helpdesk_sandbox.base_url}/sso"
    with local_client(follow_redirects=True) as client:
        assert "My tickets" in client.get(desk.handoff_url(EMAIL)).text
    assert live_helpdesk_sandbox.handoffs[0].accepted


SUITE = """
    import pytest

    def test_one(helpdesk_sandbox):
        handoff = helpdesk_sandbox.helpdesk.handoff("visitor@customer.example")
        assert handoff.url.startswith("http://helpdesk.localhost/sso?")
        assert helpdesk_sandbox.verify(handoff.url).jti == handoff.jti
        assert helpdesk_sandbox.helpdesk.auth_url == "https://shop.example/support"
        assert helpdesk_sandbox.helpdesk.logout_url is None

    @pytest.mark.parametrize("number", range(3))
    def test_live(live_helpdesk_sandbox, number):
        assert live_helpdesk_sandbox.handoffs == []
        live_helpdesk_sandbox.verify(live_helpdesk_sandbox.helpdesk.handoff_url("v@customer.example"))
"""
INI = """
    [pytest]
    filterwarnings = error
    helpdesk_auth_url = https://shop.example/support
    helpdesk_logout_url =
"""


@pytest.mark.slow
@pytest.mark.server
@pytest.mark.parametrize(
    "options",
    [
        pytest.param([], id="alone"),
        pytest.param(["-n", "2"], id="xdist", marks=pytest.mark.exhaustive),
    ],
)
def test_suite_of_an_application(pytester, options):
    """The fixtures are there with no import, in one process and under xdist, set up by the ini file."""
    if options:
        pytest.importorskip("xdist", reason="needs pytest-xdist")
    pytester.makeini(INI)
    pytester.makepyfile(SUITE)
    run = pytester.runpytest_subprocess if options else pytester.runpytest_inprocess
    run(*WITHOUT_OTHERS, *options).assert_outcomes(passed=4)


@pytest.mark.parametrize("options", [["-l"], ["--full-trace"]])
def test_failed_check_prints_the_verdict_only(pytester, options):
    """A hand-off that is rejected prints code and remedy, and nothing of the token."""
    pytester.makepyfile(
        """
        from sso_middleware import HelpDesk

        def answer(desk):
            other = HelpDesk(
                sso_token="x" * 40,
                sso_auth_url=desk.sso_auth_url,
                account_id=desk.account_id,
                auth_url=desk.auth_url,
            )
            return other.handoff("visitor@customer.example").url

        class Response(dict):
            status_code = 200

        def test_support_link(helpdesk_sandbox):
            helpdesk_sandbox.verify(answer(helpdesk_sandbox.helpdesk))

        def test_status(helpdesk_sandbox):
            helpdesk_sandbox.verify(Response(Location=answer(helpdesk_sandbox.helpdesk)))

        def test_bytes(helpdesk_sandbox):
            helpdesk_sandbox.verify(answer(helpdesk_sandbox.helpdesk).encode())
        """
    )
    result = pytester.runpytest_inprocess(*WITHOUT_OTHERS, *options)
    result.assert_outcomes(failed=3)
    result.stdout.fnmatch_lines(["*HandoffRejected: bad_signature: *Another key was used*"])
    output = result.stdout.str() + result.stderr.str()
    assert "eyJ" not in output
    assert "visitor@" not in output.replace('handoff("visitor@customer.example")', "")


def documented(start):
    """The lines of the plugin's own docstring from the one that begins with `start`."""
    block = pytest_plugin.__doc__.partition(f"    {start}")[2].partition("\n\n")[0]
    return textwrap.dedent(f"    {start}{block}")


MODULE_LEVEL = """
    import os
    from werkzeug.test import Client
    from sso_middleware import HelpDesk
    from sso_middleware.wsgi import SSOMiddleware

    application = SSOMiddleware(
        lambda environ, start_response: [],
        helpdesk=HelpDesk.from_env(),
        resolve_email=lambda environ: environ["HTTP_X_EMAIL"],
    )
"""


@pytest.fixture
def no_settings():
    """Take out the user's own settings, and afterwards what the application's conftest has set."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("HELPDESK_")}
    with mock.patch.dict(os.environ, others, clear=True):
        yield


def test_application_that_reads_the_environment_at_import(pytester, no_settings):
    """The three documented lines give an application its account, and the fixture has the same."""
    pytester.makepyfile(
        application=MODULE_LEVEL,
        test_it="""
        from application import Client, application

        def test_support(helpdesk_sandbox):
            answer = Client(application).get("/sso/helpdesk", headers={"X-Email": "v@customer.example"})
            assert helpdesk_sandbox.verify(answer).email == "v@customer.example"
        """,
    )
    pytester.makeconftest(documented("import os"))
    pytester.runpytest_inprocess(*WITHOUT_OTHERS).assert_outcomes(passed=1)


DJANGO = """
    from sso_middleware import HelpDesk

    ROOT_URLCONF = "empty_urls"
    SECRET_KEY = "x"
    ALLOWED_HOSTS = ["*"]
    MIDDLEWARE = ["sso_middleware.django.SSOMiddleware"]
    HELPDESK_SSO = {
        "helpdesk": HelpDesk.from_env(),
        "resolve_email": lambda request: request.headers["X-Email"],
    }
"""


@pytest.mark.slow
def test_django_settings_that_read_the_environment(pytester, no_settings):
    """The same three lines, at the top of a settings module for tests, serve a Django project."""
    pytester.makepyfile(
        empty_urls="urlpatterns = []",
        mysite_settings=DJANGO,
        mysite_test_settings=f"{documented('import os')}\nfrom mysite_settings import *\n",
        conftest="""
        import os
        import django

        os.environ["DJANGO_SETTINGS_MODULE"] = "mysite_test_settings"
        django.setup()
        """,
        test_it="""
        from django.test import Client

        def test_support(helpdesk_sandbox):
            answer = Client().get("/sso/helpdesk", headers={"X-Email": "v@customer.example"})
            assert helpdesk_sandbox.verify(answer).email == "v@customer.example"
        """,
    )
    pytester.runpytest_subprocess(*WITHOUT_OTHERS).assert_outcomes(passed=1)


def test_environment_makes_the_same_account(helpdesk_sandbox):
    """What `environment` holds is the account of the fixture."""
    desk = HelpDesk.from_env(helpdesk_sandbox.environment)
    assert helpdesk_sandbox.verify(desk.handoff_url(EMAIL)).email == EMAIL


def test_settings_fixture_may_be_overridden(pytester):
    """An application's conftest chooses what the account is like."""
    pytester.makeconftest(
        """
        import pytest

        @pytest.fixture(scope="session")
        def helpdesk_sandbox_settings():
            return {"auth_url": "https://shop.example/sso", "account_id": 4711}
        """
    )
    pytester.makepyfile(
        """
        def test_account(helpdesk_sandbox):
            assert helpdesk_sandbox.helpdesk.account_id == "4711"
        """
    )
    pytester.runpytest_inprocess(*WITHOUT_OTHERS).assert_outcomes(passed=1)


def test_missing_extra(pytester):
    """Without the extra, a test that asks for a fixture says what to install."""
    pytester.makeconftest(
        """
        import sys

        for name in list(sys.modules):
            if name.startswith("sso_middleware.sandbox"):
                del sys.modules[name]
        sys.modules["jinja2"] = None
        """
    )
    pytester.makepyfile("def test_it(helpdesk_sandbox): pass")
    result = pytester.runpytest_inprocess(*WITHOUT_OTHERS)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*need jinja2: pip install 'sso-middleware[[]sandbox]'"])


def test_loads_nothing_but_pytest():
    """Loading the plugin imports pytest and the bare package: no PyJWT, no sandbox, no Starlette."""
    code = (
        "import pytest, sys; before = set(sys.modules);"
        "import sso_middleware.pytest_plugin; print(*sorted(set(sys.modules) - before))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert loaded.split() == ["sso_middleware", "sso_middleware.pytest_plugin"]
