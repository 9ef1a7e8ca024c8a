"""The exact order of events on the wire, and how they are framed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx2

from jigwork.agent.pytest_plugin import ServerFactory
from jigwork.agent.replies import Reply, ScriptedCall

Post = Callable[..., httpx2.Response]
Events = Callable[[str], list[Any]]

FULL = Reply(
    reasoning="thinking",
    text="Let me",
    calls=(
        ScriptedCall(name="add", arguments={"a": 1}, call_id="call_1"),
        ScriptedCall(name="q", input="SELECT"),
    ),
)


def test_order_on_responses(jigwork_server: ServerFactory, post: Post, events: Events) -> None:
    """Reasoning, message, function call and custom call come in the real order, each opened and closed."""
    text = post(jigwork_server([FULL]), "/responses", stream=True).text
    assert [event["type"].removeprefix("response.") for event in events(text)] == [
        "created",
        "in_progress",
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
        "output_item.added",
        "custom_tool_call_input.delta",
        "custom_tool_call_input.done",
        "output_item.done",
        "completed",
    ]
    assert "[DONE]" not in text


def test_framing_on_responses(jigwork_server: ServerFactory, post: Post) -> None:
    """Every event has an `event:` line that repeats its type, and ends with an empty line."""
    answer = post(jigwork_server(["Hi"]), "/responses", stream=True)
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    blocks = answer.text.split("\n\n")
    assert blocks.pop() == ""
    for number, block in enumerate(blocks):
        name, data = block.split("\n")
        kind = name.removeprefix("event: ")
        assert data.startswith(f'data: {{"type":"{kind}","sequence_number":{number},')


def test_items_open_empty(jigwork_server: ServerFactory, post: Post, events: Events) -> None:
    """An announced item has nothing written yet; the finished one is that of the completed response."""
    received = events(post(jigwork_server([FULL]), "/responses", stream=True).text)
    added = [event["item"] for event in received if event["type"] == "response.output_item.added"]
    assert added[0]["summary"] == [] and added[1]["content"] == [] and added[1]["status"] == "in_progress"
    assert (added[2]["arguments"], added[2]["status"], added[3]["input"]) == ("", "in_progress", "")
    done = [event["item"] for event in received if event["type"] == "response.output_item.done"]
    assert done == received[-1]["response"]["output"]
    assert received[0]["response"]["output"] == [] and received[0]["response"]["usage"] is None


def test_encrypted_reasoning_is_final_only_when_done(
    jigwork_server: ServerFactory, post: Post, events: Events
) -> None:
    """`encrypted_content` comes when asked for, and differs between the announced and the finished item."""
    server = jigwork_server([FULL, FULL])
    asked = events(
        post(server, "/responses", stream=True, include=["reasoning.encrypted_content"], store=False).text
    )
    added, done = asked[2]["item"], asked[7]["item"]
    assert added["encrypted_content"] != done["encrypted_content"]
    assert asked[-1]["response"]["output"][0]["encrypted_content"] == done["encrypted_content"]
    refused = post(server, "/responses", store=False, input=[added, {"role": "assistant", "content": "x"}])
    assert refused.json()["error"]["code"] == "invalid_encrypted_content"
    plain = events(post(server, "/responses", stream=True).text)
    assert "encrypted_content" not in plain[7]["item"]


def test_order_on_chat(jigwork_server: ServerFactory, post: Post, events: Events) -> None:
    """Role, text, the opening and the deltas of each call, the finish chunk, [DONE]."""
    text = post(jigwork_server([FULL]), "/chat/completions", stream=True).text
    received = events(text)
    deltas = [event["choices"][0]["delta"] for event in received[:-1]]
    assert deltas == [
        {"role": "assistant", "content": "", "refusal": None},
        {"content": "Let me"},
        {
            "tool_calls": [
                {"index": 0, "id": "call_1", "type": "function", "function": {"name": "add", "arguments": ""}}
            ]
        },
        {"tool_calls": [{"index": 0, "function": {"arguments": '{"a":1}'}}]},
        {
            "tool_calls": [
                {
                    "index": 1,
                    "id": deltas[4]["tool_calls"][0]["id"],
                    "type": "custom",
                    "custom": {"name": "q", "input": ""},
                }
            ]
        },
        {"tool_calls": [{"index": 1, "custom": {"input": "SELECT"}}]},
        {},
    ]
    assert [event["choices"][0]["finish_reason"] for event in received[:-1]] == [None] * 6 + ["tool_calls"]
    assert received[-1] == "[DONE]" and "event:" not in text
    assert all("usage" not in event for event in received[:-1])


def test_obfuscation(jigwork_server: ServerFactory, post: Post, events: Events) -> None:
    """Deltas, and only they, are padded where the request asks for it."""
    server = jigwork_server([FULL, FULL, FULL])
    options = {"include_obfuscation": True}
    received = events(post(server, "/responses", stream=True, stream_options=options).text)
    assert all(("obfuscation" in event) == event["type"].endswith(".delta") for event in received)
    chunks = events(post(server, "/chat/completions", stream=True, stream_options=options).text)
    assert "obfuscation" in chunks[1] and "obfuscation" not in chunks[-2]
    assert "obfuscation" not in post(server, "/responses", stream=True).text


def test_delay_of_a_whole_answer(jigwork_server: ServerFactory, post: Post) -> None:
    """Without streaming the delay comes before the answer."""
    answer = post(jigwork_server([Reply(text="x", delay=0.1)]), "/responses")
    assert answer.elapsed.total_seconds() >= 0.1


def test_delays_come_before_deltas(jigwork_server: ServerFactory, http: httpx2.Client) -> None:
    """With a delay the client gets the deltas one by one, and the start of the stream at once."""
    server = jigwork_server([Reply(text="abcdef", chunk=2, delay=0.05)])
    body = {"model": "any", "input": "Hi", "stream": True}
    with http.stream("POST", server.base_url + "/responses", json=body) as answer:
        arrived = [chunk for chunk in answer.iter_raw() if chunk]
    assert [chunk.count(b".delta\n") for chunk in arrived] == [0, 1, 1, 1]
