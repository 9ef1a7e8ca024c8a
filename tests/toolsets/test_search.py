"""`tool_search`: what is found, what is added, and that the list only grows at its end."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import openai
import pytest

from jigwork import Agent, RunState, ScriptedModel
from jigwork.agent.models.base import ModelRequest
from jigwork.agent.models.openai_model import OpenAIModel
from jigwork.agent.models.profiles import Profile, profile_for
from jigwork.agent.server import LocalServer
from jigwork.agent.testing import Reply, ScriptedCall
from jigwork.errors import SettingsError, ToolDefinitionError
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


# --- where the model's server searches ---

ABLE = Profile(endpoints=("responses",), tool_search=True, allowed_tools=True, custom_tools=True)


def found_by_server(name: str, arguments: str) -> Reply:
    """Return a reply of a server that has searched: the search, what it loaded, and a call of that."""
    search = {"type": "tool_search_call", "id": "ts_1", "execution": "server", "arguments": {"query": name}}
    loaded = {"type": "function", "name": name, "parameters": {"type": "object"}}
    output = {"type": "tool_search_output", "id": "tso_1", "execution": "server", "tools": [loaded]}
    done = {"status": "completed", "call_id": None}
    called = {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": name, "arguments": arguments}
    return Reply(items=({**search, **done}, {**output, **done}, {**called, "namespace": name}))


@pytest.mark.parametrize("stream", [False, True])
def test_the_server_searches(stream: bool) -> None:
    """Where the profile has it the tools go deferred, the server loads them, their calls run here, all items go back."""
    script: list[Any] = [found_by_server("send_email", '{"recipient": "a", "body": "b"}'), "sent"]
    with LocalServer(script) as server:
        model = OpenAIModel(
            "gpt-5.4", base_url=server.base_url, api_key="x", endpoint="responses", profile=ABLE
        )
        agent = Agent(model, tools=[tool_search(MANY, always=["translate"])])
        if stream:
            with agent.stream_sync("mail") as run:
                list(run)
            result = run.result
        else:
            result = agent.run_sync("mail")
        first, second = (body["tools"] for body in server.bodies)
        back = server.bodies[1]["input"]
    assert first == second and first[-1] == {"type": "tool_search"}
    assert [t["name"] for t in first[:-1] if "defer_loading" not in t] == ["translate"]
    assert sum(t.get("defer_loading", False) for t in first) == len(MANY) - 1
    assert [c.outcome.output for c in result.calls if c.outcome] == ["send_email"]
    assert [i["type"] for i in back][1:] == [
        "tool_search_call", "tool_search_output", "function_call", "function_call_output",
    ]  # fmt: skip
    assert back[3]["namespace"] == "send_email"


def test_what_a_server_found_is_known_elsewhere() -> None:
    """A conversation that goes on with a model without a search of its own has the tools that were found before."""
    first = ScriptedModel([found_by_server("weather_forecast", '{"city": "Rom"}'), "x"], profile=ABLE)
    state = Agent(first, tools=[tool_search(MANY)]).run_sync("go").state
    second = ScriptedModel(["y"])
    Agent(second, tools=[tool_search(MANY)]).run_sync("and", state=RunState.from_json(state.to_json()))
    assert sent(second.requests[0]) == ["tool_search", "weather_forecast"]


def test_who_searches_can_be_chosen() -> None:
    """`hosted=False` searches here whatever the model can; `hosted=True` is an error where it cannot."""
    model = ScriptedModel(["x"], profile=ABLE)
    Agent(model, tools=[tool_search(MANY, hosted=False)]).run_sync("go")
    assert [d["type"] for d in model.requests[0].tools] == ["function"]
    with pytest.raises(SettingsError, match="no tool_search of its own"):
        Agent(ScriptedModel(["x"]), tools=[tool_search(MANY, hosted=True)]).run_sync("go")
    chat = replace(ABLE, endpoints=("chat",))
    model = ScriptedModel(["x"], profile=chat)
    Agent(model, tools=[tool_search(MANY)]).run_sync("go")
    assert sent(model.requests[0]) == ["tool_search"]


def test_a_server_that_searches_and_tools_that_come_and_go() -> None:
    """A tool that is not there this turn is left out, as a choice of allowed tools cannot name the search."""
    once = Toolset(MANY).filtered(lambda context, one: one.label != "translate" or context.turn == 1)
    model = ScriptedModel(
        [found_by_server("send_email", '{"recipient": "a", "body": "b"}'), "x"], profile=ABLE
    )
    Agent(model, tools=[tool_search(once)]).run_sync("go")
    names = [[d.get("name") for d in r.tools] for r in model.requests]
    assert "translate" in names[0] and "translate" not in names[1]
    assert model.requests[1].settings.tool_choice is None


def test_the_registry_knows_who_can() -> None:
    """GPT-5.4 and later have it, on OpenAI's own server."""
    assert [profile_for(name).tool_search for name in ("gpt-5.2", "gpt-5.4", "gpt-5.6-sol", "gpt-4.1")] == [
        False, True, True, False,
    ]  # fmt: skip
    assert not OpenAIModel("gpt-5.4", base_url="http://127.0.0.1:9/v1").profile.tool_search


WRONG: list[tuple[list[dict[str, Any]], str]] = [
    ([{"type": "tool_search"}], "at least one tool with 'defer_loading'"),
    (
        [{"type": "function", "name": "f", "parameters": None, "defer_loading": True}],
        "need the 'tool_search' tool",
    ),
    ([{"type": "tool_search", "execution": "elsewhere"}], "'server' or 'client'|Supported values"),
]


@pytest.mark.parametrize(("tools", "message"), WRONG)
def test_the_local_server_checks_deferred_tools(tools: list[dict[str, Any]], message: str) -> None:
    """The local server refuses what could never be found, or a search for nothing."""
    with LocalServer(["never"]) as server:
        client = openai.OpenAI(base_url=server.base_url, api_key="x", max_retries=0)
        with pytest.raises(openai.BadRequestError, match=message):
            client.responses.create(model="gpt-5.4", input="x", tools=tools)  # type: ignore[arg-type] # pyright: ignore
