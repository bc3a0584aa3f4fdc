"""`sso-middleware check`: each finding, on the settings, on real applications and over the network."""

import base64
import json
import re
from contextvars import ContextVar
from pathlib import Path
from threading import Event

import anyio
import httpx
import pytest

from cli_apps.entry_point import SETTINGS, SSO_TOKEN, run
from sso_middleware.cli import check as check_package
from sso_middleware.cli.check.findings import RULES
from sso_middleware.cli.check.walk.browser import NoAnswer
from sso_middleware.cli.check.walk.client import client_of
from sso_middleware.cli.output import Failure

COOKIE = ("--cookie", "signed_in=1")
NO_LOGOUT = {name: value for name, value in SETTINGS.items() if name != "HELPDESK_LOGOUT_URL"}
FRAMEWORKS = {"bottle", "django", "fastapi", "flask", "pyramid", "quart", "starlette"}
WALK = ["anonymous visit", "login page", "forged identity headers", "signed-in visit", "logout"]


def check(*args, **options):
    """Return exit code, ids of the findings, and the whole report."""
    done = run("check", *args, "--json", **options)
    assert done.stdout, done.stderr
    report = json.loads(done.stdout)
    assert list(report) == ["source", "settings", "panel", "walk", "online", "findings"]
    return done.returncode, [finding["id"] for finding in report["findings"]], report


def message_of(report, rule_id):
    return next(finding["message"] for finding in report["findings"] if finding["id"] == rule_id)


# The settings.


def test_good_settings_have_no_findings_and_say_what_to_enter_in_the_panel():
    done = run("check")
    assert done.returncode == 0
    assert "Findings: none" in done.stdout
    assert "Enter in the vendor's panel, Settings -> Security -> Single sign-on" in done.stdout
    assert "Auth URL      https://app.example.com/sso/helpdesk" in done.stdout
    assert "Logout URL    https://app.example.com/sso/logout" in done.stdout
    code, found, report = check()
    assert (code, found) == (0, [])
    assert report["settings"] == {"sso_auth_url": "https://acme.example/sso", "account_id": "4711"}
    assert report["panel"]["Logout URL"] == "https://app.example.com/sso/logout"


@pytest.mark.parametrize(
    ("token", "rule_id"),
    [
        ("k3Gq9wZ", "SSO.W001"),
        ("900150983cd24fb0d6963f7d28e17f72", "SSO.W003"),
        ("900150983CD24FB0D6963F7D28E17F72", "SSO.W003"),
        (base64.b64encode(b"an SSO Token that reads well").decode(), "SSO.W004"),
        (base64.b64encode(bytes(range(40, 80))).decode(), "SSO.W004"),
        (base64.b64encode(bytes(range(200, 240))).decode(), "SSO.W004"),
        ("<your SSO Token from the panel of the vendor>", "SSO.W005"),
        ("changeme", "SSO.W005"),
        ("${HELPDESK_SSO_TOKEN_FROM_SOMEWHERE_ELSE}", "SSO.W005"),
        ("your-sso-token-goes-here-12345678", "SSO.W005"),
    ],
)
def test_a_suspicious_token(token, rule_id):
    code, found, report = check(settings=SETTINGS | {"HELPDESK_SSO_TOKEN": token})
    assert (code, found) == (1, [rule_id])
    assert token not in json.dumps(report)


@pytest.mark.parametrize(
    "token", [SSO_TOKEN, "ab" * 32, "é" * 20, base64.urlsafe_b64encode(bytes(range(180, 240))).decode()[:50]]
)
def test_a_token_that_is_not_suspicious(token):
    assert check(settings=SETTINGS | {"HELPDESK_SSO_TOKEN": token})[:2] == (0, [])


def test_http_outside_loopback():
    url = "http://app.example.com/sso/helpdesk"
    code, found, report = check(settings=SETTINGS | {"HELPDESK_AUTH_URL": url, "HELPDESK_ALLOW_HTTP": "1"})
    assert (code, found) == (1, ["SSO.W006"])
    assert message_of(report, "SSO.W006") == f"Auth URL {url}"
    assert check(settings=SETTINGS | {"HELPDESK_AUTH_URL": "http://localhost:8000/sso"})[:2] == (0, [])


