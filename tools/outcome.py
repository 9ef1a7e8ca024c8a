"""What became of a call: one closed set of nine outcomes, and the events of a call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

__all__ = ["CallProgress", "CallSettled", "CallStarted", "Outcome", "OutcomeStatus", "ToolOutput"]

OutcomeStatus: TypeAlias = Literal[
    "ok",
    "failed",
    "timed_out",
    "cancelled",
    "denied",
    "invalid_arguments",
    "unknown_tool",
    "interrupted",
    "skipped",
]
"""`interrupted` means that the process died or was stopped while the tool ran: whether it acted is unknown.
`skipped` means that another call ended the run (`Abort`) before this one started."""

ToolOutput: TypeAlias = str | Sequence[Mapping[str, Any]]
"""What the model is sent: a text, or content parts (`input_text`, `input_image`, `input_file`)."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one call ended. `output` is what the model is told, whatever the status.

    `value` is what the function returned (not kept in a state file); `error` is the developer's view of a failure
    (exception class and message), None when there was none; `seconds` is wall-clock time in the tool;
    `repairs` names what had to be put right in the arguments before they were valid; `enforcement` says who held
    a grammar tool to its grammar (native, masked, schema, checked), None for other tools; `attempts` counts how
    often the tool was called (0: the result of an earlier call was used).
    """

    status: OutcomeStatus
    output: ToolOutput
    value: Any = field(default=None, compare=False)
    error: str | None = None
    seconds: float = field(default=0.0, compare=False)
    repairs: tuple[str, ...] = ()
    enforcement: str | None = None
    attempts: int = 1

    @property
    def ok(self) -> bool:
        """Tell whether the tool ran and returned."""
        return self.status == "ok"

    def to_dict(self) -> dict[str, Any]:
        """Return the outcome as plain JSON data, without `value`."""
        data: dict[str, Any] = {"status": self.status, "output": self.output, "seconds": self.seconds}
        if self.error is not None:
            data["error"] = self.error
        if self.repairs:
            data["repairs"] = list(self.repairs)
        if self.enforcement is not None:
            data["enforcement"] = self.enforcement
        if self.attempts != 1:
            data["attempts"] = self.attempts
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Outcome:
        """Read what `to_dict` wrote."""
        return cls(
            status=data["status"],
            output=data["output"],
            error=data.get("error"),
            seconds=float(data.get("seconds", 0.0)),
            repairs=tuple(data.get("repairs", ())),
            enforcement=data.get("enforcement"),
            attempts=int(data.get("attempts", 1)),
        )


@dataclass(frozen=True, slots=True)
class CallStarted:
    """A tool begins to run. `arguments` is what the model wrote, unparsed."""

    call_id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class CallProgress:
    """A running tool says how far it is: `fraction` from 0 to 1, or None when it does not know."""

    call_id: str
    name: str
    fraction: float | None
    message: str


@dataclass(frozen=True, slots=True)
class CallSettled:
    """A call has its outcome. Calls settle as they end; their output items come in the model's order."""

    call_id: str
    name: str
    outcome: Outcome
