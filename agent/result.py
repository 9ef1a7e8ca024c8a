"""The result of a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Generic, Literal, cast

from typing_extensions import TypeVar

from jigwork.errors import StateError

from .items import Item, call_id, call_name, call_text
from .records import Approval, CallRecord, RequestRecord
from .state import RunState
from .usage import Usage

__all__ = ["OutputT", "RunResult"]

OutputT = TypeVar("OutputT", default=str, covariant=True)  # noqa: PLC0105


@dataclass(frozen=True, slots=True)
class RunResult(Generic[OutputT]):
    """What a run came to. Everything but the output is read from `state`, which can be saved and continued.

    `agent` is the name of the agent that has the conversation at the end: another one than began, after a handoff.
    """

    status: Literal["finished", "paused"]
    state: RunState
    _output: Any = field(default=None, repr=False)
    agent: str | None = None

    @property
    def output(self) -> OutputT:
        """The final answer, of the agent's output type; raises StateError while the run is paused."""
        if self.status == "paused":
            names = ", ".join(sorted({a.label for a in self.approvals}))
            raise StateError(
                f"the run is paused, calls of {names} wait for approval: result.state.approve(call_id), "
                ".deny(call_id), or .answer(call_id, value) where it asks a question; then "
                "agent.run(state=result.state)"
            )
        return cast("OutputT", self._output)

    @property
    def approvals(self) -> list[Approval]:
        """The calls that wait for a person, in the model's order; those of agents that work for this run included."""
        return self.state.waiting

    @property
    def items(self) -> list[Item]:
        """The whole history, this run's items included."""
        return self.state.items

    @property
    def calls(self) -> list[CallRecord]:
        """The calls of this run in the model's order, each with its outcome."""
        outcomes = self.state.outcomes
        late: dict[str, Literal["ok", "failed"]] = {
            entry["call_id"]: "failed" if entry["failed"] else "ok" for entry in self.state.late
        }
        return [
            CallRecord(id, call_name(c), call_text(c), outcomes.get(id), late.get(id))
            for c in self.state.run_calls()
            for id in [call_id(c)]
        ]

    @property
    def usage(self) -> Usage:
        """What this run has cost, all its requests together."""
        return self.state.usage

    @property
    def requests(self) -> list[RequestRecord]:
        """The requests of this run: what was sent (keys removed), what it cost, how it ended."""
        return self.state.run_requests
