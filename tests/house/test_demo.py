"""`make demo` does what it says: every command of it runs here, without a key and without a network."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def commands() -> list[list[str]]:
    """The programs that `make demo` starts once everything is installed, for this interpreter."""
    if shutil.which("make") is None:
        pytest.skip("needs make")
    done = subprocess.run(["make", "-n", "demo"], cwd=ROOT, capture_output=True, text=True, check=True)
    lines = [
        shlex.split(line)
        for line in done.stdout.splitlines()
        if re.match(r"\.venv/bin/(jigwork|python) ", line)
    ]
    programs = {".venv/bin/jigwork": [sys.executable, "-m", "jigwork"], ".venv/bin/python": [sys.executable]}
    return [[*programs[program], *arguments] for program, *arguments in lines if "pip" not in arguments]


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the demo database and the examples."""
    folder = tmp_path_factory.mktemp("demo")
    make = [sys.executable, ROOT / "examples/shop.py", folder / "demo/shop.db"]
    subprocess.run(make, check=True, stdout=subprocess.DEVNULL)
    (folder / "examples").symlink_to(ROOT / "examples")
    return folder


def run(command: list[str], folder: Path) -> str:
    """Run one command as `make demo` does and return what it printed."""
    environment = {**os.environ, "JIGWORK_MODEL": "offline"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, f"{shlex.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_questions_are_answered(commands: list[list[str]], workplace: Path) -> None:
    """Several questions are asked of the shop; each shows the SQL that was written for it."""
    asked = [command for command in commands if "ask" in command]
    assert len(asked) >= 3
    for command in asked:
        assert "SELECT" in run(command, workplace)


def test_examples_run(commands: list[list[str]], workplace: Path) -> None:
    """Then an agent calls tools in parallel, one of which fails."""
    programs = [command for command in commands if command[1].startswith("examples/")]
    assert programs
    for command in programs:
        assert run(command, workplace).strip()
