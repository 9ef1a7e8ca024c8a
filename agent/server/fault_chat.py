"""Faults in what Chat Completions writes, as gateways make them: in the message, and in the chunks of a stream."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .answers import Answer
from .chat_wire import usage_object
from .fault_edits import Edit, Json, unknown_event
from .faults import UNSET, Faults
from .json_data import array_of, object_of

__all__ = ["CHUNK_EDITS", "edit_choices"]


def edit_choices(body: Json, faults: Faults, answer: Answer) -> Json:
    """Return a whole completion with its choices changed."""
    reason = faults.get("finish_reason")
    for choice in body["choices"]:
        if reason is not UNSET:
            choice["finish_reason"] = reason
        _edit_message(choice["message"], faults, answer)
    if "null_choices" in faults:
        body["choices"] = None
    return body


def _edit_message(message: Json, faults: Faults, answer: Answer) -> None:
    for call in array_of(message.get("tool_calls")):
        _set_type(call, faults.get("call_type"))
    field = faults.get("thinking")
    if field == "think":
        message["content"] = f"<think>{_thought(answer)}</think>{message['content'] or ''}"
    elif field is not UNSET:
        message[field] = _thought(answer)


def _set_type(call: Json, value: Any) -> None:
    if value == "missing":
        call.pop("type", None)
    elif value is not UNSET and "type" in call:
        call["type"] = value


def _thought(answer: Answer) -> str:
    """Return all reasoning of an answer as one text."""
    return "".join(
        part["text"]
        for item in answer.items
        if item.get("type") == "reasoning"
        for part in array_of(item.get("summary"))
    )


# --- chunks -------------------------------------------------------------------------------------------------


def _choices(events: list[Any]) -> Iterator[Json]:
    for event in events:
        yield from array_of(event.get("choices"))


def _calls(events: list[Any]) -> Iterator[Json]:
    for choice in _choices(events):
        yield from array_of(object_of(choice.get("delta")).get("tool_calls"))


def _chunk(like: Json, delta: Json | None) -> Json:
    """Return a chunk like another one, with this delta."""
    return {**like, "choices": [{**like["choices"][0], "delta": delta}]}


def _finishes(event: Json) -> bool:
    return any(choice["finish_reason"] for choice in array_of(event.get("choices")))


def _index(events: list[Any], how: Any, _: Answer) -> list[Any]:
    for call in _calls(events):
        if how == "missing":
            del call["index"]
        else:
            call["index"] = 0 if how == "zero" else call["index"] + 1
    return events


def _call_type(events: list[Any], value: Any, _: Answer) -> list[Any]:
    for call in _calls(events):
        _set_type(call, value)
    return events


def _repeat_names(events: list[Any], _: Any, answer: Answer) -> list[Any]:
    for call in _calls(events):
        kind = "custom" if "custom" in call else "function"
        call[kind]["name"] = answer.calls[call["index"]]["name"]
    return events


def _whole_calls(events: list[Any], _: Any, answer: Answer) -> list[Any]:
    kept: list[Any] = []
    for event in events:
        calls = list(_calls([event]))
        if calls and "type" not in calls[0]:
            continue
        for call in calls:
            kind, key = ("custom", "input") if "custom" in call else ("function", "arguments")
            call[kind][key] = answer.calls[call["index"]][key]
        kept.append(event)
    return kept


def _finish_reason(events: list[Any], reason: Any, _: Answer) -> list[Any]:
    for choice in _choices(events):
        if choice["finish_reason"] is not None:
            choice["finish_reason"] = reason
    return events


def _thinking(events: list[Any], field: Any, answer: Answer) -> list[Any]:
    thought, size = _thought(answer), max(1, answer.reply.chunk)
    if field == "think":
        thought, field = f"<think>{thought}</think>", "content"
    pieces = [thought[at : at + size] for at in range(0, len(thought), size)]
    return [events[0], *(_chunk(events[0], {field: piece}) for piece in pieces), *events[1:]]


def _null_choices(events: list[Any], _: Any, __: Answer) -> list[Any]:
    return [events[0], {**events[0], "choices": None}, *events[1:]]


def _null_delta(events: list[Any], _: Any, __: Answer) -> list[Any]:
    return [events[0], _chunk(events[0], None), *events[1:]]


def _prompt_filter(events: list[Any], _: Any, __: Answer) -> list[Any]:
    passed = {"hate": {"filtered": False, "severity": "safe"}}
    results = [{"prompt_index": 0, "content_filter_results": passed}]
    return [{**events[0], "model": "", "choices": [], "prompt_filter_results": results}, *events]


def _no_role(events: list[Any], _: Any, __: Answer) -> list[Any]:
    for choice in _choices(events):
        object_of(choice.get("delta")).pop("role", None)
    return events


def _duplicate_finish(events: list[Any], _: Any, __: Answer) -> list[Any]:
    return [copy for event in events for copy in ([event, event] if _finishes(event) else [event])]


def _duplicate_usage(events: list[Any], _: Any, answer: Answer) -> list[Any]:
    last: Json = {**events[0], "choices": [], "usage": usage_object(answer)}
    return [*(event for event in events if event.get("choices") != []), last, last]


def _cumulative_usage(events: list[Any], _: Any, answer: Answer) -> list[Any]:
    whole = usage_object(answer)
    for number, event in enumerate(events, start=1):
        written = whole["completion_tokens"] * number // len(events)
        total = whole["prompt_tokens"] + written
        event["usage"] = {**whole, "completion_tokens": written, "total_tokens": total}
    return events


CHUNK_EDITS: dict[str, Edit] = {
    "repeat_names": _repeat_names,
    "whole_calls": _whole_calls,
    "call_type": _call_type,
    "index": _index,
    "finish_reason": _finish_reason,
    "no_role": _no_role,
    "thinking": _thinking,
    "duplicate_finish": _duplicate_finish,
    "duplicate_usage": _duplicate_usage,
    "cumulative_usage": _cumulative_usage,
    "null_delta": _null_delta,
    "null_choices": _null_choices,
    "prompt_filter": _prompt_filter,
    "unknown_event": unknown_event,
}
"""In the order in which they are applied: those that look at the calls come before those that add chunks."""
