"""Run a script to its end once for each of several sets of variables: ``endings.py SCRIPT``.

The sets come as JSON on standard input; the endings, pairs of exit code and standard error, go to standard
output as JSON. What the script imports takes nearly all of its time, so it is imported once, before a fork
for each set. Where there is no fork, each run is a new process.
"""

from __future__ import annotations

import ast
import importlib
import json
import os
import runpy
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path


def load(script):
    """Import the modules that `script` imports."""
    for node in ast.walk(ast.parse(Path(script).read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module != "__future__":
            importlib.import_module(node.module)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                importlib.import_module(alias.name)


def ending_of_a_fork(script, variables):
    with tempfile.TemporaryFile() as errors:
        child = os.fork()
        if child == 0:
            os.dup2(errors.fileno(), 2)
            os.environ.update(variables)
            code = 0
            try:
                runpy.run_path(script, run_name="__main__")
            except SystemExit as ending:
                code = 1 if isinstance(ending.code, str) else ending.code or 0
                if isinstance(ending.code, str):
                    sys.stderr.write(f"{ending.code}\n")
            except BaseException:  # noqa: BLE001 - as the interpreter does at the top
                code = 1
                traceback.print_exc()
            sys.stderr.flush()
            os._exit(code)
        _, status = os.waitpid(child, 0)
        errors.seek(0)
        return os.waitstatus_to_exitcode(status), errors.read().decode()


def ending_of_a_process(script, variables):
    done = subprocess.run(
        [sys.executable, script], env=os.environ | variables, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stderr


def main(script):
    ending = ending_of_a_process
    if hasattr(os, "fork"):
        sys.path[0] = str(Path(script).parent)
        load(script)
        ending = ending_of_a_fork
    endings = [ending(script, variables) for variables in json.load(sys.stdin)]
    json.dump(endings, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
