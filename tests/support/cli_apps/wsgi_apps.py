"""WSGI applications for `sso-middleware check`: one as it should be, and ones with a mistake each."""

import os
import sys
from functools import partial

from flask import Blueprint, Flask, session
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix

from sso_middleware import HandoffRefused, HelpDesk, Logout, ResolverUnavailable, expire_cookies
from sso_middleware.resolvers import first_of
from sso_middleware.resolvers.proxy import trusted_header
from sso_middleware.wsgi import SSOMiddleware

EMAIL = "jane@example.com"


def site(environ, start_response):
    """An application with a start page and a login page."""
    known = environ["PATH_INFO"] in ("/", "/login")
    start_response("200 OK" if known else "404 Not Found", [("Content-Type", "text/plain")])
    return [b"hello"]


def by_cookie(environ):
    """A visitor with the cookie is Jane."""
    return EMAIL if "signed_in=1" in environ.get("HTTP_COOKIE", "") else None


def site_with(pages):
    """An application with more pages: a status, an address, or what makes one of query and cookie."""

    def app(environ, start_response):
        page = pages.get(environ["PATH_INFO"])
        if callable(page):
            page = page(environ["QUERY_STRING"], environ.get("HTTP_COOKIE", ""))
        if page is None:
            return site(environ, start_response)
        status, *headers = page if isinstance(page, tuple) else (page,)
        if not status[0].isdigit():
            headers, status = [("Location", status), *headers], "302 Found"
        start_response(status, [("Content-Type", "text/plain"), *headers])
        return [b"hello"]

    return app


def wrapped(resolve_email=by_cookie, app=site, **options):
    options.setdefault("login_url", "/login")
    return SSOMiddleware(app, HelpDesk.from_env(), resolve_email, **options)


def right():
    print("an application that prints")  # noqa: T201 - is not to get into our JSON
    return wrapped(logout=Logout(expire_cookies("signed_in"), path="/sso/logout"))


application = right()


def flask_app():
    app = Flask(__name__)
    app.secret_key = "a secret of the application"

    @app.route("/login")
    def login():
        session["email"] = EMAIL
        return "hello"

    app.wsgi_app = wrapped(app=app.wsgi_app)
    return app


def plain_flask():
    return Flask(__name__)


class Wrapping:
    """Some middleware."""

    def __init__(self, wrap_app):
        self.wrap_app = wrap_app

    def __call__(self, environ, start_response):
        return self.wrap_app(environ, start_response)


class SessionMiddleware(Wrapping):
    """What Beaker's looks like from outside."""

    def __call__(self, environ, start_response):
        environ["beaker.session"] = (
            {"email": EMAIL} if "signed_in=1" in environ.get("HTTP_COOKIE", "") else {}
        )
        return self.wrap_app(environ, start_response)


def by_session(environ):
    return environ["beaker.session"].get("email")


def session_inside():
    return wrapped(by_session, SessionMiddleware(site))


def session_inside_unused():
    return wrapped(by_cookie, SessionMiddleware(site))


def session_outside():
    return SessionMiddleware(wrapped(by_session))


def other_paths():
    return wrapped(paths=["/support", "/help"])


def slash_path():
    return wrapped(paths="/sso/helpdesk/")


def stripped_path():
    return wrapped(paths="/helpdesk")


def other_logout_path():
    return wrapped(logout=Logout(expire_cookies("signed_in"), path="/bye"))


def mounted():
    return DispatcherMiddleware(site, {"/portal": wrapped()})


def two():
    return wrapped(app=wrapped())


def answering_first(environ, start_response):
    start_response("302 Found", [("Location", "https://elsewhere.example/")])
    return [b""]


def hidden_by_another():
    first = Wrapping(wrapped())
    return lambda environ, start_response: answering_first(environ, start_response) if first else None


class AnsweringFirst(Wrapping):
    def __call__(self, environ, start_response):
        return answering_first(environ, start_response)


def shadowed():
    return AnsweringFirst(wrapped())


class Failing(Wrapping):
    def __call__(self, environ, start_response):
        start_response("500 Internal Server Error", [])
        return [b"sorry"]


def failing_first():
    return Failing(wrapped())


class RewritingLocation(Wrapping):
    """A proxy-like middleware that breaks redirects."""

    def __call__(self, environ, start_response):
        def rewriting(status, headers, *more):
            cut = [(n, v.partition("&auth_url")[0] if n == "Location" else v) for n, v in headers]
            return start_response(status, cut, *more)

        return self.wrap_app(environ, rewriting)


def rewritten():
    return RewritingLocation(wrapped())


class NoRedirects(Wrapping):
    def __call__(self, environ, start_response):
        def plain(_status, headers, *more):
            return start_response("200 OK", [pair for pair in headers if pair[0] != "Location"], *more)

        return self.wrap_app(environ, plain)


def no_redirects():
    return NoRedirects(wrapped())


def everybody():
    return wrapped(lambda _: EMAIL)


