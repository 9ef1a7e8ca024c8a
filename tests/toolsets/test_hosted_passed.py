"""Hosted tools that the server runs itself: sent as declared, shown, kept, and played back as they came."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jigwork import Agent, RunResult, RunState
from jigwork.agent.events import Event, ItemAdded
from jigwork.agent.models.openai_model import OpenAIModel
from jigwork.agent.server import LocalServer
from jigwork.agent.testing import Reply
from jigwork.tools import (
    HostedTool,
    code_interpreter,
    file_search,
    hosted_mcp,
    image_generation,
    web_search,
)

Item = dict[str, Any]
Through = Callable[..., tuple[RunResult[Any], list[Event]]]

SHELL: Item = {
    "type": "shell_call",
    "id": "sh_1",
    "call_id": "call_sh",
    "status": "completed",
    "action": {"commands": ["ls"], "timeout_ms": None, "max_output_length": None},
    "environment": {"type": "container_reference", "container_id": "cntr_1"},
}

# What a server does by itself: the tool, and the items that come back.
PASSED: dict[str, tuple[Any, list[Item]]] = {
    "web_search": (
        web_search(),
        [
            {
                "type": "web_search_call",
                "id": "ws_1",
                "status": "completed",
                "action": {"type": "search", "query": "x"},
            }
        ],
    ),
    "file_search": (
        file_search("vs_1"),
        [
            {
                "type": "file_search_call",
                "id": "fs_1",
                "status": "completed",
                "queries": ["x"],
                "results": None,
            }
        ],
    ),
    "code_interpreter": (
        code_interpreter(),
        [
            {
                "type": "code_interpreter_call",
                "id": "ci_1",
                "status": "completed",
                "code": "1+1",
                "container_id": "cntr_1",
                "outputs": None,
            }
        ],
    ),
    "image_generation": (
        image_generation(),
        [{"type": "image_generation_call", "id": "ig_1", "status": "completed", "result": "iVBORw0="}],
    ),
    "mcp": (
        hosted_mcp("docs", "https://x.y/mcp"),
        [
            {"type": "mcp_list_tools", "id": "mcpl_1", "server_label": "docs", "tools": []},
            {
                "type": "mcp_call",
                "id": "mcp_1",
                "server_label": "docs",
                "name": "ask",
                "arguments": "{}",
                "output": "42",
            },
        ],
    ),
    "a shell in a container": (
        HostedTool("shell", {"environment": {"type": "container_auto"}}),
        [
            SHELL,
            {
                "type": "shell_call_output",
                "id": "sho_1",
                "call_id": "call_sh",
                "status": "completed",
                "output": [{"stdout": "a", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}],
            },
        ],
    ),
    "a type of tomorrow": (
        HostedTool("image_generation"),
        [{"type": "dream_call", "id": "dr_1", "depth": 3}],
    ),
}

DOORS = (
    "run",
    "stream",
    pytest.param("run_sync", marks=pytest.mark.slow),
    pytest.param("stream_sync", marks=pytest.mark.slow),
)


def served(server: LocalServer) -> OpenAIModel:
    return OpenAIModel("gpt-5.4", base_url=server.base_url, api_key="test", endpoint="responses")


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("name", PASSED)
def test_what_the_server_does_is_kept_and_played_back(name: str, door: str, through: Through) -> None:
    """The tool is sent as declared; its items are in the events, in the state, and in the next request as they were."""
    hosted, items = PASSED[name]
    with LocalServer([Reply(items=tuple(items), text="found"), "again"]) as server:
        agent = Agent(served(server), tools=[hosted])
        result, events = through(door, agent, "go")
        assert result.output == "found"
        assert server.bodies[0]["tools"] == [hosted.definition()]
        state = RunState.from_json(result.state.to_json())
        assert [i for i in state.items if i["type"] in {one["type"] for one in items}] == items
        if door.startswith("stream"):
            assert [e.item for e in events if isinstance(e, ItemAdded)][1 : 1 + len(items)] == items
        through(door, agent, "more", state=state)
        assert [i for i in server.bodies[1]["input"] if i in items] == items
