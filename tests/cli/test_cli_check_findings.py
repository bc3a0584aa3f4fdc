"""What `sso-middleware check` finds in settings, login pages, logouts and routes of real applications."""

import json

import pytest
from flask import Flask

from cli_apps.entry_point import SETTINGS, run

NO_LOGOUT = {name: value for name, value in SETTINGS.items() if name != "HELPDESK_LOGOUT_URL"}


def check(*args, **options):
    """Return exit code, findings by id, steps by name, and the whole report."""
    report = json.loads((done := run("check", *args, "--json", **options)).stdout)
    findings = {finding["id"]: finding for finding in report["findings"]}
    return done.returncode, findings, {step["step"]: step for step in report["walk"]}, report


SIGNER = Flask(__name__)
SIGNER.secret_key = "a secret of the application"
SESSION_OF_ANOTHER_KEY = SIGNER.session_interface.get_signing_serializer(SIGNER).dumps(
    {"account": "jane", "x@y.example": 1}
)

# The settings.

SWAPPED = {
    "HELPDESK_SSO_AUTH_URL": SETTINGS["HELPDESK_AUTH_URL"],
    "HELPDESK_AUTH_URL": SETTINGS["HELPDESK_SSO_AUTH_URL"],
}


@pytest.mark.parametrize(
    "settings",
    [
        SETTINGS | SWAPPED,
        NO_LOGOUT | SWAPPED | {"HELPDESK_AUTH_URL": "https://acme.proprofsdesk.com/sso"},
    ],
)
def test_auth_url_and_sso_auth_url_swapped(settings):
    code, findings, _, _ = check(settings=settings)
    assert code == 1
    assert findings.keys() - {"SSO.I008"} == {"SSO.E010"}
    assert settings["HELPDESK_SSO_AUTH_URL"] in findings["SSO.E010"]["message"]


def test_an_auth_url_without_a_path_takes_over_the_start_page():
    settings = SETTINGS | {"HELPDESK_AUTH_URL": "https://app.example.com"}
    code, findings, _, _ = check("login_apps:login_keeping_next()", "--no-walk", settings=settings)
    assert (code, list(findings)) == (1, ["SSO.E011"])


def test_an_auth_url_that_is_the_mount_prefix_takes_over_the_start_page():
    settings = SETTINGS | {"HELPDESK_AUTH_URL": "https://app.example.com/app/"}
    args = ("login_apps:login_keeping_next()", "--no-walk", "--root-path", "/app")
    assert "SSO.E011" in check(*args, settings=settings)[1]


def test_a_logout_url_on_another_origin():
    settings = SETTINGS | {"HELPDESK_LOGOUT_URL": "https://www.example.com/sso/logout"}
    code, findings, _, _ = check(settings=settings)
    assert (code, list(findings)) == (1, ["SSO.W012"])
    assert "https://www.example.com is not https://app.example.com" in findings["SSO.W012"]["message"]


# The same origin as https://app.example.com (RFC 6454, section 4).
SPELLED_OTHERWISE = {"HELPDESK_AUTH_URL": "https://App.example.com:443/sso/helpdesk"}


@pytest.mark.parametrize(
    ("settings", "rule_ids"),
    [
        ({}, []),
        ({"HELPDESK_LOGOUT_URL": "https://app.example.com/sso/helpdesk"}, ["SSO.E009"]),
        ({"HELPDESK_SSO_AUTH_URL": "https://app.example.com/sso/helpdesk"}, ["SSO.E007"]),
        (
            {
                "HELPDESK_SSO_AUTH_URL": SPELLED_OTHERWISE["HELPDESK_AUTH_URL"],
                "HELPDESK_AUTH_URL": SETTINGS["HELPDESK_SSO_AUTH_URL"],
            },
            ["SSO.E010"],
        ),
    ],
)
def test_two_urls_may_spell_one_origin_differently(settings, rule_ids):
    _, findings, _, _ = check(settings=SETTINGS | SPELLED_OTHERWISE | settings)
    assert list(findings) == rule_ids


def test_the_auth_url_that_fits_the_prefix_is_said():
    _, findings, _, _ = check("wsgi_apps:mounted()", "--no-walk", settings=NO_LOGOUT)
    assert "use https://app.example.com/portal/sso/helpdesk" in findings["SSO.E021"]["message"]
    args = ("wsgi_apps:stripped_path()", "--no-walk", "--root-path", "/app/")
    _, findings, _, _ = check(*args, settings=NO_LOGOUT)
    assert "fits https://app.example.com/app/helpdesk" in findings["SSO.I023"]["message"]


# The login page.


@pytest.mark.parametrize(
    "kind",
    [
        "keeping_next",
        "posting_to_itself",
        "with_next_in_its_action",
        "by_script",
        "not_blocked",
        "allowing_https",
        "allowing_the_host",
        "allowing_all",
        "forbidden_with_a_form",
        "basic",
        "linked",
    ],
)
def test_a_login_that_leads_back(kind):
    code, findings, _, _ = check(f"login_apps:login_{kind}()")
    assert (code, findings) == (0, {})


