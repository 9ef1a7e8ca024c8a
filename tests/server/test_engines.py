"""Engines: scripts in order, scripts in files, functions, scripts per model, and any model behind the wire."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from jigwork.agent.events import ItemAdded, ModelEvent, ResponseEnded, TextDelta
from jigwork.agent.items import assistant_message
from jigwork.agent.models.base import ModelRequest
from jigwork.agent.models.profiles import Profile
from jigwork.agent.pytest_plugin import ServerFactory
from jigwork.agent.replies import Reply
from jigwork.agent.server import ApiError, Engine, LocalServer, ModelEngine, ScriptedEngine, ServedRequest
from jigwork.agent.usage import Usage
from jigwork.errors import BadRequestError, ConfigurationError, QuestionError, SettingsError

Post = Callable[..., httpx2.Response]


def said(answer: httpx2.Response) -> str:
    """The text of a whole response."""
    text: str = answer.json()["output"][0]["content"][0]["text"]
    return text


def test_replies_in_order_then_exhausted(jigwork_server: ServerFactory, post: Post) -> None:
    """Replies are played in order; one request too many is an error that says so."""
    engine = ScriptedEngine(["one", "two"])
    server = jigwork_server(engine)
    assert [said(post(server, "/responses")) for _ in range(2)] == ["one", "two"]
    assert (engine.played, engine.remaining) == (2, 0)
    answer = post(server, "/responses")
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (500, "script_exhausted")
    assert "the script is exhausted: its 2 replies have been played" in error["message"]


def test_repeat_and_scripts_per_model(jigwork_server: ServerFactory, post: Post) -> None:
    """A repeated script starts again; a model with a script of its own plays that."""
    server = jigwork_server(ScriptedEngine(["a", "b"], repeat=True, per_model={"gpt-5.2": ["c"]}))
    assert [said(post(server, "/responses")) for _ in range(3)] == ["a", "b", "a"]
    assert said(post(server, "/responses", model="gpt-5.2")) == "c"
    assert said(post(server, "/responses")) == "b"


def test_refused_requests_use_no_reply(jigwork_server: ServerFactory, post: Post) -> None:
    """A request that is refused leaves the script where it is."""
    server = jigwork_server(["one"])
    assert post(server, "/responses", foo=1).status_code == 400
    assert said(post(server, "/responses")) == "one"


YAML = """
repeat: true
replies:
  - Hello
  - calls: [{name: add, arguments: {a: 1}}]
models:
  slow: [{text: later, delay: 0.01}]
