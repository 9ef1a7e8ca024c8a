"""Runs as JSON data: the document of a result, the line of an event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from jigwork.tools import Outcome

from ..events import Event
from ..result import RunResult
from ..usage import Usage
from .failures import message_of

__all__ = ["event_document", "jsonable", "result_document"]


def jsonable(value: Any) -> Any:
    """Return any value as JSON data: models and dataclasses as objects, what has no form as its text."""
    from pydantic_core import to_jsonable_python

    return to_jsonable_python(
        value, fallback=str, inf_nan_mode="strings", bytes_mode="base64", serialize_unknown=True
    )


def event_document(event: Event) -> dict[str, Any]:
    """Return an event as JSON data: `type` is its class, the other keys are its fields."""
    return {"type": type(event).__name__, **{f.name: _field(getattr(event, f.name)) for f in fields(event)}}


def _field(value: Any) -> Any:
    if isinstance(value, (Outcome, Usage)):
        return value.to_dict()
    if isinstance(value, BaseException):
        return {"type": type(value).__name__, "message": message_of(value)}
    return jsonable(value)


def result_document(result: RunResult[Any], model: Mapping[str, Any]) -> dict[str, Any]:
    """Return a result as JSON data; `output` is null while the run is paused."""
    finished = result.status == "finished"
    document: dict[str, Any] = {
        "status": result.status,
        "output": jsonable(result.output) if finished else None,
        "calls": [
            {
                "call_id": call.call_id,
                "name": call.name,
                "arguments": call.arguments,
                "outcome": call.outcome.to_dict() if call.outcome else None,
                **({"late": call.late} if call.late else {}),
            }
            for call in result.calls
        ],
        "usage": result.usage.to_dict(),
        "requests": [record.to_dict() for record in result.requests],
        "items": jsonable(result.items),
        "model": dict(model),
        "run_id": result.state.run_id,
    }
    if result.agent is not None:
        document["agent"] = result.agent
    if not finished:
        document["approvals"] = [approval.to_dict() for approval in result.approvals]
    return document
