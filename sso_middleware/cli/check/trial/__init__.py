"""`check --online --as`: real hand-offs to the real Help Desk."""

from sso_middleware.cli.check.trial.trial import Trial, TrialResult, TriedHandoff, confirm, differences
from sso_middleware.cli.check.trial.visitor import Pace

__all__ = ["Pace", "Trial", "TrialResult", "TriedHandoff", "confirm", "differences"]
