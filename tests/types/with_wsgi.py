"""A plain WSGI application: what users write, and what a type checker has to refuse."""

from __future__ import annotations

from typing import assert_type
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from sso_middleware import (
    ConfigError,
    Handoff,
    HandoffRefused,
    HelpDesk,
    Logout,
    ResolverUnavailable,
    SSOEvent,
    expire_cookies,
)
from sso_middleware.resolvers import first_of, only_domains, require
from sso_middleware.wsgi import EmailResolver, HelpDeskChooser, SSOMiddleware


def app(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    start_response("200 OK", [])
    return [b""]


def resolve_email(environ: WSGIEnvironment) -> str | None:
    if environ.get("banned"):
        raise HandoffRefused("banned")
    if environ.get("down"):
        raise ResolverUnavailable
    return environ.get("REMOTE_USER")


def choose(environ: WSGIEnvironment, email: str) -> HelpDesk:
    return desk


def on_event(event: SSOEvent) -> None:
    assert_type(event.email, str | None)
    assert_type(event.reason, str | None)
    if event.outcome == "handed_off":
        print(event.jti)


def end_session(environ: WSGIEnvironment) -> list[tuple[str, str]]:
    return [("Set-Cookie", "session=; Max-Age=0")]


desk = HelpDesk(
    sso_token="a made-up token of thirty-two bytes",
    sso_auth_url="https://acme.example/sso",
    account_id=4711,
    auth_url="https://app.example/sso",
)
assert_type(HelpDesk.from_env(), HelpDesk)
assert_type(desk.handoff("jane@example.com"), Handoff)
assert_type(desk.handoff("jane@example.com").url, str)
assert_type(desk.account_id, str)
assert_type(desk.logout_url, str | None)
chooser: HelpDeskChooser = choose
resolver: EmailResolver = resolve_email

protected: WSGIApplication = SSOMiddleware(app, desk, resolve_email)
SSOMiddleware(app, choose, lambda environ: None, paths=["/sso", "/help"], next_param="back")
SSOMiddleware(
    app,
    desk,
    resolve_email,
    paths="/sso",
    login_url="/login",
    logout=Logout(end_session, path="/bye", then="/"),
    on_event=on_event,
)
SSOMiddleware(app, desk, only_domains(first_of(resolve_email, resolver), "example.com"))
SSOMiddleware(app, desk, require(resolve_email, lambda email: email.islower(), "not_lower"))
Logout(expire_cookies("session"))
try:
    Logout(end_session, path="bye")
except ConfigError as error:
    assert_type(str(error), str)


async def resolve_async(environ: WSGIEnvironment) -> str | None:
    return None


def resolve_number(environ: WSGIEnvironment) -> int:
    return 1


def choose_without_email(environ: WSGIEnvironment) -> HelpDesk:
    return desk


async def asgi_app(scope: object, receive: object, send: object) -> None: ...


SSOMiddleware(app, desk)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
SSOMiddleware(app, desk, resolve_async)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
SSOMiddleware(app, desk, resolve_number)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
SSOMiddleware(app, desk, "jane@example.com")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
SSOMiddleware(app, choose_without_email, resolve_email)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
SSOMiddleware(asgi_app, desk, resolve_email)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
SSOMiddleware(app, desk, resolve_email, "/sso")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
SSOMiddleware(app, desk, resolve_email, paths=1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
SSOMiddleware(app, desk, resolve_email, logout=True)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Logout(end_session, "/bye")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
HelpDesk("token", "https://acme.example/sso", 4711, "https://app.example/sso")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
desk.account_id = "other"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
desk.handoff(None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