def test_sso_auth_url_and_auth_url_mixed_up():
    settings = SETTINGS | {"HELPDESK_SSO_AUTH_URL": "https://APP.example.com/sso/helpdesk?a=b"}
    assert check(settings=settings)[:2] == (1, ["SSO.E007"])


@pytest.mark.parametrize(
    ("logout_url", "said"),
    [
        ("https://APP.example.com/sso/helpdesk?a=b", "is also the Auth URL"),
        ("https://acme.example/sso", "is also the SSO Auth URL"),
    ],
)
def test_a_logout_url_that_signs_in_again(logout_url, said):
    code, found, report = check(settings=SETTINGS | {"HELPDESK_LOGOUT_URL": logout_url})
    assert (code, found) == (1, ["SSO.E009"])
    assert message_of(report, "SSO.E009") == f"{logout_url} {said}"


def test_no_logout_url_is_for_information():
    done = run("check", settings=NO_LOGOUT)
    assert done.returncode == 0
    assert "SSO.I008 info: No Logout URL is set" in done.stdout
    assert "a page of your application" in done.stdout


def test_an_ignored_finding_is_shown_and_does_not_count():
    settings = SETTINGS | {"HELPDESK_SSO_TOKEN": "k3Gq9wZ"}
    done = run("check", "--ignore", "sso.w001", settings=settings)
    assert done.returncode == 0
    assert "SSO.W001 warning: The SSO Token is short: the SSO Token has 7 bytes (ignored)" in done.stdout
    assert run("check", "--ignore", "W001", settings=settings).returncode == 0
    assert run("check", "--ignore", "SSO.W003", settings=settings).returncode == 1
    assert run("check", "--ignore", "SSO.W999").returncode == 2


def test_wrong_settings_exit_3():
    done = run("check", settings={})
    assert done.returncode == 3
    assert done.stdout == ""
    assert "HELPDESK_SSO_TOKEN: is not set" in done.stderr


def test_explain():
    done = run("check", "--explain", "sso.w003", settings={})
    assert done.returncode == 0
    assert done.stdout.startswith("SSO.W003 warning: The SSO Token looks like an MD5 digest\n")
    assert run("check", "--explain", "w003").stdout == done.stdout
    said = run("check", "--explain", "e043").stdout
    assert (
        "login_url: set it to your login page (in Django LOGIN_URL; for the admin's login /admin/login/)"
        in said
    )
    done = run("check", "--explain", "SSO.W999")
    assert done.returncode == 2
    assert "SSO.W001, SSO.W003" in done.stderr


def test_every_rule_has_an_id_of_its_severity():
    assert all(re.fullmatch(r"SSO\.[EWI]\d{3}", rule_id) for rule_id in RULES)
    numbers = [rule_id[-3:] for rule_id in RULES]
    assert len(set(numbers)) == len(numbers)


def test_every_rule_is_used_and_complete():
    """`rules.toml` has the rules that the code names, each with all its texts."""
    code = "".join(module.read_text("utf-8") for module in Path(check_package.__file__).parent.rglob("*.py"))
    assert set(re.findall(r"SSO\.[EWI]\d{3}", code)) == RULES.keys()
    assert all(
        text for rule in RULES.values() for text in (rule.title, rule.why, rule.hint, *rule.hints.values())
    )
    fits = {fit for rule in RULES.values() for fit in rule.hints}
    assert fits <= FRAMEWORKS | {"kept", "route", "then", "then-django"}


# An application that is right.


@pytest.mark.parametrize(
    "target",
    [
        "wsgi_apps:application",
        "wsgi_apps:right()",
        "asgi_apps:app",
        "asgi_apps:quart_app()",
        "asgi_apps:quart_app_from_outside()",
    ],
)
def test_a_right_application(target):
    code, found, report = check(target, *COOKIE)
    assert (code, found) == (0, [])
    assert [step["step"] for step in report["walk"]] == WALK
    said = [step["said"] for step in report["walk"]]
    assert said[0] == "303 to /login?next=/sso/helpdesk"
    assert said[1] == "200"
    assert said[2].startswith("not trusted: 14 common ones")
    assert said[3] == "303 to https://acme.example/sso?token=..., as jane@example.com"
    assert said[4].startswith("303 to /, then 200; not tested whether the session ends, ")
    assert all(step["walked"] for step in report["walk"])


