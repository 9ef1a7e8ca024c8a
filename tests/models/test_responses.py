"""Answers of the Responses endpoint, streamed and whole."""

from __future__ import annotations

from typing import Any

import pytest

from jigwork.agent.events import AttemptDiscarded
from jigwork.agent.items import Item, user_message
from jigwork.agent.usage import Usage

REASONING: Item = {
    "type": "reasoning",
    "id": "rs_1",
    "summary": [{"type": "summary_text", "text": "First."}, {"type": "summary_text", "text": "Second."}],
    "encrypted_content": "gAAA-final",
}
MESSAGE: Item = {
    "type": "message",
    "id": "msg_1",
    "role": "assistant",
    "status": "completed",
    "phase": "commentary",
    "content": [{"type": "output_text", "text": "Let me look.", "annotations": [], "logprobs": []}],
}
CALL: Item = {
    "type": "function_call",
    "id": "fc_1",
    "call_id": "call_1",
    "name": "weather",
    "arguments": '{"city":"Köln"}',
    "status": "completed",
}
CUSTOM: Item = {
    "type": "custom_tool_call",
    "id": "ctc_1",
    "call_id": "call_2",
    "name": "sql",
    "input": "SELECT 1\nFROM t",
}
REFUSAL: Item = {
    "type": "message",
    "id": "msg_2",
    "role": "assistant",
    "status": "completed",
    "content": [{"type": "refusal", "refusal": "I can't help with that."}],
}
UNKNOWN: Item = {"type": "moon_call", "id": "mc_1", "phase_of": "moon", "content": None}

OUTPUTS: dict[str, list[dict[str, Any]]] = {
    "text": [MESSAGE],
    "reasoning, text, calls": [REASONING, MESSAGE, CALL, CUSTOM],
    "refusal": [REFUSAL],
    "unknown item": [UNKNOWN, MESSAGE],
    "nothing": [],
}


@pytest.mark.parametrize("output", OUTPUTS.values(), ids=OUTPUTS.keys())
def test_both_modes_give_the_items_of_the_server_and_the_same_deltas(
    wire: Any, output: list[dict[str, Any]]
) -> None:
    """Streamed or not, items are value-exact and the deltas join to the same texts."""
    body = wire.response(*output)
    model = wire.model("gpt-5.2", wire.json(body), wire.sse(wire.response_events(body)))
    whole, streamed = wire.ask(model), wire.ask(model, stream=True)
    assert whole.items == streamed.items == output
    assert (whole.text, whole.refusal, whole.reasoning) == (
        streamed.text,
        streamed.refusal,
        streamed.reasoning,
    )
    assert whole.arguments == streamed.arguments
    assert whole.end.usage == streamed.end.usage == Usage(1, 20, 8, 0, 7, 3, 27)
    assert (streamed.end.status, streamed.end.id, streamed.end.model) == (
        "completed",
        "resp_1",
        "gpt-5.2-2025-12-11",
    )


def test_deltas_name_their_call_and_come_before_its_item(wire: Any) -> None:
    """Arguments come piece by piece with index, id and name; the item follows its last delta."""
    body = wire.response(REASONING, CALL)
    got = wire.ask(wire.model("gpt-5.2", wire.sse(wire.response_events(body))), stream=True)
    deltas = [e for e in got.events if type(e).__name__ == "ArgumentsDelta"]
    assert {(e.index, e.call_id, e.name) for e in deltas} == {(1, "call_1", "weather")}
    assert "".join(e.text for e in deltas) == CALL["arguments"]
    assert [type(e).__name__ for e in got.events[-2:]] == ["ItemAdded", "ResponseEnded"]
    assert got.reasoning == "First.\n\nSecond."


def _without(events: list[dict[str, Any]], *kinds: str) -> list[dict[str, Any]]:
    return [event for event in events if event["type"] not in kinds]


