"""Answers of Chat Completions, with everything that servers do differently."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jigwork.agent.items import user_message
from jigwork.agent.models.deltas import CallMerger
from jigwork.agent.usage import Usage

Delta = dict[str, Any]


def call(index: int | None, id: str | None = None, name: str | None = None, arguments: Any = None) -> Delta:
    """One tool-call delta; None leaves a field out."""
    function = {k: v for k, v in (("name", name), ("arguments", arguments)) if v is not None}
    fields = {"index": index, "id": id, "type": "function" if id else None, "function": function or None}
    return {k: v for k, v in fields.items() if v is not None}


# What the deltas say -> the calls that are meant: (id, None for any, name, arguments).
MERGING: dict[str, tuple[list[Delta], list[tuple[str | None, str, str]]]] = {
    "as OpenAI sends them": (
        [call(0, "a", "f", ""), call(0, arguments='{"x"'), call(0, arguments=":1}"), call(1, "b", "g", "{}")],
        [("a", "f", '{"x":1}'), ("b", "g", "{}")],
    ),
    "interleaved": (
        [call(0, "a", "f", ""), call(1, "b", "g", ""), call(0, arguments="{}"), call(1, arguments="[]")],
        [("a", "f", "{}"), ("b", "g", "[]")],
    ),
    "index missing": (
        [call(None, "a", "f", '{"x":'), call(None, arguments="1}"), call(None, "b", "g", "{}")],
        [("a", "f", '{"x":1}'), ("b", "g", "{}")],
    ),
    "index missing, ids repeated on every piece": (
        [
            call(None, "a", "f", "{"),
            call(None, "b", "g", "{"),
            call(None, "a", arguments="}"),
            call(None, "b", arguments="}"),
        ],
        [("a", "f", "{}"), ("b", "g", "{}")],
    ),
    "index and ids missing": (
        [call(None, name="f", arguments='{"x":1}'), call(None, name="f", arguments='{"x":2}')],
        [(None, "f", '{"x":1}'), (None, "f", '{"x":2}')],
    ),
    "index always 0": (
        [call(0, "a", "f", '{"x":1}'), call(0, "b", "f", '{"x":2}'), call(0, "c", "g", "{}")],
        [("a", "f", '{"x":1}'), ("b", "f", '{"x":2}'), ("c", "g", "{}")],
    ),
    "index always 0, in pieces": (
        [call(0, "a", "f", ""), call(0, arguments="{}"), call(0, "b", "f", ""), call(0, arguments='{"y":2}')],
        [("a", "f", "{}"), ("b", "f", '{"y":2}')],
    ),
    "index always 0, no ids": (
        [call(0, name="f", arguments='{"x":1}'), call(0, name="g", arguments='{"x":2}')],
        [(None, "f", '{"x":1}'), (None, "g", '{"x":2}')],
    ),
    "index begins at 1": ([call(1, "a", "f", "{"), call(1, arguments="}")], [("a", "f", "{}")]),
    "empty ids": (
        [call(0, "", "f", "{}"), call(1, "", "g", "{}")],
        [(None, "f", "{}"), (None, "g", "{}")],
    ),
    "the same id twice": (
        [call(0, "a", "f", "{}"), call(1, "a", "g", "{}")],
        [("a", "f", "{}"), (None, "g", "{}")],
    ),
    "id after the name": ([call(0, name="f"), call(0, "a", arguments="{}")], [("a", "f", "{}")]),
    "name repeated on every piece": (
        [call(0, "a", "f", '{"x"'), call(0, "a", "f", ":1}"), call(0, "a", "f", "")],
        [("a", "f", '{"x":1}')],
    ),
    "a new id on every piece": (
        [call(0, "a", "f", '{"x"'), call(0, "b", arguments=":1}")],
        [("a", "f", '{"x":1}')],
    ),
    "an object as arguments": ([call(0, "a", "f", {"x": [1, "ü"]})], [("a", "f", '{"x":[1,"ü"]}')]),
    "null arguments": (
        [{"index": 0, "id": "a", "function": {"name": "f", "arguments": None}}],
        [("a", "f", "")],
    ),
    "identical calls": (
        [call(0, "a", "f", "{}"), call(1, "b", "f", "{}")],
        [("a", "f", "{}"), ("b", "f", "{}")],
    ),
}


@pytest.mark.parametrize("finish", ["tool_calls", "stop", None, "eos", "error"])
@pytest.mark.parametrize(("deltas", "expected"), MERGING.values(), ids=MERGING.keys())
def test_calls_are_put_together(
    wire: Any, deltas: list[Delta], expected: list[tuple[str | None, str, str]], finish: str | None
) -> None:
    """However a server cuts and numbers its calls, and whatever reason it gives, the calls that were meant come out."""
    chunks = wire.chunks(
        [{"role": "assistant", "content": None}, *({"tool_calls": [d]} for d in deltas)], finish
    )
    got = wire.ask(wire.model("m", wire.sse(chunks, done=True), endpoint="chat"), stream=True)
    assert [(item["name"], item["arguments"]) for item in got.items] == [(n, a) for _, n, a in expected]
    ids = [item["call_id"] for item in got.items]
    assert all(ids)
    assert len(set(ids)) == len(ids)
    assert all(want in (None, have) for (want, _, _), have in zip(expected, ids, strict=True))
    assert list(got.arguments.values()) == [a for _, _, a in expected if a]
    assert got.end.status == "completed"


@given(st.data())
def test_any_cut_of_well_numbered_calls_gives_them_back(data: st.DataObject) -> None:
    """A law: calls cut into pieces anywhere and interleaved in any order merge into the same calls."""
    texts = data.draw(st.lists(st.text(max_size=12), min_size=1, max_size=4))
    queues: list[list[Delta]] = []
    for index, text in enumerate(texts):
        cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=3)))
        pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
        first, *rest = pieces
        queues.append(
            [call(index, f"id{index}", "f", first), *(call(index, arguments=piece) for piece in rest)]
        )
    merger = CallMerger()
    while any(queues):
        queue = data.draw(st.sampled_from([q for q in queues if q]))
        merger.add(queue.pop(0))
    found = {slot.id: "".join(slot.text) for slot in merger.slots}
    assert found == {f"id{index}": text for index, text in enumerate(texts)}


MESSAGES: dict[str, dict[str, Any]] = {
    "text": {"content": "Hello, world"},
    "refusal": {"refusal": "No."},
    "text and calls": {
        "content": "Let me see.",
        "tool_calls": [
            {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}},
            {"id": "b", "type": "custom", "custom": {"name": "sql", "input": "SELECT 1"}},
        ],
    },
    "reasoning_content": {"reasoning_content": "Hmm, 2.", "content": "2"},
    "reasoning and details": {
        "reasoning": "Hmm.",
        "reasoning_details": [{"type": "reasoning.text", "text": "Hmm.", "signature": "s", "index": 0}],
        "content": "3",
    },
    "think tags": {"content": "<think>\nHmm <b>\n</think>\n\nFour"},
    "a tag that is no tag": {"content": "<thin ice"},
    "think without an end": {"content": "<think>Hmm"},
    "think later is text": {"content": "I <think> so"},
    "thought signatures": {
        "extra_content": {"google": {"thought_signature": "m"}},
        "tool_calls": [
            {
                "id": "a",
                "type": "function",
                "function": {"name": "f", "arguments": "{}"},
                "extra_content": {"google": {"thought_signature": "c"}},
            }
        ],
    },
}


def _deltas(message: dict[str, Any], step: int) -> list[Delta]:
    """Cut a message into deltas, as a server would stream it."""
    found: list[Delta] = [{"role": "assistant", "content": ""}]
    for key in ("reasoning_content", "reasoning", "content", "refusal"):
        text = message.get(key) or ""
        found += [{key: text[at : at + step]} for at in range(0, len(text), step)]
    found += [{key: message[key]} for key in ("reasoning_details", "extra_content") if key in message]
    for index, tool_call in enumerate(message.get("tool_calls", ())):
        kind = tool_call["type"]
        key = "input" if kind == "custom" else "arguments"
        body = tool_call[kind]
        found.append({"tool_calls": [{**tool_call, "index": index, kind: {**body, key: ""}}]})
        for at in range(0, len(body[key]), step):
            found.append({"tool_calls": [{"index": index, kind: {key: body[key][at : at + step]}}]})
    return found


@pytest.mark.parametrize("step", [1, 3, 100])
@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES.keys())
def test_both_modes_give_the_same_items_and_texts(wire: Any, message: dict[str, Any], step: int) -> None:
    """Streamed in any size or whole, the items are equal and the deltas join to the same texts."""
    chunks = wire.chunks(_deltas(message, step))
    model = wire.model("m", wire.json(wire.completion(message)), wire.sse(chunks, done=True), endpoint="chat")
    whole, streamed = wire.ask(model), wire.ask(model, stream=True)
    assert whole.items == streamed.items
    assert (whole.text, whole.refusal, whole.reasoning) == (
        streamed.text,
        streamed.refusal,
        streamed.reasoning,
    )
    assert list(whole.arguments.values()) == list(streamed.arguments.values())
    assert whole.end.usage == streamed.end.usage == Usage(1, 20, 8, 0, 7, 3, 27)


# Message -> (reasoning, text) of the items.
THINKING = {
    "reasoning_content": ("Hmm, 2.", "2"),
    "think tags": ("Hmm <b>\n", "Four"),
    "a tag that is no tag": ("", "<thin ice"),
    "think without an end": ("Hmm", ""),
    "think later is text": ("", "I <think> so"),
}


@pytest.mark.parametrize(("name", "expected"), THINKING.items(), ids=THINKING.keys())
def test_thinking_is_found_where_servers_put_it(wire: Any, name: str, expected: tuple[str, str]) -> None:
    """Reasoning fields and think tags become a reasoning item, everything else stays text."""
    got = wire.ask(wire.model("m", wire.json(wire.completion(MESSAGES[name])), endpoint="chat"))
    assert (got.reasoning, got.text) == expected
    kinds = [item["type"] for item in got.items]
    assert kinds == [kind for kind, text in zip(("reasoning", "message"), expected, strict=True) if text]


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning and details", "thought signatures"])
@pytest.mark.parametrize("stream", [False, True])
def test_private_fields_go_back_to_their_provider_only(wire: Any, name: str, stream: bool) -> None:
    """What a provider wants back it gets back, in the place where it was; another gets none of it."""
    message = MESSAGES[name]
    answer = (
        wire.sse(wire.chunks(_deltas(message, 4)), done=True)
        if stream
        else wire.json(wire.completion(message))
    )
    bye = [wire.json(wire.completion({"content": "bye"})) for _ in range(2)]
    model = wire.model("m", answer, bye[0], endpoint="chat", base_url="http://localhost:8000/v1")
    items = [user_message("hi")]
    items += wire.ask(model, items, stream=stream).items
    wire.ask(model, items)
    sent = wire.bodies[1]["messages"][1]
    assert sent == {"role": "assistant", "content": None, **message}
    other = wire.model("m", bye[1], endpoint="chat", base_url="http://localhost:9000/v1")
    wire.ask(other, items)
    public = {k: v for k, v in message.items() if k in ("content", "tool_calls")}
    for tool_call in public.get("tool_calls", ()):
        public["tool_calls"] = [{k: v for k, v in tool_call.items() if k != "extra_content"}]
    assert wire.bodies[2]["messages"][1] == {"role": "assistant", "content": None, **public}


# Chunks before, between and after -> what they must not change.
ODD_CHUNKS: dict[str, dict[str, Any]] = {
    "prompt filter": {"id": "", "model": "", "choices": [], "prompt_filter_results": []},
    "null choices": {"id": "c", "choices": None},
    "null delta": {"id": "c", "choices": [{"index": 0, "delta": None, "finish_reason": None}]},
    "a second choice": {"id": "c", "choices": [{"index": 1, "delta": {"content": "other"}}]},
    "unknown fields": {"id": "c", "choices": [{"index": 0, "delta": {}}], "cost": 1, "moderation": {}},
}


@pytest.mark.parametrize("odd", ODD_CHUNKS.values(), ids=ODD_CHUNKS.keys())
def test_odd_chunks_change_nothing(wire: Any, odd: dict[str, Any]) -> None:
    """Azure's filter results, null choices and deltas, further choices: the answer is the same."""
    chunks = wire.chunks([{"content": "He"}, {"content": "llo"}])
    mixed = [*chunks[:1], odd, *chunks[1:], odd]
    if odd.get("choices") != ODD_CHUNKS["a second choice"]["choices"]:
        mixed.insert(0, odd)
    got = wire.ask(wire.model("m", wire.sse(mixed, done=True), endpoint="chat"), stream=True)
    assert got.text == "Hello"
    assert got.end.usage.total_tokens == 27