def everybody_without_redirects():
    return NoRedirects(everybody())


def nobody():
    return wrapped(lambda _: None)


def unanswered():
    return wrapped(login_url=None)


def own_login_route():
    return wrapped(app=site_with({"/sso/helpdesk": "/login"}), login_url=None)


def own_login_form():
    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/html")])
        yield b"x" * 2_000_000
        raise AssertionError("nobody reads that far")

    return wrapped(app=app, login_url=None)


def missing_login_page():
    return wrapped(login_url="/sign-in")


def failing_login_page():
    def app(environ, start_response):
        raise RuntimeError("no database")

    return wrapped(app=app)


def login_elsewhere():
    return wrapped(login_url="https://login.example/start")


def raising():
    def resolve_email(environ):
        raise KeyError("email")

    return wrapped(resolve_email)


def refusing():
    def resolve_email(environ):
        if by_cookie(environ):
            raise HandoffRefused("email_not_verified")

    return wrapped(resolve_email)


def unavailable():
    def resolve_email(environ):
        raise ResolverUnavailable

    return wrapped(resolve_email)


def believing_headers():
    def resolve_email(environ):
        return environ.get("HTTP_X_FORWARDED_EMAIL") or environ.get("HTTP_REMOTE_USER") or by_cookie(environ)

    return wrapped(resolve_email)


def believing_the_proxy():
    def resolve_email(environ):
        by_proxy = environ["REMOTE_ADDR"] == "127.0.0.1"
        return environ.get("HTTP_X_FORWARDED_EMAIL") if by_proxy else None

    return wrapped(resolve_email)


def trusting_a_secret():
    return wrapped(trusted_header("X-Forwarded-Email", secret=("X-Proxy-Secret", "known-to-the-proxy-alone")))


def trusting_a_proxy_with_a_header_of_its_own():
    return wrapped(trusted_header("X-Acme-Visitor", trusted_proxies="127.0.0.1"))


def trusting_a_proxy_and_believing_another_header():
    trusting = trusted_header("X-Forwarded-Email", trusted_proxies="127.0.0.1")
    return wrapped(first_of(trusting, lambda environ: environ.get("HTTP_X_EMAIL")))


def believing_a_header_of_its_own():
    return wrapped(lambda environ: environ.get("HTTP_X_ACME_VISITOR") or by_cookie(environ))


def believing_a_secret():
    def resolve_email(environ):
        by_proxy = environ.get("HTTP_X_ACME_SECRET") == "known to the proxy alone"
        return environ["HTTP_X_ACME_VISITOR"] if by_proxy else by_cookie(environ)

    return wrapped(resolve_email)


def believing_two_headers_together():
    def resolve_email(environ):
        both = "HTTP_REMOTE_USER" in environ and "HTTP_X_EMAIL" in environ
        return environ["HTTP_X_EMAIL"] if both else None

    return wrapped(resolve_email)


def exiting():
    def resolve_email(environ):
        sys.exit(7)

    return wrapped(resolve_email)


def silent():
    return wrapped(app=lambda environ, start_response: [b"hello"], login_url=None)


def returning_nothing():
    return wrapped(app=lambda environ, start_response: None, login_url=None)


def telling_lies():
    def app(environ, start_response):
        start_response("302 Found", [("Location", "/\n  fine  signed-in visit: 303")])
        return [b""]

    return wrapped(app=app, login_url=None)


def mounted_under_a_similar_name():
    return DispatcherMiddleware(site, {"/ss": wrapped()})


def several_accounts():
    desk = HelpDesk.from_env()
    return wrapped_by_chooser(lambda _environ, _email: desk)


def wrapped_by_chooser(chooser):
    return SSOMiddleware(site, chooser, by_cookie, paths=["/sso/helpdesk"], login_url="/login")


def failing_logout():
    def end_session(environ):
        raise RuntimeError("no session to end")

    return wrapped(logout=Logout(end_session))


def telling():
    def resolve_email(environ):
        token = HelpDesk.from_env().handoff(EMAIL).token
        raise RuntimeError(f"{os.environ['HELPDESK_SSO_TOKEN']} and {token} \x1b[31m")

    return wrapped(resolve_email)


not_callable = "an application"


# Login pages, and Logout URLs, that lead on. What is not a page of its own is answered 404.

