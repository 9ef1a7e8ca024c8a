"""Types hold from outside: the programs in tests/typing mean to a type checker what they say.

Each of them states with `assert_type` what an expression is, and with an ignore comment what must be an error: both
checkers report an ignore that is not needed, so that a mistake which is no longer found fails too.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAMS = Path(__file__).resolve().parents[1] / "typing"

pytestmark = pytest.mark.slow


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a checker with this interpreter, from the root of the repository."""
    root = PROGRAMS.parents[1]
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=root, capture_output=True, text=True, check=False
    )


def test_there_are_programs() -> None:
    """There is something to check."""
    assert list(PROGRAMS.glob("*.py"))


def test_mypy_agrees() -> None:
    """mypy, strict, finds in them what they say and nothing else."""
    done = run("mypy", "--strict", "--warn-unused-ignores", *map(str, sorted(PROGRAMS.glob("*.py"))))
    assert done.returncode == 0, done.stdout + done.stderr


def test_pyright_agrees(tmp_path: Path) -> None:
    """pyright, strict, finds in them what they say and nothing else."""
    config = tmp_path / "pyrightconfig.json"
    options = {
        "include": [str(PROGRAMS)],
        "typeCheckingMode": "strict",
        "reportUnnecessaryTypeIgnoreComment": "error",
    }
    config.write_text(json.dumps(options))
    done = run("pyright", "--project", str(config), "--pythonpath", sys.executable)
    assert done.returncode == 0, done.stdout + done.stderr
