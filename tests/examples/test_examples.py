"""Every example runs offline, and prints what its docstring promises."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"

PRINTED: dict[str, list[str]] = {
    "parallel_tools.py": [
        "no weather station in Atlantis",
        "/year: expected an integer",
        "(ok, failed, ok, invalid_arguments, ok)",
        "for Atlantis there is no station.",
    ],
    "extract.py": [
        "/date: expected",
        "/lines/1/quantity: expected",
        "Invoice 2026-17 of 2026-03-03: 2 lines, 47.30 in all",
    ],
    "robot.py": ['"right"', "ok: at 10, 0", "three sides of a square"],
    "resume.py": [
        "ended with signal 9",
        "reserve: ok: 2 seats reserved",
        "charge: interrupted",
        "weather: ok: Oslo: clear",
    ],
    "own_tools/main.py": ["['add_hours'] 3", "three in the morning"],
}


def run(*arguments: str, folder: Path) -> str:
    """Run an example as a user would, in a folder of its own."""
    done = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=120,
        check=False,
        env=_plain(),
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _plain() -> dict[str, str]:
    return {
        name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "COMETAPI_"))
    }


@pytest.mark.parametrize("example", sorted(PRINTED))
def test_example(example: str, tmp_path: Path) -> None:
    """It runs, and says what it should."""
    printed = run(str(EXAMPLES / example), folder=tmp_path)
    for text in PRINTED[example]:
        assert text in printed


def test_ask_database(tmp_path: Path) -> None:
    """The shop is made, and a question of it is answered with the SQL and the figures."""
    run(str(EXAMPLES / "shop.py"), str(tmp_path / "shop.db"), folder=tmp_path)
    printed = run(
        str(EXAMPLES / "ask_database.py"), str(tmp_path / "shop.db"), "count customers", folder=tmp_path
    )
    assert "COUNT(*)" in printed and "customers" in printed


def test_every_example_is_tested() -> None:
    """An example that nobody runs is not one."""
    scripts = {str(path.relative_to(EXAMPLES)) for path in EXAMPLES.rglob("*.py")}
    parts = {"own_tools/agent.py", "own_tools/tools/__init__.py", "own_tools/tools/clock.py"}
    assert scripts == {*PRINTED, *parts, "shop.py", "ask_database.py"}
