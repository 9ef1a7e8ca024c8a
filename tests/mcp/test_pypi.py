"""MCP servers of other people from PyPI as toolsets: a clock and a git repository, over stdio."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import venv
from pathlib import Path
from typing import Any

import pytest

from jigwork import Agent, ScriptedModel
from jigwork.agent.models.base import ModelRequest
from jigwork.agent.testing import Reply, ScriptedCall
from jigwork.tools import MCPToolset, RunContext, tool

pytestmark = pytest.mark.external

PACKAGES = ("mcp-server-time==2026.10.19", "mcp-server-git==2026.10.19")


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the servers into an environment of their own; skip where that is not possible."""
    where = tmp_path_factory.mktemp("pypi")
    venv.create(where, with_pip=True)
    pip = [str(where / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    done = subprocess.run([*pip, *PACKAGES], capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        pytest.skip(f"pip cannot install {', '.join(PACKAGES)}: {done.stderr.strip()[-200:]}")
    return where / "bin"


def call(name: str, **arguments: Any) -> ScriptedCall:
    return ScriptedCall(name=name, arguments=arguments)


def outputs(items: list[dict[str, Any]]) -> list[str]:
    return [str(i["output"]) for i in items if i["type"] == "function_call_output"]


def test_a_clock(programs: Path) -> None:
    """Its tools are listed, called and marked as data; what it refuses is a failure in its own words."""
    clock = MCPToolset.stdio(str(programs / "mcp-server-time"), "--local-timezone", "UTC", name="clock")
    convert = {"source_timezone": "UTC", "time": "12:00", "target_timezone": "Asia/Tokyo"}
    model = ScriptedModel(
        [
            Reply(calls=(call("convert_time", **convert), call("get_current_time", timezone="Mars/Base"))),
            "done",
        ]
    )
    result = Agent(model, tools=[clock]).run_sync("when is it?")
    statuses = [c.outcome.status for c in result.calls if c.outcome]
    first, second = outputs(result.items)
    assert statuses == ["ok", "failed"]
    assert "21:00" in first and 'source="clock: convert_time"' in first
    assert "Mars/Base" in second


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_a_repository(programs: Path, tmp_path: Path) -> None:
    """What it says of its tools becomes options: looking runs at once, resetting asks a person first."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "a.txt").write_text("x")
    git = MCPToolset.stdio(str(programs / "mcp-server-git"), "--repository", str(tmp_path), name="git")
    path = str(tmp_path)
    model = ScriptedModel(
        [Reply(calls=(call("git_status", repo_path=path), call("git_reset", repo_path=path))), "x"]
    )
    paused = Agent(model, tools=[git]).run_sync("look")
    assert [a.name for a in paused.approvals] == ["git_reset"]
    assert "a.txt" in outputs(paused.items)[0]


def test_killed_in_the_middle(programs: Path) -> None:
    """The server is killed between and during calls: a sibling is not disturbed, and the next call starts it again."""
    program = str(programs / "mcp-server-time")
    clock = MCPToolset.stdio(program, "--local-timezone", "UTC", name="clock")

    def running() -> list[int]:
        found = subprocess.run(["pgrep", "-f", program], capture_output=True, text=True, check=False)
        return [int(pid) for pid in found.stdout.split()]

    @tool
    async def kill_it() -> str:
        """Kill the server."""
        for pid in running():
            os.kill(pid, signal.SIGKILL)
        await asyncio.sleep(0.3)
        return "killed"

    def reply(request: ModelRequest) -> Reply:
        turns.append(1)
        now = call("get_current_time", timezone="UTC")
        return [Reply(calls=(now,)), Reply(calls=(call("kill_it"),)), Reply(calls=(now,)), Reply(text="x")][
            len(turns) - 1
        ]

    turns: list[int] = []
    result = Agent(ScriptedModel(reply), tools=[clock, kill_it]).run_sync("go")
    assert [c.outcome.status for c in result.calls if c.outcome] == ["ok", "ok", "ok"]
    assert not running()


def test_opened_and_listed_once(programs: Path) -> None:
    """Opening it twice at once starts one process; a tool stays the same object as long as it is open."""

    async def go() -> bool:
        clock = MCPToolset.stdio(str(programs / "mcp-server-time"), name="clock", protocol="legacy")
        async with clock, clock:
            first, second = [await clock.tools(RunContext(None)) for _ in range(2)]
            return all(a is b for a, b in zip(first, second, strict=True)) and bool(first)

    assert asyncio.run(go())
