"""What a running tool may know: the user's dependencies and its own call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic

from typing_extensions import TypeVar

if TYPE_CHECKING:
    from .asking import Answer

__all__ = ["DepsT", "RunContext"]

DepsT = TypeVar("DepsT", default=None)


def _nowhere(fraction: float | None, message: str) -> None:
    """Drop progress where nobody listens."""


@dataclass(frozen=True, slots=True)
class RunContext(Generic[DepsT]):
    """Handed to a tool (and to callable instructions) that asks for it by annotation; hidden from the model.

    `deps` is what the run was given, `turn` counts model requests from 1, `items` is the history so far and must
    not be changed. `call_id` and `tool` are empty outside a tool. `answer` is what a person answered to the question
    that this call has asked (`raise Asked(...)`), None before; `kept` is what the call had put aside when it asked.
    """

    deps: DepsT
    run_id: str = ""
    turn: int = 0
    call_id: str = ""
    tool: str = ""
    items: Sequence[Mapping[str, Any]] = ()
    _progress: Callable[[float | None, str], None] = field(default=_nowhere, repr=False, compare=False)
    answer: Answer | None = None
    kept: Any = None

    def progress(self, fraction: float | None, message: str = "") -> None:
        """Report how far the tool is (0 to 1, or None); shown as a `CallProgress` event. Safe from any thread."""
        self._progress(fraction, message)