@pytest.mark.parametrize("name", ["came_from", "redirect_to"])
def test_a_form_that_keeps_the_way_back_under_another_name(name):
    code, findings, steps, _ = check(f"login_apps:login_with_{name}()")
    assert (code, list(findings)) == (1, ["SSO.W055"])
    assert f"its fields: {name}, user" in findings["SSO.W055"]["message"]
    assert findings["SSO.W055"]["hint"].startswith(f'next_param: set it to "{name}"')
    assert steps["login page"]["finding"] == "SSO.W055"


@pytest.mark.parametrize(
    ("kind", "fields"), [("losing_next", "user"), ("with_a_field_that_stays", "csrf, user")]
)
def test_a_form_that_loses_the_way_back(kind, fields):
    code, findings, _, _ = check(f"login_apps:login_{kind}()")
    assert (code, list(findings)) == (1, ["SSO.W055"])
    assert f"posts to /login without /sso/helpdesk; its fields: {fields}" in (findings["SSO.W055"]["message"])
    assert findings["SSO.W055"]["hint"].startswith("resume_at: ")


def test_a_form_that_loses_the_way_back_is_fine_with_resume_at():
    assert check("login_apps:losing_next_and_resumed()")[:2] == (0, {})


@pytest.mark.parametrize("kind", ["blocked", "blocked_altogether", "blocked_by_meta", "blocked_by_nonsense"])
def test_a_form_action_that_blocks_the_redirect(kind):
    code, findings, _, _ = check(f"login_apps:login_{kind}()")
    assert (code, list(findings)) == (1, ["SSO.E056"])
    assert "https://acme.example" in findings["SSO.E056"]["message"]


def test_a_form_action_of_self_allows_another_spelling_of_the_origin():
    settings = SETTINGS | {
        "HELPDESK_AUTH_URL": "https://acme.example:443/sso/helpdesk",
        "HELPDESK_LOGOUT_URL": "https://acme.example/sso/logout",
    }
    assert check("login_apps:login_blocked()", settings=settings)[:2] == (0, {})


def test_a_login_page_at_another_spelling_of_the_origin_is_visited():
    code, findings, steps, _ = check("login_apps:login_at_the_host()", settings=SETTINGS | SPELLED_OTHERWISE)
    assert (code, findings) == (0, {})
    assert steps["login page"]["said"] == "200"


@pytest.mark.parametrize("origin", ["https://app.example.com", "https://App.example.com:443"])
def test_a_login_outside_the_mount_prefix(origin):
    settings = SETTINGS | {
        "HELPDESK_AUTH_URL": f"{origin}/app/sso/helpdesk",
        "HELPDESK_LOGOUT_URL": "https://app.example.com/app/sso/logout",
    }
    args = ("login_apps:login_at_the_host()", "--root-path", "/app")
    code, findings, steps, _ = check(*args, settings=settings)
    assert (code, list(findings)) == (1, ["SSO.W057"])
    assert "/login is not below /app" in findings["SSO.W057"]["message"]
    assert steps["login page"]["walked"] is False


@pytest.mark.parametrize("kind", ["failing", "raising"])
def test_a_login_page_that_fails_is_not_missing(kind):
    code, findings, _, _ = check(f"login_apps:login_{kind}()")
    assert (code, list(findings)) == (1, ["SSO.E040"])
    assert "login_url" not in findings["SSO.E040"]["hint"]


@pytest.mark.parametrize(
    "target", ["refusing_anonymous_visitors", "unauthorized_at_the_auth_url", "login_unauthorized"]
)
def test_anonymous_visitors_who_are_refused_and_offered_no_login(target):
    code, findings, _, _ = check(f"login_apps:{target}()")
    assert (code, list(findings)) == (1, ["SSO.E043"])


def test_a_server_that_asks_for_a_password_offers_a_login():
    assert check("login_apps:asking_by_http()")[:2] == (0, {})


def test_an_auth_url_where_the_application_fails():
    code, findings, _, _ = check("login_apps:failing_at_the_auth_url()")
    assert (code, list(findings)) == (1, ["SSO.E040"])


# The logout.


def test_a_logout_that_is_given_is_not_asked_for():
    _, findings, _, _ = check("wsgi_apps:logging_out_to_a_missing_page()")
    assert findings["SSO.E047"]["hint"].startswith("then: ")
    assert "Give SSOMiddleware logout=" not in findings["SSO.E047"]["hint"]


# The hand-off in a route.


