"""Run tests in copies of the package, a process for each: ``running.py COPY TESTS [COPY TESTS ...]``.

What all of them import is loaded once, before the fork; so nothing here may import the package. Each copy
gets a ``report.xml``. Where there is no fork, each process starts from nothing.
"""

from __future__ import annotations

import os
import subprocess
import sys

OPTIONS = ("--all", "-x", "-q", "-p", "no:cacheprovider", "--tb=short", "--junitxml=report.xml")


def run(copy, tests):
    """Run `tests`, with spaces between them, in this process, with `copy` the first place to import from."""
    import pytest  # noqa: PLC0415 - loaded already where it is forked

    os.chdir(copy)
    sys.path[0] = os.environ["PYTHONPATH"] = copy
    pytest.main([*OPTIONS, *tests.split()])


def load():
    """Load what nearly every test of the suite imports, and takes its time."""
    import hypothesis  # noqa: F401, PLC0415
    import jwt  # noqa: F401, PLC0415
    import pytest  # noqa: F401, PLC0415
    import starlette.responses  # noqa: F401, PLC0415
    import werkzeug.datastructures  # noqa: F401, PLC0415


def main(arguments):
    """Run each pair of copy and tests."""
    pairs = list(zip(arguments[::2], arguments[1::2], strict=True))
    if len(pairs) == 1:
        run(*pairs[0])
        return
    if not hasattr(os, "fork"):
        for pair in pairs:
            subprocess.run([sys.executable, __file__, *pair], check=False)
        return
    load()
    for pair in pairs:
        child = os.fork()
        if child == 0:
            run(*pair)
            sys.stdout.flush()
            os._exit(0)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main(sys.argv[1:])
