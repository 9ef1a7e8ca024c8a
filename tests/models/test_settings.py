"""Settings on the wire: names per endpoint, checks before sending, tool choices, stop sequences."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jigwork.agent.models.base import OutputFormat
from jigwork.agent.models.profiles import Profile
from jigwork.agent.models.providers import Provider
from jigwork.agent.models.settings import Settings
from jigwork.errors import SettingsError

FUNCTION = {
    "type": "function",
    "name": "add",
    "description": "Add.",
    "parameters": {"type": "object"},
    "strict": True,
}
SEARCH = {"type": "function", "name": "search", "parameters": {"type": "object"}}
GRAMMAR = {
    "type": "custom",
    "name": "sql",
    "format": {"type": "grammar", "syntax": "lark", "definition": 'start: "x"'},
}

# model, settings -> what the body holds on (Responses, Chat); None: not on that endpoint.
BODIES: list[tuple[str, dict[str, Any], dict[str, Any] | None, dict[str, Any] | None]] = [
    ("gpt-5.2", {"effort": "low"}, {"reasoning": {"effort": "low"}}, {"reasoning_effort": "low"}),
    ("gpt-5.2", {"reasoning_summary": "auto"}, {"reasoning": {"summary": "auto"}}, None),
    ("gpt-5.2", {"verbosity": "low"}, {"text": {"verbosity": "low"}}, {"verbosity": "low"}),
    ("gpt-5.2", {"temperature": 0.0}, {"temperature": 0.0}, {"temperature": 0.0}),
    ("gpt-5.2", {"top_p": 0.5, "effort": "none"}, {"top_p": 0.5}, {"top_p": 0.5}),
    ("gpt-5.2", {"max_output_tokens": 300}, {"max_output_tokens": 300}, {"max_completion_tokens": 300}),
    ("any-model", {"max_output_tokens": 300}, {"max_output_tokens": 300}, {"max_tokens": 300}),
    ("gpt-5.2", {"presence_penalty": 1.0, "frequency_penalty": -1.0}, None, {"presence_penalty": 1.0}),
    ("gpt-5.2", {"seed": 7}, None, {"seed": 7}),
    (
        "gpt-5.2",
        {"parallel_tool_calls": False},
        {"parallel_tool_calls": False},
        {"parallel_tool_calls": False},
    ),
    ("gpt-5.2", {"store": False}, {"store": False}, {"store": False}),
    ("gpt-5.2", {"prompt_cache_key": "k"}, {"prompt_cache_key": "k"}, {"prompt_cache_key": "k"}),
    ("gpt-5.2", {"safety_identifier": "u"}, {"safety_identifier": "u"}, {"safety_identifier": "u"}),
    ("gpt-5.2", {"service_tier": "flex"}, {"service_tier": "flex"}, {"service_tier": "flex"}),
    ("gpt-5.2", {"metadata": {"a": "b"}}, {"metadata": {"a": "b"}}, {"metadata": {"a": "b"}}),
    ("gpt-5.2", {"truncation": "auto"}, {"truncation": "auto"}, None),
    ("gpt-5.2", {"extra_body": {"top_k": 5}}, {"top_k": 5}, {"top_k": 5}),
    ("any-model", {"stop": "END"}, {}, {"stop": ["END"]}),
    ("gpt-5.2", {"stop": "END"}, {}, {}),
]


def _sent(wire: Any, model: str, endpoint: str, settings: Settings, **request: Any) -> dict[str, Any]:
    message = {"content": "x"}
    item = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "x"}]}
    answer = wire.completion(message) if endpoint == "chat" else wire.response(item)
    wire.ask(wire.model(model, wire.json(answer), endpoint=endpoint), settings=settings, **request)
    body: dict[str, Any] = wire.bodies[-1]
    return body


@pytest.mark.parametrize("side", [0, 1], ids=["responses", "chat"])
@pytest.mark.parametrize(("model", "given_", "responses", "chat"), BODIES, ids=[str(b[:2]) for b in BODIES])
def test_settings_have_their_name_on_each_endpoint(
    wire: Any, model: str, given_: dict[str, Any], responses: Any, chat: Any, side: int
) -> None:
    """Each setting is sent under the endpoint's own name, or refused with the endpoint that has it."""
    endpoint, expected = (("responses", responses), ("chat", chat))[side]
    if expected is None:
        other = "chat" if endpoint == "responses" else "responses"
        with pytest.raises(SettingsError, match=f"endpoint='{other}'"):
            _sent(wire, model, endpoint, Settings(**given_))
        assert not wire.requests
        return
    body = _sent(wire, model, endpoint, Settings(**given_))
    for key, value in expected.items():
        assert body[key] == value
    if not expected:
        assert "stop" not in body


