"""The standard library's logger ``sso_middleware``, for every module that writes to it.

It stays silent until the application configures logging (Python's "Configuring Logging for a Library").
"""

from __future__ import annotations

import logging

logger: logging.Logger = logging.getLogger("sso_middleware")
logger.addHandler(logging.NullHandler())
