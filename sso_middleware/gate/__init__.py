"""Decide how to answer an intercepted path. Knows no framework, environ or scope."""

from sso_middleware.gate.answers import Answer
from sso_middleware.gate.gate import Gate, Handler
from sso_middleware.gate.interception import Interception, Purpose
from sso_middleware.gate.responder import answer_in_route
from sso_middleware.gate.visit import HEADERS, Visit

__all__ = ["HEADERS", "Answer", "Gate", "Handler", "Interception", "Purpose", "Visit", "answer_in_route"]