# finish_reason, message -> status, reason, types of the items.
FINISHES: list[tuple[str | None, dict[str, Any], str, str | None, list[str]]] = [
    ("stop", {"content": "x"}, "completed", None, ["message"]),
    (None, {"content": "x"}, "completed", None, ["message"]),
    ("eos", {"content": "x"}, "completed", None, ["message"]),
    ("length", {"content": "x"}, "incomplete", "max_output_tokens", ["message"]),
    ("length", {}, "incomplete", "max_output_tokens", []),
    ("content_filter", {}, "incomplete", "content_filter", []),
]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("finish", "message", "status", "reason", "kinds"), FINISHES)
def test_finish_reasons(
    wire: Any,
    stream: bool,
    finish: str | None,
    message: dict[str, Any],
    status: str,
    reason: str | None,
    kinds: list[str],
) -> None:
    """Only `length` and `content_filter` make an answer incomplete."""
    streamed = wire.sse(wire.chunks(_deltas(message, 5), finish), done=True)
    answer = streamed if stream else wire.json(wire.completion(message, finish))
    got = wire.ask(wire.model("m", answer, endpoint="chat"), stream=stream)
    assert (got.end.status, got.end.reason) == (status, reason)
    assert [item["type"] for item in got.items] == kinds


def test_a_call_that_was_cut_is_marked(wire: Any) -> None:
    """With finish_reason `length` the last call's arguments may be cut: it says so."""
    deltas = [{"tool_calls": [call(0, "a", "f", "{}")]}, {"tool_calls": [call(1, "b", "f", '{"x')]}]
    got = wire.ask(
        wire.model("m", wire.sse(wire.chunks(deltas, "length"), done=True), endpoint="chat"), stream=True
    )
    assert [item.get("status") for item in got.items] == [None, "incomplete"]
    assert got.end.reason == "max_output_tokens"


