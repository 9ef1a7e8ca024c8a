"""Whole conversations as servers really hold them: what the tools got, what came out, what went back over the wire."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from jigwork import Agent, OpenAIModel
from jigwork.agent.items import Item
from jigwork.agent.usage import Usage

MODES = ["plain", "stream"]


@dataclass(frozen=True)
class Conversation:
    """A recording, who serves it, and what has to come of it. `sent` is the history in the last request.

    Made-up call ids are written `~1`, `~2`...; `inputs` are the user's messages, each a run.
    """

    recording: str
    model: dict[str, Any]
    calls: list[tuple[str, Any]]
    output: str
    items: list[dict[str, Any]]
    sent: list[dict[str, Any]]
    usage: Usage
    inputs: tuple[str, ...] = ("go",)
    tools: tuple[str, ...] = ("weather", "now")
    endpoint: str | None = None


def user(text: str) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": text}


def said(text: str, **more: Any) -> dict[str, Any]:
    part: Item = {"type": "output_text", "text": text, "annotations": []}
    return {"type": "message", "role": "assistant", "content": [part], **more}


def call(id: str, arguments: str, name: str = "weather", **more: Any) -> dict[str, Any]:
    return {"type": "function_call", "call_id": id, "name": name, "arguments": arguments, **more}


def output(id: str, text: str) -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": id, "output": text}


def thought(text: str, provider: str, **private: Any) -> dict[str, Any]:
    content = [{"type": "reasoning_text", "text": text}]
    return {"type": "reasoning", "summary": [], "content": content, "provider_data": {provider: private}}


def chat_call(id: str, arguments: str, name: str = "weather", **more: Any) -> dict[str, Any]:
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}, **more}


def told(id: str, text: str) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": id, "content": text}


def assistant(content: str | None, *calls: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": content, **more, **({"tool_calls": [*calls]} if calls else {})}


ASKED = {"role": "user", "content": "go"}

_TEXT: Item = {"type": "output_text", "annotations": [], "logprobs": [], "text": "Ich prüfe beide 🌦."}
_CITED: Item = {
    "type": "output_text",
    "annotations": [
        {"type": "url_citation", "start_index": 0, "end_index": 5, "title": "T", "url": "https://example.org"}
    ],
    "logprobs": [],
    "text": "Beide 21° — schön.",
}
_OPENAI: list[Item] = [
    user("go"),
    {
        "id": "rs_01",
        "type": "reasoning",
        "encrypted_content": "gAAAA-final",
        "summary": [{"type": "summary_text", "text": "**Two cities**"}],
    },
    {
        "id": "msg_01",
        "type": "message",
        "status": "completed",
        "content": [_TEXT],
        "phase": "commentary",
        "role": "assistant",
    },
    {
        "id": "fc_01",
        "type": "function_call",
        "status": "completed",
        "arguments": '{"city":"New York","unit":"F"}',
        "call_id": "call_Ny1",
        "name": "weather",
    },
    {
        "id": "fc_02",
        "type": "function_call",
        "status": "completed",
        "arguments": '{"city":"Oslo","unit":"C"}',
        "call_id": "call_Os2",
        "name": "weather",
    },
    output("call_Ny1", "New York: 21 F"),
    output("call_Os2", "Oslo: 21 C"),
]
_DETAIL: Item = {
    "type": "reasoning.text",
    "text": "The user asks.",
    "signature": "SIG==",
    "format": "anthropic-claude-v1",
    "index": 0,
}
_SIGNED: dict[str, Any] = {"extra_content": {"google": {"thought_signature": "SIG-A"}}}
_SIGNED_TEXT: dict[str, Any] = {"extra_content": {"google": {"thought_signature": "SIG-B"}}}

_CITE: Item = {
    "type": "url_citation",
    "start_index": 0,
    "end_index": 6,
    "title": "T",
    "url": "https://example.org",
}
_LITELLM = {"ADDRESS": {"message": {"provider_specific_fields": {"thought_signatures": ["U0lH"]}}}}

CONVERSATIONS = [
    Conversation(
        "openai_parallel",
        {"name": "gpt-5.4"},
        [("weather", {"city": "New York", "unit": "F"}), ("weather", {"city": "Oslo", "unit": "C"})],
        "Beide 21° — schön.",
        [
            *_OPENAI,
            {
                "id": "msg_02",
                "type": "message",
                "status": "completed",
                "content": [_CITED],
                "phase": "final_answer",
                "role": "assistant",
            },
        ],
        _OPENAI,
        Usage(2, 300, 192, 8, 49, 12, 349),
    ),
    Conversation(
        "gemini_signatures",
        {"name": "gemini-3-pro", "provider": "gemini"},
        [("weather", {"city": "Rome", "unit": "C"}), ("weather", {"city": "Bonn", "unit": "C"})],
        "Bye",
        [
            user("go"),
            call("~1", '{"city":"Rome"}', provider_data={"gemini": {"call": _SIGNED}}),
            call("~2", '{"city":"Bonn"}'),
            output("~1", "Rome: 21 C"),
            output("~2", "Bonn: 21 C"),
            said("Rome and Bonn: 21", provider_data={"gemini": {"message": _SIGNED_TEXT}}),
            user("bye"),
            said("Bye"),
        ],
        [
            ASKED,
            assistant(
                None, chat_call("~1", '{"city":"Rome"}', **_SIGNED), chat_call("~2", '{"city":"Bonn"}')
            ),
            told("~1", "Rome: 21 C"),
            told("~2", "Bonn: 21 C"),
            assistant("Rome and Bonn: 21", **_SIGNED_TEXT),
            {"role": "user", "content": "bye"},
        ],
        Usage(1, 90, 0, 0, 1, 0, 91),
        inputs=("go", "bye"),
    ),
    Conversation(
        "openrouter_reasoning",
        {"name": "anthropic/claude-x", "provider": "openrouter"},
        [("weather", {"city": "Paris", "unit": "C"})],
        "Paris: 21 C.",
        [
            user("go"),
            thought(
                "The user asks.",
                "openrouter",
                text_field="reasoning",
                message={"reasoning_details": [_DETAIL]},
            ),
            said("Looking."),
            call("toolu_1", '{"city": "Paris"}'),
            output("toolu_1", "Paris: 21 C"),
            said("Paris: 21 C."),
        ],
        [
            ASKED,
            assistant(
                "Looking.",
                chat_call("toolu_1", '{"city": "Paris"}'),
                reasoning="The user asks.",
                reasoning_details=[_DETAIL],
            ),
            told("toolu_1", "Paris: 21 C"),
        ],
        Usage(2, 900, 300, 20, 68, 25, 968),
    ),
    Conversation(
        "ollama_parallel",
        {"name": "qwen3:8b", "provider": "ollama"},
        [
            ("weather", {"city": "Lima", "unit": "C"}),
            ("now", {}),
            ("weather", {"city": "Cusco", "unit": "C"}),
        ],
        "Warm.",
        [
            user("go"),
            thought("Okay", "ollama", text_field="reasoning"),
            call("call_a", '{"city":"Lima"}'),
            call("call_b", "{}", "now"),
            output("call_a", "Lima: 21 C"),
            output("call_b", "12:00"),
            call("~1", '{"city":"Cusco"}'),
            output("~1", "Cusco: 21 C"),
            said("Warm."),
        ],
        [
            ASKED,
            assistant(
                None,
                chat_call("call_a", '{"city":"Lima"}'),
                chat_call("call_b", "{}", "now"),
                reasoning="Okay",
            ),
            told("call_a", "Lima: 21 C"),
            told("call_b", "12:00"),
            assistant(None, chat_call("~1", '{"city":"Cusco"}')),
            told("~1", "Cusco: 21 C"),
        ],
        Usage(3, 285, 0, 0, 32, 0, 317),
    ),
    Conversation(
        "deepseek_thinking",
        {"name": "deepseek-reasoner", "provider": "deepseek"},
        [("weather", {"city": "北京", "unit": "C"})],
        "北京 21 度",
        [
            user("go"),
            thought("需要天气", "deepseek", text_field="reasoning_content"),
            call("call_00_x", '{"city": "北京"}'),
            output("call_00_x", "北京: 21 C"),
            thought("好", "deepseek", text_field="reasoning_content"),
            said("北京 21 度"),
        ],
        [
            ASKED,
            assistant(None, chat_call("call_00_x", '{"city": "北京"}'), reasoning_content="需要天气"),
            told("call_00_x", "北京: 21 C"),
        ],
        Usage(2, 90, 46, 0, 25, 7, 115),
    ),
    Conversation(
        "vllm_think",
        {"name": "qwen", "provider": "vllm"},
        [("weather", {"city": "Kiel", "unit": "C"}), ("weather", {"city": "Ulm", "unit": "F"})],
        "a < b",
        [
            user("go"),
            thought("Hm.", "vllm"),
            call("chatcmpl-tool-1", '{"city":"Kiel"}'),
            call("chatcmpl-tool-2", '{"city":"Ulm","unit":"F"}'),
            output("chatcmpl-tool-1", "Kiel: 21 C"),
            output("chatcmpl-tool-2", "Ulm: 21 F"),
            said("a < b"),
        ],
        [
            ASKED,
            assistant(
                None,
                chat_call("chatcmpl-tool-1", '{"city":"Kiel"}'),
                chat_call("chatcmpl-tool-2", '{"city":"Ulm","unit":"F"}'),
            ),
            told("chatcmpl-tool-1", "Kiel: 21 C"),
            told("chatcmpl-tool-2", "Ulm: 21 F"),
        ],
        Usage(2, 11, 0, 0, 20, 0, 31, 1),
    ),
    Conversation(
        "openai_chat",
        {"name": "gpt-5.2", "provider": "openai"},
        [("move", "right 7"), ("weather", {"city": "Linz", "unit": "C"})],
        "There.",
        [
            user("go"),
            {"type": "custom_tool_call", "call_id": "call_cc1", "name": "move", "input": "right 7"},
            call("call_cc2", '{"city":"Linz","unit":null}'),
            {"type": "custom_tool_call_output", "call_id": "call_cc1", "output": "moved right 7"},
            output("call_cc2", "Linz: 21 C"),
            {
                "type": "message",
                "role": "assistant",
                "content": [{"type": "output_text", "text": "There.", "annotations": [_CITE]}],
            },
        ],
        [
            ASKED,
            assistant(
                None,
                {"id": "call_cc1", "type": "custom", "custom": {"name": "move", "input": "right 7"}},
                chat_call("call_cc2", '{"city":"Linz","unit":null}'),
            ),
            told("call_cc1", "moved right 7"),
            told("call_cc2", "Linz: 21 C"),
        ],
        Usage(2, 202, 40, 0, 19, 2, 221),
        tools=("weather", "move"),
    ),
    Conversation(
        "azure_filter",
        {"name": "gpt-4.1", "provider": "azure"},
        [("now", {})],
        "Noon.",
        [
            user("go"),
            call("call_az1", "{}", "now"),
            output("call_az1", "12:00"),
            said("Noon."),
        ],
        [
            ASKED,
            assistant(None, chat_call("call_az1", "{}", "now")),
            told("call_az1", "12:00"),
        ],
        Usage(2, 65, 0, 0, 12, 0, 77),
    ),
    Conversation(
        "litellm_gemini",
        {"name": "gemini-3-pro"},
        [("weather", {"city": "Graz", "unit": "C"})],
        "Graz 21",
        [
            user("go"),
            call("call_7f__thought__U0lHTkFUVVJF", '{"city": "Graz"}', provider_data=_LITELLM),
            output("call_7f__thought__U0lHTkFUVVJF", "Graz: 21 C"),
            said("Graz 21"),
        ],
        [
            ASKED,
            assistant(
                None,
                chat_call("call_7f__thought__U0lHTkFUVVJF", '{"city": "Graz"}'),
                provider_specific_fields={"thought_signatures": ["U0lH"]},
            ),
            told("call_7f__thought__U0lHTkFUVVJF", "Graz: 21 C"),
        ],
        Usage(2, 93, 0, 0, 15, 5, 108),
        endpoint="chat",
    ),
    Conversation(
        "llamacpp_jinja",
        {"name": "local.gguf", "provider": "llamacpp"},
        [("move", "left 3")],
        "Moved.",
        [
            user("go"),
            thought("go left", "llamacpp", text_field="reasoning_content"),
            call("dQ0ZpXx1", '{"program":"left 3"}', "move"),
            output("dQ0ZpXx1", "moved left 3"),
            said("Moved."),
        ],
        [
            ASKED,
            assistant(
                None, chat_call("dQ0ZpXx1", '{"program":"left 3"}', "move"), reasoning_content="go left"
            ),
            told("dQ0ZpXx1", "moved left 3"),
        ],
        Usage(2, 450, 0, 0, 24, 0, 474),
        tools=("move",),
    ),
]


def _model(raw: Any, case: Conversation) -> OpenAIModel:
    options = dict(case.model)
    endpoint = case.endpoint or ("chat" if "provider" in options else "responses")
    model: OpenAIModel = raw.model(options.pop("name"), endpoint=endpoint, **options)
    return model


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("case", CONVERSATIONS, ids=lambda c: c.recording)
def test_a_conversation(raw: Any, kit: Any, case: Conversation, mode: str) -> None:
    """Both doors: each call reaches its tool once, the history is the server's, and goes back as it must."""
    raw.replies = kit.recorded(case.recording, mode)
    desk = kit.Desk()
    agent: Agent[Any, Any] = Agent(_model(raw, case), tools=desk.pick(*case.tools))
    run = kit.play(agent, mode, case.inputs[0], desk)
    for text in case.inputs[1:]:
        assert run.error is None
        run = kit.play(agent, mode, text, desk, state=run.result.state)
    assert run.error is None
    assert sorted(desk.calls, key=str) == sorted(case.calls, key=str)
    assert run.result.output == case.output
    assert json.loads(json.dumps(run.named()).replace(raw.host, "ADDRESS")) == case.items
    assert run.result.usage == case.usage
    assert not raw.replies
    last = raw.bodies[-1]
    assert kit.named(last.get("input", last.get("messages")), run.items) == case.sent
    ids = [dict(reply.headers).get("x-request-id") for reply in kit.recorded(case.recording, mode)]
    requests = run.result.requests
    assert [record.request_id for record in requests] == ids[-len(requests) :]
