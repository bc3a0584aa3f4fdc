"""Keeping local servers running until Ctrl-C, and telling what comes in."""

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

_GLANCE = 0.2  # seconds between two looks at the hand-off log

PORT = click.IntRange(0, 65535)
"""What the options for ports take."""

log_option: Decorator = click.option(
    "--access-log", is_flag=True, help="Show each request, on standard error, without tokens."
)


def start(
    stack: ExitStack,
    serve: Callable[[int], AbstractContextManager[str]],
    port: int,
    option: str,
    *,
    or_any: bool,
) -> str:
    """Start a server on `port` until `stack` closes, and return its base URL.

    Args:
        stack: what stops it.
        serve: makes the server for a port.
        port: the port; 0 takes any free one.
        option: the option that `port` came from.
        or_any: take any other port if this one is taken.

    Raises:
        BadParameter: the port cannot be used.
    """
    try:
        return stack.enter_context(serve(port))
    except OSError as error:
        reason = error.strerror or str(error)
    if not or_any:
        raise click.BadParameter(f"port {port} cannot be used ({reason}): try {option} 0.", param_hint=option)
    say(f"Port {port} cannot be used ({reason}), so another one is taken.", to_stderr=True)
    return stack.enter_context(serve(0))


def show_access_log() -> None:
    """Show uvicorn's access log; the sandbox's servers keep tokens out of it."""
    logger = logging.getLogger("uvicorn.access")
    logger.addHandler(logging.StreamHandler(sys.stderr))
    logger.setLevel(logging.INFO)


@contextmanager
def stopping_cleanly() -> Generator[None]:
    """Let Ctrl-C and SIGTERM end the block, servers stopped, and the command with it: exit code 0."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what stops a container
    try:
        yield
    except KeyboardInterrupt:
        say("Stopped.", to_stderr=True)


def tell(sandbox: Sandbox) -> NoReturn:
    """Print each verdict to standard error until the command is stopped."""
    told: Attempt | None = None
    while True:
        attempts = sandbox.handoffs
        # What was told last is not there any more if the log was reset.
        for attempt in attempts[attempts.index(told) + 1 :] if told in attempts else attempts:
            told = attempt
            style = "bold green" if attempt.accepted else "bold red"
            say(
                f"Hand-off {attempt.number}: ",
                (attempt.verdict, style),
                f". {attempt.message} {attempt.hint}",
                to_stderr=True,
            )
        # A sleep, not a wait for an event: Ctrl-C ends it on Windows, too.
        time.sleep(_GLANCE)
