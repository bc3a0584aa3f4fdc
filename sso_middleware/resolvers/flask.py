"""For Flask: who is signed in, asked of the application from outside.

The resolvers are for ``app.wsgi_app = SSOMiddleware(app.wsgi_app, ...)``. They write no session: what
they change in their copy of it goes nowhere. Only `end_session` does.

They see the session, and not what the application decides later: its ``before_request`` functions do not
run. If one of these ends a session, asks for a second factor or chooses another user, call
``app.preprocess_request()`` in the getter of `context_email`, which runs them, or return
`sso_middleware.wsgi.handoff_response` from a view.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, TypeAlias, cast
from wsgiref.types import WSGIEnvironment

from flask import Flask, session
from werkzeug.exceptions import HTTPException

from sso_middleware._lazy import forced
from sso_middleware._secret import Secret
from sso_middleware.errors import ConfigError, MiddlewareOrderError
from sso_middleware.resolvers._asking import answers_by, without_hooks
from sso_middleware.resolvers._headers import require_environ
from sso_middleware.resolvers._verification import (
    Verified,
    check_settings,
    email_from,
    email_if_signed_in,
    email_in,
    getter_problem,
)

__all__ = ["context_email", "end_session", "login_user_email", "session_email"]

EmailResolver: TypeAlias = Callable[[WSGIEnvironment], str | None]
EndSession: TypeAlias = Callable[[WSGIEnvironment], list[tuple[str, str]]]

_HINT_ATTR = (
    "attr= names the attribute that holds the address, or context_email(app, getter, verified=...) finds it"
)
_NO_HOOKS = (
    "flask.g has no {name!r} here, as the application's before_request functions are not run. If a getter "
    "reads flask.g.{name}, let it find the user itself, or call the function that sets it first; a teardown "
    "function takes flask.g.pop({name!r}, None)"
)
_NO_SESSION = "the Flask application has no session: set app.secret_key first"


def session_email(app: Flask, *keys: str, verified: Verified) -> EmailResolver:
    """Take the address from the session that `app` itself would open.

    Args:
        app: the Flask application.
        keys: the keys that lead to the address, each into the mapping that the one before it gave.
        verified: see `Verified`; the name or predicate is that of the mapping that holds the address.

    Raises:
        ConfigError: naming every wrong setting at once.
    """
    check_settings(verified, keys=keys, app=_problem(app))

    def resolve(environ: WSGIEnvironment) -> str | None:
        require_environ(environ, "flask.session_email")
        # Sessions in a database use it, and return their connection at its end.
        with without_hooks(app.app_ctx_globals_class, _NO_HOOKS), app.app_context():
            opened = Secret(app.session_interface.open_session(app, app.request_class({**environ})))
            if opened() is None:
                raise MiddlewareOrderError(_NO_SESSION)
            return email_in(opened(), keys, verified)

    return resolve


def context_email(app: Flask, getter: Callable[[], Any], *, verified: Verified) -> EmailResolver:
    """Ask `getter` for the visitor within a request context of the application.

    ``context_email(app, lambda: find_user(session.get("user_id")), verified="email_verified")``, with
    ``flask.session``, where the session holds no more than who it is, and a database the rest. The
    application's teardown functions are run; its ``before_request`` and ``after_request`` functions are
    not, so nothing of theirs is in ``flask.g``: let `getter` find the user itself, or call the function that
    does. Without a ``secret_key`` the session is empty.

    Args:
        app: the Flask application.
        getter: ``() -> user``, sync: an object or mapping with an ``email``, or the address itself;
            `None` if nobody is signed in, or a user whose ``is_authenticated`` says so. ``flask.request``,
            ``session`` and ``g`` are those of the visitor. ``abort(401)`` counts as `None`, and
            ``abort(403)`` as ``HandoffRefused("forbidden")``.
        verified: see `Verified`; the name or predicate is that of what `getter` returns.

    Raises:
        ConfigError: naming every wrong setting at once.
    """
    check_settings(verified, app=_problem(app), getter=getter_problem(getter, "() -> user"))
    return _asking(app, "flask.context_email", lambda: email_from(getter(), verified))


def login_user_email(app: Flask, attr: str = "email", *, verified: Verified) -> EmailResolver:
    """Take the address from the user whom Flask-Login finds, by the session or a remember-me cookie.

    An inactive user is refused. The application's teardown functions are run; its ``before_request``
    and ``after_request`` functions are not.

    Args:
        app: the Flask application.
        attr: the attribute of the user that holds the address.
        verified: see `Verified`; the name or predicate is that of the user.

    Raises:
        ConfigError: naming every wrong setting at once.
        ImportError: Flask-Login is not installed.
    """
    check_settings(verified, attr=attr, app=_problem(app))
    flask_login: Any = import_module("flask_login")  # here, as the other resolvers do without

    def ask() -> str | None:
        if not hasattr(app, "login_manager"):
            raise MiddlewareOrderError(
                "Flask-Login does not know the application yet: call login_manager.init_app(app) before the "
                "first request"
            )
        return email_if_signed_in(flask_login.current_user, attr, verified, hint=_HINT_ATTR)

    return _asking(app, "flask.login_user_email", ask)


def end_session(app: Flask) -> EndSession:
    """Return an `end_session` for `Logout` that ends the session of `app` within a request context.

    The session is emptied and saved by the application's session interface, so one on the server
    (Flask-Session) is deleted there, and its cookie is expired as the configuration says at that moment.
    Where Flask-Login is, its user is logged out and its remember-me cookie is expired. The application's
    teardown functions are run; its ``before_request`` and ``after_request`` functions are not.

    Flask's own session and the remember-me cookie are all in the cookie: a copy of the cookie still works
    after the logout.

    Args:
        app: the Flask application.

    Returns:
        ``(environ) -> headers``, each a ``Set-Cookie``. It raises `MiddlewareOrderError` if the
        application has no session.

    Raises:
        ConfigError: `app` is no Flask application.
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
            current.modified = True  # not every kind of session notes that it was emptied
            interface.save_session(app, current, response)
            # Not every interface expires the cookie of an empty session, or a Partitioned cookie.
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
    flask_login: Any = sys.modules.get("flask_login")  # a fork of it has managers and cookies that are alike
    if flask_login and isinstance(manager, flask_login.LoginManager):
        flask_login.logout_user()
    # Flask-Login itself does so in an `after_request` function.
    response.delete_cookie(
        _setting(app, "REMEMBER_COOKIE_NAME", "remember_token"),
        path=_setting(app, "REMEMBER_COOKIE_PATH", "/"),
        domain=_setting(app, "REMEMBER_COOKIE_DOMAIN"),
        secure=_setting(app, "REMEMBER_COOKIE_SECURE", False),
        httponly=True,
    )