"""


@pytest.mark.parametrize("as_text", [True, False])
def test_script_files(as_text: bool, jigwork_server: ServerFactory, post: Post, tmp_path: Path) -> None:
    """A YAML file of replies is played, with its repetition and its models; so is a JSON list."""
    path = tmp_path / "replies.yaml"
    path.write_text(YAML, encoding="utf-8")
    server = jigwork_server(str(path) if as_text else path)
    assert said(post(server, "/responses")) == "Hello"
    assert post(server, "/responses").json()["output"][0]["arguments"] == '{"a":1}'
    assert said(post(server, "/responses")) == "Hello"
    assert said(post(server, "/responses", model="slow")) == "later"
    path = tmp_path / "replies.json"
    path.write_text(json.dumps(["Hi"]), encoding="utf-8")
    assert said(post(jigwork_server(path), "/responses")) == "Hi"


BROKEN = {
    "missing.yaml": (None, "cannot read the replies file"),
    "broken.yaml": ("replies: [", "is malformed"),
    "broken.json": ("{", "is malformed"),
    "number.yaml": ("3", "must be a list of replies"),
    "key.yaml": ("answers: []", "no key 'answers'"),
    "one.yaml": ("replies: Hello", "must be a list of replies"),
    "reply.yaml": ("[{txt: x}]", "no key 'txt'"),
    "fault.yaml": ("[{text: x, fault: {boom: 1}}]", "no fault 'boom'"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_script_files(name: str, tmp_path: Path) -> None:
    """A file that cannot be played is an error when it is read, and names what is wrong."""
    text, expected = BROKEN[name]
    path = tmp_path / name
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=expected):
        ScriptedEngine(path)


def test_functions(jigwork_server: ServerFactory, post: Post) -> None:
    """A function, plain or async, gets the normalised request of either endpoint."""

    async def respond(request: ServedRequest) -> str:
        tools = ",".join(str(tool["name"]) for tool in request.tools)
        return f"{request.endpoint} {request.model} {request.text} {tools} {request.tool_choice}"

    server = jigwork_server(respond)
    tool: dict[str, Any] = {
        "type": "function",
        "name": "f",
        "parameters": {"type": "object", "properties": {}},
    }
    choice: dict[str, Any] = {"type": "function", "name": "f"}
    assert (
        said(post(server, "/responses", tools=[tool], tool_choice=choice)) == f"responses any Hi f {choice}"
    )
    nested = {"type": "function", "function": {"name": "f"}}
    answer = post(server, "/chat/completions", tools=[nested], tool_choice=nested)
    assert answer.json()["choices"][0]["message"]["content"] == f"chat any Hi f {choice}"
    assert said(post(jigwork_server(lambda request: "plain " + request.text), "/responses")) == "plain Hi"


MESSAGES: list[dict[str, Any]] = [
    {"role": "developer", "content": "Be brief"},
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "Look"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
        ],
    },
    {
        "role": "assistant",
        "content": "Well",
        "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}},
            {"id": "c2", "type": "custom", "custom": {"name": "g", "input": "x"}},
        ],
    },
    {"role": "tool", "tool_call_id": "c1", "content": [{"type": "text", "text": "1"}]},
    {"role": "tool", "tool_call_id": "c2", "content": "2"},
]
ITEMS: list[dict[str, Any]] = [
    {"type": "message", "role": "developer", "content": "Be brief"},
    {
        "type": "message",
        "role": "user",
        "content": [
            {"type": "input_text", "text": "Look"},
            {"type": "input_image", "image_url": "data:image/png;base64,AA==", "detail": "auto"},
        ],
    },
    {
        "type": "message",
        "role": "assistant",
        "content": [
            {"type": "output_text", "text": "Well", "annotations": []},
        ],
    },
    {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
    {"type": "custom_tool_call", "call_id": "c2", "name": "g", "input": "x"},
    {"type": "function_call_output", "call_id": "c1", "output": "1"},
    {"type": "custom_tool_call_output", "call_id": "c2", "output": "2"},
]


def test_chat_messages_become_items(jigwork_server: ServerFactory, post: Post) -> None:
    """What chat has nested and split comes to the engine as the items of the other endpoint."""
    seen: list[ServedRequest] = []

    def respond(request: ServedRequest) -> str:
        seen.append(request)
        return "ok"

    grammar = {"syntax": "regex", "definition": "[a-z]+"}
    custom = {"name": "g", "format": {"type": "grammar", "grammar": grammar}}
    form = {"name": "p", "schema": {"type": "object"}}
    post(
        jigwork_server(respond),
        "/chat/completions",
        messages=MESSAGES,
        tools=[{"type": "custom", "custom": custom}],
        response_format={"type": "json_schema", "json_schema": form},
    )
    assert list(seen[0].items) == ITEMS
    assert [item["output"] for item in seen[0].outputs] == ["1", "2"]
    assert list(seen[0].tools) == [{"type": "custom", "name": "g", "format": {"type": "grammar", **grammar}}]
    assert seen[0].format == {"type": "json_schema", **form}


def test_engine_that_raises(jigwork_server: ServerFactory, post: Post) -> None:
    """A refusal is sent as it says; any other exception is a 500, and is kept for the test to see."""

    def respond(request: ServedRequest) -> str:
        if request.text == "Hi":
            raise ApiError("slow down", status=429, code="slow_down", headers={"retry-after": "1"})
        raise KeyError("lost")

    server = jigwork_server(respond)
    answer = post(server, "/responses")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    assert answer.json()["error"]["code"] == "slow_down"
    answer = post(server, "/responses", input="x")
    assert (
        answer.status_code == 500
        and "the engine raised KeyError: 'lost'" in answer.json()["error"]["message"]
    )
    assert [type(error) for error in server.errors] == [KeyError]


class Echo:
    """A model that repeats the last user message, and says what it was asked with."""

    def __init__(self) -> None:
        self.asked: list[ModelRequest] = []

    @property
    def name(self) -> str:
        """Its id."""
        return "echo"

    @property
    def profile(self) -> Profile:
        """Nothing special."""
        return Profile()

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        """Answer in one piece."""
        self.asked.append(request)
        text = str(request.items[-1]["content"])
        if text == "cut":
            yield ResponseEnded(Usage(), status="incomplete", reason="max_output_tokens")
            return
        if text == "huh":
            raise QuestionError("I don't know the word 'huh'")
        if text == "cold":
            raise SettingsError("`temperature` is refused: leave it out")
        if text == "bad":
            raise BadRequestError("no", status=400, code="bad_thing", param="x")
        yield TextDelta(text)
        yield ItemAdded(assistant_message(text))
        yield ResponseEnded(Usage(requests=1, input_tokens=7, output_tokens=3, total_tokens=10))

    async def aclose(self) -> None:
        """Nothing to close."""


def test_any_model_behind_the_wire(jigwork_server: ServerFactory, post: Post) -> None:
    """A model's items and usage are the answer; it gets instructions, tools, output format and settings."""
    model = Echo()
    server = jigwork_server(ModelEngine(model))
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {},
        "required": [],
        "additionalProperties": False,
    }
    answer = post(
        server,
        "/responses",
        instructions="Repeat",
        max_output_tokens=99,
        temperature=0.5,
        tools=[{"type": "function", "name": "f", "parameters": schema, "strict": True}],
        text={"format": {"type": "json_schema", "name": "p", "schema": schema, "strict": True}},
    )
    assert said(answer) == "Hi" and answer.json()["usage"]["total_tokens"] == 10
    asked = model.asked[0]
    assert asked.output is not None and asked.output.name == "p" and asked.output.strict
    assert (asked.instructions, asked.settings.max_output_tokens, asked.settings.temperature) == (
        "Repeat",
        99,
        0.5,
    )
    assert asked.tools[0]["name"] == "f"
    chat = post(server, "/chat/completions", stream=True)
    assert '"content":"Hi"' in chat.text
    assert (
        post(server, "/responses", input="cut").json()["incomplete_details"]["reason"] == "max_output_tokens"
    )