def test_nothing_is_sent_that_was_not_asked_for(wire: Any) -> None:
    """With default settings a body holds the model and the input only."""
    assert _sent(wire, "any", "chat", Settings()) == {
        "model": "any",
        "messages": [{"role": "user", "content": "hi"}],
    }
    assert set(_sent(wire, "gpt-4.1", "responses", Settings())) == {"model", "input"}
    assert set(_sent(wire, "gpt-5.2", "responses", Settings())) == {"model", "input", "include"}


# model, endpoint, settings -> words of the error, which carry the fix.
REFUSED: list[tuple[str, str, dict[str, Any], str]] = [
    ("gpt-5.2", "responses", {"effort": "minimal"}, "'none', 'low', 'medium', 'high', 'xhigh'"),
    ("gpt-5.2-2025-12-11", "responses", {"effort": "max"}, "it takes"),
    ("gpt-5.2-pro", "responses", {"effort": "none"}, "'medium', 'high', 'xhigh'"),
    ("gpt-4.1", "chat", {"effort": "low"}, "leave it out"),
    ("gpt-5.2", "responses", {"temperature": 0.1, "effort": "low"}, "effort='none'"),
    ("gpt-5.2", "chat", {"frequency_penalty": 0.1, "effort": "high"}, "effort='none'"),
    ("gpt-5.2-pro", "responses", {"top_p": 0.1}, "leave it out"),
    ("gpt-5.5", "responses", {"temperature": 0.1}, "effort='none'"),
    ("gpt-5.2", "responses", {"max_output_tokens": 200_000}, "1 to 128,000"),
    ("gpt-5.2", "responses", {"max_output_tokens": 0}, "1 to 128,000"),
    ("gpt-4.1", "responses", {"verbosity": "low"}, "verbosity"),
    ("gpt-5.2", "chat", {"chain": True}, "endpoint='responses'"),
    ("any-model", "chat", {"effort": "hgih"}, "'xhigh', 'max'"),
    ("any-model", "chat", {"temperature": 2.5}, "from 0 to 2"),
    ("any-model", "chat", {"frequency_penalty": -3}, "from -2 to 2"),
    ("gpt-5.2", "responses", {"chain": True, "store": False}, "leave `store` out"),
    ("gpt-5.2", "responses", {"metadata": {str(i): "x" for i in range(17)}}, "16"),
    ("gpt-5.2", "responses", {"metadata": {"k": "x" * 513}}, "512"),
    ("gpt-5.2", "chat", {"tool_choice": "ad"}, "did you mean 'add'"),
    ("gpt-5.2", "responses", {"tool_choice": ["add", "nothing"]}, "'add', 'search', 'sql'"),
    ("gpt-5.4", "chat", {"effort": "low"}, "endpoint='responses'"),
]