def test_the_walk_for_people():
    done = run("check", "wsgi_apps:application", *COOKIE)
    assert done.returncode == 0
    assert "  fine  anonymous visit: 303 to /login?next=/sso/helpdesk" in done.stdout
    assert "wrong" not in done.stdout
    assert done.stderr == "an application that prints\n"


def test_the_cookie_may_come_from_the_environment():
    report = check("wsgi_apps:application", SSO_MIDDLEWARE_COOKIE="signed_in=1")[2]
    assert [step["step"] for step in report["walk"]] == WALK


def test_without_a_cookie_it_is_said_that_nobody_was_signed_in():
    done = run("check", "wsgi_apps:application")
    assert done.returncode == 0
    assert "  ----  signed-in visit: not walked: pass the Cookie header" in done.stdout
    assert "with --cookie\n" in done.stdout
    code, found, report = check("wsgi_apps:application")
    assert (code, found) == (0, [])
    assert [step["step"] for step in report["walk"]] == WALK
    assert [step["step"] for step in report["walk"] if not step["walked"]] == ["signed-in visit"]


def test_a_signed_in_visit_that_was_not_made_does_not_excuse_a_wrong_order():
    assert check("wsgi_apps:session_inside_unused()", settings=NO_LOGOUT)[1] == ["SSO.I008", "SSO.W024"]


@pytest.mark.parametrize("cookie", ["", " "])
def test_an_empty_cookie_is_a_usage_error(cookie):
    done = run("check", "wsgi_apps:application", "--cookie", cookie)
    assert done.returncode == 2
    assert "Invalid value for '--cookie'" in done.stderr
    assert "is empty" in done.stderr


@pytest.mark.parametrize(
    "target",
    [
        "wsgi_apps:session_outside()",
        "wsgi_apps:flask_app()",
        "wsgi_apps:own_login_route()",
        "wsgi_apps:own_login_form()",
        "wsgi_apps:login_elsewhere()",
        "wsgi_apps:two()",
        "wsgi_apps:believing_the_proxy()",
        "asgi_apps:believing_the_proxy()",
        "asgi_apps:fastapi_app()",
        "asgi_apps:no_lifespan()",
        "asgi_apps:streaming_login_page()",
        "wsgi_apps:extended_flask()",
        "asgi_apps:called_without_await()",
        "asgi_apps:mounted_right()",
    ],
)
def test_other_right_applications(target):
    assert check(target, settings=NO_LOGOUT)[:2] == (0, ["SSO.I008"])


@pytest.mark.parametrize("target", ["wsgi_apps:application", "asgi_apps:quart_app()"])
def test_paths_and_cookies_may_be_other_than_ascii(target):
    settings = SETTINGS | {"HELPDESK_AUTH_URL": "https://app.example.com/sso/h%C3%A9lp?d%C3%A9sk=1"}
    code, found, report = check(target, "--cookie", "signed_in=1; thème=été", settings=settings)
    assert (code, found) == (0, [])
    assert report["walk"][0]["said"] == "303 to /login?next=/sso/h%25C3%25A9lp"


def test_a_login_page_on_another_site_is_not_visited():
    report = check("wsgi_apps:login_elsewhere()")[2]
    assert report["walk"][1]["said"] == "https://login.example is another site: not visited"


def test_a_strict_session_cookie_of_quart():
    code, found, report = check("asgi_apps:strict_quart()")
    assert (code, found) == (1, ["SSO.W026"])
    assert message_of(report, "SSO.W026") == "Quart sets it"


def test_functions_that_quart_runs_before_each_view():
    code, found, report = check("asgi_apps:hooked_quart()")
    assert (code, found) == (1, ["SSO.W027"])
    assert message_of(report, "SSO.W027") == "Quart runs asgi_apps.end_idle_session"


# Redirects are followed.


