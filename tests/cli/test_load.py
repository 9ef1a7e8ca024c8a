"""The user's own modules are found, whatever they are called, and what is wrong with them is said in a line."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import jigwork.agent
import jigwork.tools
from jigwork.agent.cli.load import load_module, load_target

Cli = Callable[..., Any]


@pytest.mark.parametrize("target", ["agent:agent", "agent.py:agent", "./agent.py:agent"])
def test_agents_beside_us(project: Path, target: str) -> None:
    """`agent.py` and `tools/` of a user are imported as such, and ours stay what they are."""
    ours = jigwork.agent, jigwork.tools
    found = load_target(target)
    assert set(found.tools) == {"add", "fail"}
    assert (sys.modules["jigwork.agent"], sys.modules["jigwork.tools"]) == ours
    assert Path(str(sys.modules["tools"].__file__)).is_relative_to(project)


def test_attributes_go_deeper(project: Path) -> None:
    """Dots after the colon reach into what is there."""
    (project / "deep.py").write_text("class A:\n    class B:\n        value = 7\n")
    assert load_target("deep:A.B.value") == 7


def test_the_folder_is_first_only_while_importing(project: Path) -> None:
    """The working folder comes first on the path for the import, and last afterwards."""
    load_module("helpers")
    assert sys.path[0] != str(project) and sys.path[-1] == str(project)


def test_a_name_that_is_taken(project: Path) -> None:
    """A file of the user's is loaded even where its name belongs to a library that is in use."""
    import click

    (project / "click.py").write_text("mine = 1\n")
    assert load_target("click:mine") == 1
    assert sys.modules["click"] is click


def test_a_file_is_loaded_once(project: Path) -> None:
    """Two targets in one file share one module, so that they share its values."""
    assert load_module("agent.py") is load_module("agent.py")


WRONG = [
    ("agent.py", 2, "names nothing: write module:name"),
    ("agent.py:", 2, "names nothing"),
    ("nothere.py:agent", 2, "there is no file nothere.py"),
    ("nothere:agent", 2, "there is no module 'nothere'"),
    ("agent.py:agnt", 2, "did you mean 'agent'?"),
    ("bad_import.py:x", 1, "bad_import.py, line 2: ModuleNotFoundError: No module named 'nothere'"),
    ("bad_syntax.py:x", 1, "line 1: "),
    ("bad_code.py:x", 1, "bad_code.py, line 3: ZeroDivisionError: division by zero"),
    ("bad_code:x", 1, "bad_code.py, line 3: ZeroDivisionError"),
    ("helpers.py:total", 2, "needs a, b"),
    ("good.py:number", 2, "is no agent but int"),
    ("good.py:fails", 1, "good.py:fails failed: RuntimeError: not today"),
    ("good.py:makes_text", 2, "is no agent but str"),
]


@pytest.mark.parametrize(("target", "code", "message"), WRONG)
def test_what_is_wrong_is_said_in_a_line(
    project: Path, cli: Cli, target: str, code: int, message: str
) -> None:
    """A target that does not load is one line on stderr that names the place."""
    (project / "bad_import.py").write_text("x = 1\nimport nothere\n")
    (project / "bad_syntax.py").write_text("x = (\n")
    (project / "bad_code.py").write_text("def f():\n    pass\nx = 1 / 0\n")
    (project / "good.py").write_text(
        "number = 3\ndef fails():\n    raise RuntimeError('not today')\ndef makes_text():\n    return ''\n"
    )
    done = cli("run", target, "hello")
    assert (done.code, done.out) == (code, "")
    assert message in done.err and len(done.err.splitlines()) == 1, done.err


def test_debug_log_shows_the_traceback(project: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """With JIGWORK_LOG=debug the traceback follows the line."""
    (project / "bad_code.py").write_text("x = 1 / 0\n")
    monkeypatch.setenv("JIGWORK_LOG", "debug")
    done = cli("run", "bad_code.py:x", "hello")
    assert "Traceback (most recent call last)" in done.err and "x = 1 / 0" in done.err
