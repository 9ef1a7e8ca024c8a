"""Histories that /responses refuses: shapes of items, their ids, and what must stand beside what."""

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

USER = {"role": "user", "content": "Hi"}
CALL = {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "call_1", "output": "ok"}
CUSTOM = {"type": "custom_tool_call", "call_id": "call_2", "name": "g", "input": "x"}
REASONING: Json = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAAAB"}

CASES: dict[str, Case] = {
    # shapes
    "item type": ({"input": [{"type": "weird"}]}, "input[0]", "invalid_value", "'weird'"),
    "no item type": (
        {"input": [{"text": "x"}]},
        "input[0].type",
        "missing_required_parameter",
        "input[0].type",
    ),
    "role": ({"input": [{"role": "tool", "content": ""}]}, "input[0].role", "invalid_value", "'developer'"),
    "content": (
        {"input": [{"role": "user", "content": None}]},
        "input[0].content",
        "invalid_type",
        "got null",
    ),
    "chat part": (
        {"input": [{"role": "user", "content": [{"type": "text", "text": "x"}]}]},
        "input[0].content[0].type",
        "invalid_value",
        "'input_text', 'input_image', and 'input_file'",
    ),
    "input part of the assistant": (
        {"input": [{"role": "assistant", "content": [{"type": "input_text", "text": "x"}]}]},
        "input[0].content[0].type",
        "invalid_value",
        "'output_text' and 'refusal'",
    ),
    "unknown item key": (
        {"input": [{**CALL, "parsed_arguments": {}}, OUTPUT]},
        "input[0].parsed_arguments",
        "unknown_parameter",
        "parsed_arguments",
    ),
    "null id": ({"input": [{**CALL, "id": None}, OUTPUT]}, "input[0].id", "invalid_type", "got null"),
    "foreign id": (
        {"input": [{**CALL, "id": "call_1"}, OUTPUT]},
        "input[0].id",
        "invalid_value",
        "Expected an ID that begins with 'fc'.",
    ),
    "arguments object": (
        {"input": [{**CALL, "arguments": {}}, OUTPUT]},
        "input[0].arguments",
        "invalid_type",
        "got an object",
    ),
    "empty call id": (
        {"input": [{**CALL, "call_id": ""}]},
        "input[0].call_id",
        "empty_string",
        "empty string",
    ),
    "same item twice": (
        {"input": [REASONING, {"role": "assistant", "content": "x"}, REASONING]},
        "input",
        None,
        "Duplicate item found with id rs_1",
    ),
    # what stands beside what
    "unanswered": ({"input": [CALL]}, "input", None, "No tool output found for function call call_1."),
    "unanswered custom": ({"input": [CUSTOM]}, "input", None, "found for custom tool call call_2."),
    "answer to nothing": (
        {"input": [OUTPUT]},
        "input",
        None,
        "No tool call found for function call output with call_id call_1.",
    ),
    "answer before": ({"input": [OUTPUT, CALL]}, "input", None, "No tool call found"),
    "answered twice": ({"input": [CALL, OUTPUT, OUTPUT]}, "input", None, "Duplicate tool output"),
    "called twice": ({"input": [CALL, OUTPUT, CALL]}, "input", None, "Duplicate tool call"),
    "other kind of answer": (
        {"input": [CUSTOM, {**OUTPUT, "call_id": "call_2"}]},
        "input",
        None,
        "No tool call found",
    ),
    "reasoning alone": (
        {"input": [REASONING]},
        "input",
        None,
        "'rs_1' of type 'reasoning' was provided without its required following item.",
    ),
    "reasoning before a user": ({"input": [REASONING, USER]}, "input", None, "required following item"),
}


@pytest.mark.parametrize("name", CASES)
def test_refused(name: str, jigwork_server: ServerFactory, refused: Refused) -> None:
    """A history that the real API cannot continue gets its error."""
    body, param, code, piece = CASES[name]
    refused(jigwork_server([]), "/responses", body, param=param, code=code, message=piece)


ACCEPTED: dict[str, list[Json]] = {
    "a turn": [
        USER,
        REASONING,
        CALL,
        CUSTOM,
        OUTPUT,
        {
            "type": "custom_tool_call_output",
            "call_id": "call_2",
            "output": [{"type": "input_text", "text": "y"}],
        },
    ],
    "an item that only the server runs": [USER, {"type": "web_search_call", "id": "ws_1"}],
    "texts by hand": [{"role": "developer", "content": "x"}, {"role": "assistant", "content": "y"}, USER],
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_accepted(name: str, jigwork_server: ServerFactory, post: Post) -> None:
    """What the real API takes is taken."""
    got = post(jigwork_server(["ok"]), "/responses", input=ACCEPTED[name])
    assert got.status_code == 200, got.text