def test_streams_of_imperfect_servers_give_the_same_items(wire: Any) -> None:
    """Missing deltas, missing done events, no created event: the whole response at the end fills the gaps."""
    body = wire.response(REASONING, MESSAGE, CALL)
    events = wire.response_events(body)
    for missing in (
        ("response.output_item.done",),
        ("response.output_item.added", "response.created"),
        ("response.function_call_arguments.delta", "response.output_text.delta"),
        ("response.output_item.added", "response.output_item.done", "response.output_text.delta"),
    ):
        got = wire.ask(wire.model("gpt-5.2", wire.sse(_without(events, *missing))), stream=True)
        assert got.items == [REASONING, MESSAGE, CALL], missing
        assert got.text == "Let me look.", missing


def test_items_are_made_of_deltas_where_nothing_else_is_sent(wire: Any) -> None:
    """A server that repeats no item at the end still gives its text and its call."""
    events = _without(wire.response_events(wire.response(MESSAGE, CALL)), "response.output_item.done")
    events[-1]["response"]["output"] = []
    got = wire.ask(wire.model("gpt-5.2", wire.sse(events)), stream=True)
    assert got.text == "Let me look."
    assert [item["type"] for item in got.items] == ["message", "function_call"]
    assert got.items[1]["arguments"] == CALL["arguments"]


def test_items_come_in_the_order_of_the_response(wire: Any) -> None:
    """An item that is finished early waits for those before it."""
    events = wire.response_events(wire.response(MESSAGE, CALL))
    late = [e for e in events if e["type"] == "response.output_item.done" and e["output_index"] == 0]
    events.remove(late[0])
    events.insert(-1, late[0])
    got = wire.ask(wire.model("gpt-5.2", wire.sse(events)), stream=True)
    assert got.items == [MESSAGE, CALL]


@pytest.mark.parametrize("stream", [False, True])
def test_calls_get_unique_ids_and_text_arguments(wire: Any, stream: bool) -> None:
    """Empty ids, ids that the history already has, and objects as arguments are put right."""
    calls = [
        {**CALL, "call_id": ""},
        {**CALL, "id": "fc_2"},
        {**CALL, "id": "fc_3", "arguments": {"city": "Bonn"}},
    ]
    body = wire.response(*calls)
    events = [
        *wire.response_events(wire.response(*calls[:2]))[:-1],
        {"type": "response.output_item.done", "output_index": 2, "item": calls[2]},
        {"type": "response.completed", "response": body},
    ]
    answer = wire.sse(events) if stream else wire.json(body)
    history = [user_message("hi"), CALL, {"type": "function_call_output", "call_id": "call_1", "output": "x"}]
    got = wire.ask(wire.model("gpt-5.2", answer), history, stream=stream)
    ids = [item["call_id"] for item in got.items]
    assert len({*ids, "call_1"}) == 4
    assert all(ids)
    assert got.items[2]["arguments"] == '{"city":"Bonn"}'


@pytest.mark.parametrize("stream", [False, True])
def test_incomplete_has_its_reason_and_keeps_its_items(wire: Any, stream: bool) -> None:
    """A response that was cut ends as incomplete, with what was written."""
    cut = {**MESSAGE, "status": "incomplete"}
    body = wire.response(cut, status="incomplete", incomplete_details={"reason": "max_output_tokens"})
    answer = wire.sse(wire.response_events(body)) if stream else wire.json(body)
    got = wire.ask(wire.model("gpt-5.2", answer), stream=stream)
    assert (got.end.status, got.end.reason) == ("incomplete", "max_output_tokens")
    assert got.items == [cut]


