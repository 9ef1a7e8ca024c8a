"""The benchmark runs, measures everybody, and everybody does the same work."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_benchmark_measures_everybody(tmp_path: Path) -> None:
    """A quick run gives a figure for each contender in every section, and a verdict on every goal it can measure."""
    script, file = Path(__file__).with_name("run.py"), tmp_path / "bench.json"
    done = subprocess.run(
        [sys.executable, script, "--quick", "--json", file],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    data = json.loads(file.read_text())
    assert all(row["value"] > 0 for row in data["rows"])
    sections = {row["section"] for row in data["rows"] if row["who"] == "jigwork"}
    wanted = {
        "cpu per request",
        "cpu per call",
        "cpu of a late turn",
        "many runs at once",
        "sync tools",
        "agent",
        "import",
        "grammar compile",
        "first check",
        "warm check",
        "mask per token",
        "cpu per call alone",
        "async tools",
        "sql grammar, write",
        "sql grammar, ready",
        "sql grammar, warm",
        "sql grammar, check",
        "sql grammar, size",
        "sql grammar, sentences refused",
    }
    assert sections == wanted
    assert len([goal for goal in data["goals"] if goal["met"] is not None]) > 25
