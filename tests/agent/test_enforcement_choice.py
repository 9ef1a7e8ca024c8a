"""Who enforces a grammar: for every provider, what is sent for a tool and for an answer, and what is recorded."""

from __future__ import annotations

from typing import Any

import pytest

from jigwork import Agent, Grammar, OpenAIModel, OutputError, Settings, tool
from jigwork.agent.models.profiles import Profile
from jigwork.agent.server import LocalServer
from jigwork.testing import ScriptedModel

LARK = Grammar.from_lark('start: "go " WAY\nWAY: "left" | "right"\n')
REGEX = Grammar.from_regex("go (left|right)")
TEXT = "go left"


@tool(grammar=LARK)
def walk(path: str) -> str:
    """Walk."""
    return f"walked {path}"


@tool(grammar=REGEX)
def run(path: str) -> str:
    """Run."""
    return f"ran {path}"


CHOICES: list[tuple[str, str, str, str, str]] = [
    # provider, endpoint, for a Lark tool, for a regex tool, how an answer is held
    ("openai", "responses", "native", "native", "tool"),
    ("openai", "chat", "native", "native", "tool"),
    ("cometapi", "responses", "native", "native", "tool"),
    ("cometapi", "chat", "native", "native", "tool"),
    ("vllm", "chat", "checked", "schema", "structured_outputs"),
    ("sglang", "chat", "checked", "schema", "ebnf"),
    ("llamacpp", "chat", "checked", "checked", "grammar"),
    ("ollama", "chat", "checked", "checked", ""),
    ("openrouter", "chat", "checked", "schema", ""),
    ("deepseek", "chat", "checked", "schema", ""),
    ("gemini", "chat", "checked", "checked", ""),
    ("", "chat", "checked", "schema", ""),
]


def model(server: LocalServer, provider: str, endpoint: Any) -> OpenAIModel:
    name = "gpt-5.2" if provider in ("openai", "cometapi") else "some-model"
    return OpenAIModel(
        name, provider=provider or None, base_url=server.base_url, endpoint=endpoint, api_key="k"
    )


@pytest.mark.parametrize(("provider", "endpoint", "lark", "regex", "answer"), CHOICES)
def test_grammar_tools_are_sent_as_the_server_takes_them(
    provider: str, endpoint: str, lark: str, regex: str, answer: str
) -> None:
    """Custom where the server has it, a pattern where a strict schema can say it, else described and checked."""
    for held, made, grammar in ((lark, walk, LARK), (regex, run, REGEX)):
        key = {"input": TEXT} if held == "native" else {"arguments": {"path": TEXT}}
        with LocalServer([[{"name": made.name, **key}], "There."], strict=False) as server:
            result = Agent(model(server, provider, endpoint), tools=[made]).run_sync("Go")
            sent = server.bodies[0]["tools"][0]
        outcome = result.calls[0].outcome
        assert outcome is not None and outcome.ok and outcome.enforcement == held
        inner = sent if endpoint == "responses" else sent[sent["type"]]
        if held == "native":
            form = inner["format"] if endpoint == "responses" else inner["format"]["grammar"]
            assert sent["type"] == "custom" and form["definition"] == grammar.definition
            assert form["syntax"] == grammar.syntax
            assert server.bodies[0]["parallel_tool_calls"] is False
        else:
            assert sent["type"] == "function" and grammar.definition in inner["description"]
            assert (inner.get("strict") is True) == (provider not in ("llamacpp", "ollama", "gemini"))
            assert ("pattern" in str(inner["parameters"])) == (made is run)


@pytest.mark.parametrize(("provider", "endpoint", "lark", "regex", "answer"), CHOICES)
def test_an_answer_in_a_grammar_is_held_as_the_server_can(
    provider: str, endpoint: str, lark: str, regex: str, answer: str
) -> None:
    """By a grammar tool, by a constraint in the server's own words, or by being told and checked."""
    for grammar in (LARK, REGEX):
        reply: Any = [{"name": "final_answer", "input": TEXT}] if answer == "tool" else TEXT
        with LocalServer([reply], strict=False) as server:
            agent = Agent(model(server, provider, endpoint), output=grammar)
            result = agent.run_sync("Go")
            body = server.bodies[0]
        assert result.output == TEXT
        if answer == "tool":
            assert [c.outcome.enforcement for c in result.calls if c.outcome] == ["native"]
        assert result.requests[0].enforcement == {"tool": None, "": "checked"}.get(answer, "native")
        assert ("tools" in body) == (answer == "tool")
        constraints = {"structured_outputs", "ebnf", "regex", "grammar", "json_schema"} & body.keys()
        if answer in ("tool", ""):
            assert not constraints
        elif answer == "grammar":
            assert constraints == {"grammar"} and body["grammar"].startswith("root ::=")
        elif grammar is REGEX:
            value = body["structured_outputs"] if answer == "structured_outputs" else body
            assert value["regex"] == REGEX.definition
        else:
            value = body["structured_outputs"]["grammar"] if answer == "structured_outputs" else body["ebnf"]
            assert value.startswith("root ::=") and "left" in value
        if answer != "tool":
            kind = "regular expression" if grammar is REGEX else "Lark grammar"
            said = body["messages"][0]["content"]
            assert grammar.definition in said and f"text of this {kind}" in said


