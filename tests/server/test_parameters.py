"""Parameters of /responses that do not exist, are of another type or out of range, and bodies that are no JSON."""

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

CASES: dict[str, Case] = {
    "no model": ({"model": None}, "model", "missing_required_parameter", "'model'"),
    "null input": ({"input": None}, "input", "invalid_type", "got null"),
    "unknown parameter": ({"foo": 1}, "foo", "unknown_parameter", "Unknown parameter: 'foo'."),
    "chat parameter": ({"messages": []}, "messages", "unsupported_parameter", "has moved to 'input'"),
    "max_tokens": ({"max_tokens": 9}, "max_tokens", "unsupported_parameter", "Use 'max_output_tokens'"),
    "stop": ({"stop": "x"}, "stop", "unknown_parameter", "stop"),
    "type": (
        {"temperature": "hot"},
        "temperature",
        "invalid_type",
        "expected a decimal, but got a string instead.",
    ),
    "boolean is no number": ({"temperature": True}, "temperature", "invalid_type", "got a boolean"),
    "range": (
        {"top_p": 1.5},
        "top_p",
        "decimal_above_max_value",
        "Expected a value <= 1, but got 1.5 instead.",
    ),
    "integer range": (
        {"max_output_tokens": 1},
        "max_output_tokens",
        "integer_below_min_value",
        "Expected a value >= 16, but got 1 instead.",
    ),
    "enum": (
        {"truncation": "some"},
        "truncation",
        "invalid_value",
        "Supported values are: 'auto' and 'disabled'.",
    ),
    "nested unknown": ({"reasoning": {"x": 1}}, "reasoning.x", "unknown_parameter", "'reasoning.x'"),
    "nested enum": (
        {"reasoning": {"effort": "huge"}},
        "reasoning.effort",
        "invalid_value",
        "'none', 'minimal'",
    ),
    "include": ({"include": ["all"]}, "include[0]", "invalid_value", "'reasoning.encrypted_content'"),
    "metadata value": (
        {"metadata": {"k": "v" * 513}},
        "metadata.k",
        "string_above_max_length",
        "maximum length 512",
    ),
    "metadata size": (
        {"metadata": {str(n): "v" for n in range(17)}},
        "metadata",
        "object_above_max_properties",
        "at most 16",
    ),
    "identifier": (
        {"safety_identifier": "x" * 129},
        "safety_identifier",
        "string_above_max_length",
        "length 129",
    ),
    "stream options": (
        {"stream_options": {}},
        "stream_options",
        None,
        "only allowed when 'stream' is enabled",
    ),
    "chained twice": (
        {"previous_response_id": "resp_1", "conversation": "conv_1"},
        None,
        "mutually_exclusive_parameters",
        "Mutually exclusive",
    ),
    "json mode": (
        {"text": {"format": {"type": "json_object"}}},
        "input",
        None,
        "must contain the word 'json' in some form",
    ),
    "unknown previous": (
        {"previous_response_id": "resp_1"},
        "previous_response_id",
        "previous_response_not_found",
        "Previous response with id 'resp_1' not found.",
    ),
    "unknown conversation": ({"conversation": "conv_1"}, "conversation", "conversation_not_found", "conv_1"),
    "too many tools": (
        {"tools": [{"type": "function", "name": f"f{n}"} for n in range(129)]},
        "tools",
        "array_above_max_length",
        "129",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_refused(name: str, jigwork_server: ServerFactory, refused: Refused) -> None:
    """A bad parameter gets the error of the real API, and no reply is used up."""
    body, param, code, piece = CASES[name]
    refused(jigwork_server([]), "/responses", body, param=param, code=code, message=piece)


NULLABLE = (
    "temperature",
    "reasoning",
    "metadata",
    "store",
    "instructions",
    "include",
    "max_output_tokens",
    "truncation",
)


def test_nulls(jigwork_server: ServerFactory, post: Post) -> None:
    """Null stands for a parameter that is not given, where the real API says so."""
    assert post(jigwork_server(["ok"]), "/responses", **dict.fromkeys(NULLABLE)).status_code == 200


def test_json_mode(jigwork_server: ServerFactory, post: Post) -> None:
    """JSON mode is taken where a message or the instructions speak of JSON."""
    body = {"text": {"format": {"type": "json_object"}}}
    server = jigwork_server(["{}", "{}"])
    assert post(server, "/responses", **body, input="As JSON, please").status_code == 200
    assert post(server, "/responses", **body, instructions="Write json").status_code == 200


def test_no_input(jigwork_server: ServerFactory, http: httpx2.Client) -> None:
    """A request must have an input, or say what it continues."""
    got = http.post(jigwork_server([]).base_url + "/responses", json={"model": "any"})
    assert got.status_code == 400 and "must be provided" in got.json()["error"]["message"]


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'"x"', b'{"model": NaN}'])
def test_body_that_is_no_json_object(raw: bytes, jigwork_server: ServerFactory, http: httpx2.Client) -> None:
    """A body that is not a JSON object gets the error about the body."""
    got = http.post(jigwork_server([]).base_url + "/responses", content=raw)
    assert got.status_code == 400 and "could not parse the JSON body" in got.json()["error"]["message"]


def test_without_strictness(jigwork_server: ServerFactory, post: Post) -> None:
    """`strict=False` takes what a tolerant server takes."""
    server = jigwork_server(["ok", "ok"], strict=False)
    assert (
        post(
            server,
            "/responses",
            foo=1,
            input=[{"type": "function_call_output", "call_id": "x", "output": "y"}],
            temperature=9,
            text="x",
        ).status_code
        == 200
    )
    assert post(server, "/chat/completions", foo=1, messages=[{"role": "tool"}]).status_code == 200
