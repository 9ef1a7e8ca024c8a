"""Our own model clients against the server: what one endpoint says comes out of the other."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

import pytest

from jigwork.agent.events import ItemAdded, ModelEvent, ResponseEnded
from jigwork.agent.items import user_message
from jigwork.agent.models.base import ModelRequest
from jigwork.agent.models.openai_model import OpenAIModel
from jigwork.agent.pytest_plugin import ServerFactory
from jigwork.agent.replies import Reply, ScriptedCall
from jigwork.agent.server import ModelEngine, ServedRequest

Endpoint = Literal["responses", "chat"]
TOOL: dict[str, Any] = {
    "type": "function",
    "name": "f",
    "description": "Do it",
    "parameters": {"type": "object", "properties": {}, "required": [], "additionalProperties": False},
    "strict": True,
}


async def _ask(model: OpenAIModel, *, stream: bool) -> list[ModelEvent]:
    request = ModelRequest(items=[user_message("Hi")], instructions="Be brief", tools=[TOOL], stream=stream)
    try:
        return [event async for event in model.stream(request)]
    finally:
        await model.aclose()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("inner", ["responses", "chat"])
@pytest.mark.parametrize("outer", ["responses", "chat"])
def test_a_server_over_a_client_of_a_server(
    outer: Endpoint, inner: Endpoint, stream: bool, jigwork_server: ServerFactory
) -> None:
    """A server whose engine is a client of another server gives what the other one says, over every endpoint."""
    seen: list[ServedRequest] = []

    def respond(request: ServedRequest) -> Reply:
        seen.append(request)
        return Reply(text="Let me see", calls=(ScriptedCall(name="f", arguments={}, call_id="call_1"),))

    behind = jigwork_server(respond)
    model = OpenAIModel("any", base_url=behind.base_url, api_key="k", endpoint=inner)
    front = jigwork_server(ModelEngine(model))
    events = asyncio.run(
        _ask(OpenAIModel("any", base_url=front.base_url, api_key="k", endpoint=outer), stream=stream)
    )
    items = [event.item for event in events if isinstance(event, ItemAdded)]
    assert [item["type"] for item in items] == ["message", "function_call"]
    assert items[0]["content"][0]["text"] == "Let me see"
    assert (items[1]["name"], items[1]["arguments"], items[1]["call_id"]) == ("f", "{}", "call_1")
    assert isinstance(events[-1], ResponseEnded) and events[-1].usage.total_tokens > 0
    assert (seen[0].text, seen[0].tools[0]["name"]) == ("Hi", "f")
    assert not front.errors and not behind.errors
