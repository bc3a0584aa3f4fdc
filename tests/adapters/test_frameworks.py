"""The frameworks' own application classes, given to the middleware."""

from __future__ import annotations

import bottle
import fastapi
import flask
import pytest

from clients import jane, make_desk
from sso_middleware import ConfigError, asgi, wsgi


@pytest.mark.parametrize(
    ("right", "wrong", "app"),
    [
        (wsgi, asgi, flask.Flask("x")),
        (wsgi, asgi, flask.Flask("x").wsgi_app),
        (wsgi, asgi, bottle.Bottle()),
        (asgi, wsgi, fastapi.FastAPI()),
    ],
    ids=["Flask", "Flask.wsgi_app", "Bottle", "FastAPI"],
)
def test_told_apart(right, wrong, app):
    """A real application is accepted by the class for its protocol, and refused by the other."""
    right.SSOMiddleware(app, make_desk(), jane)
    with pytest.raises(ConfigError, match="app: is a"):
        wrong.SSOMiddleware(app, make_desk(), jane)
