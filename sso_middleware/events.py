"""What happened on an intercepted path, for audits, metrics and logs.

Each event is one record of the standard library's logger ``sso_middleware``. The visitor's address
is only in the `SSOEvent` that `on_event` receives, never in a log record.
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
            ``ignored`` (HEAD, prefetch, embedding, a method rejected or redirected to GET) or
            ``resumed`` (sent on to the Auth URL after the login, by `resume_at`).
        reason: a stable snake-case code; `None` only if the visitor was not shown a page.
        path: the public path: mount prefix and app-relative path, as decoded text.
        account_id: the Help Desk account, if it is known.
        email: the visitor's address, if the resolver returned one that may be signed.
        jti: the identifier of the token, if one was sent.
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
"""The type of `on_event`: called once for each event, in the request's thread; it must not block."""


class Reporter:
    """Send each event to the log and to `on_event`, whose errors only go to the log."""

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
        # Outside the except block and without the error, whose text may quote the event and the address.
        logger.error("on_event raised %s\n%s", *raised)


def hook_problem(on_event: object) -> str | None:
    """Return why `on_event` cannot be called with an event, or `None`."""
    if on_event is None:
        return None
    if not callable(on_event):
        return "must be a callable, or None"
    return "must not be async: it is called, not awaited" if is_async(on_event) else None
