"""The official SDK as a client, with strict validation: every kind of answer on both endpoints, streamed and not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import openai
import pytest
from pydantic import BaseModel

from jigwork.agent.pytest_plugin import ServerFactory
from jigwork.agent.replies import Reply, ReplyLike, ScriptedCall
from jigwork.agent.server import LocalServer, ServedRequest
from jigwork.agent.usage import Usage

Sdk = Callable[[LocalServer], openai.OpenAI]

ADD: dict[str, Any] = {
    "type": "object",
    "properties": {"a": {"type": "integer"}},
    "required": ["a"],
    "additionalProperties": False,
}
TOOLS: list[Any] = [
    {"type": "function", "name": "add", "parameters": ADD, "strict": True},
    {"type": "custom", "name": "query", "format": {"type": "text"}},
]
CHAT_TOOLS: list[Any] = [
    {"type": "function", "function": {"name": "add", "parameters": ADD, "strict": True}},
    {"type": "custom", "custom": {"name": "query", "format": {"type": "text"}}},
]
HI: list[Any] = [{"role": "user", "content": "Hi"}]

REPLIES: dict[str, ReplyLike] = {
    "text": "Hello, wörld: 你好, and a longer tail so that there are several deltas.",
    "empty text": Reply(text=""),
    "nothing": Reply(),
    "reasoning": Reply(reasoning="First this, then that.", text="Done."),
    "function call": [ScriptedCall(name="add", arguments={"a": 1})],
    "calls of both kinds": Reply(
        text="Let me see.",
        reasoning="hm",
        calls=(
            ScriptedCall(name="add", arguments={"a": 1}),
            ScriptedCall(name="add", arguments='{"a": 2'),
            ScriptedCall(name="query", input="SELECT 1"),
        ),
    ),
    "refusal": Reply(refusal="I can't help with that."),
    "cut": Reply(text="cut he", incomplete="max_output_tokens"),
    "filtered": Reply(text="fil", incomplete="content_filter"),
    "usage": Reply(text="x", usage=Usage(1, 10, 4, 2, 6, 3, 16)),
    "items": Reply(
        items=(
            {
                "type": "message",
                "role": "assistant",
                "content": [{"type": "output_text", "text": "As an item"}],
            },
            {"type": "compaction", "id": "cmp_1", "encrypted_content": "gAAAA"},
        )
    ),
    "structured": '{"a": 1}',
}
CUSTOM = "calls of both kinds"


@pytest.mark.parametrize("kind", REPLIES)
def test_response(kind: str, jigwork_server: ServerFactory, sdk: Sdk) -> None:
    """A whole response validates, and says what the script says."""
    server = jigwork_server([REPLIES[kind]])
    response = sdk(server).responses.create(model="gpt-5.2", input="Hi", tools=TOOLS, instructions="Be brief")
    reply = Reply.of(REPLIES[kind])
    assert response.output_text == (reply.text or ("As an item" if kind == "items" else ""))
    calls = [item.to_dict() for item in response.output if item.type in ("function_call", "custom_tool_call")]
    assert [call["name"] for call in calls] == [call.name for call in reply.calls]
    assert response.status == ("incomplete" if reply.incomplete else "completed")
    assert response.incomplete_details is None or response.incomplete_details.reason == reply.incomplete
    assert response.usage is not None and response.usage.total_tokens > 0
    request_id: str = getattr(response, "_request_id")  # noqa: B009 - the SDK documents it, underscore and all
    assert request_id.startswith("req_")


@pytest.mark.parametrize("kind", REPLIES)
def test_response_stream(kind: str, jigwork_server: ServerFactory, sdk: Sdk) -> None:
    """A streamed response validates event by event, and its deltas add up to its items."""
    server = jigwork_server([REPLIES[kind]])
    stream = sdk(server).responses.create(model="gpt-5.2", input="Hi", tools=TOOLS, stream=True)
    received: list[Any] = list(stream)
    assert [event.sequence_number for event in received] == list(range(len(received)))
    written: dict[tuple[int, str], str] = {}
    for event in received:
        if event.type.endswith(".delta"):
            key = (event.output_index, event.type)
            written[key] = written.get(key, "") + event.delta
    last = received[-1]
    assert last.type in ("response.completed", "response.incomplete")
    for index, item in enumerate(last.response.output):
        if item.type == "function_call":
            assert written[index, "response.function_call_arguments.delta"] == item.arguments
        elif item.type == "custom_tool_call":
            assert written[index, "response.custom_tool_call_input.delta"] == item.input
        elif item.type == "reasoning":
            assert written[index, "response.reasoning_summary_text.delta"] == item.summary[0].text
        elif item.type == "message" and item.content[0].type == "refusal":
            assert written[index, "response.refusal.delta"] == item.content[0].refusal
        elif item.type == "message" and item.content[0].type == "output_text":
            assert written.get((index, "response.output_text.delta"), "") == item.content[0].text


@pytest.mark.parametrize("kind", REPLIES)
def test_completion(kind: str, jigwork_server: ServerFactory, sdk: Sdk) -> None:
    """A whole completion validates, and says what the script says."""
    server = jigwork_server([REPLIES[kind]])
    completion = sdk(server).chat.completions.create(model="gpt-5.2", messages=HI, tools=CHAT_TOOLS)
    reply = Reply.of(REPLIES[kind])
    choice = completion.choices[0]
    assert (choice.message.content or "") == (reply.text or ("As an item" if kind == "items" else ""))
    assert choice.message.refusal == reply.refusal
    calls = choice.message.tool_calls or []
    assert [call.type for call in calls] == ["custom" if call.input else "function" for call in reply.calls]
    finish = {"max_output_tokens": "length", "content_filter": "content_filter"}
    expected = finish[reply.incomplete] if reply.incomplete else "tool_calls" if reply.calls else "stop"
    assert choice.finish_reason == expected
    assert completion.usage is not None and completion.usage.total_tokens > 0


@pytest.mark.parametrize("kind", [kind for kind in REPLIES if kind != CUSTOM])
def test_completion_stream(kind: str, jigwork_server: ServerFactory, sdk: Sdk) -> None:
    """A streamed completion validates chunk by chunk; usage comes once, in the last chunk."""
    server = jigwork_server([REPLIES[kind]])
    chunks = list(
        sdk(server).chat.completions.create(
            model="gpt-5.2",
            messages=HI,
            tools=CHAT_TOOLS,
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    reply = Reply.of(REPLIES[kind])
    deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
    assert "".join(delta.content or "" for delta in deltas) == (
        reply.text or ("As an item" if kind == "items" else "")
    )
    assert "".join(delta.refusal or "" for delta in deltas) == (reply.refusal or "")
    arguments = [
        call.function.arguments or "" for d in deltas for call in d.tool_calls or () if call.function
    ]
    assert "".join(arguments) == ('{"a":1}' if kind == "function call" else "")
    assert deltas[0].role == "assistant"
    assert [chunk.usage is not None for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert sum(chunk.choices[0].finish_reason is not None for chunk in chunks if chunk.choices) == 1


def test_custom_call_in_a_chat_stream(jigwork_server: ServerFactory) -> None:
    """The one delta that the SDK does not type arrives whole all the same, without its strict validation."""
    server = jigwork_server([REPLIES[CUSTOM]])
    with openai.OpenAI(base_url=server.base_url, api_key="test") as client:
        chunks = list(
            client.chat.completions.create(model="gpt-5.2", messages=HI, tools=CHAT_TOOLS, stream=True)
        )
    calls = [call for chunk in chunks for call in chunk.choices[0].delta.tool_calls or ()]
    custom: list[Any] = [(call.model_extra or {}).get("custom") for call in calls if call.index == 2]
    assert custom[0] == {"name": "query", "input": ""}
    assert "".join(part["input"] for part in custom) == "SELECT 1"


class Point(BaseModel):
    """An output type."""

    x: int
    y: int


def test_structured_output(jigwork_server: ServerFactory, sdk: Sdk) -> None:
    """The SDK's parse helpers work on both endpoints, so the strict schema was accepted."""
    client = sdk(jigwork_server(['{"x": 1, "y": 2}'] * 2))
    parsed = client.responses.parse(model="gpt-5.2", input="Where?", text_format=Point)
    assert parsed.output_parsed == Point(x=1, y=2)
    completion = client.chat.completions.parse(model="gpt-5.2", messages=HI, response_format=Point)
    assert completion.choices[0].message.parsed == Point(x=1, y=2)