def walked(target, name, **options):
    """Return exit code, ids of the findings, the step called `name`, and the whole report."""
    code, found, report = check(target, **options)
    (step,) = (step for step in report["walk"] if step["step"] == name)
    return code, found, step, report


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("with_a_slash", "302 to /login/?next=/sso/helpdesk, then 200"),
        ("forgetting_the_way_back", "302 to /login/, then 200"),
        ("at_another_site", "302 to https://login.example/authorize?state=x"),
        ("at_no_address", "302 to http://[nowhere"),
        ("at_no_port", "302 to https://login.example:99999/"),
        ("at_an_empty_address", "302"),
        ("with_a_look_for_cookies", "302 to /login?next=/sso/helpdesk, then 200"),
        ("that_took_the_cookie_back", "302 to /form, then 302 to /last, then 200"),
        (
            "with_the_origin_in_the_way_back",
            "302 to /auth?a=b&next=https://app.example.com/sso/helpdesk, then 200",
        ),
    ],
)
def test_a_login_page_that_leads_on(kind, said):
    code, found, step, _ = walked(f"wsgi_apps:login_{kind}()", "login page")
    assert (code, found) == (0, [])
    assert step["said"] == said


@pytest.mark.parametrize(
    ("kind", "rule_id", "said"),
    [
        ("circle", "SSO.E050", "/login answers 302 to /login?next=/sso/helpdesk, repeatedly"),
        (
            "back_to_the_auth_url",
            "SSO.E050",
            "/login answers 302 to /sso/helpdesk, then 303 to /login?next=/sso/helpdesk, repeatedly",
        ),
        (
            "ever_new_cookie",
            "SSO.E050",
            f"/login answers {', then '.join(['302 to /login'] * 3)}, ..., repeatedly",
        ),
        ("guest", "SSO.E042", "/login signs everyone in as jane@example.com"),
        ("form_missing", "SSO.E043", "the login page /auth/form answers 404"),
        ("form_not_for_get", "SSO.E043", "the login page /auth/form answers 405"),
        ("form_failing", "SSO.E040", "the login page /auth/form answers 503"),
    ],
)
def test_a_login_page_that_leads_nowhere(kind, rule_id, said):
    code, found, step, report = walked(f"wsgi_apps:login_{kind}()", "login page")
    assert (code, found, step["finding"]) == (1, [rule_id], rule_id)
    assert message_of(report, rule_id) == said


@pytest.mark.parametrize("kind", ["wrapping", "wrapping_with_origin"])
def test_a_way_back_inside_another_redirect_is_for_information(kind):
    code, found, _, report = walked(f"wsgi_apps:login_{kind}()", "login page")
    assert (code, found) == (0, ["SSO.I051"])
    assert message_of(report, "SSO.I051").startswith("/auth?to=")


@pytest.mark.parametrize(
    ("kind", "code", "rule_id", "said"),
    [
        ("open", 0, "SSO.I054", "https://app.example.com/sso/logout answers 200"),
        ("leading_home", 0, "SSO.I054", "https://app.example.com/sso/logout answers 302 to /, then 200"),
        ("elsewhere", 0, "SSO.I054", "/sso/logout answers 302 to https://www.example.com/"),
        ("missing", 1, "SSO.E047", "https://app.example.com/bye answers 404"),
        ("refusing", 1, "SSO.E047", "https://app.example.com/sso/logout answers 400"),
        ("failing", 1, "SSO.E047", "https://app.example.com/sso/logout answers 500"),
        ("circle", 1, "SSO.E052", "https://app.example.com/sso/logout answers 302 to /sso/logout"),
        ("to_the_auth_url", 1, "SSO.E052", "answers 302 to /sso/helpdesk, then 303 to /login"),
        ("unauthorized", 1, "SSO.W053", "answers 401"),
        ("forbidden", 1, "SSO.W053", "answers 403"),
        ("behind_a_login", 1, "SSO.W053", "answers 302 to /login?next=/sso/logout, then 200"),
        ("behind_a_login_with_a_query", 1, "SSO.W053", "answers 302 to /login?to="),
    ],
)
def test_a_logout_url_that_the_application_answers(kind, code, rule_id, said):
    found = walked(f"wsgi_apps:logout_{kind}()", "logout")
    assert found[:2] == (code, [rule_id])
    assert said in message_of(found[3], rule_id)


