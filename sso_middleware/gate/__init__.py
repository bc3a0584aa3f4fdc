"""What to answer on an intercepted path. Pure: no I/O, no framework, no environ, no scope."""

from sso_middleware.gate.answers import Answer, Visit
from sso_middleware.gate.gate import Call, Gate, Handler
from sso_middleware.gate.interception import Interception, Purpose

__all__ = ["Answer", "Call", "Gate", "Handler", "Interception", "Purpose", "Visit"]
