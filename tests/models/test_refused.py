"""Parameters that only the server refuses: dropped once, remembered, said."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest

from jigwork.agent.events import AttemptDiscarded
from jigwork.agent.items import user_message
from jigwork.agent.models.base import ModelRequest
from jigwork.agent.models.settings import Settings
from jigwork.errors import BadRequestError

MODES = [False, True]


def _good(wire: Any, endpoint: str, stream: bool, text: str = "fine") -> Any:
    """An answer that is all right."""
    if endpoint == "chat":
        if stream:
            return wire.sse(wire.chunks([{"content": text}]), done=True)
        return wire.json(wire.completion({"content": text}))
    item = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}
    body = wire.response(item)
    return wire.sse(wire.response_events(body)) if stream else wire.json(body)


def _error(message: str = "oops", **fields: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": None, "param": None, "code": None, **fields}}


# The server's words -> the setting, the field that goes, the field that comes.
REFUSED: dict[str, tuple[str, dict[str, Any], Settings, str, str | None]] = {
    "by code and param": (
        "chat",
        _error("Unsupported parameter", code="unsupported_parameter", param="seed"),
        Settings(seed=1),
        "seed",
        None,
    ),
    "by value": (
        "responses",
        _error("Unsupported value", code="unsupported_value", param="reasoning.effort"),
        Settings(effort="high"),
        "reasoning",
        None,
    ),
    "by words": (
        "chat",
        _error("Unrecognized request argument supplied: prompt_cache_key", type="invalid_request_error"),
        Settings(prompt_cache_key="k"),
        "prompt_cache_key",
        None,
    ),
    "another name": (
        "chat",
        _error(
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens'.",
            code="unsupported_parameter",
            param="max_tokens",
        ),
        Settings(max_output_tokens=300),
        "max_tokens",
        "max_completion_tokens",
    ),
}


@pytest.mark.parametrize("stream", MODES)
@pytest.mark.parametrize(
    ("endpoint", "refusal", "settings", "gone", "instead"), REFUSED.values(), ids=REFUSED.keys()
)
def test_refused_parameters_are_dropped_once_and_remembered(
    wire: Any, endpoint: str, refusal: Any, settings: Settings, gone: str, instead: str | None, stream: bool
) -> None:
    """What only the server refuses is left out, with an event and a record, and not sent again."""
    answers = [wire.json(refusal, 400), *(_good(wire, endpoint, stream) for _ in range(2))]
    model = wire.model("m", *answers, endpoint=endpoint)
    got = wire.ask(model, stream=stream, settings=settings)
    again = wire.ask(model, stream=stream, settings=settings)
    param = refusal["error"]["param"] or gone
    assert [param in event.reason for event in got.of(AttemptDiscarded)] == [True]
    assert got.end.dropped == again.end.dropped == (param,)
    assert [gone in body for body in wire.bodies] == [True, False, False]
    assert [instead in body for body in wire.bodies] == [False, instead is not None, instead is not None]


def test_requests_at_the_same_time_learn_the_same(wire: Any) -> None:
    """Several requests that are refused for one parameter at once all go on without it."""

    async def answer(request: httpx2.Request) -> httpx2.Response:
        await asyncio.sleep(0.05)
        refusal = _error("Unsupported parameter: 'seed'", code="unsupported_parameter", param="seed")
        good: httpx2.Response = _good(wire, "chat", False)
        return httpx2.Response(400, json=refusal) if b"seed" in request.content else good

    model = wire.model("m", *([answer] * 10), endpoint="chat")

    async def one() -> list[Any]:
        request = ModelRequest(items=[user_message("hi")], settings=Settings(seed=1))
        return [event async for event in model.stream(request)]

    async def all_of_them() -> list[list[Any]]:
        return await asyncio.gather(*(one() for _ in range(5)))

    assert [events[-1].dropped for events in asyncio.run(all_of_them())] == [("seed",)] * 5


def test_tools_and_reasoning_that_do_not_go_together(wire: Any) -> None:
    """A model newer than the table that takes tools on chat only without reasoning is asked again with effort none."""
    refusal = _error(
        "Function tools with reasoning_effort are not supported for m in /v1/chat/completions. To use function "
        "tools, use /v1/responses or set reasoning_effort to 'none'.",
        param="reasoning_effort",
    )
    answers = [_good(wire, "chat", False) for _ in range(3)]
    model = wire.model("m", wire.json(refusal, 400), *answers, endpoint="chat")
    tools: list[dict[str, Any]] = [{"type": "function", "name": "f", "parameters": {}}]
    got = wire.ask(model, tools=tools)
    wire.ask(model, tools=tools)
    wire.ask(model)
    assert [body.get("reasoning_effort") for body in wire.bodies] == [None, "none", "none", None]
    assert got.end.dropped == ("reasoning_effort (with tools)",)


def test_a_refused_stop_is_cut_here(wire: Any) -> None:
    """A server that refuses `stop` gets none, and the text is cut on our side."""
    refusal = _error("Unsupported parameter: 'stop'", code="unsupported_parameter", param="stop")
    model = wire.model(
        "m", wire.json(refusal, 400), _good(wire, "chat", True, "one END two"), endpoint="chat"
    )
    got = wire.ask(model, stream=True, settings=Settings(stop="END"))
    assert (got.text, got.end.reason) == ("one ", "stop_sequence")
    assert got.items[0]["content"][0]["text"] == "one "
    assert wire.bodies[0]["stop"] == ["END"]


def test_tools_and_input_are_never_dropped(wire: Any) -> None:
    """A server that refuses what the request is about gets no second request."""
    refusal = _error("Unsupported parameter: 'tools'", code="unsupported_parameter", param="tools")
    model = wire.model("m", wire.json(refusal, 400), endpoint="chat")
    with pytest.raises(BadRequestError, match="tools"):
        wire.ask(model, tools=[{"type": "function", "name": "f", "parameters": {}}])
