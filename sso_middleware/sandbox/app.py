"""The local Help Desk: an ASGI application, and the account that belongs to it."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

from anyio import sleep
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
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
from sso_middleware.sandbox.server import serving
from sso_middleware.sandbox.site import Site
from sso_middleware.sandbox.verifier import (
    HandoffRejected,
    HandoffVerifier,
    Key,
    VerdictCode,
    VerifiedHandoff,
    wall_clock,
)

logger: logging.Logger = logging.getLogger("sso_middleware.sandbox")


class Sandbox:
    """A stand-in for the Help Desk, as an ASGI application: judges hand-offs, shows why, and has tickets.

    Everything it keeps is in memory, and bounded. `helpdesk` is the account that belongs to it. While
    `run` serves it on a free port, `helpdesk` points there, so make the middleware inside the block.

    Args:
        auth_url: the Auth URL: where your application is entered for a hand-off.
        logout_url: the Logout URL: where the visitor goes after signing out here.
        base_url: where it is reached if `run` does not serve it; scheme, host and port alone.
        sso_token: SSO Token; default: a new one, which the settings page shows.
        account_id: Account ID.
        freshness: seconds for which a token is good (assumed).
        leeway: seconds by which clocks may differ, either way (assumed).
        shortest_jti: characters a ``jti`` must have (assumed).
        jti_once: whether a ``jti`` is good for one use (assumed).
        longest_token: characters a JWT may have (assumed).
        clock: returns the time in seconds since the epoch; default: `time.time`, looked up at each call.
        key: how the signing key is derived from the SSO Token: ``raw``, unchanged, or ``md5`` (assumed).
            `helpdesk` and `environment` hold the SSO Token unchanged, as the vendor's panel does.
        sends: the name of a parameter, such as ``return_page``: the sign-in page adds it to the Auth URL,
            with the page that was asked for, and an accepted hand-off that brings it back leads there
            (assumed). `helpdesk` forwards it then.
        settings_page: a page of your application where its settings can be changed, for the page of a
            hand-off that is refused to link to.
        allow_remote: answer other machines, too, which can read the log and a new SSO Token.

    Raises:
        ConfigError: naming every wrong setting at once.
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
        del sso_token  # from tracebacks with locals, too
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
        rules = self._verifier.rules
        self._clock = clock
        self._allow_remote = allow_remote
        self._log = AttemptLog(self._account, rules.longest_token)
        self._failures = api.Failures()
        self._site = Site(
            self._account, self._log, rules=rules.in_words(), clock=clock, settings_page=settings_page
        )
        app = Starlette(
            routes=[
                Route(SSO_PATH, self._sso),
                *self._site.routes,
                *api.routes(self._log, self._failures, self.reset),
            ],
            exception_handlers={HTTPException: self._error},
            middleware=[
                # Browsers share cookies between ports: the name is the sandbox's own, and so is the key.
                Middleware(
                    SessionMiddleware,
                    secret_key=secrets.token_hex(32),
                    session_cookie="helpdesk_sandbox_session",
                    max_age=None,
                )
            ],
        )
        self._app = Guard(PostGuard(app), self._account, allow_remote=allow_remote)

    @property
    def helpdesk(self) -> HelpDesk:
        """The matching account, which points to where the sandbox is at the moment."""
        return self._account.helpdesk

    @property
    def environment(self) -> dict[str, str]:
        """The account's settings by the variable that `HelpDesk.from_env` reads; with the SSO Token."""
        return self._account.environment

    @property
    def handoffs(self) -> list[Attempt]:
        """The latest hand-offs, accepted or not, the oldest first."""
        return self._log.kept()

    def verify(self, url: str) -> VerifiedHandoff:
        """Judge a hand-off without a server: log it, and use its token up if it is accepted.

        Raises:
            HandoffRejected: it would not sign its visitor in.
        """
        failure = self._failures.next()
        time.sleep(failure.delay)
        verified, _ = self._judge(url, failure)
        del url  # from tracebacks with locals, too
        if isinstance(verified, HandoffRejected):
            raise verified.with_traceback(None)
        return verified

    def fail_next(self, code: VerdictCode | None = None, *, times: int = 1, delay: float = 0) -> None:
        """Let the next hand-offs fail, to see what your application and its visitors make of it.

        Args:
            code: the verdict to refuse them with; `None` judges them as ever.
            times: how many hand-offs.
            delay: seconds to wait before each answer.

        Raises:
            ValueError: one of them is out of bounds.
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
        """Serve the sandbox from a thread while the block runs; gives its base URL.

        Args:
            host: the address to listen on.
            port: the port; 0 takes a free one.

        Raises:
            ConfigError: `host` is not this machine alone, and `allow_remote` is not set.
            OSError: the port cannot be had.
        """
        if not is_loopback(host):
            if not self._allow_remote:
                raise ConfigError({"host": "must be a loopback address: allow_remote permits others"})
            logger.warning("listening on %s: anyone who reaches it reads what the pages show", host)
        before = self._account.base_url
        with serving(self, host, port) as base_url:
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
            return Response()  # a look ahead is no hand-off
        failure = self._failures.next()
        await sleep(failure.delay)
        verified, attempt = self._judge(f"?{request.url.query}", failure)
        if isinstance(verified, VerifiedHandoff):
            response = self._site.signed_in(request, verified.email)
        else:
            response = self._site.refused(request, attempt)
        response.headers["Referrer-Policy"] = "no-referrer"  # the token is in this page's address
        return response

    def _judge(self, url: str, failure: api.Failure) -> tuple[VerifiedHandoff | HandoffRejected, Attempt]:
        at = self._clock()
        try:
            failure.refuse()
            verified = self._verifier.verify(url)
        except HandoffRejected as rejected:
            return rejected, self._log.add(url, at, rejected)
        return verified, self._log.add(url, at, None)

    async def _error(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - what this handler is registered for
        if request.url.path.startswith("/api/"):
            response = api.error(error.detail, error.status_code)
        else:
            response = self._site.error(request, error.detail, error.status_code)
        response.headers.update(error.headers or {})
        return response
