"""Tools in processes of their own: whatever they do to their process is an outcome, and costs no other call."""

from __future__ import annotations

import importlib
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from jigwork import Agent, Tool
from jigwork.testing import ScriptedModel
from jigwork.tools import ToolOptions

MODULE = textwrap.dedent('''
    """Tools that treat their process badly."""
    import os, subprocess, sys


    class Particular(Exception):
        """Cannot be made again from what it keeps."""

        def __init__(self, code: int, where: str) -> None:
            super().__init__(f"code {code} in {where}")


    def leave() -> str:
        """Leave."""
        sys.exit(4)


    def interrupt() -> str:
        """Interrupt."""
        raise KeyboardInterrupt


    def vanish() -> str:
        """Vanish."""
        os._exit(7)


    def particular() -> str:
        """Raise."""
        raise Particular(3, "the cellar")


    def talk() -> str:
        """Write to the standard output, and read from the standard input."""
        print("printed")
        os.write(1, b"RETURN 3\\nabc")
        return str(subprocess.run(["sh", "-c", "echo from a child; cat"]).returncode)


    def unsendable() -> object:
        """Return what no other process can have."""
        return lambda: None


    def fine() -> str:
        """Work."""
        return "fine"
''')

EXPECTED = {
    "leave": ("failed", "leave failed: it ended its process with the exit code 4"),
    "interrupt": ("failed", "interrupt failed: its process was interrupted"),
    "vanish": ("failed", "vanish failed: its process ended without a result"),
    "particular": ("failed", "particular failed: Particular: code 3 in the cellar"),
    "talk": ("ok", "0"),
    "fine": ("ok", "fine"),
}


def test_what_a_tool_does_to_its_process_is_an_outcome(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One after the other, so that each gets the process that the one before it has left, where it has left one."""
    (tmp_path / "rough_tools.py").write_text(MODULE)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    module: Any = importlib.import_module("rough_tools")
    names = [*EXPECTED, "unsendable", "fine"]
    tools: list[Any] = [
        Tool.from_function(getattr(module, name), options=ToolOptions(isolation="process", exclusive=True))
        for name in dict.fromkeys(names)
    ]
    model = ScriptedModel([[{"name": name} for name in names], "Done"])
    result = Agent(model, tools=tools).run_sync("go")
    got = [(c.outcome.status, str(c.outcome.output)) for c in result.calls if c.outcome]
    assert dict(zip(names[:-2], got, strict=False)) == EXPECTED
    assert got[-2][0] == "failed" and got[-1] == ("ok", "fine")


def test_a_kept_process_finds_what_its_parent_finds_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A module that comes into reach after the first call can be called too."""
    for number in (1, 2):
        folder = tmp_path / str(number)
        folder.mkdir()
        text = f'def where() -> int:\n    """Say where."""\n    return {number}\n'
        (folder / f"late_tools_{number}.py").write_text(text)
        monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
        module: Any = importlib.import_module(f"late_tools_{number}")
        one: Any = Tool.from_function(module.where, options=ToolOptions(isolation="process"))
        result = Agent(ScriptedModel([[{"name": "where"}], "Done"]), tools=[one]).run_sync("go")
        assert [call.outcome and call.outcome.value for call in result.calls] == [number]
