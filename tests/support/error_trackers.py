"""What error trackers send of an exception, or of the stack as it is, with local variables."""

from __future__ import annotations

import json
import traceback

import sentry_sdk
from sentry_sdk.scrubber import EventScrubber
from sentry_sdk.transport import Transport
from sentry_sdk.utils import current_stacktrace, event_from_exception

from clients import JANE, SSO_TOKEN

#: The SSO Token, the address, and what every JWT, and every URL with one, begins with.
SECRETS = (SSO_TOKEN, JANE, "eyJ", "token=")


class _Kept(Transport):
    """Sends nothing."""

    def __init__(self, options=None):
        super().__init__(options)
        self.events = []

    def capture_envelope(self, envelope):
        self.events.append(envelope.get_event())


def sent_by_sentry(error):
    """Return the frames that Sentry sends of an exception and its causes, with nothing scrubbed by name."""
    client = sentry_sdk.Client(
        dsn="http://key@127.0.0.1:9/1",
        transport=_Kept,
        default_integrations=False,
        auto_enabling_integrations=False,
        include_local_variables=True,
        include_source_context=False,
        event_scrubber=EventScrubber(denylist=[], pii_denylist=[]),
    )
    event, hint = event_from_exception(error, client_options=client.options)
    client.capture_event(event, hint, scope=sentry_sdk.Scope())
    (sent,) = client.transport.events
    return [frame for each in sent["exception"]["values"] for frame in each["stacktrace"]["frames"]]


def stack_now():
    """Return the frames of the stack as it is, which Sentry sends with a log record."""
    return current_stacktrace(include_local_variables=True, include_source_context=False)["frames"]


def leaks(frames, *theirs):
    """Return where `frames` show a secret, except in modules whose names begin with one of `theirs`.

    Those are of the code whose error it is: it has what it was given.
    """
    shown = [frame for frame in frames if not (frame["module"] or "").startswith(theirs)]
    assert any(frame["module"].startswith("sso_middleware") for frame in shown)
    return [
        (frame["module"], frame["function"], secret)
        for frame in shown
        for secret in SECRETS
        if secret in json.dumps(frame["vars"])
    ]


def leaks_of_plain_traceback(error):
    """Return where the standard library's traceback with locals shows a secret in one of our frames."""
    stack = traceback.TracebackException.from_exception(error, capture_locals=True).stack
    ours = [frame for frame in stack if "/sso_middleware/" in frame.filename.replace("\\", "/")]
    assert ours
    return [(frame.name, secret) for frame in ours for secret in SECRETS if secret in str(frame.locals)]
