"""What is imported: nothing heavy before it is needed."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

MAKE = """
from jigwork.tools import tool

@tool
def search(query: str, limit: int | None = None, exact: bool = False) -> list[str]:
    "Search."
    return [query]

search.definition()
assert search.render(search(**search.decode('{"query": "x", "limit": null, "exact": true}').arguments)) == '["x"]'
"""


@pytest.mark.parametrize(
    ("program", "absent"),
    [
        ("import jigwork.tools", ["pydantic", "jsonschema", "lark", "docstring_parser", "orjson"]),
        ("from jigwork.tools import Outcome, RunContext, ToolOptions", ["pydantic", "jsonschema", "lark"]),
        (MAKE, ["jsonschema", "referencing", "lark", "llguidance", "openai", "docstring_parser"]),
    ],
)
def test_imports_are_late(program: str, absent: list[str]) -> None:
    """The package is light, and a tool with valid arguments needs no schema validator."""
    shown = f"{program}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", shown], capture_output=True, text=True, check=True)
    assert not set(absent) & set(json.loads(done.stdout.splitlines()[-1]))
