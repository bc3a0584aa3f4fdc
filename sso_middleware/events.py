"""What happened on an intercepted path, for audit, metrics and the log.

Each event is one record of the standard library's logger ``sso_middleware``. The visitor's address
is in the `SSOEvent` that `on_event` receives, and in no log record.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from typing import Any, ClassVar, Literal, TypeAlias

from sso_middleware._calls import is_async
from sso_middleware._secret import Sealed, Secret
from sso_middleware._urls import encode_path

#: Silent until the application configures logging (Python's "Configuring Logging for a Library").
logger: logging.Logger = logging.getLogger("sso_middleware")
logger.addHandler(logging.NullHandler())

Outcome: TypeAlias = Literal[
    "handed_off", "anonymous", "refused", "unavailable", "signed_out", "ignored", "resumed"
]

_LEVELS = {"ignored": logging.DEBUG, "refused": logging.WARNING, "unavailable": logging.WARNING}


class SSOEvent(Sealed):
    """One thing that happened on an intercepted path.

    Attributes:
        outcome: ``handed_off``, ``anonymous``, ``refused``, ``unavailable``, ``signed_out``,
            ``ignored`` (HEAD, prefetch, embedding, a method turned away or turned into GET) or
            ``resumed`` (sent on to the Auth URL after the login, by `resume_at`).
        reason: a stable snake-case code; `None` only where the visitor was shown no page.
        path: the public path: mount prefix and app-relative path, as decoded text.
        account_id: the Help Desk account, if it is known.
        email: the visitor's address, if the resolver gave one that may be signed.
        jti: the identifier of the token that was sent, if one was.
    """

    __match_args__: ClassVar[tuple[str, ...]] = ("outcome", "reason", "path", "account_id", "email", "jti")
    __slots__ = __match_args__
    _shown = ("outcome", "reason", "path", "account_id", "jti")

    outcome: Outcome
    reason: str | None
    path: str
    account_id: str | None
    email: str | None
    jti: str | None

    def __init__(
        self,
        outcome: Outcome,
        reason: str | None,
        path: str,
        account_id: str | None = None,
        email: str | None = None,
        jti: str | None = None,
    ) -> None:
        self._seal(outcome=outcome, reason=reason, path=path, account_id=account_id, email=email, jti=jti)

    def __reduce_ex__(self, protocol: object) -> Any:  # for a queue to another process
        return type(self), self._fields()


EventHook: TypeAlias = Callable[[SSOEvent], object]
"""What `on_event` takes: called once an event, in the request's own thread; it must not block."""


class Reporter:
    """Sends each event to the log and to `on_event`; an error in the latter goes to the log only."""

    def __init__(self, on_event: EventHook | None) -> None:
        self._on_event = on_event

    def report(
        self,
        outcome: Outcome,
        reason: str | None,
        path: str,
        account_id: str | None,
        email: Secret[str] | None = None,
        jti: str | None = None,
        detail: str | None = None,
    ) -> None:
        """Log an event, with `detail` if there is one, and call `on_event` with it."""
        level = _LEVELS.get(outcome, logging.INFO)
        if logger.isEnabledFor(level):
            fields = {
                "outcome": outcome,
                "reason": reason,
                "path": path if path.isprintable() else encode_path(path),
                "account_id": account_id,
                "jti": jti,
            }
            if detail is not None:
                fields["detail"] = detail
            logger.log(
                level,
                " ".join(f"{name}=%({name})a" for name in fields),
                fields,
                extra={f"sso_{name}": value for name, value in fields.items()},
            )
        if self._on_event is None:
            return
        try:
            self._on_event(SSOEvent(outcome, reason, path, account_id, email() if email else None, jti))
        except Exception as error:  # noqa: BLE001 - the visitor must not see it
            raised = type(error).__name__, "".join(traceback.format_tb(error.__traceback__))
        else:
            return
        # Here, without the error: its own text may quote the event, and so the address.
        logger.error("on_event raised %s\n%s", *raised)


def hook_problem(on_event: object) -> str | None:
    """Say why `on_event` cannot be called with an event, or return `None`."""
    if on_event is None:
        return None
    if not callable(on_event):
        return "must be a callable, or None"
    return "must not be async: it is called, not awaited" if is_async(on_event) else None
