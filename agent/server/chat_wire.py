"""Write an `Answer` as Chat Completions does: one completion object, or the chunks of a stream."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..items import Item, is_message
from .answers import Answer, pieces
from .json_data import object_of

__all__ = ["completion_chunks", "completion_object", "tool_call", "usage_object"]

_FINISH = {"max_output_tokens": "length", "content_filter": "content_filter"}


def completion_object(answer: Answer) -> dict[str, Any]:
    """Return the whole completion."""
    return {
        "id": answer.id,
        "object": "chat.completion",
        "created": answer.created,
        "model": answer.request.model,
        "choices": [
            {
                "index": index,
                "message": _message(answer),
                "logprobs": None,
                "finish_reason": _finish_reason(answer),
            }
            for index in range(_choices(answer))
        ],
        "usage": usage_object(answer),
        **_echo(answer),
    }


def _choices(answer: Answer) -> int:
    asked = answer.request.body.get("n")
    return max(1, asked) if isinstance(asked, int) else 1


def _echo(answer: Answer) -> dict[str, Any]:
    tier = answer.request.body.get("service_tier")
    return {
        "service_tier": {None: "default", "auto": "default", "fast": "priority"}.get(tier, tier),
        "system_fingerprint": None,
    }


def _finish_reason(answer: Answer) -> str:
    if answer.reply.incomplete is not None:
        return _FINISH.get(answer.reply.incomplete, "length")
    return "tool_calls" if answer.calls else "stop"


def _parts(answer: Answer, kind: str, key: str) -> str | None:
    """Join all parts of one kind over all messages; None where there are none."""
    found = [
        str(part[key])
        for item in answer.items
        if is_message(item, "assistant")
        for part in item["content"]
        if part.get("type") == kind
    ]
    return "".join(found) if found else None


def tool_call(item: Item) -> dict[str, Any]:
    """Return a call item in the nested shape of this endpoint."""
    made = {"id": item["call_id"]} if "call_id" in item else {}
    if item["type"] == "custom_tool_call":
        return {**made, "type": "custom", "custom": {"name": item["name"], "input": item["input"]}}
    return {**made, "type": "function", "function": {"name": item["name"], "arguments": item["arguments"]}}


def _message(answer: Answer) -> dict[str, Any]:
    message: dict[str, Any] = {
        "role": "assistant",
        "content": _parts(answer, "output_text", "text"),
        "refusal": _parts(answer, "refusal", "refusal"),
        "annotations": [],
    }
    if answer.calls:
        message["tool_calls"] = [tool_call(item) for item in answer.calls]
    return message


def usage_object(answer: Answer) -> dict[str, Any]:
    """Return the usage in the words of this endpoint."""
    usage = answer.usage
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens or usage.input_tokens + usage.output_tokens,
        "prompt_tokens_details": {
            "cached_tokens": usage.cached_tokens,
            "audio_tokens": 0,
            "cache_write_tokens": usage.cache_write_tokens,
        },
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning_tokens,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


# --- a stream -----------------------------------------------------------------------------------------------


def completion_chunks(answer: Answer) -> Iterator[dict[str, Any]]:
    """Yield the chunks in the real order; the usage chunk only where the request asked for it."""
    include_usage = object_of(answer.request.body.get("stream_options")).get("include_usage") is True
    head: dict[str, Any] = {
        "id": answer.id,
        "object": "chat.completion.chunk",
        "created": answer.created,
        "model": answer.request.model,
        **_echo(answer),
    }
    usage: dict[str, Any] = {"usage": None} if include_usage else {}
    for index in range(_choices(answer)):
        for delta in _deltas(answer):
            yield {**head, "choices": [_choice(index, delta, None)], **usage}
        yield {**head, "choices": [_choice(index, {}, _finish_reason(answer))], **usage}
    if include_usage:
        yield {**head, "choices": [], "usage": usage_object(answer)}


def _choice(index: int, delta: dict[str, Any], finish_reason: str | None) -> dict[str, Any]:
    return {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish_reason}


def _deltas(answer: Answer) -> Iterator[dict[str, Any]]:
    size = answer.reply.chunk
    text, refusal = _parts(answer, "output_text", "text"), _parts(answer, "refusal", "refusal")
    first: Any = None if text is None and (answer.calls or refusal) else ""
    yield {"role": "assistant", "content": first, "refusal": None}
    for piece in pieces(text or "", size):
        yield {"content": piece}
    for piece in pieces(refusal or "", size):
        yield {"refusal": piece}
    for number, item in enumerate(answer.calls):
        call = tool_call(item)
        kind = call["type"]
        key = "input" if kind == "custom" else "arguments"
        written = call[kind][key]
        whole = not isinstance(written, str)
        yield {"tool_calls": [{"index": number, **call, kind: {**call[kind], key: written if whole else ""}}]}
        for piece in pieces("" if whole else written, size):
            yield {"tool_calls": [{"index": number, kind: {key: piece}}]}
