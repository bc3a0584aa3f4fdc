"""Pyramid and PasteDeploy, without types of their own: what users write, and what has to be refused."""

# mypy: disable-error-code="import-untyped"
# pyright: reportMissingTypeStubs=false, reportUnknownVariableType=false, reportUnknownMemberType=false

from __future__ import annotations

from typing import Any

from pyramid.config import Configurator

from sso_middleware import HelpDesk, Logout
from sso_middleware.paste import filter_app_factory, filter_factory
from sso_middleware.resolvers.pyramid import end_session, request_email
from sso_middleware.wsgi import SSOMiddleware

router: Any = Configurator().make_wsgi_app()
desk = HelpDesk.from_env()


def email_of(request: Any) -> str | None:
    return None


protected: SSOMiddleware = SSOMiddleware(
    router,
    desk,
    request_email(router, email_of, verified="email_verified"),
    logout=Logout(end_session(router)),
)
filtered: SSOMiddleware = filter_factory({}, resolve_email="site:email")(router)
factory: SSOMiddleware = filter_app_factory(router, {}, resolve_email="site:make_email")

request_email(router, email_of)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
request_email(router, "email", verified=True)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
request_email(router, email_of, verified=1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Logout(end_session)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
filter_factory({}, paths=["/sso"])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