def test_a_logout_of_ours_that_leads_to_no_page():
    code, found, step, report = walked("wsgi_apps:logging_out_to_a_missing_page()", "logout")
    assert (code, found, step["said"]) == (1, ["SSO.E047"], "303 to /bye, then 404")
    assert message_of(report, "SSO.E047") == "https://app.example.com/bye answers 404"


def test_a_logout_of_ours_may_lead_to_the_login_page_by_way_of_the_auth_url():
    assert walked("wsgi_apps:logging_out_by_way_of_the_auth_url()", "logout")[:2] == (0, [])


def test_a_logout_url_on_another_site_is_not_visited():
    settings = SETTINGS | {"HELPDESK_LOGOUT_URL": "https://www.example.com/bye"}
    code, found, step, _ = walked("wsgi_apps:flask_app()", "logout", settings=settings)
    assert (code, found, step["walked"]) == (1, ["SSO.W012"], False)
    assert step["said"] == "https://www.example.com is another site: not visited"


def test_a_logout_url_at_another_spelling_of_the_origin_is_visited():
    settings = SETTINGS | {"HELPDESK_LOGOUT_URL": "https://App.example.com:443/"}
    _, _, step, _ = walked("wsgi_apps:flask_app()", "logout", settings=settings)
    assert step["walked"] is True


def test_a_logout_url_of_another_host_is_visited_where_it_is_taken_over():
    settings = SETTINGS | {"HELPDESK_LOGOUT_URL": "https://www.example.com/sso/logout"}
    _, found, step, _ = walked("wsgi_apps:application", "logout", settings=settings)
    assert (found, step["walked"]) == (["SSO.W012"], True)
    assert step["said"].startswith("303 to /; not tested whether the session ends")


# Applications with a mistake.


def test_proxy_fix_beside_another():
    """Two applications with a ProxyFix each are not one behind two."""
    assert "SSO.W028" not in check("wsgi_apps:each_behind_proxy_fix()", "--no-walk", settings=NO_LOGOUT)[1]


