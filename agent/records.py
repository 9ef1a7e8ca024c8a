"""Records: what a run keeps of its requests and of its approvals, beside the items."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jigwork.tools.outcome import Outcome

from .events import ResponseEnded
from .usage import Usage

__all__ = ["Approval", "CallRecord", "Decision", "RequestRecord"]


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One model request. `body` is exactly what was sent, without keys; it is not kept in a state file.

    `first_item` to `end_item` (exclusive) are the items of the response in the history. `dropped` names parameters
    that the server refused and that were left out. `seconds` is wall-clock time over all `attempts`.
    """

    model: str
    usage: Usage
    status: str = "completed"
    reason: str | None = None
    id: str | None = None
    request_id: str | None = None
    endpoint: str = ""
    service_tier: str | None = None
    attempts: int = 1
    seconds: float = 0.0
    first_byte_seconds: float | None = None
    dropped: tuple[str, ...] = ()
    first_item: int = 0
    end_item: int = 0
    body: Mapping[str, Any] | None = field(default=None, compare=False, repr=False)

    @classmethod
    def of(cls, ended: ResponseEnded, model: str) -> RequestRecord:
        """Make the record of a response that has ended."""
        return cls(
            model=ended.model or model,
            usage=ended.usage,
            status=ended.status,
            reason=ended.reason,
            id=ended.id,
            request_id=ended.request_id,
            endpoint=ended.endpoint,
            service_tier=ended.service_tier,
            attempts=ended.attempts,
            seconds=ended.seconds,
            first_byte_seconds=ended.first_byte_seconds,
            dropped=ended.dropped,
            body=ended.body,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the record as plain JSON data, without the body and without what is empty."""
        names = (n for n in self.__slots__ if n not in ("usage", "body"))
        data = {name: value for name in names if (value := getattr(self, name)) not in (None, (), "")}
        return {**data, "dropped": list(self.dropped), "usage": self.usage.to_dict()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> RequestRecord:
        """Read what `to_dict` wrote; unknown keys are ignored."""
        known = {
            k: v for k, v in data.items() if k in cls.__slots__ and k not in ("usage", "body", "dropped")
        }
        usage = Usage.from_dict(data.get("usage", {}))
        return cls(**known, usage=usage, dropped=tuple(data.get("dropped", ())))


@dataclass(frozen=True, slots=True)
class Approval:
    """A call that waits, or waited, for a person. `approved` is None until somebody has decided.

    `arguments` are the plain JSON arguments as they would be used, `edited` what a person put in their place.
    `asked_at` is in seconds since 1970.
    """

    call_id: str
    name: str
    arguments: Any
    approved: bool | None = None
    reason: str | None = None
    edited: Mapping[str, Any] | None = None
    asked_at: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return the approval as plain JSON data."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Approval:
        """Read what `to_dict` wrote; unknown keys are ignored."""
        return cls(**{k: v for k, v in data.items() if k in cls.__slots__})


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided: `arguments` in the place of the model's (validated again), `always` for every further
    call of this tool in this run, a `reason` that the model is told."""

    approved: bool
    reason: str | None = None
    arguments: Mapping[str, Any] | None = None
    always: bool = False


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One call of a run: what the model wrote and how it ended. `outcome` is None while it waits for a person."""

    call_id: str
    name: str
    arguments: str
    outcome: Outcome | None