def _setting(app: Flask, name: str, default: object = None) -> Any:
    return cast("dict[str, Any]", app.config).get(name, default)


def _asking(app: Flask, name: str, ask: Callable[[], str | None]) -> EmailResolver:
    """Return the resolver of that name, which asks within a request context."""

    def resolve(environ: WSGIEnvironment) -> str | None:
        require_environ(environ, name)
        with answers_by(HTTPException), _request_context(app, environ):
            return ask()
        return None

    return resolve


@contextmanager
def _request_context(app: Flask, environ: WSGIEnvironment) -> Generator[None]:
    """Push a request context that shares nothing, and take it away whatever happens.

    Flask-Login keeps its user in `flask.g`, which belongs to the application context. One that is pushed
    already, or that stayed behind, would be shared: the next visitor would be taken for the last one. Flask's
    own ``with app.request_context()`` stays behind if the session cannot be opened.
    """
    with without_hooks(app.app_ctx_globals_class, _NO_HOOKS), app.app_context():
        context = app.request_context({**environ})  # a copy: Flask leaves a note in it
        try:
            context.push()
            yield
        finally:
            context.pop()


def _problem(app: object) -> str | None:
    # Of a proxy, such as current_app, isinstance() sees what it stands for here and now.
    is_app = issubclass(type(app), Flask)
    return None if is_app else "must be the Flask application itself, neither its wsgi_app nor current_app"