@pytest.mark.parametrize(
    ("target", "args", "rule_ids", "said"),
    [
        ("wsgi_apps:plain_flask()", (), ["SSO.E020"], "is Flask"),
        ("asgi_apps:plain_quart()", (), ["SSO.E020"], "is Quart"),
        ("wsgi_apps:hidden_by_another()", (), ["SSO.E020"], "is function"),
        ("wsgi_apps:flask_app", (), ["SSO.E020"], "if it is a factory, pass wsgi_apps:flask_app()"),
        ("wsgi_apps:other_paths()", (), ["SSO.E021"], "/help, /support is intercepted"),
        ("wsgi_apps:slash_path()", (), ["SSO.E021"], "they differ by the trailing slash"),
        (
            "wsgi_apps:mounted()",
            ("--no-walk",),
            ["SSO.E021"],
            "outside /portal, where the middleware is mounted",
        ),
        (
            "asgi_apps:mounted()",
            ("--no-walk",),
            ["SSO.E021"],
            "outside /portal, where the middleware is mounted",
        ),
        ("wsgi_apps:session_inside()", (), ["SSO.W024", "SSO.E040"], "SessionMiddleware is inside"),
        ("asgi_apps:session_inside()", (), ["SSO.W024", "SSO.E040"], "SessionMiddleware is inside"),
        ("asgi_apps:around()", (), ["SSO.W024", "SSO.E040"], "SessionMiddleware is inside"),
        ("wsgi_apps:session_inside_unused()", (), ["SSO.W024"], "SessionMiddleware is inside"),
        ("wsgi_apps:raising()", (), ["SSO.E040"], "raised KeyError: 'email' (wsgi_apps.py, line"),
        ("wsgi_apps:failing_first()", (), ["SSO.E040"], "answered with 500, not by SSOMiddleware"),
        ("wsgi_apps:shadowed()", (), ["SSO.E041"], "answered with 302 to https://elsewhere.example/"),
        ("asgi_apps:mounted()", (), ["SSO.E021", "SSO.E041"], "answered with 404"),
        ("wsgi_apps:everybody()", (), ["SSO.E042"], "the resolver returned jane@example.com"),
        ("wsgi_apps:everybody_without_redirects()", (), ["SSO.E042"], "the resolver returned an address"),
        ("wsgi_apps:unanswered()", (), ["SSO.E043"], "/sso/helpdesk answers 404"),
        ("wsgi_apps:missing_login_page()", (), ["SSO.E043"], "the login page /sign-in answers 404"),
        (
            "wsgi_apps:failing_login_page()",
            (),
            ["SSO.E040"],
            "the login page /login raised RuntimeError: no database",
        ),
        ("wsgi_apps:rewritten()", COOKIE, ["SSO.E044"], "gets 303 to https://acme.example/sso?token=..."),
        ("wsgi_apps:no_redirects()", COOKIE, ["SSO.E044"], "gets 200"),
        ("wsgi_apps:nobody()", COOKIE, ["SSO.E045"], "returned None despite the cookie"),
        ("wsgi_apps:refusing()", COOKIE, ["SSO.E046"], "with the cookie is refused: email_not_verified"),
        ("wsgi_apps:unavailable()", (), ["SSO.E046"], "without a cookie is refused: unavailable"),
        (
            "wsgi_apps:believing_headers()",
            COOKIE,
            ["SSO.W048"],
            "X-Forwarded-Email, Remote-User from any client",
        ),
        ("wsgi_apps:believing_a_header_of_its_own()", (), ["SSO.W048"], "X-Acme-Visitor from any client"),
        ("asgi_apps:believing_a_common_header()", (), ["SSO.W048"], "X-Email from any client"),
        ("wsgi_apps:believing_two_headers_together()", (), ["SSO.W048"], "X-User-Email, X-Goog-"),
        (
            "wsgi_apps:trusting_a_proxy_and_believing_another_header()",
            (),
            ["SSO.W048"],
            "X-Email from any client",
        ),
        ("wsgi_apps:exiting()", (), ["SSO.E040"], "raised SystemExit: 7 (wsgi_apps.py, line"),
        ("asgi_apps:exiting()", (), ["SSO.E040"], "raised SystemExit: 7 (asgi_apps.py, line"),
        ("wsgi_apps:calling_itself()", (), ["SSO.E040"], "the login page /login raised RecursionError"),
        ("wsgi_apps:strict_flask()", (), ["SSO.W026"], "Flask sets it"),
        ("wsgi_apps:hooked_flask()", (), ["SSO.W027"], "Flask runs wsgi_apps.end_idle_session"),
        ("asgi_apps:strict_starlette()", (), ["SSO.W026"], "SessionMiddleware sets it"),
        ("wsgi_apps:twice_behind_proxy_fix()", (), ["SSO.W028"], "a ProxyFix wraps another one"),
        ("wsgi_apps:silent()", (), ["SSO.E040"], "got no answer: start_response was never called"),
        ("wsgi_apps:returning_nothing()", (), ["SSO.E040"], "returned None instead of a body"),
        ("asgi_apps:silent()", (), ["SSO.E040"], "got no answer: http.response.start was never sent"),
        (
            "asgi_apps:breaking_off()",
            (),
            ["SSO.E040"],
            "got no answer: the end of the body was never sent",
        ),
        (
            "wsgi_apps:mounted_under_a_similar_name()",
            ("--no-walk",),
            ["SSO.E021"],
            "outside /ss, where the middleware is mounted",
        ),
    ],
)
def test_a_mistake(target, args, rule_ids, said):
    code, found, report = check(target, *args, settings=NO_LOGOUT)
    assert code == 1
    assert [rule_id for rule_id in found if rule_id != "SSO.I008"] == rule_ids
    assert any(said in finding["message"] for finding in report["findings"])


def test_an_application_that_ends_the_process_from_a_task_of_its_own():
    done = run("check", "asgi_apps:exiting_in_a_task()")
    assert done.returncode == 3
    assert "the application ends the process: SystemExit in one of its tasks" in done.stderr


def test_what_an_application_answers_cannot_make_a_line_of_its_own():
    done = run("check", "wsgi_apps:telling_lies()")
    assert "302 to /\\n  fine  signed-in visit: 303" in done.stdout
    assert not re.search("^  fine  signed-in", done.stdout, re.MULTILINE)


