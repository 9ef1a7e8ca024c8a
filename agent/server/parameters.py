"""The parameters of both endpoints and what they may be, as data (openai 3.54.0, November 2026).

Items, messages, tools and formats have checks of their own; here they are only arrays and objects.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .api_errors import invalid
from .checks import (
    Check,
    anything,
    array,
    boolean,
    choice,
    either,
    integer,
    mapping,
    metadata,
    nullable,
    number,
    record,
    string,
)

__all__ = ["CHAT", "COUNT", "RESPONSES", "check_parameters"]

_EFFORTS = choice("none", "minimal", "low", "medium", "high", "xhigh", "max")
_VERBOSITY = choice("low", "medium", "high")
_CACHE_OPTIONS = record(
    {
        "mode": choice("implicit", "explicit"),
        "ttl": choice("30m", "12h"),
        "prewarm": boolean,
        "comparison_response_id": nullable(string()),
    }
)
_NAMED = either(string(), mapping, expected="an object or a string")

_SHARED: dict[str, Check] = {
    "model": string(),
    "metadata": nullable(metadata),
    "moderation": nullable(mapping),
    "parallel_tool_calls": nullable(boolean),
    "prompt_cache_key": nullable(string(64)),
    "prompt_cache_options": nullable(_CACHE_OPTIONS),
    "prompt_cache_retention": nullable(choice("in_memory", "24h")),
    "safety_identifier": nullable(string(128)),
    "store": nullable(boolean),
    "stream": nullable(boolean),
    "temperature": nullable(number(0, 2)),
    "tool_choice": _NAMED,
    "top_logprobs": nullable(integer(0, 20)),
    "top_p": nullable(number(0, 1)),
    "user": nullable(string()),
}
_ONLY_WITH_TOOLS = ("parallel_tool_calls", "tool_choice")

RESPONSES: dict[str, Check] = {
    **_SHARED,
    "access_programs": nullable(mapping),
    "background": nullable(boolean),
    "background_options": nullable(mapping),
    "context_management": nullable(array(mapping)),
    "conversation": nullable(_NAMED),
    "image": nullable(mapping),
    "include": nullable(
        array(
            choice(
                "file_search_call.results",
                "web_search_call.results",
                "web_search_call.action.sources",
                "message.input_image.image_url",
                "computer_call_output.output.image_url",
                "code_interpreter_call.outputs",
                "reasoning.encrypted_content",
                "message.output_text.logprobs",
            ),
            of="strings",
        )
    ),
    "input": either(string(), array(mapping), expected="an array of items or a string"),
    "instructions": nullable(string()),
    "max_output_tokens": nullable(integer(16)),
    "max_tool_calls": nullable(integer(1)),
    "previous_response_id": nullable(string()),
    "prompt": nullable(mapping),
    "reasoning": nullable(
        record(
            {
                "effort": nullable(_EFFORTS),
                "summary": nullable(choice("auto", "concise", "detailed")),
                "generate_summary": nullable(choice("auto", "concise", "detailed")),
                "context": nullable(choice("auto", "current_turn", "all_turns")),
                "mode": nullable(choice("standard", "pro")),
            }
        )
    ),
    "service_tier": nullable(choice("auto", "default", "flex", "scale", "priority", "fast", "ultrafast")),
    "stream_options": nullable(record({"include_obfuscation": boolean})),
    "tools": array(mapping, high=128),
    "text": record({"format": mapping, "verbosity": nullable(_VERBOSITY)}),
    "truncation": nullable(choice("auto", "disabled")),
}

COUNT: dict[str, Check] = {
    key: RESPONSES[key]
    for key in (
        "conversation",
        "input",
        "instructions",
        "model",
        "parallel_tool_calls",
        "previous_response_id",
        "reasoning",
        "text",
        "tool_choice",
        "tools",
        "truncation",
    )
} | {"personality": nullable(string())}
"""Parameters of `POST /v1/responses/input_tokens`."""

CHAT: dict[str, Check] = {
    **_SHARED,
    "audio": nullable(mapping),
    "frequency_penalty": nullable(number(-2, 2)),
    "function_call": anything,
    "functions": array(mapping, low=1, high=128),
    "logit_bias": nullable(mapping),
    "logprobs": nullable(boolean),
    "max_completion_tokens": nullable(integer(1)),
    "max_tokens": nullable(integer(1)),
    "messages": array(mapping, low=1),
    "modalities": nullable(array(choice("text", "audio"), of="strings")),
    "n": nullable(integer(1, 128)),
    "prediction": nullable(mapping),
    "presence_penalty": nullable(number(-2, 2)),
    "reasoning_effort": nullable(_EFFORTS),
    "response_format": mapping,
    "seed": nullable(integer(-(2**63), 2**63 - 1)),
    "service_tier": nullable(choice("auto", "default", "flex", "scale", "priority", "fast")),
    "stop": nullable(
        either(string(), array(string(), high=4, of="strings"), expected="an array of strings or a string")
    ),
    "stream_options": nullable(record({"include_usage": boolean, "include_obfuscation": boolean})),
    "tools": array(mapping, low=1, high=128),
    "verbosity": nullable(_VERBOSITY),
    "web_search_options": mapping,
}

_MOVED = {
    "messages": "input",
    "response_format": "text.format",
    "reasoning_effort": "reasoning.effort",
    "verbosity": "text.verbosity",
}
"""Chat parameters that the Responses API has elsewhere."""

_RENAMED = {"max_tokens": "max_output_tokens", "max_completion_tokens": "max_output_tokens"}


def check_parameters(body: Mapping[str, Any], table: Mapping[str, Check]) -> None:
    """Refuse parameters that do not exist, are of another type, or out of range."""
    for key, value in body.items():
        check = table.get(key)
        if check is None:
            _unknown(key, chat=table is CHAT)
        else:
            check(key, value)
    if body.get("stream_options") is not None and body.get("stream") is not True:
        raise invalid(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options"
        )
    for key in _ONLY_WITH_TOOLS:
        if table is CHAT and body.get(key) is not None and "tools" not in body:
            raise invalid(
                f"Invalid value for '{key}': '{key}' is only allowed when 'tools' are specified.", key
            )
    if body.get("conversation") is not None and body.get("previous_response_id") is not None:
        raise invalid(
            "Mutually exclusive parameters: 'previous_response_id' and 'conversation'. Ensure you are only "
            "providing one of them.",
            None,
            "mutually_exclusive_parameters",
        )


def _unknown(key: str, *, chat: bool) -> None:
    if chat:
        raise invalid(f"Unrecognized request argument supplied: {key}")
    if key in _MOVED:
        raise invalid(
            f"Unsupported parameter: '{key}'. In the Responses API, this parameter has moved to '{_MOVED[key]}'. "
            "Try again with the new parameter.",
            key,
            "unsupported_parameter",
        )
    if key in _RENAMED:
        raise invalid(
            f"Unsupported parameter: '{key}' is not supported with this model. Use '{_RENAMED[key]}' instead.",
            key,
            "unsupported_parameter",
        )
    raise invalid(f"Unknown parameter: '{key}'.", key, "unknown_parameter")
