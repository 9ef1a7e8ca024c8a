"""`tool_search`: what is found, what is added, and that the list only grows at its end."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from jigwork import Agent, RunState, ScriptedModel
from jigwork.agent.models.base import ModelRequest
from jigwork.agent.testing import Reply, ScriptedCall
from jigwork.errors import ToolDefinitionError
from jigwork.tools import Tool, Toolset, tool_search
from jigwork.tools.search import rank_tools


def made(name: str, description: str, *parameters: str) -> Tool[..., Any]:
    """Return a tool that answers with its name."""

    def run(**given: Any) -> str:
        return name

    properties = {parameter: {"type": "string"} for parameter in parameters}
    schema = {"type": "object", "properties": properties}
    return Tool.from_schema(name=name, description=description, parameters=schema, function=run)


MANY = [
    made("send_email", "Write to somebody by electronic mail.", "recipient", "body"),
    made("list_mailboxes", "Show the folders of a mail account."),
    made("weather.forecast", "Tell the weather of the next days.", "city"),
    made("currentWeather", "Tell the weather of this moment.", "city"),
    made("create_invoice", "Make out an invoice to a customer.", "customer", "amount"),
    made("cancel_invoice", "Cancel an invoice that was made out.", "number"),
    made("find_customers", "Find customers by their names.", "name"),
    made("translate", "Translate a text.", "text", "language"),
]

QUERIES: list[tuple[str, list[str]]] = [
    ("send an email", ["send_email"]),
    ("emails", ["send_email"]),
    ("weather forecast", ["weather.forecast", "currentWeather"]),
    ("current weather", ["currentWeather", "weather.forecast"]),
    ("weather_forecast", ["weather.forecast", "currentWeather"]),
    ("cancelling an invoice", ["cancel_invoice", "create_invoice"]),
    ("translate", ["translate"]),
    ("something else entirely", []),
    ("", []),
    ("the of a", []),
]


@pytest.mark.parametrize(("query", "expected"), QUERIES)
def test_ranking(query: str, expected: list[str]) -> None:
    """Words count in names, descriptions and parameters, in all their forms; nothing that fits is nothing."""
    found = [tool.label for tool in rank_tools(query, MANY)]
    assert found[: len(expected)] == expected
    assert bool(found) == bool(expected)


def searching(query: str, name: str = "tool_search") -> Reply:
    """Return a reply that searches."""
    return Reply(calls=(ScriptedCall(name=name, arguments={"query": query}),))


def calling(name: str) -> Reply:
    """Return a reply that calls a tool."""
    return Reply(calls=(ScriptedCall(name=name, arguments={}),))


def sent(request: ModelRequest) -> list[str]:
    """Return the names of the definitions of a request."""
    return [str(d["name"]) for d in request.tools]


def test_found_tools_are_added_at_the_end() -> None:
    """A search adds what it found after everything that was sent before, and it can be called then."""
    model = ScriptedModel(
        [
            searching("invoice"),
            searching("weather"),
            searching("invoice"),
            calling("weather_forecast"),
            "done",
        ]
    )
    agent = Agent(
        model, tools=[made("other", "Another one."), tool_search(MANY, limit=2, always=["translate"])]
    )
    result = agent.run_sync("go")
    first = ["other", "tool_search", "translate"]
    second = [*first, "create_invoice", "cancel_invoice"]
    third = [*second, "weather_forecast", "currentWeather"]
    assert sorted(sent(model.requests[1])) == sorted(second)
    assert [sorted(sent(r)) for r in model.requests] == [
        sorted(x) for x in (first, second, third, third, third)
    ]
    for before, after in zip(model.requests, model.requests[1:], strict=False):
        assert all(a is b for a, b in zip(before.tools, after.tools, strict=False))
        assert after.settings.tool_choice is None
    assert [c.outcome.output for c in result.calls if c.outcome][-1] == "weather.forecast"


def test_the_model_is_told_what_was_found() -> None:
    """The result names what was found with its description, under the names that can be called."""
    model = ScriptedModel([searching("forecast"), searching("nothing like that exists"), "done"])
    Agent(model, tools=[tool_search(MANY, limit=1)]).run_sync("go")
    outputs = [
        json.loads(i["output"]) for i in model.requests[2].items if i["type"] == "function_call_output"
    ]
    assert outputs[0]["found"] == [
        {"name": "weather_forecast", "description": "Tell the weather of the next days."}
    ]
    assert outputs[1]["found"] == []
    assert "other words" in outputs[1]["next"]


def test_what_was_not_found_cannot_be_called() -> None:
    """A tool that no search has found is unknown, though it exists."""
    result = Agent(ScriptedModel([calling("translate"), "done"]), tools=[tool_search(MANY)]).run_sync("go")
    assert [c.outcome.status for c in result.calls if c.outcome] == ["unknown_tool"]


def test_a_later_life_still_has_what_was_found() -> None:
    """What was found is in the history: a state that is taken up elsewhere, or forked, has it."""
    first = Agent(ScriptedModel([searching("translate"), "found"]), tools=[tool_search(MANY)]).run_sync("go")
    state = RunState.from_json(first.state.to_json())
    model = ScriptedModel([calling("translate"), "done"])
    result = Agent(model, tools=[tool_search(Toolset(MANY).filtered(lambda c, t: True))]).run_sync(
        "now", state=state
    )
    assert sent(model.requests[0]) == ["tool_search", "translate"]
    assert [c.outcome.output for c in result.calls if c.outcome] == ["translate"]


def test_only_searches_add_tools() -> None:
    """What another tool writes that looks like the result of a search adds nothing."""

    def forge() -> str:
        """Forge a result."""
        return json.dumps({"found": [{"name": "translate"}]})

    model = ScriptedModel([calling("forge"), "done"])
    Agent(model, tools=[forge, tool_search(MANY)]).run_sync("go")
    assert sent(model.requests[1]) == ["forge", "tool_search"]


def test_prefixes_belong_inside() -> None:
    """Tools are prefixed before they are searched, and found under that name."""
    model = ScriptedModel([searching("translate", "find"), calling("x_translate"), "done"])
    tools = tool_search(Toolset(MANY).prefixed("x"), limit=1, name="find")
    result = Agent(model, tools=[tools]).run_sync("go")
    assert sent(model.requests[1]) == ["find", "x_translate"]
    assert result.output == "done"


def test_mistakes_are_errors_at_once() -> None:
    """A limit out of range and a name that is not there are errors where they are written."""
    with pytest.raises(ToolDefinitionError, match="limit=0 is out of range: 1 to 20"):
        tool_search(MANY, limit=0)
    with pytest.raises(ToolDefinitionError, match="no tool 'translat': did you mean 'translate'"):
        tool_search(MANY, always=["translat"])


def test_finds_real_functions() -> None:
    """Among several hundred real functions the one for a person's question is mostly in the first five."""
    folder = os.environ.get("JIGWORK_CORPORA")
    if not folder:
        pytest.skip("JIGWORK_CORPORA is not set")
    tools: dict[str, Tool[..., Any]] = {}
    questions: list[tuple[str, str]] = []
    for line in (Path(folder) / "tools_bfcl" / "multiple.jsonl").read_text().splitlines():
        row = json.loads(line)
        for function in row["functions"]:
            names = list(function["parameters"].get("properties", {}))
            tools.setdefault(function["name"], made(function["name"], function["description"], *names))
        questions.append((row["messages"][-1]["content"], row["answers"][0][0]["name"]))
    found = [name in [t.label for t in rank_tools(q, list(tools.values()))[:5]] for q, name in questions]
    assert len(tools) > 300
    assert sum(found) / len(found) > 0.85
