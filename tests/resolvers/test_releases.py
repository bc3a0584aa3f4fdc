"""A release of a framework that is too old is named when a resolver is made."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import flask
import pyramid.config
import pytest
import quart

from sso_middleware import ConfigError
from sso_middleware.resolvers import bottle as for_bottle
from sso_middleware.resolvers import flask as for_flask
from sso_middleware.resolvers import pyramid as for_pyramid
from sso_middleware.resolvers import quart as for_quart
from sso_middleware.resolvers._settings import OLDEST, release_problem

TRUE = {"verified": True}
RESOLVERS = {
    "beaker": [lambda: for_bottle.beaker_session_email("email", **TRUE)],
    "bottle": [lambda: for_bottle.signed_cookie_email("session", "secret", **TRUE)],
    "flask": [
        lambda: for_flask.session_email(flask.Flask("x"), "email", **TRUE),
        lambda: for_flask.context_email(flask.Flask("x"), lambda: None, **TRUE),
        lambda: for_flask.login_user_email(flask.Flask("x"), **TRUE),
    ],
    "flask-login": [lambda: for_flask.login_user_email(flask.Flask("x"), **TRUE)],
    "pyramid": [
        lambda: for_pyramid.request_email(
            pyramid.config.Configurator().make_wsgi_app(), lambda request: None, **TRUE
        )
    ],
    "quart": [lambda: for_quart.context_email(quart.Quart("x"), lambda: None, **TRUE)],
}


@pytest.mark.parametrize("name", OLDEST)
def test_too_old(name, tmp_path, monkeypatch):
    """The error names the installed release and the oldest supported one."""
    metadata = tmp_path / f"{name.replace('-', '_')}-0.0.9.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.0.9\n")
    monkeypatch.syspath_prepend(tmp_path)
    for make in RESOLVERS[name]:
        with pytest.raises(
            ConfigError, match=f"0.0.9 is installed, and {re.escape(OLDEST[name])} is the oldest"
        ):
            make()


def test_as_in_pyproject():
    """They are the releases that the tests also run with."""
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))["project"]
    test = " ".join(project["optional-dependencies"]["test"])
    floors = dict(re.findall(r"([\w-]+)>=([\d.]+)", test))
    assert {name: floors[name] for name in OLDEST} == OLDEST


def test_no_metadata():
    """A framework that was not installed as a distribution is not judged."""
    assert release_problem("a-framework-that-is-vendored") is None
