"""The applications: what is installed, and how a person signs in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Application:
    """One application from the package index.

    Attributes:
        name: as people know it.
        framework: what it is built on.
        module: what its files in ``apps/`` are called by.
        requirements: what pip installs beside this package; the first is the application.
        forms: the fields of its login forms, one after the other, filled in.
        way_back: how the visitor comes back after signing in, for the table.
        below: the path below which the middleware stands.
        follows: after posting the form, the login page's script goes to this query parameter.
        posts_to: where the login page's script, or a form that a script makes, posts the fields.
        ends_session: a copy of the session's cookie is worthless after the logout.
        is_asgi: its protocol.
        ignored: warnings of `sso-middleware check` that the application's owner may ignore.
    """

    name: str
    framework: str
    module: str
    requirements: str
    forms: tuple[dict[str, str], ...]
    way_back: str
    below: str = ""
    follows: str = ""
    posts_to: str = ""
    ends_session: bool = True
    is_asgi: bool = True
    ignored: tuple[str, ...] = ()

    @property
    def version(self) -> str:
        return self.requirements.split()[0].partition("==")[2]


BY_NAME = ({"username": "jane", "password": "secret"},)
BY_ADDRESS = ({"username": "jane@example.com", "password": "secret"},)
LANDS = "`resume_at`"

APPLICATIONS = [
    Application(
        name="SQLAdmin",
        framework="Starlette",
        module="sqladmin",
        requirements="sqladmin==0.32.0 sqlalchemy[asyncio]==2.1.9",
        forms=BY_ADDRESS,
        way_back=LANDS,
        below="/admin",
        ends_session=False,
    ),
    Application(
        name="FastAPI Users",
        framework="FastAPI",
        module="fastapi_users",
        requirements="fastapi-users[sqlalchemy]==15.0.5 aiosqlite==0.22.1",
        forms=BY_ADDRESS,
        way_back="its own script",
        follows="next",
        ends_session=False,
    ),
    Application(
        name="Piccolo Admin",
        framework="FastAPI",
        module="piccolo",
        requirements="piccolo_admin==1.14.0 piccolo[sqlite]==1.38.0",
        forms=({"username": "jane", "password": "a secret"},),
        way_back=LANDS,
    ),
    Application(
        name="NiceGUI",
        framework="FastAPI",
        module="nicegui",
        requirements="nicegui==3.18.0",
        forms=BY_NAME,
        way_back='`next_param="redirect_to"`',
        posts_to="/signin",
    ),
    Application(
        name="Datasette",
        framework="ASGI",
        module="datasette",
        requirements="datasette==0.65.5 datasette-auth-passwords==1.1.1",
        forms=BY_NAME,
        way_back=LANDS,
        ends_session=False,
    ),
    Application(
        name="Flask-AppBuilder",
        framework="Flask",
        module="appbuilder",
        requirements="flask-appbuilder==5.3.0 waitress==3.0.2",
        forms=BY_NAME,
        way_back="`next`",
        ends_session=False,
        is_asgi=False,
    ),
    Application(
        name="Canaille",
        framework="Flask",
        module="canaille",
        requirements="canaille[front]==0.3.6 waitress==3.0.2",
        forms=({"login": "jane"}, {"password": "secret"}),
        way_back=LANDS,
        ends_session=False,
        is_asgi=False,
        ignored=("SSO.W027",),  # none of its before_request functions decides who is signed in
    ),
    Application(
        name="Wagtail",
        framework="Django",
        module="wagtail",
        requirements="wagtail==8.0.1 waitress==3.0.2",
        forms=BY_NAME,
        way_back="`next`",
        is_asgi=False,
    ),
    Application(
        name="pyramid_fullauth",
        framework="Pyramid",
        module="fullauth",
        requirements="pyramid_fullauth==3.1.0 setuptools==80.9.0 waitress==3.0.2",
        forms=({"email": "jane@example.com", "password": "secret"},),
        way_back=LANDS,
        ends_session=False,
        is_asgi=False,
    ),
    Application(
        name="Roundup",
        framework="WSGI",
        module="roundup",
        requirements="roundup==2.6.0 waitress==3.0.2",
        forms=({"__login_name": "jane", "__login_password": "secret"},),
        way_back=LANDS,
        is_asgi=False,
    ),
]
