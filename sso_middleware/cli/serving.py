"""Run local servers until Ctrl-C and print the verdicts."""

from __future__ import annotations

import logging
import signal
import sys
import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import NoReturn

import click

from sso_middleware.cli.output import Decorator, say
from sso_middleware.sandbox import Attempt, Sandbox

_GLANCE = 0.2  # seconds between checks of the hand-off log

PORT = click.IntRange(0, 65535)
"""The type of the port options."""


def _show_access_log(_ctx: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if wanted:
        logger = logging.getLogger("uvicorn.access")  # the sandbox's servers keep tokens out of it
        logger.addHandler(logging.StreamHandler(sys.stderr))
        logger.setLevel(logging.INFO)


log_option: Decorator = click.option(
    "--access-log",
    is_flag=True,
    expose_value=False,
    callback=_show_access_log,
    help="Print each request to standard error, without tokens.",
)


def start(
    stack: ExitStack,
    serve: Callable[[int], AbstractContextManager[str]],
    port: int,
    option: str,
    *,
    or_any: bool,
) -> str:
    """Start a server on the port that `option` set until `stack` closes, and return its base URL.

    Port 0 picks a free one. With `or_any`, so does a port that cannot be used.

    Raises:
        BadParameter: the port cannot be used.
    """
    try:
        return stack.enter_context(serve(port))
    except OSError as error:
        reason = error.strerror or str(error)
    if not or_any:
        raise click.BadParameter(f"cannot use port {port} ({reason}): try {option} 0.", param_hint=option)
    say(f"Port {port} cannot be used ({reason}); using another one.", to_stderr=True)
    return stack.enter_context(serve(0))


@contextmanager
def stopping_cleanly() -> Generator[None]:
    """End the block on Ctrl-C or SIGTERM, so that servers stop and the command exits with code 0."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # sent to stop a container
    try:
        yield
    except KeyboardInterrupt:
        say("Stopped.", to_stderr=True)


def tell(sandbox: Sandbox) -> NoReturn:
    """Print each verdict to standard error until the command is stopped."""
    told: Attempt | None = None
    while True:
        attempts = sandbox.handoffs
        # After a reset of the log, the last printed attempt is gone.
        for attempt in attempts[attempts.index(told) + 1 :] if told in attempts else attempts:
            told = attempt
            style = "bold green" if attempt.accepted else "bold red"
            say(
                f"Hand-off {attempt.number}: ",
                (attempt.verdict, style),
                f". {attempt.message} {attempt.hint}",
                to_stderr=True,
            )
        # Unlike a wait for an event, Ctrl-C also interrupts a sleep on Windows.
        time.sleep(_GLANCE)