LOGIN_PAGES = {
    "with_a_slash": {"/login": lambda query, _: f"/login/?{query}", "/login/": "200 OK"},
    "forgetting_the_way_back": {"/login": "/login/", "/login/": "200 OK"},
    "at_another_site": {"/login": "https://login.example/authorize?state=x"},
    "at_no_address": {"/login": "http://[nowhere"},
    "at_no_port": {"/login": "https://login.example:99999/"},
    "at_an_empty_address": {"/login": ("302 Found", ("Location", ""))},
    "with_a_look_for_cookies": {
        "/login": lambda _, cookie: (
            "200 OK"
            if "works=1" in cookie
            else ("/login?next=/sso/helpdesk", ("Set-Cookie", "works=1; Path=/"))
        )
    },
    "that_took_the_cookie_back": {
        "/login": ("/form", ("Set-Cookie", "works=1")),
        "/form": ("/last", ("Set-Cookie", "works=; Max-Age=0")),
        "/last": lambda _, cookie: "404 Not Found" if "works" in cookie else "200 OK",
    },
    "circle": {"/login": lambda query, _: f"/login?{query}"},
    "back_to_the_auth_url": {"/login": "/sso/helpdesk"},
    "ever_new_cookie": {
        "/login": lambda _, cookie: ("/login", ("Set-Cookie", f"visits=x{'x' * cookie.count('x')}"))
    },
    "guest": {"/login": ("/sso/helpdesk", ("Set-Cookie", "signed_in=1"))},
    "form_missing": {"/login": "/auth/form"},
    "form_not_for_get": {"/login": "/auth/form", "/auth/form": "405 Method Not Allowed"},
    "form_failing": {"/login": "/auth/form", "/auth/form": "503 Service Unavailable"},
    "wrapping": {
        "/login": lambda query, _: f"/auth?to=%2Flogin%3F{query.replace('/', '%252F')}",
        "/auth": "200 OK",
    },
    "wrapping_with_origin": {
        "/login": lambda query, _: f"/auth?to=https://app.example.com/login?{query}",
        "/auth": "200 OK",
    },
    "with_the_origin_in_the_way_back": {
        "/login": "/auth?a=b&next=https://app.example.com/sso/helpdesk",
        "/auth": "200 OK",
    },
}
LOGOUT_PAGES = {
    "open": "200 OK",
    "leading_home": "/",
    "elsewhere": "https://www.example.com/",
    "missing": "/bye",
    "refusing": "400 Bad Request",
    "failing": "500 Internal Server Error",
    "circle": "/sso/logout",
    "to_the_auth_url": "/sso/helpdesk",
    "unauthorized": "401 Unauthorized",
    "forbidden": "403 Forbidden",
    "behind_a_login": "/login?next=/sso/logout",
    "behind_a_login_with_a_query": "/login?to=%2Fgo%3Fnext%3D%2Fsso%2Flogout",
}


def login_page(kind):
    return wrapped(app=site_with(LOGIN_PAGES[kind]), logout=Logout(expire_cookies("signed_in")))


def logout_page(kind):
    return wrapped(app=site_with({"/sso/logout": LOGOUT_PAGES[kind]}))


# What `check` is handed: login_circle() and the like.
globals().update({f"login_{kind}": partial(login_page, kind) for kind in LOGIN_PAGES})
globals().update({f"logout_{kind}": partial(logout_page, kind) for kind in LOGOUT_PAGES})


def logging_out_to_a_missing_page():
    return wrapped(logout=Logout(expire_cookies("signed_in"), then="/bye"))


def logging_out_by_way_of_the_auth_url():
    pages = {"/": "/sso/helpdesk"}
    return wrapped(app=site_with(pages), logout=Logout(expire_cookies("signed_in")))


def calling_itself():
    app = Flask(__name__)
    app.wsgi_app = wrapped(app=app)
    return app


def each_behind_proxy_fix():
    return DispatcherMiddleware(ProxyFix(wrapped(app=site)), {"/other": ProxyFix(site)})


def twice_behind_proxy_fix():
    app = Flask(__name__)
    app.route("/login")(lambda: "hello")
    app.wsgi_app = ProxyFix(wrapped(app=app.wsgi_app))
    return ProxyFix(app)


def strict_flask():
    app = Flask(__name__)
    app.secret_key = "a secret of the application"
    app.config["SESSION_COOKIE_SAMESITE"] = "Strict"
    app.route("/login")(lambda: "hello")
    app.wsgi_app = wrapped(app=app.wsgi_app)
    return app


def hooked_flask():
    """It ends idle sessions before a view runs."""
    app = plain_flask()
    app.before_request(end_idle_session)
    app.route("/login")(lambda: "hello")
    app.wsgi_app = wrapped(app=app.wsgi_app)
    return app


def end_idle_session():
    """What no resolver sees run."""


def extended_flask():
    """Its functions are those of an extension and of a blueprint."""
    app, blueprint = plain_flask(), Blueprint("admin", __name__)
    app.before_request(
        type("CSRFProtect", (), {"__module__": "flask_login.csrf", "__call__": lambda self: None})()
    )
    blueprint.before_request(end_idle_session)
    app.register_blueprint(blueprint)
    app.route("/login")(lambda: "hello")
    app.wsgi_app = wrapped(app=app.wsgi_app)
    return app


def main(global_config, **settings):
    """As in a project that pserve starts."""
    return wrapped()


class Untold:
    """Something to call whose parameters cannot be told."""

    __signature__ = "none"

    def __call__(self, *args):
        raise AssertionError("nobody calls it")


untold = Untold()
