"""Resolvers for Flask, for a middleware around the application.

They are for ``app.wsgi_app = SSOMiddleware(app.wsgi_app, ...)``. Only `end_session` writes the session;
changes to a resolver's copy of it are not saved.

They only see the session: the application's ``before_request`` functions do not run. If one of these ends
sessions, asks for a second factor or changes the user, call ``app.preprocess_request()`` in the getter of
`context_email` to run them, or return `sso_middleware.wsgi.handoff_response` from a view.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, cast
from wsgiref.types import WSGIEnvironment

from flask import Flask, session
from werkzeug.exceptions import HTTPException

from sso_middleware._secret import Secret
from sso_middleware._text import forced
from sso_middleware.errors import ConfigError, MiddlewareOrderError
from sso_middleware.resolvers._addresses import email_from, email_if_signed_in, email_in
from sso_middleware.resolvers._errors import explain_missing_hooks, http_errors_as_refusals
from sso_middleware.resolvers._headers import require_environ
from sso_middleware.resolvers._settings import check_settings, getter_problem, release_problem
from sso_middleware.resolvers._types import WSGIEndSession, WSGIResolver
from sso_middleware.resolvers._verification import Verified

__all__ = ["context_email", "end_session", "login_user_email", "session_email"]


_HINT_ATTR = (
    "set attr= to the attribute that holds the address, or use context_email(app, getter, verified=...)"
)
_NO_HOOKS = (
    "flask.g has no {name!r} here, because the application's before_request functions do not run. In a "
    "getter, find the user without flask.g.{name}, or first call the function that sets it; in a teardown "
    "function, use flask.g.pop({name!r}, None)"
)
_NO_SESSION = "the Flask application has no session: set app.secret_key first"


def session_email(app: Flask, *keys: str, verified: Verified) -> WSGIResolver:
    """Take the address from the session of `app`.

    Args:
        app: the Flask application.
        keys: the keys that lead to the address, outermost mapping first.
        verified: see `Verified`; the name or predicate applies to the mapping that holds the address.

    Raises:
        ConfigError: a setting is wrong; the error lists all of them.
    """
    check_settings(verified, keys=keys, app=_problem(app), flask=release_problem("flask"))

    def resolve(environ: WSGIEnvironment) -> str | None:
        require_environ(environ, "flask.session_email")
        # Sessions in a database use the context, and return their connection when it ends.
        with explain_missing_hooks(app.app_ctx_globals_class, _NO_HOOKS), app.app_context():
            opened = Secret(app.session_interface.open_session(app, app.request_class({**environ})))
            if opened() is None:
                raise MiddlewareOrderError(_NO_SESSION)
            return email_in(opened(), keys, verified)

    return resolve


def context_email(app: Flask, getter: Callable[[], Any], *, verified: Verified) -> WSGIResolver:
    """Ask `getter` for the visitor in a request context of the application.

    For example, ``context_email(app, lambda: find_user(session.get("user_id")), verified="email_verified")``,
    with ``flask.session``, if the session only holds a key into a database. The application's teardown
    functions run; its ``before_request`` and ``after_request`` functions do not, so they have not set
    anything in ``flask.g``. Without a ``secret_key`` the session is empty.

    Args:
        app: the Flask application.
        getter: ``() -> user``, sync: an object or mapping with an ``email``, or the address itself;
            `None` for an anonymous visitor, or a user whose ``is_authenticated`` is false.
            ``flask.request``, ``session`` and ``g`` are the visitor's. ``abort(401)`` counts as `None`, and
            ``abort(403)`` as ``HandoffRefused("forbidden")``.
        verified: see `Verified`; the name or predicate applies to what `getter` returns.

    Raises:
        ConfigError: a setting is wrong; the error lists all of them.
    """
    check_settings(
        verified,
        app=_problem(app),
        flask=release_problem("flask"),
        getter=getter_problem(getter, "() -> user"),
    )
    return _asking(app, "flask.context_email", lambda: email_from(getter(), verified))


def login_user_email(app: Flask, attr: str = "email", *, verified: Verified) -> WSGIResolver:
    """Take the address from the user that Flask-Login finds, by the session or a remember-me cookie.

    Inactive users are refused. The application's teardown functions run; its ``before_request`` and
    ``after_request`` functions do not.

    Args:
        app: the Flask application.
        attr: the attribute of the user that holds the address.
        verified: see `Verified`; the name or predicate applies to the user.

    Raises:
        ConfigError: a setting is wrong; the error lists all of them.
        ImportError: Flask-Login is not installed.
    """
    check_settings(
        verified,
        attr=attr,
        app=_problem(app),
        flask=release_problem("flask"),
        flask_login=release_problem("flask-login"),
    )
    flask_login: Any = import_module("flask_login")  # here, because the other resolvers do not need it

    def ask() -> str | None:
        if not hasattr(app, "login_manager"):
            raise MiddlewareOrderError(
                "Flask-Login is not set up for this application: call login_manager.init_app(app) before the "
                "first request"
            )
        return email_if_signed_in(flask_login.current_user, attr, verified, hint=_HINT_ATTR)

    return _asking(app, "flask.login_user_email", ask)


def end_session(app: Flask) -> WSGIEndSession:
    """Return an `end_session` for `Logout` that ends the session of `app` in a request context.

    The application's session interface saves the emptied session, so that a session on the server
    (Flask-Session) is deleted, and expires its cookie. With Flask-Login, its user is logged out and its
    remember-me cookie expired. The application's teardown functions run; its ``before_request`` and
    ``after_request`` functions do not.

    Flask's own session and the remember-me cookie have no state on the server: a copy of the cookie still
    works after the logout.

    Args:
        app: the Flask application.

    Returns:
        ``(environ) -> headers``, each a ``Set-Cookie``. It raises `MiddlewareOrderError` if the
        application has no session.

    Raises:
        ConfigError: `app` is not a Flask application.
    """
    if problem := _problem(app):
        raise ConfigError({"end_session(app)": problem})

    def end(environ: WSGIEnvironment) -> list[tuple[str, str]]:
        require_environ(environ, "flask.end_session")
        with _request_context(app, environ):
            interface, response = app.session_interface, app.response_class()
            current: Any = forced(session)
            if interface.is_null_session(current):
                raise MiddlewareOrderError(_NO_SESSION)
            _log_out_of_flask_login(app, response)
            current.clear()
            current.modified = True  # not every kind of session detects clear()
            interface.save_session(app, current, response)
            # Some interfaces do not expire the cookie of an empty session, or a Partitioned cookie.
            response.delete_cookie(
                interface.get_cookie_name(app),
                path=interface.get_cookie_path(app),
                domain=interface.get_cookie_domain(app),
                secure=interface.get_cookie_secure(app),
                httponly=interface.get_cookie_httponly(app),
                samesite=interface.get_cookie_samesite(app),
                partitioned=bool(_setting(app, "SESSION_COOKIE_PARTITIONED")),  # since Flask 3.1
            )
            cookies = dict.fromkeys(response.headers.getlist("Set-Cookie"))
            return [("Set-Cookie", cookie) for cookie in cookies]

    return end


def _log_out_of_flask_login(app: Flask, response: Any) -> None:
    manager: Any = getattr(app, "login_manager", None)
    if manager is None:
        return
    flask_login: Any = sys.modules.get("flask_login")  # a fork of it has the same managers and cookies
    if flask_login and isinstance(manager, flask_login.LoginManager):
        flask_login.logout_user()
    # Flask-Login itself does this in an `after_request` function.
    response.delete_cookie(
        _setting(app, "REMEMBER_COOKIE_NAME", "remember_token"),
        path=_setting(app, "REMEMBER_COOKIE_PATH", "/"),
        domain=_setting(app, "REMEMBER_COOKIE_DOMAIN"),
        secure=_setting(app, "REMEMBER_COOKIE_SECURE", False),
        httponly=True,
    )


def _setting(app: Flask, name: str, default: object = None) -> Any:
    return cast("dict[str, Any]", app.config).get(name, default)


def _asking(app: Flask, name: str, ask: Callable[[], str | None]) -> WSGIResolver:
    """Return the resolver `name`, which calls `ask` in a request context."""

    def resolve(environ: WSGIEnvironment) -> str | None:
        require_environ(environ, name)
        with http_errors_as_refusals(HTTPException), _request_context(app, environ):
            return ask()
        return None

    return resolve


@contextmanager
def _request_context(app: Flask, environ: WSGIEnvironment) -> Generator[None]:
    """Push a request context that shares nothing, and always pop it.

    Flask-Login keeps its user in `flask.g`, which belongs to the application context. A context that is
    already pushed, or was never popped, would be shared: the next visitor would be mistaken for the last
    one. Flask's own ``with app.request_context()`` is not popped if the session cannot be opened.
    """
    with explain_missing_hooks(app.app_ctx_globals_class, _NO_HOOKS), app.app_context():
        context = app.request_context({**environ})  # a copy: Flask adds to it
        try:
            context.push()
            yield
        finally:
            context.pop()


def _problem(app: object) -> str | None:
    # isinstance() would see the current target of a proxy such as current_app.
    is_app = issubclass(type(app), Flask)
    return None if is_app else "must be the Flask application itself, not its wsgi_app or current_app"
