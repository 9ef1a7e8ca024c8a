"""What a request may not ask of its model, on both endpoints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from jigwork.agent.pytest_plugin import ServerFactory

Post = Callable[..., httpx2.Response]
Json = dict[str, Any]
Refused = Callable[..., None]
NESTED: Json = {
    "type": "function",
    "function": {"name": "f", "parameters": {"type": "object", "properties": {}}},
}

CASES: dict[str, tuple[str, Json, str, str | None, str]] = {
    "minimal on 5.2": (
        "/responses",
        {"model": "gpt-5.2", "reasoning": {"effort": "minimal"}},
        "reasoning.effort",
        "unsupported_value",
        "Supported values are: 'none', 'low', 'medium', 'high', and 'xhigh'.",
    ),
    "minimal on 5.2 chat": (
        "/chat/completions",
        {"model": "gpt-5.2", "reasoning_effort": "minimal"},
        "reasoning_effort",
        "unsupported_value",
        "'gpt-5.2' model",
    ),
    "temperature with effort": (
        "/responses",
        {"model": "gpt-5.2", "reasoning": {"effort": "high"}, "temperature": 0},
        "temperature",
        "unsupported_parameter",
        "'temperature' is not supported with this model.",
    ),
    "temperature with effort on chat": (
        "/chat/completions",
        {"model": "gpt-5.2", "reasoning_effort": "low", "temperature": 0.2},
        "temperature",
        "unsupported_value",
        "'temperature' does not support 0.2 with this model. Only the default (1) value is supported.",
    ),
    "stop on 5.2": (
        "/chat/completions",
        {"model": "gpt-5.2", "stop": "x"},
        "stop",
        "unsupported_parameter",
        "'stop' is not supported with this model.",
    ),
    "max_tokens on 5.2": (
        "/chat/completions",
        {"model": "gpt-5.2", "max_tokens": 300},
        "max_tokens",
        "unsupported_parameter",
        "Use 'max_completion_tokens' instead.",
    ),
    "tools with effort on 5.6": (
        "/chat/completions",
        {"model": "gpt-5.6-sol", "tools": [NESTED]},
        "reasoning_effort",
        None,
        "Function tools with reasoning_effort are not supported for gpt-5.6-sol in /v1/chat/completions.",
    ),
    "effort on 4.1": (
        "/responses",
        {"model": "gpt-4.1", "reasoning": {"effort": "low"}},
        "reasoning.effort",
        "unsupported_parameter",
        "reasoning.effort",
    ),
    "verbosity on 4.1": (
        "/responses",
        {"model": "gpt-4.1", "text": {"verbosity": "low"}},
        "text.verbosity",
        "unsupported_value",
        "'low' is not supported with the 'gpt-4.1' model. Supported values are: 'medium'.",
    ),
    "dated snapshot": (
        "/responses",
        {"model": "gpt-5.2-2025-12-11", "reasoning": {"effort": "minimal"}},
        "reasoning.effort",
        "unsupported_value",
        "'gpt-5.2-2025-12-11' model",
    ),
    "too long": (
        "/responses",
        {"model": "gpt-4.1", "input": "word " * 900_000},
        "input",
        "context_length_exceeded",
        "exceeds the context window",
    ),
    "too long on chat": (
        "/chat/completions",
        {"model": "gpt-4.1", "messages": [{"role": "user", "content": "word " * 900_000}]},
        "messages",
        "context_length_exceeded",
        "maximum context length is 1047576 tokens",
    ),
}

ACCEPTED: dict[str, tuple[str, Json]] = {
    "sampling without effort": ("/responses", {"model": "gpt-5.2", "temperature": 0, "top_p": 0.5}),
    "sampling on chat": (
        "/chat/completions",
        {"model": "gpt-5.2", "temperature": 0, "max_completion_tokens": 9},
    ),
    "tools and effort none": (
        "/chat/completions",
        {"model": "gpt-5.6-sol", "tools": [NESTED], "reasoning_effort": "none"},
    ),
    "unknown model": (
        "/chat/completions",
        {"model": "qwen", "stop": ["x"], "max_tokens": 5, "temperature": 1.2},
    ),
    "truncated": ("/responses", {"model": "gpt-4.1", "input": "word " * 900_000, "truncation": "auto"}),
}


@pytest.mark.parametrize("name", CASES)
def test_refused(name: str, jigwork_server: ServerFactory, refused: Refused) -> None:
    """What a model does not take is refused with the error that names it."""
    path, body, param, code, piece = CASES[name]
    refused(jigwork_server([]), path, body, param=param, code=code, message=piece)


@pytest.mark.parametrize("name", ACCEPTED)
def test_accepted(name: str, jigwork_server: ServerFactory, post: Post) -> None:
    """What the model takes is taken."""
    path, body = ACCEPTED[name]
    got = post(jigwork_server(["ok"]), path, **body)
    assert got.status_code == 200, got.text


def test_model_of_the_other_endpoint(jigwork_server: ServerFactory, post: Post) -> None:
    """A model that exists only on Responses is a 404 on chat."""
    got = post(jigwork_server([]), "/chat/completions", model="gpt-5.2-pro")
    assert got.status_code == 404 and "only supported in v1/responses" in got.json()["error"]["message"]
