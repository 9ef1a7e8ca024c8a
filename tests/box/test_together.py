"""The whole box in one agent: a server as strict as the real one takes it, and nothing is imported too early."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from jigwork import Agent, OpenAIModel
from jigwork.agent import pytest_plugin
from jigwork.agent.delegation import agent_tool
from jigwork.agent.pytest_plugin import ServerFactory
from jigwork.testing import ScriptedModel
from jigwork.tools.box import calculator, fetch, files, notes, python, read_output, shell

jigwork_server = pytest_plugin.jigwork_server


@pytest.mark.parametrize("endpoint", ["responses", "chat"])
def test_a_strict_server_takes_every_definition(
    endpoint: Any, tmp_path: Path, jigwork_server: ServerFactory
) -> None:
    """All of them together, and a call of each that needs nobody's leave, over the wire."""
    (tmp_path / "a.txt").write_text("hello")
    helper = Agent(ScriptedModel(["helped"]), name="helper")
    box = [
        files(tmp_path, write=True),
        fetch(["example.org"]),
        python(),
        shell(["ls"], folder=tmp_path),
        notes(tmp_path / "notes.db"),
        calculator,
    ]
    calls = [
        {"name": "read_file", "arguments": {"path": "a.txt", "first_line": None, "lines": None}},
        {"name": "add_note", "arguments": {"text": "remember", "topic": None}},
        {"name": "helper", "arguments": {"task": "help"}},
        {"name": "calculator", "input": "1 + 1"}
        if endpoint == "responses"
        else {"name": "calculator", "arguments": {"expression": "1 + 1"}},
    ]
    server = jigwork_server([calls, "Done"])
    model = OpenAIModel("gpt-5.2", base_url=server.base_url, api_key="test", endpoint=endpoint)
    tools = [read_output(box), agent_tool(helper, description="Helps.")]
    result = Agent(model, tools=tools).run_sync("go")
    assert [c.outcome.status for c in result.calls if c.outcome] == ["ok"] * 4 and result.output == "Done"
    definitions = server.bodies[0]["tools"]
    plain = [d if endpoint == "responses" else d.get(d["type"], {}) for d in definitions]
    names = [d["name"] for d in plain]
    assert len(names) == len(set(names)) == 14
    assert all(d["strict"] is True for d in plain if "parameters" in d)


def test_importing_the_box_imports_nothing_of_it() -> None:
    """A name is loaded when it is used, without what only another one needs."""
    program = (
        "import sys, jigwork.tools.box as box\n"
        "assert not [m for m in sys.modules if m.startswith('jigwork.tools.box.')]\n"
        "box.files\n"
        "assert 'sqlite3' not in sys.modules and 'http.client' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
