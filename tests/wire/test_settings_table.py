"""Settings on the wire: what each endpoint and model is sent for them, and what is refused before it is sent."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jigwork import Agent, Settings, SettingsError
from jigwork.agent.items import Item

OURS = {
    "responses": {"model", "input", "tools", "include"},
    "chat": {"model", "messages", "tools"},
}
WEATHER_R = {"type": "function", "name": "weather"}
WEATHER_C = {"type": "function", "function": {"name": "weather"}}
META = {"team": "blue"}
BOTH = "responses", "chat"
COMMON: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ({"effort": "high"}, {"reasoning": {"effort": "high"}}, {"reasoning_effort": "high"}),
    ({"effort": "none"}, {"reasoning": {"effort": "none"}}, {"reasoning_effort": "none"}),
    ({"verbosity": "low"}, {"text": {"verbosity": "low"}}, {"verbosity": "low"}),
    ({"temperature": 0}, {"temperature": 0}, {"temperature": 0}),
    ({"top_p": 0.5}, {"top_p": 0.5}, {"top_p": 0.5}),
    ({"max_output_tokens": 300}, {"max_output_tokens": 300}, {"max_completion_tokens": 300}),
    ({"parallel_tool_calls": False}, {"parallel_tool_calls": False}, {"parallel_tool_calls": False}),
    ({"tool_choice": "auto"}, {"tool_choice": "auto"}, {"tool_choice": "auto"}),
    ({"tool_choice": "none"}, {"tool_choice": "none"}, {"tool_choice": "none"}),
    ({"tool_choice": "required"}, {"tool_choice": "required"}, {"tool_choice": "required"}),
    ({"tool_choice": "weather"}, {"tool_choice": WEATHER_R}, {"tool_choice": WEATHER_C}),
    (
        {"tool_choice": ["weather"]},
        {"tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [WEATHER_R]}},
        {"tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [WEATHER_C]}}},
    ),
    ({"store": True}, {"store": True}, {"store": True}),
    ({"metadata": META}, {"metadata": META}, {"metadata": META}),
    ({"prompt_cache_key": "k"}, {"prompt_cache_key": "k"}, {"prompt_cache_key": "k"}),
    ({"safety_identifier": "h"}, {"safety_identifier": "h"}, {"safety_identifier": "h"}),
    ({"service_tier": "flex"}, {"service_tier": "flex"}, {"service_tier": "flex"}),
    ({"extra_body": {"x": {"y": 1}}}, {"x": {"y": 1}}, {"x": {"y": 1}}),
    ({"stop": ["END"]}, {}, {}),
]
ONE: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("chat", {"presence_penalty": 0.5}, {"presence_penalty": 0.5}),
    ("chat", {"frequency_penalty": -1}, {"frequency_penalty": -1}),
    ("chat", {"seed": 7}, {"seed": 7}),
    ("responses", {"truncation": "auto"}, {"truncation": "auto"}),
    ("responses", {"reasoning_summary": "auto"}, {"reasoning": {"summary": "auto"}}),
    ("responses", {"effort": "low", "extra_body": {"reasoning": {"context": "auto"}}}, {"reasoning": {"effort": "low", "context": "auto"}}),
]  # fmt: skip
CASES = (
    [("responses", given, sent) for given, sent, _ in COMMON]
    + [("chat", given, sent) for given, _, sent in COMMON]
    + ONE
)


def answered(kit: Any, endpoint: str, text: str = "ok") -> Any:
    """An answer of one text, not streamed."""
    if endpoint == "chat":
        message = {"role": "assistant", "content": text}
        return kit.Reply.json({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})
    part: Item = {"type": "output_text", "text": text, "annotations": []}
    item: Item = {"id": "msg_1", "type": "message", "role": "assistant", "content": [part]}
    return kit.Reply.json({"id": "resp_1", "status": "completed", "output": [item]})


def test_every_setting_is_sent_as_the_endpoint_names_it(raw: Any, kit: Any) -> None:
    """gpt-5.2: the parameters beside model, history and tools are exactly these."""
    found: list[tuple[str, dict[str, Any], dict[str, Any]]] = []
    models = {endpoint: raw.model("gpt-5.2", endpoint=endpoint) for endpoint in BOTH}
    for endpoint, given, _ in CASES:
        raw.replies = [answered(kit, endpoint)]
        agent = Agent(models[endpoint], tools=kit.Desk().pick("weather", "now"), settings=Settings(**given))
        assert kit.play(agent, "plain", "go").error is None
        body = raw.bodies[-1]
        assert len(body["tools"]) == 2
        found.append((endpoint, given, {k: v for k, v in body.items() if k not in OURS[endpoint]}))
    assert found == CASES


DIALECTS: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ("openrouter", {}, {"max_output_tokens": 9, "stop": "END", "effort": "low"}, {"max_tokens": 9, "stop": ["END"], "reasoning_effort": "low"}),
    ("ollama", {}, {"max_output_tokens": 9, "temperature": 1.5}, {"max_tokens": 9, "temperature": 1.5}),
    ("vllm", {}, {"stop": ["a", "b"], "seed": 1}, {"stop": ["a", "b"], "seed": 1}),
    ("vllm", {}, {"stop": ["a", "b", "c", "d", "e"]}, {}),
    ("deepseek", {}, {"presence_penalty": 1, "max_output_tokens": 5}, {"presence_penalty": 1, "max_tokens": 5}),
    ("gemini", {}, {"effort": "low"}, {"reasoning_effort": "low"}),
]  # fmt: skip


@pytest.mark.parametrize(("provider", "model", "given", "sent"), DIALECTS)
def test_dialects(
    raw: Any, kit: Any, provider: str, model: dict[str, Any], given: dict[str, Any], sent: dict[str, Any]
) -> None:
    """Other servers are sent what they know these settings as."""
    raw.replies = [answered(kit, "chat")]
    agent = Agent(
        raw.model("some-model", endpoint="chat", provider=provider, **model), settings=Settings(**given)
    )
    assert kit.play(agent, "plain", "go").error is None
    assert {k: v for k, v in raw.bodies[0].items() if k not in OURS["chat"]} == sent


REFUSED: list[tuple[str, str, dict[str, Any], str]] = [
    ("gpt-5.2", "responses", {"effort": "minimal"}, "'xhigh'"),
    ("gpt-5.2", "responses", {"effort": "max"}, "effort='max'"),
    ("gpt-5.2-pro", "responses", {"effort": "none"}, "'medium'"),
    ("gpt-5.2", "responses", {"temperature": 0.3, "effort": "high"}, "effort='none'"),
    ("gpt-5.2", "chat", {"top_p": 0.3, "effort": "low"}, "effort='none'"),
    ("gpt-5.2-pro", "responses", {"temperature": 1}, "takes no `temperature`"),
    ("gpt-5.5", "responses", {"temperature": 1}, "effort='none'"),
    ("gpt-4.1", "responses", {"effort": "low"}, "does not reason"),
    ("gpt-4.1", "chat", {"verbosity": "low"}, "verbosity"),
    ("gpt-5.2", "responses", {"presence_penalty": 1}, "endpoint='chat'"),
    ("gpt-5.2", "responses", {"seed": 1}, "endpoint='chat'"),
    ("gpt-5.2", "chat", {"truncation": "auto"}, "endpoint='responses'"),
    ("gpt-5.2", "chat", {"chain": True}, "endpoint='responses'"),
    ("gpt-5.2", "responses", {"chain": True, "store": False}, "store"),
    ("gpt-5.2", "responses", {"max_output_tokens": 200_000}, "128,000"),
    ("gpt-5.2", "responses", {"tool_choice": "wether"}, "did you mean 'weather'?"),
    ("gpt-5.6-sol", "chat", {"effort": "high"}, "endpoint='responses'"),
    ("gpt-5.2", "chat", {"metadata": {"k": "v" * 513}}, "metadata"),
]  # fmt: skip


def test_what_would_be_refused_is_refused_before_it_is_sent(raw: Any, kit: Any) -> None:
    """A SettingsError with the fix, at the first run, and nothing on the wire."""
    for name, endpoint, given, says in REFUSED:
        agent = Agent(
            raw.model(name, endpoint=endpoint), tools=kit.Desk().pick("weather"), settings=Settings(**given)
        )
        run = kit.play(agent, "plain", "go")
        assert isinstance(run.error, SettingsError), (name, given)
        assert says in str(run.error)
    assert not raw.requests


@pytest.mark.parametrize("mode", ["plain", "stream"])
@pytest.mark.parametrize("endpoint", BOTH)
def test_a_stop_that_the_server_refuses_is_cut_here(raw: Any, kit: Any, endpoint: str, mode: str) -> None:
    """The text ends before the stop sequence, the tools that came after it are not called, the item says the same."""
    if mode == "plain":
        raw.replies = [answered(kit, endpoint, "one END two")]
    elif endpoint == "chat":
        pieces = ["one", " E", "ND", " two"]
        chunks = [{"choices": [{"index": 0, "delta": {"content": p}}]} for p in pieces]
        raw.replies = [kit.Reply.sse(*chunks, kit.Pause(1.0))]
    else:
        deltas = [
            {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": p}
            for p in ("one E", "ND two")
        ]
        raw.replies = [kit.Reply.sse(*deltas, kit.Pause(1.0))]
    run = kit.play(Agent(raw.model("gpt-5.2", endpoint=endpoint), settings=Settings(stop="END")), mode, "go")
    assert run.error is None
    assert run.result.output == "one "
    assert run.items[1]["content"][0]["text"] == "one "
    if mode == "stream":
        assert run.text == "one "
    assert run.result.requests[0].reason == "stop_sequence"


def test_settings_of_a_run_win_over_those_of_agent_and_model(raw: Any, kit: Any) -> None:
    """Model, agent, run: the later one wins, key by key."""
    raw.replies = [answered(kit, "responses")]
    model = raw.model("gpt-5.2", settings=Settings(effort="low", max_output_tokens=10, store=False))
    agent = Agent(model, settings=Settings(max_output_tokens=20, metadata=META))
    kit.play(agent, "plain", "go", settings=Settings(metadata={"run": "1"}))
    body = raw.bodies[0]
    assert (body["reasoning"], body["max_output_tokens"], body["store"], body["metadata"]) == ({"effort": "low"}, 20, False, {"run": "1"})  # fmt: skip
    assert json.dumps(body)