@pytest.mark.parametrize(
    ("target", "header"),
    [
        ("wsgi_apps:trusting_a_secret()", "X-Forwarded-Email"),
        ("asgi_apps:trusting_a_secret()", "X-Forwarded-Email"),
        ("wsgi_apps:trusting_a_proxy_with_a_header_of_its_own()", "X-Acme-Visitor"),
    ],
)
def test_a_header_that_only_the_proxy_can_set_is_no_mistake(target, header):
    """What the proxy has to do is said all the same."""
    code, found, report = check(target, settings=NO_LOGOUT)
    assert (code, found) == (0, ["SSO.I008", "SSO.I049"])
    assert message_of(report, "SSO.I049") == header
    done = run("check", target, settings=NO_LOGOUT)
    assert "  fine  forged identity headers: not trusted" in done.stdout
    assert "Make the proxy remove these headers and its secret's header from every request" in done.stdout


def test_a_root_path_that_is_only_the_start_of_a_name_is_not_taken_off():
    found = check("wsgi_apps:session_outside()", "--root-path", "/ss", settings=NO_LOGOUT)[1]
    assert found == ["SSO.I008", "SSO.E021", "SSO.E041"]


def test_an_application_that_never_starts_is_given_up():
    async def app(scope, receive, send):
        await anyio.Event().wait()

    # In this process, because the command waits for longer than a test may.
    said = "the application does not start: it takes longer than 0.1 seconds"
    with pytest.raises(Failure, match=said), client_of(app, timeout=0.1):
        pass


async def hanging_asgi(scope, receive, send):
    if scope["type"] == "http":
        await anyio.Event().wait()


def hanging_wsgi(environ, start_response):
    Event().wait()


@pytest.mark.parametrize("app", [hanging_wsgi, hanging_asgi])
def test_an_application_that_never_answers_is_given_up(app):
    request = httpx.Request("GET", "https://app.example.com/")
    said = r"^got no answer: the application took longer than 0\.1 seconds$"
    with client_of(app, timeout=0.1) as client, pytest.raises(NoAnswer, match=said):
        client(request)


def test_what_a_wsgi_application_raises_comes_as_it_is():
    """Its own TimeoutError, too; and it sees the context variables of its caller."""
    variable = ContextVar("variable", default="unset")
    variable.set("set")

    def app(environ, start_response):
        raise TimeoutError(variable.get())

    request = httpx.Request("GET", "https://app.example.com/")
    with client_of(app, timeout=5) as client, pytest.raises(TimeoutError, match=r"^set$"):
        client(request)


def test_the_first_wrong_link_is_named():
    done = run("check", "wsgi_apps:refusing()", *COOKIE)
    assert done.returncode == 1
    assert "  wrong signed-in visit: 403" in done.stdout
    assert "The first failed step is the signed-in visit." in done.stdout


def test_a_session_middleware_inside_is_fine_for_who_is_handed_off_all_the_same():
    assert check("wsgi_apps:session_inside_unused()", *COOKIE, settings=NO_LOGOUT)[:2] == (0, ["SSO.I008"])


@pytest.mark.parametrize(
    ("target", "said"),
    [("wsgi_apps:flask_app()", "404"), ("wsgi_apps:failing_login_page()", "raised RuntimeError")],
)
def test_a_logout_url_that_leads_nowhere(target, said):
    report = check(target)[2]
    step = report["walk"][-1]
    assert step["step"] == "logout"
    assert said in step["said"]
    assert step["finding"] in ("SSO.E047", "SSO.E040")


def test_a_logout_path_that_is_not_the_logout_url():
    code, found, report = check("wsgi_apps:other_logout_path()")
    assert (code, found) == (1, ["SSO.E022", "SSO.E047"])
    assert message_of(report, "SSO.E022").endswith("but /bye is intercepted")


def test_a_logout_that_fails():
    code, found, _ = check("wsgi_apps:failing_logout()")
    assert (code, found) == (1, ["SSO.E040"])