@pytest.mark.parametrize(("model", "endpoint", "given_", "words"), REFUSED, ids=[str(r[:3]) for r in REFUSED])
def test_what_would_be_refused_is_refused_here(
    wire: Any, model: str, endpoint: str, given_: dict[str, Any], words: str
) -> None:
    """A setting that the model would refuse fails before anything is sent, and the message has the fix."""
    with pytest.raises(SettingsError) as caught:
        _sent(wire, model, endpoint, Settings(**given_), tools=[FUNCTION, SEARCH, GRAMMAR])
    assert words in str(caught.value)
    assert not wire.requests


FUNCTION_CHAT = {"name": "add", "description": "Add.", "parameters": {"type": "object"}, "strict": True}

# tool_choice -> (Responses, Chat)
CHOICES: list[tuple[Any, Any, Any]] = [
    ("auto", "auto", "auto"),
    ("none", "none", "none"),
    ("required", "required", "required"),
    ("add", {"type": "function", "name": "add"}, {"type": "function", "function": {"name": "add"}}),
    ("sql", {"type": "custom", "name": "sql"}, {"type": "custom", "custom": {"name": "sql"}}),
    (
        ["add", "sql"],
        {
            "type": "allowed_tools",
            "mode": "auto",
            "tools": [{"type": "function", "name": "add"}, {"type": "custom", "name": "sql"}],
        },
        {
            "type": "allowed_tools",
            "allowed_tools": {
                "mode": "auto",
                "tools": [
                    {"type": "function", "function": {"name": "add"}},
                    {"type": "custom", "custom": {"name": "sql"}},
                ],
            },
        },
    ),
    (
        {"type": "function", "name": "add"},
        {"type": "function", "name": "add"},
        {"type": "function", "function": {"name": "add"}},
    ),
]


@pytest.mark.parametrize(("choice", "responses", "chat"), CHOICES, ids=[str(c[0]) for c in CHOICES])
def test_tool_choices_have_the_shape_of_each_endpoint(
    wire: Any, choice: Any, responses: Any, chat: Any
) -> None:
    """A word, a name, a list of names or a dict: flat on Responses, nested on Chat; the tools stay as they are."""
    tools = [FUNCTION, SEARCH, GRAMMAR]
    settings = Settings(tool_choice=choice)
    body = _sent(wire, "gpt-5.2", "responses", settings, tools=tools)
    assert (body["tool_choice"], body["tools"]) == (responses, tools)
    body = _sent(wire, "gpt-5.2", "chat", settings, tools=tools)
    assert body["tool_choice"] == chat
    assert body["tools"] == [
        {"type": "function", "function": FUNCTION_CHAT},
        {"type": "function", "function": {"name": "search", "parameters": {"type": "object"}}},
        {
            "type": "custom",
            "custom": {
                "name": "sql",
                "format": {"type": "grammar", "grammar": {"syntax": "lark", "definition": 'start: "x"'}},
            },
        },
    ]


@pytest.mark.parametrize("endpoint", ["responses", "chat"])
def test_strict_is_not_sent_where_it_is_unknown(wire: Any, endpoint: str) -> None:
    """A server without strict tools gets the same tools without the word."""
    message: dict[str, Any] = {"type": "message", "role": "assistant", "content": []}
    answer = wire.completion({"content": "x"}) if endpoint == "chat" else wire.response(message)
    model = wire.model("m", wire.json(answer), endpoint=endpoint, profile=Profile(strict_tools=False))
    wire.ask(model, tools=[FUNCTION])
    sent = wire.bodies[0]["tools"][0]
    assert "strict" not in sent and "strict" not in sent.get("function", {})
    assert FUNCTION["strict"] is True


def test_a_list_of_tools_without_allowed_tools_sends_only_those(wire: Any) -> None:
    """Where the server does not know allowed_tools, the others are simply not sent."""
    body = _sent(wire, "unknown", "chat", Settings(tool_choice=["search"]), tools=[FUNCTION, SEARCH])
    assert body["tool_choice"] == "auto"
    assert [tool["function"]["name"] for tool in body["tools"]] == ["search"]