def test_errors_of_a_model(jigwork_server: ServerFactory, post: Post) -> None:
    """What the model refuses or does not understand is an error of the request."""
    server = jigwork_server(ModelEngine(Echo()))
    error = post(server, "/responses", input="huh").json()["error"]
    assert (error["code"], error["message"]) == ("question_not_understood", "I don't know the word 'huh'")
    answer = post(server, "/responses", input="cold")
    assert answer.status_code == 400 and "leave it out" in answer.json()["error"]["message"]
    error = post(server, "/responses", input="bad").json()["error"]
    assert (error["code"], error["param"]) == ("bad_thing", "x")


def test_model_ids(jigwork_server: ServerFactory, post: Post, http: httpx2.Client) -> None:
    """A model that answers only for itself is the only one listed, and every other id is a 404."""
    server = jigwork_server(ModelEngine(Echo(), only=True))
    assert [entry["id"] for entry in http.get(server.base_url + "/models").json()["data"]] == ["echo"]
    assert post(server, "/responses", model="echo").status_code == 200
    assert post(server, "/responses", model="gpt-5.2").json()["error"]["code"] == "model_not_found"


def test_what_is_no_script() -> None:
    """One reply without its list, and a model without its engine, are errors that say what to do."""
    lone: Any = Reply(text="x")
    with pytest.raises(ConfigurationError, match="put \\[ \\] around the one reply"):
        LocalServer(lone)
    model: Any = Echo()
    with pytest.raises(ConfigurationError, match="not Echo; a model goes into ModelEngine"):
        LocalServer(model)


def test_engine_of_ones_own(post: Post) -> None:
    """Anything with `models` and `answer` is an engine."""

    class Shout:
        models = ("shout",)

        async def answer(self, request: ServedRequest) -> Reply:
            return Reply(text=request.text.upper())

    assert isinstance(Shout(), Engine)
    with LocalServer(Shout()) as server:
        assert said(post(server, "/responses", model="shout", input="hey")) == "HEY"