@pytest.mark.parametrize("target", ["route_with_a_response", "route_with_a_url"])
def test_a_hand_off_in_a_route_of_the_application(target):
    code, findings, steps, report = check(f"login_apps:{target}()", settings=NO_LOGOUT)
    assert (code, list(findings)) == (0, ["SSO.I008", "SSO.I029"])
    assert report["panel"]["Auth URL"] == SETTINGS["HELPDESK_AUTH_URL"]
    assert steps["anonymous visit"]["said"] == "303 to /login?next=/sso/helpdesk"
    assert steps["login page"]["said"] == "200"

    code, findings, steps, _ = check(f"login_apps:{target}()", "--cookie", "signed_in=1")
    assert "as jane@example.com" in steps["signed-in visit"]["said"]
    assert steps["signed-in visit"]["finding"] is None


def test_a_signed_in_visit_to_a_route_that_does_not_hand_off():
    code, findings, _, _ = check("login_apps:route_with_a_url()", "--cookie", "other=1", settings=NO_LOGOUT)
    assert code == 1
    assert findings["SSO.E045"]["message"].startswith("the visitor's browser gets 303 to /login")


@pytest.mark.parametrize("target", ["wsgi_apps:plain_flask()", "login_apps:turning_everybody_away()"])
def test_an_application_without_a_route_for_the_hand_off(target):
    assert [*check(target)[1]] == ["SSO.E020"]


def test_a_route_is_not_looked_for_without_settings():
    assert [*check("login_apps:route_with_a_url()", settings={})[1]] == ["SSO.E020"]


def test_a_wrapped_application_beside_the_one_that_is_named():
    _, findings, _, _ = check("login_apps:app")
    assert "login_apps:application is wrapped" in findings["SSO.E020"]["message"]


# The signed-in visit.


def test_the_cookie_that_is_looked_for_and_the_one_that_came():
    _, findings, _, _ = check("login_apps:login_keeping_next()", "--cookie", "sessionid=1; theme=dark")
    assert findings["SSO.E045"]["message"] == (
        "the resolver returned None despite the cookie; it looked for the cookie session; cookies received: "
        "sessionid, theme"
    )


def test_the_key_that_is_looked_for_and_those_that_came():
    args = ("login_apps:login_keeping_next()", "--cookie", f"session={SESSION_OF_ANOTHER_KEY}")
    said = check(*args)[1]["SSO.E045"]["message"]
    assert (
        "; it looked for the cookie session; user, email in the session, which has account; cookies received"
        in said
    )


# Lines that do not depend on the framework.


@pytest.mark.parametrize("target", ["wsgi_apps:believing_a_secret()", "asgi_apps:app"])
def test_forged_headers_are_told_in_the_same_words(target):
    step = check(target)[2]["forged identity headers"]
    assert step["said"] == "not trusted: 14 common ones"


@pytest.mark.parametrize(
    ("target", "rule_id", "hint"),
    [
        (
            "wsgi_apps:plain_flask()",
            "SSO.E020",
            "app.wsgi_app: set app.wsgi_app = SSOMiddleware(app.wsgi_app",
        ),
        (
            "asgi_apps:plain_quart()",
            "SSO.E020",
            "app.asgi_app: set app.asgi_app = SSOMiddleware(app.asgi_app",
        ),
        ("asgi_apps:session_inside()", "SSO.W024", "middleware: put the session middleware before"),
        ("asgi_apps:strict_starlette()", "SSO.W026", 'same_site: pass same_site="lax"'),
        ("wsgi_apps:strict_flask()", "SSO.W026", 'SESSION_COOKIE_SAMESITE: set it to "Lax"'),
        ("wsgi_apps:main", "SSO.E020", "MODULE:APP: pass the wrapped object"),
    ],
)
def test_the_hint_is_for_the_framework_at_hand(target, rule_id, hint):
    assert check(target)[1][rule_id]["hint"].startswith(hint)


# Where an error is.


def test_an_error_is_at_the_line_of_the_user():
    _, findings, _, _ = check("login_apps:resolver_that_fails_in_a_library()")
    assert "(login_apps.py, line " in findings["SSO.E040"]["message"]


def test_an_error_without_a_line_of_the_user_names_a_module():
    _, findings, _, _ = check("asgi_apps:session_inside_of_a_ready_made_resolver()")
    assert "(sso_middleware.resolvers.starlette, line " in findings["SSO.E040"]["message"]


# The lines for people.


def test_long_lines_are_wrapped_to_the_terminal():
    done = run("check", "login_apps:login_with_came_from()", COLUMNS="60", FORCE_COLOR="1", NO_COLOR="1")
    assert max(map(len, done.stdout.splitlines())) <= 60
    said = done.stdout.partition("Findings\n")[2]
    assert said.startswith("  SSO.W055 warning: The login form loses the return address:")
    assert all(line.startswith("    ") for line in said.splitlines()[1:])
    assert 'its fields: came_from, user next_param: set it to "came_from"' in " ".join(said.split())