CONSTRAINING = ("vllm", "sglang", "llamacpp")


@pytest.mark.parametrize("provider", CONSTRAINING)
def test_a_refused_text_is_repaired_under_the_servers_constraint(provider: str) -> None:
    """One constrained request for the text alone; its call is recorded as what the server held."""
    script: list[Any] = [[{"name": "walk", "arguments": {"path": "go up"}}], "go right", "There."]
    with LocalServer(script, strict=False) as server:
        result = Agent(model(server, provider, "chat"), tools=[walk]).run_sync("Go")
        bodies = server.bodies
    held = [c.outcome.enforcement for c in result.calls if c.outcome]
    assert held == ["checked", "native"] and result.calls[1].arguments == '{"path": "go right"}'
    assert "tools" not in bodies[1] and "tools" in bodies[2]
    assert {"structured_outputs", "ebnf", "grammar"} & bodies[1].keys()
    assert "go up" in str(bodies[1]["messages"]) and "right" in str(bodies[1]["messages"][-2])


@pytest.mark.parametrize("provider", CONSTRAINING)
def test_a_200_is_not_believed(provider: str) -> None:
    """A server that takes the constraint and ignores it is found out: the text is explained, and never passed on."""
    script: list[Any] = [[{"name": "walk", "arguments": {"path": "go up"}}], "Sure! go right", "I cannot."]
    with LocalServer(script, strict=False) as server:
        result = Agent(model(server, provider, "chat"), tools=[walk]).run_sync("Go")
    assert [c.outcome.status for c in result.calls if c.outcome] == ["invalid_arguments"] * 2
    assert [c.outcome.enforcement for c in result.calls if c.outcome] == ["checked", "native"]
    with LocalServer(["Sure! go right"] * 3, strict=False) as server:
        with pytest.raises(OutputError, match="2 retries"):
            Agent(model(server, provider, "chat"), output=LARK).run_sync("Go")
        assert len(server.bodies) == 3 and "nothing before or after" in str(server.bodies[1]["messages"])


def test_a_grammar_that_a_server_has_no_words_for_is_checked() -> None:
    """Nothing is sent that the server would refuse; the answer is checked as everywhere."""
    grammar = Grammar.from_lark('start: a\na: b "x" | "y"\nb: a "z"\n')
    for provider in CONSTRAINING:
        with LocalServer(["yzz", "yzx"], strict=False) as server:
            result = Agent(model(server, provider, "chat"), output=grammar).run_sync("Go")
            assert result.output == "yzx" and {r.enforcement for r in result.requests} == {"checked"}
            assert not {"structured_outputs", "ebnf", "grammar"} & server.bodies[0].keys()


NATIVE, CHECKED, HELD = Profile(custom_tools=True), Profile(), Profile(response_grammar="vllm")


@pytest.mark.parametrize("profile", [NATIVE, CHECKED, HELD])
def test_what_a_transform_says_is_fed_back(profile: Profile) -> None:
    """The text is of the grammar, the value is refused: the model is told why, in the words of the transform."""

    def closed(tree: Any) -> str:
        if "left" in str(tree.children):
            raise ValueError("the way to the left is closed")
        return "right"

    replies: list[Any] = ["go left", "go right"]
    if profile is NATIVE:
        replies = [[{"name": "final_answer", "input": text}] for text in replies]
    scripted = ScriptedModel(replies, profile=profile)
    assert Agent(scripted, output=(LARK, closed)).run_sync("Go").output == "right"
    assert "the way to the left is closed" in str(scripted.requests[1].items[-1])


def test_a_schema_for_the_answer_does_not_keep_a_model_from_its_tools() -> None:
    """Where a server would hold every response to the schema, the answer is a call, and the tools can be called."""
    for provider, native in (("openai", True), ("openrouter", True), ("vllm", False), ("llamacpp", False)):
        answer: Any = '{"value":3}' if native else [{"name": "final_answer", "arguments": {"value": 3}}]
        calls = {"input": TEXT} if provider == "openai" else {"arguments": {"path": TEXT}}
        with LocalServer([[{"name": "walk", **calls}], answer, answer], strict=False) as server:
            found = model(server, provider, "chat")
            assert Agent(found, tools=[walk], output=int).run_sync("Go").output == 3
            first = server.bodies[0]
            assert ("response_format" in first) == native and len(first["tools"]) == 2 - native
            if not native:  # without tools it is the server's own
                with LocalServer(['{"value":3}'], strict=False) as alone:
                    agent = Agent(model(alone, provider, "chat"), output=int, settings=Settings(seed=1))
                    assert agent.run_sync("Go").output == 3
                    assert "response_format" in alone.bodies[0]
