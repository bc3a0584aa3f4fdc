"""`resolvers.flask`, with real Flask applications and Flask-Login."""

from __future__ import annotations

import flask
import pytest
from flask.sessions import SecureCookieSession, SessionInterface
from flask_login import LoginManager, UserMixin, login_user, logout_user

from browsing import JOE, protect_wsgi, tamper, visit, wsgi_browser
from clients import JANE
from sso_middleware import ConfigError, MiddlewareOrderError
from sso_middleware.resolvers import flask as resolvers

pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utc:DeprecationWarning")  # Flask-Login's


class User(UserMixin):
    is_authenticated = True  # UserMixin's would say no of itself for somebody inactive

    def __init__(self, name, email, email_verified=True, active=True):
        self.id = name
        self.email = email
        self.email_verified = email_verified
        self.active = active

    @property
    def is_active(self):
        return self.active


@pytest.fixture
def users():
    return {
        user.id: user
        for user in (
            User("jane", JANE),
            User("joe", JOE, email_verified=False),
            User("blank", None),
        )
    }


@pytest.fixture
def app(users):
    app = flask.Flask("shop")
    app.secret_key = "a session secret"
    LoginManager(app).user_loader(users.get)

    @app.get("/login/<name>")
    def log_in(name):
        login_user(users[name], remember="remember" in flask.request.args)
        flask.session["who"] = {"email": users[name].email, "email_verified": users[name].email_verified}
        return ""

    @app.get("/logout")
    def log_out():
        logout_user()
        flask.session.clear()
        return ""

    return app


def by_session(app):
    return resolvers.session_email(app, "who", "email", verified="email_verified")


def by_login(app):
    return resolvers.login_user_email(app, verified="email_verified")


each_resolver = pytest.mark.parametrize("resolver", [by_session, by_login])


def browse(app, resolver):
    app.wsgi_app = protect_wsgi(app.wsgi_app, resolver(app))
    return wsgi_browser(app)


@each_resolver
def test_signed_in(app, resolver):
    """Whoever has logged in is handed off, until they log out."""
    browser = browse(app, resolver)
    assert visit(browser) == "login"
    browser.get("/login/jane")
    assert visit(browser) == JANE
    browser.get("/logout")
    assert visit(browser) == "login"


@each_resolver
def test_unverified(app, resolver):
    """An address that is not verified is refused."""
    browser = browse(app, resolver)
    browser.get("/login/joe")
    assert visit(browser) == "email_not_verified"


@each_resolver
def test_no_address(app, resolver):
    """A signed-in user without an address is not sent to log in again."""
    browser = browse(app, resolver)
    browser.get("/login/blank")
    assert visit(browser) == "invalid_email"


@each_resolver
def test_tampered_cookie(app, resolver):
    """A changed cookie is an anonymous visitor's."""
    browser = browse(app, resolver)
    browser.get("/login/jane")
    tamper(browser, "session")
    assert visit(browser) == "login"


def test_remember_me(app):
    """Flask-Login's remember-me cookie is enough, and no session is written for it."""
    browser = browse(app, by_login)
    browser.get("/login/jane?remember")
    browser.cookies.delete("session")
    assert visit(browser) == JANE
    assert "session" not in browser.cookies
    tamper(browser, "remember_token")
    assert visit(browser) == "login"


def test_remember_me_of_somebody_unverified(app):
    """The remember-me cookie proves no address."""
    browser = browse(app, by_login)
    browser.get("/login/joe?remember")
    browser.cookies.delete("session")
    assert visit(browser) == "email_not_verified"


def test_inactive_user(app, users):
    """A user who was deactivated after the login is anonymous, and so is one who was deleted."""
    browser = browse(app, by_login)
    browser.get("/login/jane?remember")
    users["jane"].active = False
    assert visit(browser) == "login"
    del users["jane"]
    assert visit(browser) == "login"


def test_strong_protection(app):
    """Flask-Login's session protection holds, and a hand-off does not take the session away."""
    app.config["SESSION_PROTECTION"] = "strong"
    browser = browse(app, by_login)
    browser.get("/login/jane")
    assert visit(browser, headers={"User-Agent": "a thief's"}) == "login"
    assert visit(browser) == JANE


def test_connections_are_returned(app):
    """The functions for the end of a request run, so that a database connection goes back."""
    ended = []
    app.teardown_appcontext(lambda error: ended.append(error))
    for resolver in (by_session, by_login):
        visit(wsgi_browser(protect_wsgi(app.wsgi_app, resolver(app))))
    assert ended == [None, None]


def test_session_in_a_database(app):
    """A session interface of another kind may use the application context, as Flask itself lets it."""

    class InDatabase(SessionInterface):
        def open_session(self, app, request):
            assert flask.current_app.name == "shop"
            return SecureCookieSession({"who": {"email": JANE, "email_verified": True}})

    app.session_interface = InDatabase()
    assert visit(wsgi_browser(protect_wsgi(app.wsgi_app, by_session(app)))) == JANE


def test_blueprints_and_url_errors_play_no_part(app):
    """No route at the intercepted path is needed, and none is run."""
    app.before_request(lambda: flask.abort(500))
    browser = browse(app, by_login)
    assert visit(browser) == "login"


def test_no_secret_key(app):
    """An application without sessions is an error that says so, and no anonymous visitor."""
    app.secret_key = None
    with pytest.raises(MiddlewareOrderError, match=r"set app\.secret_key"):
        visit(browse(app, by_session))
    app.secret_key = "a session secret"
    assert visit(wsgi_browser(app)) == "login"


def test_no_login_manager(users):
    """An application that Flask-Login does not know is an error that says which call is missing."""
    app = flask.Flask("shop")
    app.secret_key = "a session secret"
    browser = browse(app, by_login)
    with pytest.raises(MiddlewareOrderError, match=r"call login_manager\.init_app\(app\)"):
        visit(browser)
    manager = LoginManager()
    manager.user_loader(users.get)
    manager.init_app(app)
    assert visit(browser) == "login"


@each_resolver
def test_wsgi_app_instead_of_the_application(app, resolver):
    """What is no Flask application is a ConfigError."""
    with pytest.raises(ConfigError, match="app: must be the Flask application"):
        resolver(app.wsgi_app)
