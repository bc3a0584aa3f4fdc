"""WSGI applications for `sso-middleware check`: one as it should be, and ones with a mistake each."""

import os
import sys

from flask import Flask, session
from werkzeug.middleware.dispatcher import DispatcherMiddleware

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
    """Whoever has the cookie is Jane."""
    return EMAIL if "signed_in=1" in environ.get("HTTP_COOKIE", "") else None


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
    def app(environ, start_response):
        start_response("302 Found", [("Location", "/login")])
        return [b""]

    return wrapped(app=app, login_url=None)


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
