"""Requests that /chat/completions refuses: parameters, tools, messages, and the turns that they make."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from jigwork.agent.pytest_plugin import ServerFactory

Post = Callable[..., httpx2.Response]
Json = dict[str, Any]
Refused = Callable[..., None]
Case = tuple[Json, str | None, str | None, str]
"""Body, then param, code and a piece of the message that are expected."""


def function(**changes: Any) -> Json:
    """A strict function tool in the flat shape, changed."""
    return {"type": "function", "name": "f", "parameters": schema(), "strict": True, **changes}


def schema(**changes: Any) -> Json:
    """A strict schema, changed."""
    return {
        "type": "object",
        "properties": {"a": {"type": "string"}},
        "required": ["a"],
        "additionalProperties": False,
        **changes,
    }


USER = {"role": "user", "content": "Hi"}
NESTED = {"type": "function", "function": {"name": "f", "parameters": schema()}}

CASES: dict[str, Case] = {
    "no model": ({"model": None}, None, None, "you must provide a model parameter"),
    "no messages": ({"messages": None}, "messages", "missing_required_parameter", "'messages'"),
    "empty": ({"messages": []}, "messages", "empty_array", "minimum length 1"),
    "unknown parameter": ({"foo": 1}, None, None, "Unrecognized request argument supplied: foo"),
    "flat tool": (
        {"tools": [function()]},
        "tools[0].function",
        "missing_required_parameter",
        "'tools[0].function'",
    ),
    "flat choice": (
        {"tools": [NESTED], "tool_choice": {"type": "function", "name": "f"}},
        "tool_choice.function",
        "missing_required_parameter",
        "function",
    ),
    "unknown tool": (
        {"tools": [NESTED], "tool_choice": {"type": "function", "function": {"name": "g"}}},
        "tool_choice",
        None,
        "'g' not found",
    ),
    "tool name": (
        {"tools": [{"type": "function", "function": {"name": "a b"}}]},
        "tools[0].function.name",
        "invalid_value",
        "pattern",
    ),
    "schema": (
        {
            "tools": [
                {
                    "type": "function",
                    "function": {"name": "f", "strict": True, "parameters": {"type": "object"}},
                }
            ]
        },
        "tools[0].function.parameters",
        "invalid_function_parameters",
        "Invalid schema for function 'f'",
    ),
    "flat grammar": (
        {
            "tools": [
                {
                    "type": "custom",
                    "custom": {
                        "name": "g",
                        "format": {"type": "grammar", "syntax": "lark", "definition": "x"},
                    },
                }
            ]
        },
        "tools[0].custom.format.grammar",
        "missing_required_parameter",
        "grammar",
    ),
    "broken grammar": (
        {
            "tools": [
                {
                    "type": "custom",
                    "custom": {
                        "name": "g",
                        "format": {
                            "type": "grammar",
                            "grammar": {"syntax": "lark", "definition": "start: x"},
                        },
                    },
                }
            ]
        },
        "tools[0].custom.format.grammar.definition",
        "invalid_grammar",
        "Invalid grammar definition",
    ),
    "flat format": (
        {"response_format": {"type": "json_schema", "name": "p", "schema": schema()}},
        "response_format.json_schema",
        "missing_required_parameter",
        "json_schema",
    ),
    "format schema": (
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "p", "strict": True, "schema": {}},
            }
        },
        "response_format",
        "invalid_json_schema",
        "got 'type: \"None\"'",
    ),
    "empty tools": ({"tools": []}, "tools", "empty_array", "minimum length 1"),
    "choice without tools": (
        {"tool_choice": "auto"},
        "tool_choice",
        None,
        "'tool_choice' is only allowed when 'tools' are specified.",
    ),
    "parallel without tools": (
        {"parallel_tool_calls": True},
        "parallel_tool_calls",
        None,
        "only allowed when 'tools' are specified",
    ),
    "json mode": (
        {"response_format": {"type": "json_object"}},
        "messages",
        None,
        "must contain the word 'json' in some form",
    ),
    "stop count": ({"stop": ["a"] * 5}, "stop", "array_above_max_length", "maximum length 4"),
    "penalty": ({"presence_penalty": 3}, "presence_penalty", "decimal_above_max_value", "<= 2"),
    "logprobs": ({"top_logprobs": 2}, "top_logprobs", None, "'logprobs' must be set"),
    "role": ({"messages": [{"role": "bot", "content": "x"}]}, "messages[0].role", "invalid_value", "'bot'"),
    "null content": (
        {"messages": [{"role": "user", "content": None}]},
        "messages.[0].content",
        None,
        "Invalid value for 'content': expected a string, got null.",
    ),
    "responses part": (
        {"messages": [{"role": "user", "content": [{"type": "input_text", "text": "x"}]}]},
        "messages[0].content[0].type",
        "invalid_value",
        "'text', 'image_url'",
    ),
    "image in a tool message": (
        {
            "messages": [
                {"role": "assistant", "tool_calls": [{"id": "c1", **{k: NESTED[k] for k in ("type",)}}]},
            ]
        },
        "messages[0].tool_calls[0].function",
        "missing_required_parameter",
        "function",
    ),
}


def calls(*ids: str) -> Json:
    """An assistant message with calls."""
    made = [{"id": i, "type": "function", "function": {"name": "f", "arguments": "{}"}} for i in ids]
    return {"role": "assistant", "content": None, "tool_calls": made}


def answer(call_id: str) -> Json:
    """A tool message."""
    return {"role": "tool", "tool_call_id": call_id, "content": "ok"}


TURNS: dict[str, tuple[list[Json], str, str]] = {
    "unanswered": (
        [USER, calls("a", "b"), answer("a")],
        "messages.[3].role",
        "The following tool_call_ids did not have response messages: b",
    ),
    "answered late": (
        [calls("a"), USER, answer("a")],
        "messages.[1].role",
        "did not have response messages: a",
    ),
    "answer to nothing": (
        [USER, answer("a")],
        "messages.[1].role",
        "must be a response to a preceeding message with 'tool_calls'",
    ),
    "other id": (
        [calls("a"), answer("b")],
        "messages.[1].tool_call_id",
        "'tool_call_id' of 'b' not found in 'tool_calls' of previous message.",
    ),
    "answered twice": (
        [calls("a"), answer("a"), answer("a")],
        "messages.[2].tool_call_id",
        "Duplicate value",
    ),
    "same id twice": ([calls("a", "a"), answer("a")], "messages.[0].tool_calls", "Duplicate value"),
    "no text and no call": (
        [{"role": "assistant", "content": None}],
        "messages.[0].content",
        "expected a string, got null",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_refused(name: str, jigwork_server: ServerFactory, refused: Refused) -> None:
    """A bad request to /chat/completions gets the error of the real API."""
    body, param, code, piece = CASES[name]
    refused(jigwork_server([]), "/chat/completions", body, param=param, code=code, message=piece)


@pytest.mark.parametrize("name", TURNS)
def test_refused_turns(name: str, jigwork_server: ServerFactory, refused: Refused) -> None:
    """Tool messages must answer the calls of the message right before them, each once."""
    messages, param, piece = TURNS[name]
    body = {"messages": messages}
    refused(jigwork_server([]), "/chat/completions", body, param=param, code=None, message=piece)


def test_accepted_turn(jigwork_server: ServerFactory, post: Post) -> None:
    """Answers may come in another order than the calls."""
    messages = [USER, calls("a", "b"), answer("b"), answer("a"), USER]
    assert post(jigwork_server(["ok"]), "/chat/completions", messages=messages).status_code == 200