def test_repeated_finish_and_usage_chunks(wire: Any) -> None:
    """Two finish chunks, cumulative usage on every chunk: the first reason and the last usage count."""
    chunks = wire.chunks([{"content": "x"}], "stop")
    chunks.insert(2, wire.chunks([], "length", usage=False)[0])
    chunks[0]["usage"] = {"prompt_tokens": 20, "completion_tokens": 1, "total_tokens": 21}
    got = wire.ask(wire.model("m", wire.sse(chunks), endpoint="chat"), stream=True)
    assert got.end.status == "completed"
    assert got.end.usage.output_tokens == 7


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": None, "completion_tokens": None}])
@pytest.mark.parametrize("stream", [False, True])
def test_missing_usage_is_said_to_be_missing(wire: Any, usage: Any, stream: bool) -> None:
    """A server that reports no usage gives a request that counts as unreported, not as free."""
    chunks: list[Any] = [*wire.chunks([{"content": "x"}], usage=False), {"choices": [], "usage": usage}]
    body = wire.completion({"content": "x"}, usage=usage)
    answer = wire.sse(chunks, done=True) if stream else wire.json(body)
    got = wire.ask(wire.model("m", answer, endpoint="chat"), stream=stream)
    assert got.end.usage == Usage(requests=1, unreported=1)


def test_annotations_are_flat_as_in_responses(wire: Any) -> None:
    """A nested url_citation becomes the flat annotation of the Responses API."""
    cited = {"url": "http://x", "title": "X", "start_index": 0, "end_index": 1}
    note = {"type": "url_citation", "url_citation": cited}
    got = wire.ask(
        wire.model("m", wire.json(wire.completion({"content": "x", "annotations": [note]})), endpoint="chat")
    )
    assert got.items[0]["content"][0]["annotations"] == [{"type": "url_citation", **cited}]


def test_the_old_function_call_is_understood(wire: Any) -> None:
    """`message.function_call` of old servers becomes a call with an id of ours."""
    message = {"function_call": {"name": "f", "arguments": "{}"}}
    got = wire.ask(wire.model("m", wire.json(wire.completion(message, "function_call")), endpoint="chat"))
    assert (got.items[0]["name"], got.items[0]["arguments"]) == ("f", "{}")
    assert got.items[0]["call_id"].startswith("call_")
