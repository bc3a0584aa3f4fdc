"""The local Help Desk: an ASGI application and its account."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

from anyio import sleep
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from sso_middleware._urls import is_loopback
from sso_middleware.errors import ConfigError
from sso_middleware.helpdesk import HelpDesk
from sso_middleware.sandbox import api
from sso_middleware.sandbox.account import SSO_PATH, Account
from sso_middleware.sandbox.attempts import Attempt, AttemptLog
from sso_middleware.sandbox.guard import Guard, PostGuard
from sso_middleware.sandbox.server import serve
from sso_middleware.sandbox.site import Site, session_in
from sso_middleware.sandbox.verifier import (
    HandoffRejected,
    HandoffVerifier,
    Key,
    VerdictCode,
    VerifiedHandoff,
    wall_clock,
)

logger: logging.Logger = logging.getLogger("sso_middleware.sandbox")

_PLANNED = (
    "The sandbox was asked to refuse this hand-off, and did not judge it.",
    "This says nothing about your settings. POST /api/fail or fail_next() planned it; POST /api/reset or "
    "reset() cancels it.",
)


class Sandbox:
    """A stand-in for the Help Desk, as an ASGI application: it judges hand-offs, shows why, and has tickets.

    It keeps a bounded amount of data in memory. `helpdesk` is its account. While `run` serves it on a free
    port, `helpdesk` points there, so create the middleware inside the block.

    Args:
        auth_url: the Auth URL: where your application starts a hand-off.
        logout_url: the Logout URL: where the visitor goes after signing out here.
        base_url: its address if `run` does not serve it: only scheme, host and port.
        sso_token: SSO Token; default: a new one, which the settings page shows.
        account_id: Account ID.
        freshness, leeway, shortest_jti, jti_once, longest_token, clock, key: as for `HandoffVerifier`.
            `helpdesk` and `environment` hold the SSO Token unchanged, like the vendor's panel.
        sends: the name of a parameter, such as ``return_page``. The sign-in page adds the requested page to
            the Auth URL under this name. If a hand-off returns it, the visitor is redirected there (assumed).
            `helpdesk` forwards it.
        settings_page: a page of your application for changing its settings; the page of a refused hand-off
            links to it.
        allow_remote: answer other machines too, which can then read the log and a new SSO Token.

    Raises:
        ConfigError: settings are wrong; it names all of them.
    """

    def __init__(
        self,
        *,
        auth_url: str,
        logout_url: str | None = None,
        base_url: str = "http://helpdesk.localhost",
        sso_token: str | None = None,
        account_id: str | int = "sandbox",
        freshness: float = 180,
        leeway: float = 0,
        shortest_jti: int = 32,
        jti_once: bool = True,
        longest_token: int = 4096,
        clock: Callable[[], float] | None = None,
        key: Key = "raw",
        sends: str | None = None,
        settings_page: str | None = None,
        allow_remote: bool = False,
    ) -> None:
        clock = clock or wall_clock
        self._account = Account(
            sso_token,
            account_id=account_id,
            auth_url=auth_url,
            logout_url=logout_url,
            forward_params=sends or (),
        )
        del sso_token  # keep out of tracebacks
        self._account.move_to(base_url)
        self._verifier = HandoffVerifier(
            sso_token=self._account.sso_token,
            account_id=account_id,
            auth_url=auth_url,
            freshness=freshness,
            leeway=leeway,
            clock=clock,
            shortest_jti=shortest_jti,
            jti_once=jti_once,
            longest_token=longest_token,
            key=key,
        )
        self._clock = clock
        self._settings_page = settings_page
        self._allow_remote = allow_remote
        self._log = AttemptLog(self._account, longest_token)
        self._failures = api.Failures()
        self._site = Site(self._account, self._log, self._verifier, clock)
        app = Starlette(
            routes=[
                Route(SSO_PATH, self._sso),
                *self._site.routes,
                *api.routes(self._log, self._failures, self.reset),
            ],
            exception_handlers={HTTPException: self._error},
            middleware=[session_in("helpdesk_sandbox_session")],
        )
        self._app = Guard(PostGuard(app), self._account, allow_remote=allow_remote)

    @property
    def helpdesk(self) -> HelpDesk:
        """The account, which points to the sandbox's current address."""
        return self._account.helpdesk

    @property
    def environment(self) -> dict[str, str]:
        """The account as the variables that `HelpDesk.from_env` reads, including the SSO Token."""
        return self._account.environment

    @property
    def handoffs(self) -> list[Attempt]:
        """The latest hand-offs, accepted or not, the oldest first."""
        return self._log.kept()

    def verify(self, url: str) -> VerifiedHandoff:
        """Judge a hand-off without a server and log it. An accepted token cannot be used again.

        Raises:
            HandoffRejected: the hand-off is not accepted.
        """
        code, delay = self._failures.next()
        time.sleep(delay)
        verdict, _ = self._judge(url, code)
        del url  # keep out of tracebacks
        if isinstance(verdict, HandoffRejected):
            raise verdict.with_traceback(None)
        return verdict

    def fail_next(self, code: VerdictCode | None = None, *, times: int = 1, delay: float = 0) -> None:
        """Make the next hand-offs fail, to test how your application handles it.

        Args:
            code: the verdict to refuse them with; `None` judges them as usual.
            times: how many hand-offs.
            delay: seconds to wait before each response.

        Raises:
            ValueError: an argument is out of bounds.
        """
        self._failures.plan(code, times=times, delay=delay)

    def reset(self) -> None:
        """Forget hand-offs, used tokens, planned failures, sessions and tickets."""
        self._verifier.reset()
        self._log.clear()
        self._failures.clear()
        self._site.reset()

    @contextmanager
    def run(self, *, host: str = "127.0.0.1", port: int = 0) -> Generator[str]:
        """Serve the sandbox from a thread while the block runs, and yield its base URL.

        Args:
            host: the address to listen on.
            port: the port; 0 picks a free one.

        Raises:
            ConfigError: `host` is not a loopback address, and `allow_remote` is not set.
            OSError: the port cannot be used.
        """
        if not is_loopback(host):
            if not self._allow_remote:
                raise ConfigError({"host": "must be a loopback address; to allow others, pass allow_remote"})
            logger.warning("listening on %s: anyone who can reach it can read its pages", host)
        before = self._account.base_url
        with serve(self, host, port) as base_url:
            self._account.move_to(base_url)
            try:
                yield base_url
            finally:
                self._account.move_to(before)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request (ASGI HTTP spec)."""
        await self._app(scope, receive, send)

    async def _sso(self, request: Request) -> Response:
        if request.method == "HEAD":
            return Response()  # a preview is not a hand-off
        code, delay = self._failures.next()
        await sleep(delay)
        verdict, attempt = self._judge(f"?{request.url.query}", code)
        if isinstance(verdict, VerifiedHandoff):
            response = self._site.signed_in(request, verdict.email)
        else:
            response = self._site.page(
                request, "refused.html", 403, attempt=attempt, settings_page=self._settings_page
            )
        response.headers["Referrer-Policy"] = "no-referrer"  # this page's URL holds the token
        return response

    def _judge(self, url: str, code: VerdictCode | None) -> tuple[VerifiedHandoff | HandoffRejected, Attempt]:
        at = self._clock()
        verdict: VerifiedHandoff | HandoffRejected
        try:
            verdict = HandoffRejected(code, *_PLANNED) if code else self._verifier.verify(url)
        except HandoffRejected as rejected:
            verdict = rejected
        return verdict, self._log.add(url, at, verdict)

    async def _error(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - the handler is registered for it
        if request.url.path.startswith("/api/"):
            response = api.json_response({"error": error.detail}, error.status_code)
        else:
            response = self._site.page(request, "error.html", error.status_code, detail=error.detail)
        response.headers.update(error.headers or {})
        return response
