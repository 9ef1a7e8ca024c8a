"""Hosted tools: declared as values, passed through as they are, refused where nobody would run them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jigwork import Agent, ScriptedModel, Settings
from jigwork.agent.events import ItemAdded
from jigwork.agent.models.fallback import FallbackModel
from jigwork.agent.models.openai_model import OpenAIModel
from jigwork.agent.models.profiles import Profile
from jigwork.agent.testing import Reply, capture_events
from jigwork.errors import SettingsError, ToolDefinitionError
from jigwork.tools import (
    HostedTool,
    Toolset,
    code_interpreter,
    file_search,
    hosted_mcp,
    image_generation,
    tool,
    web_search,
)

DEFINITIONS: list[tuple[HostedTool, dict[str, Any]]] = [
    (web_search(), {"type": "web_search"}),
    (
        web_search(allowed_domains=["a.org"], context_size="low", user_location={"city": "Rom"}, live=False),
        {
            "type": "web_search",
            "filters": {"allowed_domains": ["a.org"]},
            "search_context_size": "low",
            "user_location": {"type": "approximate", "city": "Rom"},
            "external_web_access": False,
        },
    ),
    (
        file_search("vs_1", "vs_2", max_results=3),
        {"type": "file_search", "vector_store_ids": ["vs_1", "vs_2"], "max_num_results": 3},
    ),
    (code_interpreter(), {"type": "code_interpreter", "container": {"type": "auto"}}),
    (code_interpreter("cntr_1"), {"type": "code_interpreter", "container": "cntr_1"}),
    (
        code_interpreter(file_ids=["f"], memory="4g"),
        {"type": "code_interpreter", "container": {"type": "auto", "file_ids": ["f"], "memory_limit": "4g"}},
    ),
    (image_generation(size="1024x1024"), {"type": "image_generation", "size": "1024x1024"}),
    (
        hosted_mcp("docs", "https://x.y/mcp", allowed_tools=["ask"]),
        {
            "type": "mcp",
            "server_label": "docs",
            "server_url": "https://x.y/mcp",
            "allowed_tools": ["ask"],
            "require_approval": "never",
        },
    ),
    (HostedTool("of_tomorrow", {"size": 3}), {"type": "of_tomorrow", "size": 3}),
    (
        HostedTool("shell", {"environment": {"type": "container_auto"}}),
        {"type": "shell", "environment": {"type": "container_auto"}},
    ),
]


@pytest.mark.parametrize(("hosted", "expected"), DEFINITIONS)
def test_definitions(hosted: HostedTool, expected: dict[str, Any]) -> None:
    """Each is sent in the shape of the Responses API; what is not given is not sent."""
    assert hosted.definition() == expected


FAULTS: list[tuple[Callable[[], object], str]] = [
    (lambda: HostedTool("function"), "give the function itself"),
    (lambda: HostedTool("shell"), "does not run 'shell'"),
    (lambda: HostedTool("apply_patch"), r"use apply_patch\(folder\)"),
    (lambda: HostedTool("mcp", {"server_label": "x"}), r"hosted_mcp\(label, url, approval='always'\)"),
    (lambda: file_search(), "needs a vector store"),
    (lambda: file_search("vs", max_results=51), "1 to 50"),
    (lambda: code_interpreter("cntr_1", memory="1g"), "leave `container` out"),
    (lambda: Toolset([web_search()]), "is no tool"),
]


@pytest.mark.parametrize(("make", "message"), FAULTS)
def test_mistakes_are_errors_at_once(make: Callable[[], object], message: str) -> None:
    """What would be waited for in vain is refused where it is written."""
    with pytest.raises(ToolDefinitionError, match=message):
        make()


@tool
def local() -> str:
    """Run here."""
    return "here"


def test_passed_through_and_kept() -> None:
    """The definition is sent after the local tools; what the server did is an event, and stays in the history."""
    did = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search"}}
    model = ScriptedModel([Reply(items=(did,), text="found it"), "and again"])
    agent = Agent(model, tools=[web_search(), local])
    with capture_events() as events:
        result = agent.run_sync("search")
    assert [d.get("name", d["type"]) for d in model.requests[0].tools] == ["local", "web_search"]
    assert did in [e.item for e in events if isinstance(e, ItemAdded)]
    agent.run_sync("more", state=result.state)
    assert did in model.requests[1].items
    assert list(agent.tools) == ["local"]


def test_hosted_tools_pass_the_gate() -> None:
    """Where some tool is gated, the server's own are still allowed, each by what it is known by."""
    gone = Toolset.dynamic(lambda context: [local] if context.turn == 1 else [])
    model = ScriptedModel(
        [Reply(calls=(), text="x"), "done"], profile=Profile(allowed_tools=True, endpoints=("responses",))
    )
    agent = Agent(
        model, tools=[web_search(), hosted_mcp("docs", "https://x.y"), gone], output=int, output_retries=1
    )
    with pytest.raises(Exception, match="no valid answer"):
        agent.run_sync("go")
    choice: Any = model.requests[1].settings.tool_choice
    assert choice["tools"] == [{"type": "web_search"}, {"type": "mcp", "server_label": "docs"}]


CHAT = OpenAIModel("gpt-5.2", base_url="http://127.0.0.1:9/v1", endpoint="chat")
RESPONSES = OpenAIModel("some-model", base_url="http://127.0.0.1:9/v1", endpoint="responses")


@pytest.mark.parametrize("model", [CHAT, FallbackModel([RESPONSES, CHAT])])
def test_refused_on_the_chat_endpoint(model: Any) -> None:
    """An agent on the chat endpoint says, before anything is sent, that the tool needs the other one."""
    with pytest.raises(SettingsError, match=r"'web_search' exists only on the Responses endpoint: use"):
        Agent(model, tools=[web_search()], settings=Settings(retries=0)).run_sync("go")


def test_accepted_on_the_responses_endpoint() -> None:
    """An explicit endpoint wins over what the profile of an unknown model says."""
    assert Agent(RESPONSES, tools=[web_search()]).model is RESPONSES
    assert Agent(FallbackModel([RESPONSES]), tools=[web_search()]).model.name == "some-model"


def test_secrets_are_not_shown() -> None:
    """Authorization and headers are not in what is printed."""
    hosted = hosted_mcp("x", "https://x.y", authorization="hush", headers={"X": "hush"})
    assert "hush" not in repr(hosted)
