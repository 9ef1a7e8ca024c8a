"""Every fault that a script can ask for, seen on the wire."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest

from jigwork.agent.pytest_plugin import ServerFactory
from jigwork.agent.replies import Reply, ScriptedCall
from jigwork.agent.server import LocalServer
from jigwork.agent.server.fault_table import FAULTS
from jigwork.agent.server.json_data import array_of, object_of
from jigwork.errors import ConfigurationError

Post = Callable[..., httpx2.Response]
Events = Callable[[str], list[Any]]
Json = dict[str, Any]

R, C = "/responses", "/chat/completions"
REPLY: Json = {
    "text": "Grüße, 你好",
    "reasoning": "thinking",
    "calls": [
        {"name": "f", "arguments": {"a": 1}, "call_id": "call_1"},
        {"name": "f", "arguments": {"a": 2}, "call_id": "call_2"},
    ],
}


@dataclass
class Seen:
    """What a client saw: the answer, and the data of its events where it was a stream."""

    answer: httpx2.Response
    events: list[Any] = field(default_factory=list[Any])

    @property
    def json(self) -> Any:
        """The whole body."""
        return self.answer.json()

    @property
    def chunks(self) -> list[Json]:
        """Chat chunks."""
        return [event for event in self.events if isinstance(event, dict)]

    @property
    def deltas(self) -> list[Any]:
        """The delta of every chunk that has one."""
        return [chunk["choices"][0]["delta"] for chunk in self.chunks if chunk.get("choices")]

    @property
    def call_deltas(self) -> list[Json]:
        """All tool call deltas."""
        return [call for delta in self.deltas for call in array_of(object_of(delta).get("tool_calls"))]

    @property
    def calls(self) -> Any:
        """The tool calls of a whole answer, of either endpoint."""
        if "choices" in self.json:
            return self.json["choices"][0]["message"]["tool_calls"]
        return [item for item in self.json["output"] if item["type"].endswith("_call")]

    @property
    def final(self) -> Any:
        """The response that ends a stream."""
        return self.events[-1]["response"]

    @property
    def kinds(self) -> list[str]:
        """The types of the events."""
        return [event["type"] for event in self.chunks]


Check = Callable[[Seen], bool]
Case = tuple[str, Json, bool, Check]
"""Path, fault, streamed or not, and what must be seen."""

CASES: list[Case] = [
    # instead of an answer
    *(
        (
            path,
            {"status": status},
            stream,
            lambda s, code=status: s.answer.status_code == code and bool(s.json["error"]),
        )
        for status in (400, 401, 403, 404, 408, 409, 413, 422, 429, 500, 503, 529)
        for path, stream in ((R, True), (C, False))
    ),
    (
        R,
        {"status": 502, "body": "Bad gateway"},
        False,
        lambda s: (
            s.answer.text == "Bad gateway" and s.answer.headers["content-type"].startswith("text/plain")
        ),
    ),
    (
        C,
        {"status": 503, "body": "<h1>No</h1>"},
        True,
        lambda s: "text/html" in s.answer.headers["content-type"],
    ),
    (R, {"status": 400, "body": {"detail": "no"}}, False, lambda s: s.json == {"detail": "no"}),
    (
        C,
        {"body": {"choices": []}},
        False,
        lambda s: s.answer.status_code == 200 and s.json == {"choices": []},
    ),
    (
        R,
        {"status": 500, "body": "x", "content_type": "a/b"},
        False,
        lambda s: s.answer.headers["content-type"] == "a/b",
    ),
    (R, {"status": 429, "headers": {"X-Test": "1"}}, False, lambda s: s.answer.headers["x-test"] == "1"),
    (
        C,
        {"headers": {"x-test": "2"}},
        True,
        lambda s: s.answer.headers["x-test"] == "2" and s.events[-1] == "[DONE]",
    ),
    (
        R,
        {"status": 429, "message": "M", "code": "C", "param": "P", "type": "T"},
        False,
        lambda s: s.json["error"] == {"message": "M", "code": "C", "param": "P", "type": "T"},
    ),
    (R, {"status": 429, "retry_after": 2.5}, False, lambda s: s.answer.headers["retry-after"] == "2.5"),
    (R, {"status": 429, "retry_after_ms": 70}, False, lambda s: s.answer.headers["retry-after-ms"] == "70"),
    (
        R,
        {"status": 500, "should_retry": False},
        False,
        lambda s: s.answer.headers["x-should-retry"] == "false",
    ),
    (R, {"status": 400, "should_retry": True}, False, lambda s: s.answer.headers["x-should-retry"] == "true"),
    (
        C,
        {"html": True},
        False,
        lambda s: s.answer.status_code == 200 and s.answer.text.startswith("<!doctype html>"),
    ),
    (C, {"html": True, "status": 502}, True, lambda s: s.answer.status_code == 502),
    (
        C,
        {"error_in_200": "no credit"},
        True,
        lambda s: s.answer.status_code == 200 and s.json["error"]["message"] == "no credit",
    ),
    (R, {"before": 0.15}, False, lambda s: s.answer.elapsed.total_seconds() >= 0.15),
    # in the answer itself
    (R, {"truncate_arguments": 3}, False, lambda s: [c["arguments"] for c in s.calls] == ['{"a', '{"a']),
    (C, {"truncate_arguments": 3}, True, lambda s: s.call_deltas[1]["function"]["arguments"] == '{"a'),
    (R, {"dict_arguments": True}, False, lambda s: s.calls[0]["arguments"] == {"a": 1}),
    (R, {"dict_arguments": True}, True, lambda s: s.final["output"][2]["arguments"] == {"a": 1}),
    (C, {"dict_arguments": True}, False, lambda s: s.calls[1]["function"]["arguments"] == {"a": 2}),
    (C, {"dict_arguments": True}, True, lambda s: s.call_deltas[0]["function"]["arguments"] == {"a": 1}),
    (R, {"call_ids": "empty"}, False, lambda s: [c["call_id"] for c in s.calls] == ["", ""]),
    (C, {"call_ids": "duplicate"}, False, lambda s: [c["id"] for c in s.calls] == ["call_1", "call_1"]),
    (C, {"call_ids": "missing"}, True, lambda s: not any("id" in call for call in s.call_deltas)),
    (R, {"call_ids": "missing"}, False, lambda s: not any("call_id" in call for call in s.calls)),
    (R, {"item_ids": "empty"}, False, lambda s: {item["id"] for item in s.json["output"]} == {""}),
    (R, {"item_ids": "duplicate"}, True, lambda s: len({item["id"] for item in s.final["output"]}) == 1),
    (R, {"unknown_item": True}, True, lambda s: s.final["output"][0]["type"] == "weird_call"),
    (R, {"unknown_item": {"type": "x"}}, False, lambda s: s.json["output"][0] == {"type": "x"}),
    (
        R,
        {"failed": "rate_limit_exceeded"},
        True,
        lambda s: s.kinds[-1] == "response.failed" and s.final["error"]["code"] == "rate_limit_exceeded",
    ),
    (
        R,
        {"failed": {"message": "M"}},
        False,
        lambda s: (
            s.json["status"] == "failed" and s.json["error"] == {"code": "server_error", "message": "M"}
        ),
    ),
    # in the JSON
    (R, {"usage": None}, False, lambda s: s.json["usage"] is None),
    (C, {"usage": "missing"}, False, lambda s: "usage" not in s.json),
    (R, {"usage": {"input_tokens": None}}, True, lambda s: s.final["usage"] == {"input_tokens": None}),
    (C, {"model": ""}, True, lambda s: {chunk["model"] for chunk in s.chunks} == {""}),
    (
        C,
        {"extra_fields": {"x": 1}},
        False,
        lambda s: (
            s.json["x"] == s.json["choices"][0]["message"]["x"] == 1 and s.calls[0]["function"]["x"] == 1
        ),
    ),
    (
        R,
        {"extra_fields": {"x": 1}},
        True,
        lambda s: s.final["x"] == s.final["output"][1]["content"][0]["x"] == 1,
    ),
    (C, {"finish_reason": None}, False, lambda s: s.json["choices"][0]["finish_reason"] is None),
    (C, {"finish_reason": "eos"}, True, lambda s: s.chunks[-1]["choices"][0]["finish_reason"] == "eos"),
    (C, {"finish_reason": "stop"}, True, lambda s: s.chunks[-1]["choices"][0]["finish_reason"] == "stop"),
    (C, {"null_choices": True}, False, lambda s: s.json["choices"] is None),
    (C, {"null_choices": True}, True, lambda s: s.chunks[1]["choices"] is None and s.events[-1] == "[DONE]"),
    (C, {"null_delta": True}, True, lambda s: s.deltas[1] is None),
    (C, {"index": "missing"}, True, lambda s: not any("index" in call for call in s.call_deltas)),
    (C, {"index": "zero"}, True, lambda s: {call["index"] for call in s.call_deltas} == {0}),
    (C, {"index": "one"}, True, lambda s: {call["index"] for call in s.call_deltas} == {1, 2}),
    (C, {"call_type": "missing"}, True, lambda s: not any("type" in call for call in s.call_deltas)),
    (C, {"call_type": ""}, False, lambda s: s.calls[0]["type"] == ""),
    (
        C,
        {"repeat_names": True},
        True,
        lambda s: {call["function"]["name"] for call in s.call_deltas} == {"f"},
    ),
    (
        C,
        {"whole_calls": True},
        True,
        lambda s: [c["function"]["arguments"] for c in s.call_deltas] == ['{"a":1}', '{"a":2}'],
    ),
    (
        C,
        {"thinking": "reasoning_content"},
        False,
        lambda s: s.json["choices"][0]["message"]["reasoning_content"] == "thinking",
    ),
    (C, {"thinking": "reasoning"}, True, lambda s: s.deltas[1] == {"reasoning": "thinking"}),
    (
        C,
        {"thinking": "think"},
        False,
        lambda s: s.json["choices"][0]["message"]["content"] == "<think>thinking</think>Grüße, 你好",
    ),
    (
        C,
        {"thinking": "think"},
        True,
        lambda s: "".join(d.get("content") or "" for d in s.deltas) == "<think>thinking</think>Grüße, 你好",
    ),
    (
        C,
        {"duplicate_finish": True},
        True,
        lambda s: sum(bool(c["choices"][0]["finish_reason"]) for c in s.chunks) == 2,
    ),
    (
        C,
        {"duplicate_usage": True},
        True,
        lambda s: s.chunks[-1] == s.chunks[-2] and bool(s.chunks[-1]["usage"]),
    ),
    (
        C,
        {"cumulative_usage": True},
        True,
        lambda s: (
            [c["usage"]["total_tokens"] for c in s.chunks]
            == sorted(c["usage"]["total_tokens"] for c in s.chunks)
            and s.chunks[0]["usage"]["total_tokens"] > 0
        ),
    ),
    (
        C,
        {"prompt_filter": True},
        True,
        lambda s: (
            s.chunks[0]["choices"] == []
            and s.chunks[0]["model"] == ""
            and "prompt_filter_results" in s.chunks[0]
        ),
    ),
    (C, {"no_role": True}, True, lambda s: not any("role" in delta for delta in s.deltas)),
    (R, {"final_output": None}, False, lambda s: s.json["output"] is None),
    (R, {"final_output": []}, True, lambda s: s.final["output"] == [] and len(s.kinds) > 10),
    (
        R,
        {"null_texts": True},
        True,
        lambda s: any(e["type"] == "response.output_text.delta" and e["delta"] is None for e in s.events),
    ),
    # in the stream
    (R, {"unknown_event": True}, True, lambda s: "response.weird.delta" in s.kinds),
    (C, {"unknown_event": {"y": 1}}, True, lambda s: {"y": 1} in s.events),
    (C, {"unknown_event": "data: {broken\n\n"}, True, lambda s: "{broken" in s.events),
    (
        R,
        {"error_event": "flat", "after": 2, "code": "server_error"},
        True,
        lambda s: (
            len(s.events) == 3 and s.events[-1]["code"] == "server_error" and "error" not in s.events[-1]
        ),
    ),
    (R, {"error_event": "nested"}, True, lambda s: s.events[-1]["error"]["type"] == "server_error"),
    (C, {"error_event": "nested", "after": 1}, True, lambda s: list(s.events[-1]) == ["error"]),
    (R, {"no_terminal": True}, True, lambda s: s.kinds[-1] == "response.output_item.done"),
    (C, {"no_terminal": True}, True, lambda s: "tool_calls" in s.deltas[-1] and s.events[-1] != "[DONE]"),
    (R, {"no_sequence": True}, True, lambda s: not any("sequence_number" in event for event in s.events)),
    (R, {"no_event_names": True}, True, lambda s: "event: " not in s.answer.text and len(s.events) > 10),
    (R, {"done": True}, True, lambda s: s.events[-1] == "[DONE]"),
    (C, {"done": False}, True, lambda s: s.events[-1] != "[DONE]"),
    (
        R,
        {"events": [{"type": "x"}, "data: \n\n"]},
        True,
        lambda s: s.answer.text == 'event: x\ndata: {"type":"x"}\n\ndata: \n\n',
    ),
    (
        C,
        {"events": [{"a": 1}], "done": True},
        True,
        lambda s: s.answer.text == 'data: {"a":1}\n\ndata: [DONE]\n\n',
    ),
    # in the bytes
    (R, {"stall": 0.15}, False, lambda s: s.answer.elapsed.total_seconds() >= 0.15),
    (C, {"stall": 0.15, "after": 1}, True, lambda s: s.answer.elapsed.total_seconds() >= 0.15),
    (R, {"crlf": True}, True, lambda s: s.answer.text.count("\r\n") == s.answer.text.count("\n") > 20),
    (
        C,
        {"keep_alive": "OPENROUTER PROCESSING"},
        True,
        lambda s: s.answer.text.count(": OPENROUTER PROCESSING\n\n") == len(s.events),
    ),
    (R, {"keep_alive": True}, True, lambda s: s.answer.text.startswith(": keepalive\n\nevent: ")),
    (C, {"split": 1}, True, lambda s: "".join(d.get("content") or "" for d in s.deltas) == "Grüße, 你好"),
    (
        R,
        {"trickle": 0.001, "split": 200},
        False,
        lambda s: s.json["output"][1]["content"][0]["text"] == "Grüße, 你好",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0][1:5]}-{case[1]}-{case[2]}"[:90])
def test_seen(case: Case, jigwork_server: ServerFactory, post: Post, events: Events) -> None:
    """The client sees what the fault says."""
    path, fault, stream, check = case
    answer = post(jigwork_server([{**REPLY, "fault": fault}]), path, stream=stream)
    started = "event-stream" in answer.headers["content-type"]
    assert check(Seen(answer, events(answer.text) if started else [])), answer.text


def test_every_fault_has_a_case() -> None:
    """No fault of the table goes unseen, and every one has words."""
    tried = {key for _, fault, _, _ in CASES for key in fault} | {"drop"}
    assert tried == set(FAULTS)
    assert all(fault.does and fault.values for fault in FAULTS.values())


@pytest.mark.parametrize(
    ("path", "stream", "fault"),
    [
        (R, True, {"drop": True, "after": 4}),
        (C, True, {"drop": True}),
        (R, False, {"drop": True}),
        (C, False, {"drop": True, "status": 500}),
    ],
)
def test_dropped_connections(
    path: str, stream: bool, fault: Json, jigwork_server: ServerFactory, http: httpx2.Client
) -> None:
    """The connection breaks after the bytes that were promised, and the server goes on."""
    server = jigwork_server([{**REPLY, "fault": fault}, "ok"])
    body: Json = {"model": "any", "stream": stream, "input" if path == R else "messages": _hello(path)}
    received = b""
    with (
        pytest.raises(httpx2.RemoteProtocolError),
        http.stream("POST", server.base_url + path, json=body) as answer,
    ):
        for piece in answer.iter_raw():
            received += piece
    assert received and (not stream or received.count(b"data: ") == fault.get("after", 3))
    assert http.post(server.base_url + path, json={**body, "stream": False}).status_code == 200
    assert not server.errors


def _hello(path: str) -> Any:
    return "Hi" if path == R else [{"role": "user", "content": "Hi"}]


def test_split_cuts_characters(jigwork_server: ServerFactory, http: httpx2.Client) -> None:
    """`split` gives writes of that size, so that a character of several bytes arrives in pieces."""
    server = jigwork_server(
        [Reply(text="你好", fault={"events": [{"text": "你好, 你好"}], "split": 7, "trickle": 0.01})]
    )
    body = {"model": "any", "input": "Hi", "stream": True}
    with http.stream("POST", server.base_url + R, json=body) as answer:
        pieces = [piece for piece in answer.iter_raw() if piece]
    assert max(map(len, pieces)) == 7
    broken = 0
    for piece in pieces:
        try:
            piece.decode()
        except UnicodeDecodeError:
            broken += 1
    assert broken > 0


@pytest.mark.parametrize("stream", [False, True])
def test_huge_output(stream: bool, jigwork_server: ServerFactory, post: Post, events: Events) -> None:
    """A text of 300 kB arrives whole."""
    text = "0123456789" * 30_000
    answer = post(jigwork_server([Reply(text=text, chunk=100)]), R, stream=stream)
    output = events(answer.text)[-1]["response"]["output"] if stream else answer.json()["output"]
    assert output[0]["content"][0]["text"] == text


def test_client_that_leaves_during_a_stall(jigwork_server: ServerFactory, http: httpx2.Client) -> None:
    """A long silence times out at the client, ends at the server when the client leaves, and blocks no other."""
    server = jigwork_server([Reply(text="x", fault={"stall": 600, "after": 1}), "ok"])
    body = {"model": "any", "input": "Hi", "stream": True}
    with pytest.raises(httpx2.ReadTimeout):
        http.post(server.base_url + R, json=body, timeout=0.2)
    assert http.post(server.base_url + R, json={**body, "stream": False}).status_code == 200
    started = time.perf_counter()
    server.stop()
    assert time.perf_counter() - started < 2


def test_unknown_fault() -> None:
    """A fault that does not exist is an error where the script is given."""
    with pytest.raises(ConfigurationError, match="no fault 'explode'; there are after, before"):
        LocalServer([Reply(text="x", fault={"explode": True})])


@pytest.mark.parametrize(
    ("path", "stream", "name"), [(R, True, "index"), (C, True, "failed"), (C, False, "crlf")]
)
def test_fault_without_effect(
    path: str, stream: bool, name: str, jigwork_server: ServerFactory, post: Post
) -> None:
    """A fault that cannot apply to a request is a 500 that says where it does."""
    server = jigwork_server([Reply(text="x", fault={name: FAULTS[name].example})])
    answer = post(server, path, stream=stream)
    assert answer.status_code == 500 and answer.json()["error"]["code"] == "fault_not_applicable"


@pytest.mark.parametrize("name", FAULTS)
def test_examples_work(name: str, jigwork_server: ServerFactory, http: httpx2.Client) -> None:
    """The example of every fault in the table is one that the server can play."""
    fault = FAULTS[name]
    reply = Reply(text="Hi", reasoning="hm", calls=(ScriptedCall(name="f"),), fault={name: fault.example})
    path = R if "responses" in fault.endpoints else C
    body: Json = {"model": "any", "input" if path == R else "messages": _hello(path)}
    server = jigwork_server([reply])
    try:
        answer = http.post(server.base_url + path, json={**body, "stream": fault.form != "whole"})
    except httpx2.RemoteProtocolError:
        assert name == "drop"
        return
    assert "fault_not_applicable" not in answer.text and not server.errors
