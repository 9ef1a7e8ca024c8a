"""What users of other frameworks report about malformed output: each complaint is a test, named after it."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from jigwork import Agent, IncompleteError, OpenAIModel, OutputError, RunError, Tool, tool
from jigwork.agent.pytest_plugin import ServerFactory
from jigwork.testing import Reply, ScriptedModel


@dataclasses.dataclass
class City:
    """A city."""

    name: str
    people: int


def statuses(result: Any) -> list[str]:
    return [call.outcome.status for call in result.calls]


MALFORMED = [
    '{"path": ',
    "path=/tmp",
    '{"path": "/a", "path": "/b"}',
    "[]",
    "null",
    '"',
    "{,}",
    '{"path": /a}',
]


@pytest.mark.parametrize("text", MALFORMED)
def test_malformed_arguments_never_become_an_empty_object(text: str) -> None:
    """A tool whose every argument has a default is not called with none; the model learns why."""
    called: list[str] = []

    @tool
    def remove(path: str = "/") -> str:
        """Remove."""
        called.append(path)
        return "removed"

    model = ScriptedModel([[{"name": "remove", "arguments": text}], "Done"])
    result = Agent(model, tools=[remove]).run_sync("go")
    assert called == [] and statuses(result) == ["invalid_arguments"]
    told = model.requests[1].items[-1]["output"]
    assert told and "Traceback" not in told and "pydantic" not in told


def test_a_tool_without_parameters_takes_an_empty_text_and_refuses_garbage(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nothing is nothing, and no noise is made about it; what is not nothing is refused."""

    @tool
    def ping() -> str:
        """Ping."""
        return "pong"

    calls = [{"name": "ping", "arguments": text} for text in ("", "{}", "garbage", '{"x": ')]
    result = Agent(ScriptedModel([calls, "Done"]), tools=[ping]).run_sync("go")
    assert statuses(result) == ["ok", "ok", "invalid_arguments", "invalid_arguments"]
    assert caplog.records == []


@pytest.mark.parametrize("endpoint", ["responses", "chat"])
def test_a_hallucinated_tool_name_does_not_kill_the_run(endpoint: Any, jigwork_server: ServerFactory) -> None:
    """The model is told which tools there are that it may have meant, finds the right one, and answers."""

    @tool
    def get_weather(city: str) -> str:
        """Tell the weather."""
        return f"rain in {city}"

    arguments = {"city": "Oslo"}
    server = jigwork_server(
        [
            [{"name": "getWeather", "arguments": arguments}],
            [{"name": "get_weather", "arguments": arguments}],
            "It rains.",
        ]
    )
    model = OpenAIModel("gpt-5.2", base_url=server.base_url, api_key="test", endpoint=endpoint)
    result = Agent(model, tools=[get_weather]).run_sync("Weather?")
    assert result.output == "It rains." and statuses(result) == ["unknown_tool", "ok"]
    told = server.bodies[1]["input" if endpoint == "responses" else "messages"][-1]
    assert "get_weather" in str(told)


def test_an_output_that_fails_validation_is_retried_by_the_run_itself() -> None:
    """Nobody calls the agent again by hand: the error is the next message, and the corrected answer the output."""
    model = ScriptedModel(['{"name": "Oslo", "people": "many"}', '{"name": "Oslo", "people": 709000}'])
    result = Agent(model, output=City).run_sync("Which city?")
    assert result.output == City("Oslo", 709000) and len(model.requests) == 2
    assert "people" in str(model.requests[1].items[-1]["content"])


def test_exceeded_retries_name_the_reason() -> None:
    """The error says which field was wrong and what was expected, without a debugger; the state has the rest."""
    model = ScriptedModel(lambda request: '{"name": "Oslo", "people": "many"}')
    with pytest.raises(OutputError, match="people") as caught:
        Agent(model, output=City, output_retries=1).run_sync("Which city?")
    assert "1 retries" in str(caught.value) and "many" in str(caught.value.state.items[-1])


def test_an_incomplete_output_can_be_caught_as_documented() -> None:
    """An answer that was cut raises IncompleteError itself, retries or not, with the server's reason."""
    reply = Reply(text='{"name": "Os', incomplete="max_output_tokens")
    with pytest.raises(IncompleteError) as caught:
        Agent(ScriptedModel([reply]), output=City, output_retries=3).run_sync("Which city?")
    assert caught.value.reason == "max_output_tokens" and isinstance(caught.value, RunError)


@pytest.mark.parametrize("endpoint", ["responses", "chat"])
def test_a_dict_parameter_or_a_schema_by_hand_is_not_refused(
    endpoint: Any, jigwork_server: ServerFactory
) -> None:
    """A server as strict as the real one takes both definitions, and the arguments arrive as they were meant."""
    got: list[Any] = []

    @tool
    def label(tags: dict[str, str]) -> str:
        """Label."""
        got.append(tags)
        return "ok"

    def store(**record: Any) -> str:
        got.append(record)
        return "ok"

    by_hand = {"type": "object", "properties": {"id": {"type": "integer"}}, "additionalProperties": True}
    store_tool = Tool.from_schema(name="store", description="Store.", parameters=by_hand, function=store)
    calls = [
        {"name": "label", "arguments": label.strict.encode({"tags": {"a": "1"}})},
        {"name": "store", "arguments": store_tool.strict.encode({"id": 3, "colour": "red"})},
    ]
    server = jigwork_server([calls, "Done"])
    model = OpenAIModel("gpt-5.2", base_url=server.base_url, api_key="test", endpoint=endpoint)
    result = Agent(model, tools=[label, store_tool]).run_sync("go")
    assert result.output == "Done" and statuses(result) == ["ok", "ok"]
    assert sorted(got, key=len) == [{"a": "1"}, {"id": 3, "colour": "red"}]


@pytest.mark.parametrize("endpoint", ["responses", "chat"])
def test_structured_output_beside_tools_with_optional_parameters_is_not_refused(
    endpoint: Any, jigwork_server: ServerFactory
) -> None:
    """Both are sent in the strict form; what the model leaves null keeps the function's own default."""
    got: list[Any] = []

    @tool
    def search(query: str, limit: int = 10, region: str | None = None) -> str:
        """Search."""
        got.append((query, limit, region))
        return "Oslo"

    server = jigwork_server(
        [
            [{"name": "search", "arguments": search.strict.encode({"query": "north"})}],
            '{"name": "Oslo", "people": 1}',
        ]
    )
    model = OpenAIModel("gpt-5.2", base_url=server.base_url, api_key="test", endpoint=endpoint)
    result = Agent(model, tools=[search], output=City).run_sync("Which city?")
    assert result.output == City("Oslo", 1) and got == [("north", 10, None)]
    sent = server.bodies[0]["tools"][0]
    assert (sent if endpoint == "responses" else sent["function"])["strict"] is True
