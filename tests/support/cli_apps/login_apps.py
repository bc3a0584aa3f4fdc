"""Flask applications with a login each, and a module with an application beside the wrapped one."""

import json
import threading
from functools import partial

from flask import Flask, Response, redirect, request, session

from sso_middleware import HelpDesk, Logout, expire_cookies
from sso_middleware.resolvers.flask import session_email
from sso_middleware.wsgi import SSOMiddleware, handoff_response

FIELDS = '<input name="user"><input name="password" type="password"><button>Sign in</button>'


def page(form, action="", **headers):
    """Make a login page: `form` is what it has beside name and password."""
    html = f'<!doctype html><form method="post"{action}>{form}{FIELDS}</form>'
    return lambda: Response(html.replace("{next}", request.args.get("next", "")), headers=headers)


def with_field(name):
    """A login page that keeps the query parameter `name` in a field."""

    def login():
        value = request.args.get(name, "/")
        return f'<form method="post" action="/login"><input name="{name}" value="{value}">{FIELDS}</form>'

    return login


def raising():
    raise RuntimeError("no database")


OWN_ACTION = ' action="/login"'
CSP = "Content-Security-Policy"
LOGINS = {
    "keeping_next": page('<input type="hidden" name="next" value="{next}">', OWN_ACTION),
    "posting_to_itself": page(""),
    "with_next_in_its_action": page("", ' action="/login?next={next}"'),
    "losing_next": page("", OWN_ACTION),
    "with_came_from": with_field("came_from"),
    "with_redirect_to": with_field("redirect_to"),
    "with_a_field_that_stays": page('<input type="hidden" name="csrf" value="x">', OWN_ACTION),
    "by_script": lambda: '<!doctype html><div id="app"></div><form><input name="q"></form>',
    "blocked": page("", **{CSP: "default-src 'self'; form-action 'self'"}),
    "blocked_altogether": page("", **{CSP: "form-action 'none'"}),
    "not_blocked": page("", **{CSP: "form-action 'self' https://*.example:443, default-src 'none'"}),
    "allowing_https": page("", **{CSP: "form-action https:"}),
    "allowing_the_host": page("", **{CSP: "form-action acme.example/sso"}),
    "blocked_by_nonsense": page("", **{CSP: "form-action a:b:c"}),
    "allowing_all": page("", **{CSP: "form-action *"}),
    "blocked_by_meta": page(
        '<meta http-equiv="Content-Security-Policy" content="form-action \'self\' https://other.example">'
    ),
    "failing": lambda: ("sorry", 500),
    "raising": raising,
    "unauthorized": lambda: ("please sign in", 401),
    "forbidden_with_a_form": lambda: (page("")(), 403),
    "linked": lambda: ('<a href="/sign-in">Sign in</a>', 401),
    "basic": lambda: ("", 401, {"WWW-Authenticate": "Basic"}),
}


def app_with(login, *, wrap=True, **options):
    app = Flask(__name__)
    app.secret_key = "a secret of the application"
    app.add_url_rule("/", "start", lambda: "hello")
    app.add_url_rule("/login", "login", login)
    if wrap:
        options.setdefault("login_url", "/login")
        options.setdefault("resolve_email", session_email(app, "user", "email", verified=True))
        options.setdefault("logout", Logout(expire_cookies("session"), path="/sso/logout"))
        app.wsgi_app = SSOMiddleware(app.wsgi_app, HelpDesk.from_env(), **options)
    return app


globals().update({f"login_{kind}": partial(app_with, login) for kind, login in LOGINS.items()})


def losing_next_and_resumed():
    return app_with(LOGINS["losing_next"], resume_at="/")


def login_at_the_host():
    """The address of the login is absolute, so no mount prefix comes before it."""
    return app_with(LOGINS["posting_to_itself"], login_url="https://app.example.com/login")


def at_the_auth_url(answer):
    app = app_with(LOGINS["posting_to_itself"], login_url=None)
    app.add_url_rule("/sso/helpdesk", "support", lambda: answer)
    return app


def refusing_anonymous_visitors():
    return at_the_auth_url(("forbidden", 403))


def unauthorized_at_the_auth_url():
    return at_the_auth_url(("who are you?", 401))


def asking_by_http():
    return at_the_auth_url(("", 401, {"WWW-Authenticate": 'Basic realm="x"'}))


def failing_at_the_auth_url():
    return at_the_auth_url(("sorry", 500))


def resolver_that_fails_in_a_library():
    return app_with(LOGINS["posting_to_itself"], resolve_email=lambda environ: json.loads("{"))


def with_a_thread():
    """It has a thread that never ends and is no daemon."""
    threading.Thread(target=threading.Event().wait).start()
    return app_with(LOGINS["posting_to_itself"])


# The hand-off in a route.


def handing_off(hand_off):
    app = app_with(LOGINS["posting_to_itself"], wrap=False)

    @app.get("/sso/helpdesk")
    def support():
        if "signed_in" not in request.cookies:
            return redirect("/login?next=/sso/helpdesk", 303)
        return hand_off(HelpDesk.from_env())

    return app


def route_with_a_response():
    return handing_off(lambda desk: handoff_response(request.environ, desk, "jane@example.com"))


def route_with_a_url():
    return handing_off(lambda desk: redirect(desk.handoff("jane@example.com").url, 303))


def turning_everybody_away():
    """What it answers at the Auth URL, it answers everywhere."""
    app = app_with(LOGINS["posting_to_itself"], wrap=False)
    app.before_request(lambda: ("who are you?", 401))
    return app


# The cookie and the key.


def other_key():
    app = app_with(LOGINS["posting_to_itself"])

    @app.get("/sign-in")
    def sign_in():
        session["account"] = {"email": "jane@example.com"}
        return "hello"

    return app


def app(environ, start_response):
    """What is wrapped below, and stands beside it."""
    start_response("200 OK", [])
    return [b"hello"]


try:
    application = SSOMiddleware(app, HelpDesk.from_env(), lambda environ: None, login_url="/login")
except ValueError:  # without the settings
    application = None
