"""Laws of the local server: every form of an answer says the same, and no request makes it fail."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jigwork.agent.replies import Reply, ScriptedCall
from jigwork.agent.server import LocalServer, ServedRequest
from jigwork.agent.server.json_data import array_of, object_of, objects_of

Json = dict[str, Any]
Events = Callable[[str], list[Any]]

names = st.from_regex(r"[a-zA-Z0-9_-]{1,12}", fullmatch=True)
calls = st.one_of(
    st.builds(
        ScriptedCall,
        name=names,
        arguments=st.dictionaries(st.text(max_size=5), st.integers(-9, 9), max_size=3),
    ),
    st.builds(ScriptedCall, name=names, arguments=st.text(max_size=20)),
    st.builds(ScriptedCall, name=names, input=st.text(max_size=20)),
)
replies = st.builds(
    Reply,
    text=st.none() | st.text(max_size=40),
    reasoning=st.none() | st.text(min_size=1, max_size=20),
    refusal=st.none() | st.text(min_size=1, max_size=10),
    calls=st.lists(calls, max_size=3).map(tuple),
    chunk=st.integers(1, 9),
    fault=st.sampled_from(
        [None, {"split": 1}, {"split": 5, "crlf": True}, {"keep_alive": True}, {"unknown_event": True}]
    ),
)


class Stage:
    """A strict and a lenient server that say what they are told next."""

    def __init__(self) -> None:
        self.next = Reply()
        self.server = LocalServer(self._respond)
        self.lenient = LocalServer(self._respond, strict=False)

    def _respond(self, request: ServedRequest) -> Reply:
        return self.next


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """Two servers for all examples."""
    made = Stage()
    with made.server, made.lenient:
        yield made


def without_ids(value: Any) -> Any:
    """Leave out what differs from one request to the next."""
    if isinstance(value, list):
        return [without_ids(member) for member in array_of(value)]
    if isinstance(value, dict):
        entries = object_of(value).items()
        return {key: without_ids(member) for key, member in entries if key not in ("id", "call_id")}
    return value


def accumulated(chunks: list[Any]) -> Json:
    """Add up chat chunks as a client does."""
    message: Json = {"content": None, "refusal": None, "tool_calls": []}
    for chunk in chunks:
        for choice in objects_of(object_of(chunk).get("choices")):
            delta = object_of(choice["delta"])
            for key in ("content", "refusal"):
                if delta.get(key) is not None:
                    message[key] = (message[key] or "") + delta[key]
            for call in objects_of(delta.get("tool_calls")):
                if call["index"] == len(message["tool_calls"]):
                    message["tool_calls"].append(call)
                else:
                    kind, key = ("custom", "input") if "custom" in call else ("function", "arguments")
                    message["tool_calls"][call["index"]][kind][key] += call[kind][key]
    return message


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(reply=replies)
def test_streamed_and_whole_agree(stage: Stage, http: httpx2.Client, events: Events, reply: Reply) -> None:
    """However a reply is cut into deltas and bytes, the stream adds up to the whole answer, on both endpoints."""
    body: Json = {"model": "any", "input": "Hi"}
    url = stage.server.base_url
    stage.next = reply
    streamed = events(http.post(url + "/responses", json={**body, "stream": True}).text)
    stage.next = replace(reply, fault=None)
    whole = http.post(url + "/responses", json=body).json()
    assert without_ids(streamed[-1]["response"]["output"]) == without_ids(whole["output"])
    done = [event["item"] for event in streamed if event["type"] == "response.output_item.done"]
    assert done == streamed[-1]["response"]["output"]

    chat = {"model": "any", "messages": [{"role": "user", "content": "Hi"}]}
    message = http.post(url + "/chat/completions", json=chat).json()["choices"][0]["message"]
    stage.next = reply
    summed = accumulated(events(http.post(url + "/chat/completions", json={**chat, "stream": True}).text))
    assert (summed["content"] or "") == (message["content"] or "")
    assert (summed["refusal"] or "") == (message["refusal"] or "")
    found = [{k: v for k, v in call.items() if k != "index"} for call in summed["tool_calls"]]
    assert without_ids(found) == without_ids(message.get("tool_calls", []))


SCHEMA = {
    "type": "object",
    "properties": {"a": {"anyOf": [{"type": "string"}, {"type": "null"}]}},
    "required": ["a"],
}
VALID: list[tuple[str, Json]] = [
    (
        "/responses",
        {
            "model": "gpt-5.2",
            "instructions": "x",
            "input": [
                {"role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
                {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "g"},
                {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
                {"type": "function_call_output", "call_id": "c", "output": "ok"},
            ],
            "tools": [
                {
                    "type": "function",
                    "name": "f",
                    "parameters": {**SCHEMA, "additionalProperties": False},
                    "strict": True,
                },
                {
                    "type": "custom",
                    "name": "g",
                    "format": {"type": "grammar", "syntax": "regex", "definition": "a+"},
                },
            ],
            "tool_choice": {
                "type": "allowed_tools",
                "mode": "auto",
                "tools": [{"type": "function", "name": "f"}],
            },
            "text": {"format": {"type": "json_schema", "name": "p", "schema": SCHEMA}, "verbosity": "low"},
            "reasoning": {"effort": "low", "summary": "auto"},
            "include": ["reasoning.encrypted_content"],
            "metadata": {"a": "b"},
            "stream": True,
            "stream_options": {"include_obfuscation": False},
        },
    ),
    (
        "/chat/completions",
        {
            "model": "gpt-5.2",
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [
                        {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
                    ],
                },
                {"role": "tool", "tool_call_id": "c", "content": "ok"},
            ],
            "tools": [
                {"type": "function", "function": {"name": "f", "parameters": SCHEMA}},
                {"type": "custom", "custom": {"name": "g", "format": {"type": "text"}}},
            ],
            "tool_choice": {"type": "function", "function": {"name": "f"}},
            "response_format": {"type": "json_schema", "json_schema": {"name": "p", "schema": SCHEMA}},
            "n": 1,
            "stream": False,
        },
    ),
]
junk: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.floats(allow_nan=False, width=16)
    | st.text(max_size=4)
    | st.sampled_from(
        ["function", "grammar", "object", "array", "message", "tool", "assistant", "input_image"]
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "name", "role", "content", "id", "a"]), inner, max_size=3)
    ),
    max_leaves=4,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every path within a JSON value."""
    found = [path] if path else []
    if isinstance(value, (dict, list)):
        keys: list[Any] = list(object_of(value)) or list(range(len(array_of(value))))
        for key in keys:
            found += places(value[key], (*path, key))
    return found


@pytest.mark.parametrize("strict", [True, False])
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), which=st.sampled_from([0, 1]), remove=st.booleans())
def test_no_request_makes_it_fail(
    stage: Stage, strict: bool, http: httpx2.Client, data: st.DataObject, which: int, remove: bool
) -> None:
    """A request with anything in it replaced, or taken out, is answered or refused with an error object: no 500."""
    stage.next = Reply(text="Hello")
    path, valid = VALID[which]
    body = copy.deepcopy(valid)
    *parents, last = data.draw(st.sampled_from(places(body)))
    target: Any = body
    for key in parents:
        target = target[key]
    if remove:
        del target[last]
    else:
        target[last] = data.draw(junk)
    server = stage.server if strict else stage.lenient
    answer = http.post(server.base_url + path, content=json.dumps(body).encode())
    assert answer.status_code in (200, 400, 404), answer.text
    if answer.status_code != 200:
        assert set(answer.json()["error"]) == {"message", "type", "param", "code"}
    assert not server.errors