def test_null_texts_do_no_harm(wire: Any) -> None:
    """`text: null` and `delta: null`, as one gateway sends them, count as nothing."""
    odd: Item = {**MESSAGE, "content": [{"type": "output_text", "text": None, "annotations": []}]}
    body = wire.response(odd)
    events: list[Item] = [
        {"type": "response.output_item.added", "output_index": 0, "item": odd},
        {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": None},
        {"type": "response.output_item.done", "output_index": 0, "item": odd},
        {"type": "response.completed", "response": body},
    ]
    model = wire.model("gpt-5.2", wire.json(body), wire.sse(events))
    assert wire.ask(model).items == wire.ask(model, stream=True).items == [odd]


def test_reasoning_goes_back_whole_and_in_place(wire: Any) -> None:
    """The next request holds the items exactly as they came, encrypted content of the done event included."""
    body = wire.response(REASONING, CALL)
    model = wire.model("gpt-5.2", wire.sse(wire.response_events(body)), wire.json(wire.response(MESSAGE)))
    items = [user_message("hi")]
    items += wire.ask(model, items, stream=True).items
    items.append({"type": "function_call_output", "call_id": "call_1", "output": "sunny"})
    wire.ask(model, items)
    assert wire.bodies[1]["input"] == items
    assert wire.bodies[1]["input"][1]["encrypted_content"] == "gAAA-final"
    assert wire.bodies[1]["include"] == ["reasoning.encrypted_content"]


def test_chaining_sends_what_is_new_and_falls_back_to_everything(wire: Any) -> None:
    """previous_response_id saves the history, until the server has forgotten it."""
    from jigwork.agent.models.settings import Settings

    lost = {
        "error": {"code": "previous_response_not_found", "message": "Previous response 'resp_1' not found."}
    }
    model = wire.model(
        "gpt-5.2", wire.json(wire.response(MESSAGE)), wire.json(lost, 400), wire.json(wire.response(MESSAGE))
    )
    history = [user_message("one"), MESSAGE, user_message("two")]
    settings = Settings(chain=True)
    wire.ask(model, history, previous=("resp_1", 2), settings=settings)
    assert wire.bodies[0]["previous_response_id"] == "resp_1"
    assert wire.bodies[0]["input"] == [user_message("two")]
    got = wire.ask(model, history, previous=("resp_1", 2), settings=settings)
    assert wire.bodies[2]["input"] == history
    assert "previous_response_id" not in wire.bodies[2]
    assert got.end.attempts == 2
    assert len(got.of(AttemptDiscarded)) == 1


def test_reasoning_that_another_server_made_is_left_out_when_refused(wire: Any) -> None:
    """A history moves to a server that does not know its reasoning: sent once with it, then without."""
    unknown = {"error": {"message": "Item with id 'rs_1' not found. Items are not persisted.", "code": None}}
    model = wire.model("gpt-5.2", wire.json(unknown, 404), wire.json(wire.response(MESSAGE)))
    got = wire.ask(model, [user_message("hi"), REASONING, CALL, {**CUSTOM, "id": "x"}])
    kinds = [item["type"] for item in wire.bodies[1]["input"]]
    assert kinds == ["message", "function_call", "custom_tool_call"]
    assert not any("id" in item for item in wire.bodies[1]["input"])
    assert got.items == [MESSAGE]


def test_one_providers_fields_stay_on_our_side(wire: Any) -> None:
    """provider_data, and reasoning that only a chat server understands, are not sent."""
    model = wire.model("gpt-5.2", wire.json(wire.response(MESSAGE)))
    items: list[Item] = [
        user_message("hi"),
        {"type": "reasoning", "summary": [], "content": [], "provider_data": {"deepseek": {}}},
        {**CALL, "provider_data": {"gemini": {"call": {"extra_content": 1}}}},
    ]
    wire.ask(model, items)
    assert wire.bodies[0]["input"] == [user_message("hi"), CALL]


def test_custom_calls_become_function_calls_where_only_those_are_known(wire: Any) -> None:
    """A history with grammar calls can go on at a server without custom tools."""
    output = {"type": "custom_tool_call_output", "call_id": "call_2", "output": "1"}
    model = wire.model("Qwen/Qwen3-8B", wire.json(wire.response(MESSAGE)), provider="vllm")
    wire.ask(model, [user_message("hi"), CUSTOM, output])
    call, result = wire.bodies[0]["input"][1:]
    assert (call["type"], call["arguments"]) == ("function_call", '{"input":"SELECT 1\\nFROM t"}')
    assert result == {**output, "type": "function_call_output"}
