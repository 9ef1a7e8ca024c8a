"""Bytes into events: any split of a stream gives the same, and stop sequences are cut anywhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jigwork.agent.events import ItemAdded, ModelEvent, TextDelta
from jigwork.agent.models.chat_reader import ChatReader
from jigwork.agent.models.decoder import Decoder
from jigwork.agent.models.failures import Failure
from jigwork.agent.models.reader import CallIds
from jigwork.agent.models.responses_reader import ResponsesReader
from jigwork.agent.models.think import ThinkSplitter

TEXT = "Grüße 🙂 \u2028 zweite Zeile"
MESSAGE: dict[str, Any] = {
    "type": "message",
    "id": "msg_1",
    "role": "assistant",
    "content": [{"type": "output_text", "text": TEXT, "annotations": []}],
}
RESPONSES: list[dict[str, Any]] = [
    {"type": "response.output_item.added", "output_index": 0, "item": {**MESSAGE, "content": []}},
    *(
        {"type": "response.output_text.delta", "output_index": 0, "delta": piece}
        for piece in (TEXT[:6], TEXT[6:])
    ),
    {"type": "response.output_item.done", "output_index": 0, "item": MESSAGE},
    {"type": "response.completed", "response": {"id": "r", "output": [MESSAGE], "usage": None}},
]
CHAT: list[dict[str, Any]] = [
    {"choices": [{"index": 0, "delta": {"content": piece}}]} for piece in (TEXT[:6], TEXT[6:])
] + [{"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}]


def _stream(events: list[dict[str, Any]], *, end: str = "\n", named: bool, noise: bool) -> bytes:
    """Write events as a server would, with its line ends, names and comments."""
    text = "".join(
        (f": keep-alive{end}{end}" if noise else "")
        + (f"event: {event.get('type')}{end}" if named else "")
        + f"data: {json.dumps(event, ensure_ascii=False)}{end}{end}"
        for event in events
    )
    return text.encode()


def _decoder(endpoint: str, stops: tuple[str, ...] = ()) -> Decoder:
    ids = CallIds(())
    reader = (
        ResponsesReader(ids) if endpoint == "responses" else ChatReader(ids, provider="p", think_tags=True)
    )
    return Decoder(reader, stops)


def _decoded(decoder: Decoder, pieces: list[bytes]) -> list[ModelEvent]:
    events = [event for piece in pieces for event in decoder.feed(piece)]
    return [*events, *decoder.end()]


def _split(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted(cut % (len(data) + 1) for cut in cuts)
    return [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]


STREAMS: dict[str, tuple[str, bytes]] = {
    "responses": ("responses", _stream(RESPONSES, named=True, noise=False)),
    "responses, CRLF": ("responses", _stream(RESPONSES, end="\r\n", named=True, noise=True)),
    "responses, CR": ("responses", _stream(RESPONSES, end="\r", named=True, noise=True)),
    "responses, no names": ("responses", _stream(RESPONSES, named=False, noise=True)),
    "responses, no space": (
        "responses",
        _stream(RESPONSES, named=True, noise=False).replace(b"data: ", b"data:"),
    ),
    "responses, [DONE]": ("responses", _stream(RESPONSES, named=True, noise=False) + b"data: [DONE]\n\n"),
    "responses, byte order mark": (
        "responses",
        b"\xef\xbb\xbf" + _stream(RESPONSES, named=True, noise=False),
    ),
    "responses, several data lines": (
        "responses",
        b"data: {\ndata: }\n\n" + _stream(RESPONSES, named=True, noise=True),
    ),
    "chat": ("chat", _stream(CHAT, named=False, noise=False) + b"data: [DONE]\n\n"),
    "chat, comments": ("chat", _stream(CHAT, named=False, noise=True) + b"data: [DONE]\n\n"),
    "chat, no [DONE]": ("chat", _stream(CHAT, named=False, noise=True)),
    "chat, no last empty line": ("chat", _stream(CHAT, named=False, noise=True).rstrip(b"\n")),
    "chat, empty data": ("chat", b"data: \n\ndata:\n\n" + _stream(CHAT, named=False, noise=True)),
}


@pytest.mark.parametrize(("endpoint", "data"), STREAMS.values(), ids=STREAMS.keys())
@given(cuts=st.lists(st.integers(0, 100_000), max_size=40))
def test_any_split_gives_the_same_events(endpoint: str, data: bytes, cuts: list[int]) -> None:
    """A law: where the bytes are cut, inside characters and line ends too, makes no difference."""
    at_once = _decoded(_decoder(endpoint), [data])
    assert _decoded(_decoder(endpoint), _split(data, cuts)) == at_once
    assert "".join(e.text for e in at_once if isinstance(e, TextDelta)) == TEXT
    assert [e.item["content"][0]["text"] for e in at_once if isinstance(e, ItemAdded)] == [TEXT]


@pytest.mark.parametrize(("endpoint", "data"), STREAMS.values(), ids=STREAMS.keys())
def test_a_stream_that_ends_early_is_no_answer(endpoint: str, data: bytes) -> None:
    """Cut anywhere before its end is said, a stream is broken, and never taken for an answer."""
    end = data.find(b"response.completed") if endpoint == "responses" else data.find(b'"finish_reason"')
    for at in range(0, end, 7):
        with pytest.raises(Failure) as caught:
            _decoded(_decoder(endpoint), [data[:at]])
        assert caught.value.retry


def test_a_long_event_costs_what_its_bytes_cost() -> None:
    """Eight megabytes in one event, in pieces of 4 KB, are joined once."""
    import time

    text = "x" * 8_000_000
    event = {"type": "response.output_text.delta", "output_index": 0, "delta": text}
    data = _stream([event], named=True, noise=False)
    decoder = _decoder("responses")
    begun = time.process_time()
    got = [e for at in range(0, len(data), 4096) for e in decoder.feed(data[at : at + 4096])]
    assert time.process_time() - begun < 1
    assert [e.text for e in got if isinstance(e, TextDelta)] == [text]


def _text_events(endpoint: str, pieces: list[str]) -> bytes:
    text = "".join(pieces)
    if endpoint == "chat":
        events: list[dict[str, Any]] = [
            {"choices": [{"index": 0, "delta": {"content": piece}}]} for piece in pieces
        ]
        events.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        return _stream(events, named=False, noise=False)
    item = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}
    events = [{"type": "response.output_item.added", "output_index": 0, "item": {**item, "content": []}}]
    events += [{"type": "response.output_text.delta", "output_index": 0, "delta": piece} for piece in pieces]
    events.append({"type": "response.output_item.done", "output_index": 0, "item": item})
    events.append({"type": "response.completed", "response": {"output": [item]}})
    return _stream(events, named=True, noise=False)


@pytest.mark.parametrize("endpoint", ["responses", "chat"])
@given(
    pieces=st.lists(st.text("abE ND", max_size=6), max_size=8),
    stops=st.lists(st.text("abEND", min_size=1, max_size=4), min_size=1, max_size=3),
)
def test_stop_sequences_are_cut_wherever_the_text_is_split(
    endpoint: str, pieces: list[str], stops: list[str]
) -> None:
    """A law: deltas and item hold the text before the first stop sequence, and nothing is said twice or lost."""
    text = "".join(pieces)
    places = [at for stop in stops if (at := text.find(stop)) >= 0]
    expected = text[: min(places)] if places else text
    decoder = _decoder(endpoint, tuple(stops))
    events = _decoded(decoder, [_text_events(endpoint, pieces)])
    said = "".join(e.text for e in events if isinstance(e, TextDelta))
    items = [e.item for e in events if isinstance(e, ItemAdded)]
    assert said == expected
    assert ["".join(p["text"] for p in item["content"]) for item in items] in ([expected], [])
    assert (decoder.reader.ending.reason == "stop_sequence") == bool(places)
    assert decoder.reader.ending.status == "completed"


@given(st.text("<think>/ \n", max_size=30), st.lists(st.integers(0, 30), max_size=6))
def test_think_tags_are_found_wherever_the_text_is_split(tail: str, cuts: list[int]) -> None:
    """A law: the splitter gives the same reasoning and the same text for every cut of the content."""
    split: Callable[[list[str]], tuple[str, str]] = _think
    for content in (tail, "<think>" + tail, f"<think>a{tail}</think>\n\nb"):
        places = sorted(cut % (len(content) + 1) for cut in cuts)
        pieces = [content[a:b] for a, b in zip([0, *places], [*places, len(content)], strict=True)]
        assert split(pieces) == split([content])


def _think(pieces: list[str]) -> tuple[str, str]:
    splitter = ThinkSplitter()
    parts = [*(splitter.feed(piece) for piece in pieces if piece), splitter.flush()]
    return "".join(reasoning for reasoning, _ in parts), "".join(text for _, text in parts)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["index", "type", "text"]), inner)
    ),
    max_leaves=4,
)
CALLS: dict[str, list[dict[str, Any]]] = {
    "responses": [
        *RESPONSES[:-1],
        {
            "type": "response.output_item.added",
            "output_index": 1,
            "item": {"type": "function_call", "call_id": "c"},
        },
        {"type": "response.function_call_arguments.delta", "output_index": 1, "delta": "{}"},
        {
            "type": "response.output_item.done",
            "output_index": 1,
            "item": {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        },
        {
            "type": "response.incomplete",
            "response": {"incomplete_details": {"reason": "x"}, "usage": {"a": {}}},
        },
    ],
    "chat": [
        *CHAT[:-1],
        {"choices": [{"index": 0, "delta": {"reasoning": "x", "annotations": [{"type": "x"}]}}]},
        {
            "choices": [
                {"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f"}}]}}
            ]
        },
        {
            "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens_details": {}},
        },
    ],
}


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    if isinstance(value, dict):
        pairs: list[tuple[Any, Any]] = list(value.items())  # pyright: ignore[reportUnknownArgumentType]
    elif isinstance(value, list):
        pairs = list(enumerate(value))  # pyright: ignore[reportUnknownArgumentType]
    else:
        return found
    return found + [place for key, inner in pairs for place in _places(inner, (*path, key))]


@pytest.mark.parametrize("endpoint", ["responses", "chat"])
@given(data=st.data())
def test_whatever_json_a_server_sends_is_an_answer_or_a_failure(endpoint: str, data: st.DataObject) -> None:
    """A law: with any value in any place of a stream, only `Failure` is raised, and items stay usable."""
    events: Any = json.loads(json.dumps(CALLS[endpoint]))
    for _ in range(data.draw(st.integers(1, 3))):
        *path, key = data.draw(st.sampled_from(_places(events)))
        inner = events
        for step in path:
            inner = inner[step]
        inner[key] = data.draw(anything)
    text = "".join(f"data: {json.dumps(event)}\n\n" for event in events).encode()
    try:
        got = _decoded(_decoder(endpoint), [text])
    except Failure:
        return
    for event in got:
        if isinstance(event, ItemAdded) and event.item.get("type") == "function_call":
            assert isinstance(event.item["call_id"], str) and event.item["call_id"]
            assert isinstance(event.item["arguments"], str)
        if isinstance(event, TextDelta):
            assert isinstance(event.text, str)
