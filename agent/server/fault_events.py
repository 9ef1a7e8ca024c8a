"""Faults in what was written: JSON bodies and the events of a stream. Each is a small function named by its fault."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from .answers import Answer
from .fault_chat import CHUNK_EDITS, edit_choices
from .fault_edits import Edit, Json, unknown_event
from .faults import UNSET, Faults
from .json_data import array_of, object_of
from .requests import Endpoint

__all__ = ["edit_body", "edit_events"]

DEFAULT_AFTER = 3


def edit_body(body: Json, faults: Faults, answer: Answer) -> Json:
    """Return a whole answer with what the script wants wrong in it."""
    _edit_target(body, faults)
    if answer.request.endpoint == "responses":
        return body
    return edit_choices(body, faults, answer)


def edit_events(events: list[Any], faults: Faults, answer: Answer) -> list[Any]:
    """Return the events of a stream with what the script wants wrong in them."""
    raw = faults.get("events")
    if raw is not UNSET:
        return list(raw)
    for event in events:
        _edit_target(object_of(event["response"]) if "response" in event else event, faults)
    endpoint = answer.request.endpoint
    edits = CHUNK_EDITS if endpoint == "chat" else _EDITS
    for name, edit in edits.items():
        value = faults.get(name)
        if value is not UNSET and (value is not False):
            events = edit(events, value, answer)
    if "no_terminal" in faults:
        events = events[: _terminal(events, endpoint)]
    if (kind := faults.get("error_event")) is not UNSET:
        events = [*events[: int(faults.get("after", DEFAULT_AFTER))], _error_event(kind, faults, endpoint)]
    return events


# --- in every object ----------------------------------------------------------------------------------------


def _edit_target(target: Json, faults: Faults) -> None:
    usage = faults.get("usage")
    if usage is not UNSET and "usage" in target:
        if usage == "missing":
            del target["usage"]
        else:
            target["usage"] = usage
    if "model" in target and (model := faults.get("model")) is not UNSET:
        target["model"] = model
    final = faults.get("final_output")
    if (
        final is not UNSET
        and target.get("status") in ("completed", "incomplete", "failed")
        and "output" in target
    ):
        target["output"] = final
    if extra := faults.get("extra_fields", None):
        _extend(target, extra)


def _extend(target: Any, extra: Mapping[str, Any]) -> None:
    """Add fields to an object and to what it consists of, but not within tools or metadata."""
    if isinstance(target, list):
        for member in array_of(target):
            _extend(member, extra)
    elif isinstance(target, dict):
        data = cast("Json", target)
        for key in (
            "choices",
            "message",
            "delta",
            "tool_calls",
            "function",
            "output",
            "item",
            "content",
            "usage",
        ):
            _extend(data.get(key), extra)
        data.update(extra)


def _null_texts(events: list[Any], _: Any, __: Answer) -> list[Any]:
    edited: list[Any] = []
    for event in events:
        if event["type"] == "response.content_part.done":
            event = {**event, "part": {**event["part"], "text": None}}
        edited.append(event)
        if event["type"] == "response.content_part.added" and event["part"]["type"] == "output_text":
            at = {key: event[key] for key in ("item_id", "output_index", "content_index")}
            edited.append({"type": "response.output_text.delta", **at, "delta": None, "logprobs": []})
    return edited


def _terminal(events: list[Any], endpoint: Endpoint) -> int:
    """Return where the end of a stream begins: the last event, or the first finish chunk."""
    if endpoint == "responses":
        return len(events) - 1
    for index, event in enumerate(events):
        if any(choice["finish_reason"] for choice in array_of(object_of(event).get("choices"))):
            return index
    return len(events)


def _error_event(kind: str, faults: Faults, endpoint: Endpoint) -> Json:
    error = faults.error()
    if kind == "nested":
        return {"type": "error", "error": error} if endpoint == "responses" else {"error": error}
    return {"type": "error", "code": error["code"], "message": error["message"], "param": error["param"]}


_EDITS: dict[str, Edit] = {"null_texts": _null_texts, "unknown_event": unknown_event}