def test_stream_helpers(jigwork_server: ServerFactory, sdk: Sdk) -> None:
    """The SDK's own accumulators, which insist on the order of events, are content."""
    client = sdk(
        jigwork_server(["Hello there, you", Reply(calls=(ScriptedCall(name="add", arguments={"a": 1}),))])
    )
    with client.responses.stream(model="gpt-5.2", input="Hi") as stream:
        assert stream.get_final_response().output_text == "Hello there, you"
    with client.chat.completions.stream(model="gpt-5.2", messages=HI, tools=CHAT_TOOLS[:1]) as chat:
        calls = chat.get_final_completion().choices[0].message.tool_calls
    assert calls is not None and calls[0].function.arguments == '{"a":1}'


def test_stop_sequence(jigwork_server: ServerFactory, sdk: Sdk) -> None:
    """A model that takes `stop` ends its text before the first sequence."""
    client = sdk(jigwork_server(["one two three"]))
    made = client.chat.completions.create(model="any", messages=HI, stop=["three", " two"])
    assert made.choices[0].message.content == "one"


def test_echo_of_strict(jigwork_server: ServerFactory, sdk: Sdk) -> None:
    """A tool that does not say `strict` gets what its schema allows, and the response says which."""
    loose: dict[str, Any] = {"type": "object", "properties": {"a": {"type": "integer"}}}
    tools: list[Any] = [
        {"type": "function", "name": "closed", "parameters": ADD},
        {"type": "function", "name": "loose", "parameters": loose},
        {"type": "function", "name": "off", "parameters": ADD, "strict": False},
    ]
    made = sdk(jigwork_server(["x"])).responses.create(model="any", input="Hi", tools=tools)
    assert [tool.to_dict()["strict"] for tool in made.tools] == [True, False, False]


