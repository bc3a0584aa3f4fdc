"""What users write passes mypy and pyright at their strictest, and what is wrong does not.

Each file here is checked, not run. A line that has to be an error carries what each checker calls it, and both
checkers report a comment that suppresses nothing.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FILES = sorted(HERE.glob("with_*.py"))


def run(tool, *arguments):
    """Run a type checker at the root of the repository; return its exit code and what it printed."""
    if importlib.util.find_spec(tool) is None:
        pytest.skip(f"needs {tool}: pip install --group lint")
    command = [sys.executable, "-m", tool, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.types
@pytest.mark.slow
class TestCheckers:
    def test_mypy(self, tmp_path):
        """Mypy finds each error that is expected, and no other."""
        code, printed = run("mypy", "--cache-dir", tmp_path, *FILES)
        assert code == 0, printed

    def test_pyright(self):
        """Pyright finds each error that is expected, and no other."""
        code, printed = run("pyright", "--project", HERE, "--pythonpath", sys.executable)
        assert code == 0, printed


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_each_file_has_right_and_wrong(file):
    """Each file has lines that have to be errors, and they have to be errors for both checkers."""
    lines = file.read_text(encoding="utf-8").splitlines()
    wrong = [line for line in lines if "  # type: ignore[" in line and "method-assign" not in line]
    assert len(wrong) >= 3
    assert [line for line in wrong if "  # pyright: ignore[" not in line] == []
