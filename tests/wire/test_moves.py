"""Histories and runs that move: between servers, to the next model of a chain, through breaks, to an output type."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from jigwork import Agent, FallbackModel, RunState, Settings, SettingsError, tool
from jigwork.agent.items import Item

SIGNED: Item = {"extra_content": {"google": {"thought_signature": "SIG"}}}
OK: Item = {
    "id": "m",
    "type": "message",
    "role": "assistant",
    "content": [{"type": "output_text", "text": "ok", "annotations": []}],
}


@dataclass
class Place:
    """A place."""

    city: str
    degrees: int


def chunk(delta: Item, finish: str | None = None) -> Item:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def whole(**message: Any) -> Item:
    said: Item = {"role": "assistant", "content": None, **message}
    return {"choices": [{"index": 0, "message": said, "finish_reason": "stop"}]}


def function(name: str, arguments: str, **more: Any) -> Item:
    return {
        "index": 0,
        "id": "c1",
        "type": "function",
        "function": {"name": name, "arguments": arguments},
        **more,
    }


ANSWER = '{"city":"Rome","degrees":21}'


@pytest.mark.parametrize("mode", ["plain", "stream"])
@pytest.mark.parametrize("provider", ["openai", "deepseek"])
def test_an_output_type(raw: Any, kit: Any, provider: str, mode: str) -> None:
    """As a response format where the server knows one, else as the call of a final tool: one request, one value."""
    native = provider == "openai"
    call = function("final_answer", ANSWER)
    if mode == "plain":
        raw.replies = [kit.Reply.json(whole(content=ANSWER) if native else whole(tool_calls=[call]))]
    else:
        deltas = [{"content": letter} for letter in ANSWER] if native else [{"tool_calls": [call]}]
        raw.replies = [kit.Reply.sse(*map(chunk, deltas), chunk({}, "stop"), "[DONE]")]
    agent = Agent(raw.model("gpt-5.2", endpoint="chat", provider=provider), output=Place)
    run = kit.play(agent, mode, "go")
    assert run.error is None
    assert run.result.output == Place("Rome", 21)
    body = raw.bodies[0]
    assert ("response_format" in body, "tools" in body) == (native, not native)


def test_a_history_moves_between_servers_and_comes_back(raw: Any, kit: Any) -> None:
    """Each server gets the whole conversation in its own form; private fields wait for the one that made them."""
    desk = kit.Desk()
    tools = desk.pick("weather")
    signed = function("weather", '{"city":"Rome"}', **SIGNED, id="")
    thought: Item = {"id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": "E"}
    gemini = Agent(raw.model("g", endpoint="chat", provider="gemini"), tools=tools)
    openai = Agent(raw.model("gpt-5.2"), tools=tools)
    ollama = Agent(raw.model("q", endpoint="chat", provider="ollama"), tools=tools)
    raw.replies = [
        kit.Reply.json(whole(tool_calls=[signed])),
        kit.Reply.json(whole(content="a", **SIGNED)),
        kit.Reply.json({"id": "r", "status": "completed", "output": [thought, OK]}),
        kit.Reply.json(whole(content="c")),
        kit.Reply.json(whole(content="d")),
    ]
    state = None
    for agent, text in ((gemini, "one"), (openai, "two"), (ollama, "three"), (gemini, "four")):
        run = kit.play(agent, "plain", text, desk, state=state)
        assert run.error is None
        state = RunState.from_json(run.result.state.to_json())
    sent = [json.dumps(body) for body in raw.bodies]
    assert ["thought_signature" in text for text in sent] == [False, True, False, False, True]
    assert ["provider_data" in text for text in sent] == [False] * 5
    kinds = [item["type"] for item in raw.bodies[2]["input"]]
    assert kinds == ["message", "function_call", "function_call_output", "message", "message"]
    roles = ["user", "assistant", "tool", "assistant", "user", "assistant", "user"]
    assert [m["role"] for m in raw.bodies[3]["messages"]] == roles
    assert [m["role"] for m in raw.bodies[4]["messages"]] == [*roles, "assistant", "user"]
    last = raw.bodies[4]["messages"]
    assert last[1]["tool_calls"][0]["extra_content"] == last[3]["extra_content"] == SIGNED["extra_content"]
    assert len(desk.calls) == 1


@pytest.mark.parametrize("mode", ["plain", "stream"])
def test_the_next_model_of_a_chain_answers(raw: Any, kit: Any, mode: str) -> None:
    """Where one breaks, also in the middle of its text, the next is asked; the record names the one that answered."""
    quick = Settings(retries=0)
    lost = {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "lost"}
    if mode == "plain":
        raw.replies = [
            kit.Reply.json({"error": {"message": "x"}}, "503 No"),
            kit.Reply.json(whole(content="two")),
        ]
    else:
        raw.replies = [
            kit.Reply.sse(lost, kit.Reset()),
            kit.Reply.sse(chunk({"content": "two"}, "stop"), "[DONE]"),
        ]
    first = raw.model("gpt-5.2", settings=quick)
    second = raw.model("other", endpoint="chat", provider="openrouter", settings=quick)
    run = kit.play(Agent(FallbackModel([first, second])), mode, "go")
    assert run.error is None
    assert run.result.output == "two"
    assert mode == "plain" or run.text == "two"
    assert run.result.requests[0].model == "other"
    assert len(run.items) == 2


def test_a_call_that_began_early_is_forgotten_with_its_answer(raw: Any, kit: Any) -> None:
    """A tool that only reads may start in the stream; of an answer that breaks nothing stays in the state."""
    seen: list[int] = []

    @tool(read_only=True)
    def peek(x: int) -> str:
        """Look."""
        seen.append(x)
        return str(x)

    def call(x: int) -> Item:
        arguments = json.dumps({"x": x})
        return {
            "id": f"fc_{x}",
            "type": "function_call",
            "call_id": f"call_{x}",
            "name": "peek",
            "arguments": arguments,
        }

    def done(item: Item) -> Item:
        return {"type": "response.output_item.done", "output_index": 0, "item": item}

    def end(*items: Item) -> Item:
        return {
            "type": "response.completed",
            "response": {"id": "r", "status": "completed", "output": [*items]},
        }

    raw.replies = [
        kit.Reply.sse(done(call(1)), kit.Pause(0.1), kit.Reset()),
        kit.Reply.sse(done(call(2)), end(call(2))),
        kit.Reply.sse(end(OK)),
    ]
    run = kit.play(Agent(raw.model(), tools=[peek]), "stream", "go")
    assert run.error is None
    assert seen == [1, 2]
    assert [record.call_id for record in run.result.calls] == ["call_2"]
    assert set(run.result.state.outcomes) == {"call_2"}
    assert [item["type"] for item in run.items] == [
        "message",
        "function_call",
        "function_call_output",
        "message",
    ]


@pytest.mark.parametrize("value", ["secretvalue-\n", "ключ-секрет"])
def test_headers_that_cannot_be_sent_are_not_shown(raw: Any, kit: Any, value: str) -> None:
    """The error names the header and keeps its value to itself; nothing is sent."""
    agent = Agent(raw.model(), settings=Settings(extra_headers={"x-own": value}))
    run = kit.play(agent, "plain", "go")
    assert isinstance(run.error, SettingsError)
    assert "x-own" in str(run.error)
    assert value.strip() not in repr(run.error)
    assert not raw.requests