def test_a_prefix_that_a_proxy_strips():
    code, found, _ = check("wsgi_apps:stripped_path()", settings=NO_LOGOUT)
    assert (code, found) == (0, ["SSO.I008", "SSO.I023"])
    code, found, report = check("wsgi_apps:stripped_path()", "--root-path", "/sso", settings=NO_LOGOUT)
    assert (code, found) == (0, ["SSO.I008"])
    assert report["walk"][0]["said"] == "303 to /sso/login?next=/sso/helpdesk"
    assert report["walk"][1]["said"] == "200"


def test_accounts_that_a_callable_chooses():
    code, found, report = check("wsgi_apps:several_accounts()", *COOKIE)
    assert (code, found) == (0, ["SSO.I025"])
    assert report["settings"] is None
    assert report["panel"] is None
    assert [step["step"] for step in report["walk"]] == WALK[:-1]
    assert run("check", "wsgi_apps:several_accounts()").returncode == 0
    assert run("check", "wsgi_apps:several_accounts()", "--online").returncode == 2


def test_a_token_that_the_application_shares_with_the_environment_is_looked_at():
    settings = SETTINGS | {"HELPDESK_SSO_TOKEN": "900150983cd24fb0d6963f7d28e17f72"}
    assert check("wsgi_apps:application", "--no-walk", settings=settings)[1] == ["SSO.W003"]


@pytest.mark.parametrize("settings", [SETTINGS, {}])
def test_a_token_that_only_the_application_knows(settings):
    code, found, _ = check("wsgi_apps_short:app", "--no-walk", settings=settings)
    assert (code, found) == (1, ["SSO.W001", "SSO.I008"])


def test_what_an_application_raises_is_shown_without_secrets():
    done = run("check", "wsgi_apps:telling()")
    assert done.returncode == 1
    assert "raised RuntimeError: [SSO Token] and [token] \\x1b[31m" in done.stdout


# What cannot be imported.


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("no_such_module:app", "no_such_module:app cannot be imported: ModuleNotFoundError"),
        ("wsgi_apps:no_such_name", "cannot be imported: AttributeError"),
        ("wsgi_apps:not_callable", "is not an application: str is not callable"),
        ("exiting:app", "cannot be imported: SystemExit: 5"),
        ("asgi_apps:exiting_at_the_start()", "the application does not start: SystemExit: 7"),
        ("asgi_apps:does_not_start()", "the application does not start: RuntimeError: no database"),
        ("asgi_apps:refuses_to_start()", "the application does not start: it gives no reason"),
        ("asgi_apps:wrong_setting()", "the settings of the middleware are wrong:\nnext_param: "),
        ("asgi_apps:broken_middleware()", "a middleware cannot be created: TypeError"),
    ],
)
def test_what_cannot_be_used_exits_3(target, said):
    done = run("check", target)
    assert done.returncode == 3
    assert said in done.stderr
    assert done.stdout == ""


def test_an_application_whose_settings_are_wrong_exits_3():
    done = run("check", "wsgi_apps:application", settings=SETTINGS | {"HELPDESK_ACCOUNT_ID": ""})
    assert done.returncode == 3
    assert "the settings in wsgi_apps:application are wrong:\nHELPDESK_ACCOUNT_ID: is not set" in done.stderr


@pytest.mark.parametrize("target", ["development.ini", "config/development.ini"])
def test_what_pserve_starts_needs_a_module(target):
    done = run("check", target)
    assert done.returncode == 2
    assert 'application = pyramid.paster.get_app("development.ini")' in done.stderr.replace("\n", " ")


def test_a_factory_of_pserve_needs_a_module():
    code, found, report = check("wsgi_apps:main")
    assert (code, found) == (1, ["SSO.E020"])
    assert "pyramid.paster.get_app" in message_of(report, "SSO.E020")
    code, found, report = check("wsgi_apps:untold")
    assert message_of(report, "SSO.E020").startswith("wsgi_apps:untold is Untold; wsgi_apps:application is ")


@pytest.mark.parametrize("target", ["wsgi_apps", ":app", "wsgi_apps:", "wsgi_apps:app(1)"])
def test_what_is_no_module_and_name_is_a_usage_error(target):
    done = run("check", target)
    assert done.returncode == 2
    assert "must have the form module:app" in done.stderr