def test_several_choices(jigwork_server: ServerFactory, sdk: Sdk) -> None:
    """`n` gives that many choices, each with its index, streamed or not."""
    client = sdk(jigwork_server(["Hello", "Hello"]))
    whole = client.chat.completions.create(model="gpt-5.2", messages=HI, n=3)
    assert [choice.index for choice in whole.choices] == [0, 1, 2]
    streamed = client.chat.completions.create(model="gpt-5.2", messages=HI, n=2, stream=True)
    assert {choice.index for chunk in streamed for choice in chunk.choices} == {0, 1}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("store", [False, True])
def test_tool_loop_of_the_sdk(stream: bool, store: bool, jigwork_server: ServerFactory, sdk: Sdk) -> None:
    """The SDK's own tool loop, which replays items whole, runs over the strict server to its end."""
    runner: Any = pytest.importorskip("openai.lib.responses_tool_runner")

    def respond(request: ServedRequest) -> Reply:
        if request.outputs:
            return Reply(text=" ".join(str(item["output"]) for item in request.outputs))
        calls = tuple(ScriptedCall(name="Point", arguments={"x": x, "y": 1}) for x in (1, 2))
        return Reply(reasoning="hm", calls=calls)

    tool = openai.pydantic_responses_function_tool(Point)
    function = runner.RegisteredFunction.from_tool(tool, execute=lambda point: str(point.x + point.y))  # pyright: ignore
    server = jigwork_server(respond)
    body = {"model": "gpt-5.2", "input": "Go", "store": store, "include": ["reasoning.encrypted_content"]}
    answer = runner.ResponsesToolRunner(functions=[function]).run(
        sdk(server), body, max_steps=3, stream=stream
    )
    assert answer.output_text == "2 3"
    assert len(server.requests) == 2


def test_async_client(jigwork_server: ServerFactory) -> None:
    """The asynchronous client streams both endpoints as the other does."""
    server = jigwork_server(["Hello", "Hello"])

    async def run() -> tuple[str, str]:
        async with openai.AsyncOpenAI(
            base_url=server.base_url, api_key="test", _strict_response_validation=True
        ) as client:
            stream = await client.responses.create(model="gpt-5.2", input="Hi", stream=True)
            events: list[Any] = [event async for event in stream]
            chunks = await client.chat.completions.create(model="gpt-5.2", messages=HI, stream=True)
            texts = [chunk.choices[0].delta.content or "" async for chunk in chunks]
        return events[-1].response.output_text, "".join(texts)

    assert asyncio.run(run()) == ("Hello", "Hello")


def test_models(jigwork_server: ServerFactory, sdk: Sdk) -> None:
    """The list of models and one of them validate; an unknown one is a 404."""
    client = sdk(jigwork_server([]))
    assert "gpt-5.2" in [model.id for model in client.models.list()]
    assert client.models.retrieve("gpt-5.2").id == "gpt-5.2"
    assert client.models.retrieve("gpt-5-mini").shutdown_date == "2026-12-11"
    with pytest.raises(openai.NotFoundError) as caught:
        client.models.retrieve("gpt-0")
    assert caught.value.code == "model_not_found"


def test_errors_carry_their_fields(jigwork_server: ServerFactory, sdk: Sdk) -> None:
    """A refused request is the SDK's BadRequestError with code, param, type and a request id."""
    client = sdk(jigwork_server([]))
    with pytest.raises(openai.BadRequestError) as caught:
        client.responses.create(model="gpt-5.2", input="Hi", temperature=3)
    error = caught.value
    assert (error.code, error.param, error.type) == (
        "decimal_above_max_value",
        "temperature",
        "invalid_request_error",
    )
    assert error.request_id is not None
