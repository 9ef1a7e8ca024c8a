"""The reference filesystem server of MCP, from npm, as a toolset."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from jigwork import Agent, ScriptedModel
from jigwork.agent.models.base import ModelRequest
from jigwork.agent.testing import Reply, ScriptedCall
from jigwork.tools import MCPToolset, tool

pytestmark = pytest.mark.external

PACKAGE = "@modelcontextprotocol/server-filesystem"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Install the server with npm, outside of the repository; skip where that is not possible."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("needs node and npm")
    where = tmp_path_factory.mktemp("npm")
    done = subprocess.run(
        ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(where), PACKAGE],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    if done.returncode != 0:
        pytest.skip(f"npm cannot install {PACKAGE}: {done.stderr.strip()[-200:]}")
    return str(where / "node_modules" / ".bin" / "mcp-server-filesystem")


def calling(*calls: tuple[str, dict[str, Any]]) -> Reply:
    """Return a reply that makes these calls at once."""
    return Reply(calls=tuple(ScriptedCall(name=name, arguments=arguments) for name, arguments in calls))


def test_reads_writes_and_asks(program: str, tmp_path: Path) -> None:
    """Files are read and written by the server; what overwrites asks a person first; outside is refused."""
    (tmp_path / "a.txt").write_text("first")
    files = MCPToolset.stdio(program, str(tmp_path), name="files")
    model = ScriptedModel(
        [
            calling(
                ("fs_read_text_file", {"path": str(tmp_path / "a.txt")}),
                ("fs_read_text_file", {"path": "/etc/passwd"}),
                ("fs_write_file", {"path": str(tmp_path / "b.txt"), "content": "second"}),
            ),
            "done",
        ]
    )
    agent = Agent(model, tools=[files.prefixed("fs")])
    paused = agent.run_sync("go")
    assert [a.name for a in paused.approvals] == ["fs_write_file"]
    assert not (tmp_path / "b.txt").exists()
    paused.state.approve(paused.approvals[0].call_id)
    result = agent.run_sync(state=paused.state)
    statuses = [c.outcome.status for c in result.calls if c.outcome]
    assert statuses == ["ok", "failed", "ok"]
    assert (tmp_path / "b.txt").read_text() == "second"
    outputs = [i["output"] for i in result.items if i["type"] == "function_call_output"]
    assert "\nfirst\n</outside-data" in outputs[0]
    assert "Access denied" in outputs[1]


def test_killed_in_the_middle(program: str, tmp_path: Path) -> None:
    """The server is killed while it works: its call fails, a sibling does not, and the next call finds it again."""
    for number in range(3000):
        (tmp_path / f"{number}.txt").write_text("x" * 200)
    pids: list[int] = []

    def children() -> list[int]:
        """Return the processes of the server."""
        found = subprocess.run(
            ["pgrep", "-f", f"mcp-server-filesystem {tmp_path}"], capture_output=True, text=True, check=False
        )
        return [int(pid) for pid in found.stdout.split()]

    @tool
    def kill_it() -> str:
        """Kill the server."""
        pids.extend(children())
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        return f"killed {len(pids)}"

    paths = [str(tmp_path / f"{number}.txt") for number in range(3000)]
    search = {"path": str(tmp_path), "pattern": "**/*nothing*"}

    def reply(request: ModelRequest) -> Reply:
        turns.append(1)
        if len(turns) == 1:
            return calling(
                ("read_multiple_files", {"paths": paths}), ("kill_it", {}), ("search_files", search)
            )
        return calling(("read_text_file", {"path": paths[0]})) if len(turns) == 2 else Reply(text="done")

    turns: list[int] = []
    result = Agent(ScriptedModel(reply), tools=[MCPToolset.stdio(program, str(tmp_path)), kill_it]).run_sync(
        "go"
    )
    statuses = [c.outcome.status for c in result.calls if c.outcome]
    assert statuses == ["failed", "ok", "failed", "ok"]
    outputs = [i["output"] for i in result.items if i["type"] == "function_call_output"]
    assert outputs[1] == "killed 1"
    assert "x" * 200 in outputs[3]
    assert not children()
