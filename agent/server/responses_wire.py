"""Write an `Answer` as the Responses API does: one response object, or the events of a stream."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..items import Item
from .answers import Answer, pieces
from .json_data import object_of
from .model_limits import default_effort
from .requests import ServedRequest
from .schema_rules import fits_strict

__all__ = ["NOT_FINAL", "response_events", "response_object"]

NOT_FINAL = "gAAAAAB-not-final-"
"""`encrypted_content` of a reasoning item before it is done: it differs from the final one and is of no use."""

Event = dict[str, Any]


def response_object(
    answer: Answer, *, status: str | None = None, output: Sequence[Item] | None = None
) -> dict[str, Any]:
    """Return the whole response object; `status` and `output` for one that is still under way."""
    now = status or answer.status
    ended = now in ("completed", "incomplete", "failed")
    reason = answer.reply.incomplete if now == "incomplete" else None
    return {
        "id": answer.id,
        "object": "response",
        "created_at": answer.created,
        "status": now,
        "completed_at": answer.created if now == "completed" else None,
        "error": dict(answer.failed) if answer.failed is not None and now == "failed" else None,
        "incomplete_details": {"reason": reason} if reason else None,
        "model": answer.request.model,
        "output": list(answer.items if output is None else output),
        "usage": _usage(answer) if ended else None,
        **_echo(answer.request),
    }


def _usage(answer: Answer) -> dict[str, Any]:
    usage = answer.usage
    return {
        "input_tokens": usage.input_tokens,
        "input_tokens_details": {
            "cached_tokens": usage.cached_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
        },
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.total_tokens or usage.input_tokens + usage.output_tokens,
    }


def _echo(request: ServedRequest) -> dict[str, Any]:
    body = request.body
    text = object_of(body.get("text"))
    reasoning = object_of(body.get("reasoning"))
    tier = body.get("service_tier")
    return {
        "background": bool(body.get("background")),
        "frequency_penalty": 0.0,
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "max_tool_calls": body.get("max_tool_calls"),
        "metadata": body.get("metadata") or {},
        "parallel_tool_calls": body.get("parallel_tool_calls") is not False,
        "presence_penalty": 0.0,
        "previous_response_id": body.get("previous_response_id"),
        "prompt_cache_key": body.get("prompt_cache_key"),
        "prompt_cache_retention": body.get("prompt_cache_retention"),
        "reasoning": {
            "effort": reasoning.get("effort") or default_effort(request.model),
            "summary": reasoning.get("summary"),
        },
        "safety_identifier": body.get("safety_identifier"),
        "service_tier": {None: "default", "auto": "default", "fast": "priority"}.get(tier, tier),
        "store": body.get("store") is not False,
        "temperature": _or(body.get("temperature"), 1.0),
        "text": {
            "format": text.get("format") or {"type": "text"},
            "verbosity": text.get("verbosity") or "medium",
        },
        "tool_choice": body.get("tool_choice") or "auto",
        "tools": [_echo_tool(tool) for tool in request.tools],
        "top_logprobs": body.get("top_logprobs") or 0,
        "top_p": _or(body.get("top_p"), 1.0),
        "truncation": body.get("truncation") or "disabled",
        "user": body.get("user"),
    }


def _or(value: Any, default: float) -> Any:
    return default if value is None else value


def _echo_tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    if tool.get("type") == "function":
        strict = tool.get("strict")
        if strict is None:
            strict = fits_strict(object_of(tool.get("parameters")))
        return {"description": None, "parameters": None, **tool, "strict": strict}
    if tool.get("type") == "custom":
        return {"description": None, "format": {"type": "text"}, **tool}
    return dict(tool)


# --- a stream -----------------------------------------------------------------------------------------------


def response_events(answer: Answer) -> Iterator[Event]:
    """Yield the events of a stream in the real order, without `sequence_number`."""
    started = response_object(answer, status="in_progress", output=())
    yield {"type": "response.created", "response": started}
    yield {"type": "response.in_progress", "response": started}
    for index, item in enumerate(answer.items):
        yield {"type": "response.output_item.added", "output_index": index, "item": _begun(item)}
        yield from _item_events(
            item, {"item_id": item.get("id", ""), "output_index": index}, answer.reply.chunk
        )
        yield {"type": "response.output_item.done", "output_index": index, "item": item}
    yield {"type": f"response.{answer.status}", "response": response_object(answer)}


def _begun(item: Item) -> Item:
    """Return the item as it is announced: nothing written yet."""
    kind = item.get("type")
    if kind == "message":
        return {**item, "status": "in_progress", "content": []}
    if kind == "function_call":
        return {**item, "status": "in_progress", "arguments": ""}
    if kind == "custom_tool_call":
        return {**item, "input": ""}
    if kind == "reasoning":
        begun: Item = {**item, "summary": []}
        if "content" in item:
            begun["content"] = []
        if "encrypted_content" in item:
            begun["encrypted_content"] = NOT_FINAL + secrets.token_urlsafe(24)
        return begun
    return item


def _item_events(item: Item, at: dict[str, Any], size: int) -> Iterator[Event]:
    kind = item.get("type")
    if kind == "message":
        for number, part in enumerate(item["content"]):
            yield from _part_events(part, {**at, "content_index": number}, size)
    elif kind == "reasoning":
        yield from _reasoning_events(item, at, size)
    elif kind == "function_call":
        yield from _written("response.function_call_arguments", ("arguments", item["arguments"]), at, size)
    elif kind == "custom_tool_call":
        yield from _written("response.custom_tool_call_input", ("input", item["input"]), at, size)


def _part_events(part: Mapping[str, Any], at: dict[str, Any], size: int) -> Iterator[Event]:
    refused = part.get("type") == "refusal"
    key = "refusal" if refused else "text"
    empty: Event = (
        {"type": "refusal", "refusal": ""}
        if refused
        else {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
    )
    yield {"type": "response.content_part.added", **at, "part": empty}
    name = "response.refusal" if refused else "response.output_text"
    more: Event = {} if refused else {"logprobs": []}
    for piece in pieces(part[key], size):
        yield {"type": f"{name}.delta", **at, "delta": piece, **more}
    for number, annotation in enumerate(part.get("annotations") or ()):
        yield {
            "type": "response.output_text.annotation.added",
            **at,
            "annotation_index": number,
            "annotation": annotation,
        }
    yield {"type": f"{name}.done", **at, key: part[key], **more}
    yield {"type": "response.content_part.done", **at, "part": part}


def _reasoning_events(item: Item, at: dict[str, Any], size: int) -> Iterator[Event]:
    for number, part in enumerate(item.get("summary") or ()):
        here = {**at, "summary_index": number}
        yield {
            "type": "response.reasoning_summary_part.added",
            **here,
            "part": {"type": "summary_text", "text": ""},
        }
        yield from _written("response.reasoning_summary_text", ("text", part["text"]), here, size)
        yield {"type": "response.reasoning_summary_part.done", **here, "part": part}
    for number, part in enumerate(item.get("content") or ()):
        here = {**at, "content_index": number}
        yield from _written("response.reasoning_text", ("text", part["text"]), here, size)


def _written(name: str, whole: tuple[str, Any], at: dict[str, Any], size: int) -> Iterator[Event]:
    """Yield the deltas of one text and the event that closes it."""
    key, text = whole
    for piece in pieces(text if isinstance(text, str) else "", size):
        yield {"type": f"{name}.delta", **at, "delta": piece}
    yield {"type": f"{name}.done", **at, key: text}