def test_a_grammar_tool_makes_calls_serial_unless_asked_otherwise(
    wire: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """parallel_tool_calls=False goes along with a grammar tool, said once; an explicit True wins."""
    item: dict[str, Any] = {"type": "message", "role": "assistant", "content": []}
    model = wire.model("gpt-5.2", *(wire.json(wire.response(item)) for _ in range(4)))
    with caplog.at_level(logging.INFO, logger="jigwork"):
        wire.ask(model, tools=[GRAMMAR])
        wire.ask(model, tools=[GRAMMAR])
    wire.ask(model, tools=[GRAMMAR], settings=Settings(parallel_tool_calls=True))
    wire.ask(model, tools=[FUNCTION])
    assert [body.get("parallel_tool_calls") for body in wire.bodies] == [False, False, True, None]
    assert caplog.text.count("parallel_tool_calls=False") == 1


def test_tools_and_reasoning_on_chat(wire: Any) -> None:
    """From gpt-5.4 on, chat takes tools only with effort none, which is then said explicitly."""
    assert _sent(wire, "gpt-5.4", "chat", Settings(), tools=[FUNCTION])["reasoning_effort"] == "none"
    assert "reasoning_effort" not in _sent(wire, "gpt-5.2", "chat", Settings(), tools=[FUNCTION])


@pytest.mark.parametrize("stream", [False, True])
def test_output_formats(wire: Any, stream: bool) -> None:
    """A JSON schema for the answer goes to text.format or response_format; verbosity stays beside it."""
    output = OutputFormat("Point", {"type": "object"}, description="A point.")
    item: dict[str, Any] = {"type": "message", "role": "assistant", "content": []}
    body = wire.response(item)
    model = wire.model("gpt-5.2", wire.sse(wire.response_events(body)) if stream else wire.json(body))
    wire.ask(model, output=output, stream=stream, settings=Settings(verbosity="low"))
    schema = {"name": "Point", "schema": {"type": "object"}, "strict": True, "description": "A point."}
    assert wire.bodies[0]["text"] == {"verbosity": "low", "format": {"type": "json_schema", **schema}}
    body = _sent(wire, "gpt-5.2", "chat", Settings(), output=output)
    assert body["response_format"] == {"type": "json_schema", "json_schema": schema}


def test_encrypted_reasoning_is_asked_for_when_nothing_is_stored(wire: Any) -> None:
    """`include` goes with store=False and with models that reason; not to models that would refuse it."""
    wanted = ["reasoning.encrypted_content"]
    assert _sent(wire, "gpt-5.2", "responses", Settings(store=False))["include"] == wanted
    assert _sent(wire, "unknown", "responses", Settings(store=False))["include"] == wanted
    assert "include" not in _sent(wire, "unknown", "responses", Settings())
    assert "include" not in _sent(wire, "gpt-4.1", "responses", Settings(store=False))


def test_streams_ask_for_usage_and_no_padding(wire: Any) -> None:
    """Chat streams ask for usage; at OpenAI the random padding of deltas is switched off."""
    model = wire.model("gpt-5.2", wire.sse(wire.chunks([{"content": "x"}])), endpoint="chat")
    wire.ask(model, stream=True)
    assert wire.bodies[0]["stream_options"] == {"include_usage": True, "include_obfuscation": False}
    other = wire.model(
        "m", wire.sse(wire.chunks([{"content": "x"}])), endpoint="chat", base_url="http://localhost:8000/v1"
    )
    wire.ask(other, stream=True)
    assert wire.bodies[1]["stream_options"] == {"include_usage": True}


def test_extra_body_and_headers_are_merged(wire: Any) -> None:
    """extra_body is merged into the objects of the body, extra_headers go along."""
    settings = Settings(
        effort="low", extra_body={"reasoning": {"mode": "pro"}}, extra_headers={"x-team": "blue"}
    )
    body = _sent(wire, "gpt-5.2", "responses", settings)
    assert body["reasoning"] == {"effort": "low", "mode": "pro"}
    assert wire.requests[0].headers["x-team"] == "blue"


def test_a_timeout_bounds_one_attempt(wire: Any) -> None:
    """`timeout` goes to the connection: seconds without progress, connecting no longer than ten."""
    _sent(wire, "m", "chat", Settings(timeout=33.0))
    assert wire.requests[0].extensions["timeout"] == {
        "connect": 10.0,
        "read": 33.0,
        "write": 33.0,
        "pool": 33.0,
    }


def test_a_provider_may_add_to_every_body(wire: Any) -> None:
    """extra_body of a provider goes with every request; what the request says itself wins."""
    provider = Provider("x", "http://x.test/v1", extra_body={"reasoning": {"enabled": True}, "seed": 1})
    model = wire.model("m", wire.json(wire.completion({"content": "x"})), endpoint="chat", provider=provider)
    wire.ask(model, settings=Settings(seed=2, extra_body={"reasoning": {"max_tokens": 5}}))
    assert wire.bodies[0]["reasoning"] == {"enabled": True, "max_tokens": 5}
    assert wire.bodies[0]["seed"] == 2


def test_the_models_own_settings_are_defaults(wire: Any) -> None:
    """Settings of the model hold until the request says otherwise."""
    answers = [wire.json(wire.completion({"content": "x"})) for _ in range(2)]
    model = wire.model("gpt-5.2", *answers, endpoint="chat", settings=Settings(effort="high", seed=1))
    wire.ask(model)
    wire.ask(model, settings=Settings(effort="low"))
    assert [(b["reasoning_effort"], b["seed"]) for b in wire.bodies] == [("high", 1), ("low", 1)]


@pytest.mark.parametrize("stream", [False, True])
def test_stop_is_cut_here_where_the_server_refuses_it(wire: Any, stream: bool) -> None:
    """GPT-5 takes no `stop`: the text ends before it all the same, and what follows is not kept."""
    item = {
        "type": "message",
        "role": "assistant",
        "content": [{"type": "output_text", "text": "1\n2\nEND\n3"}],
    }
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    body = wire.response(item, call)
    answer = wire.sse(wire.response_events(body)) if stream else wire.json(body)
    got = wire.ask(wire.model("gpt-5.2", answer), stream=stream, settings=Settings(stop=["3", "\nEND"]))
    assert got.text == got.items[0]["content"][0]["text"] == "1\n2"
    assert (len(got.items), got.end.status, got.end.reason) == (1, "completed", "stop_sequence")
    assert got.end.usage.unreported == (1 if stream else 0)


@given(
    st.dictionaries(
        st.sampled_from("abc"), st.integers() | st.dictionaries(st.sampled_from("xyz"), st.integers())
    ),
    st.dictionaries(
        st.sampled_from("abc"), st.integers() | st.dictionaries(st.sampled_from("xyz"), st.integers())
    ),
)
def test_merging_a_body_keeps_and_replaces(mine: dict[str, Any], extra: dict[str, Any]) -> None:
    """A law: everything of `extra` is in the result, and everything of the body that it does not replace."""
    from jigwork.agent.models.params import merge_body

    body = dict(mine)
    merge_body(body, extra)
    for key, value in extra.items():
        if isinstance(value, dict) and isinstance(mine.get(key), dict):
            assert body[key] == {**mine[key], **value}
        else:
            assert body[key] == value
    assert all(body[key] == mine[key] for key in mine.keys() - extra.keys())


def test_profiles_may_be_given(wire: Any) -> None:
    """A profile of one's own replaces what is known of a model."""
    with pytest.raises(SettingsError, match="takes no `temperature`"):
        model = wire.model("my-model", profile=Profile(sampling="never"), endpoint="chat")
        wire.ask(model, settings=Settings(temperature=1))
