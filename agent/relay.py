"""Who has the conversation: the part of a state that says which agent is active, and how it came to that."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from jigwork.tools.outcome import Outcome

from .events import ArgumentsDelta, ItemAdded, ModelEvent
from .items import is_written_call

if TYPE_CHECKING:
    from .state import RunState

__all__ = ["Relay", "told_apart"]


@dataclass(frozen=True, slots=True)
class Relay:
    """`agent` is active; None is the one that began. `asked` is a handoff that a call has asked for (`agent`,
    `call_id`), and that follows when the turn's other calls have settled. `given` are the handoffs so far: `giver`,
    `agent`, and `first_item`, the number of items that there were."""

    agent: str | None = None
    asked: Mapping[str, Any] | None = None
    given: tuple[Mapping[str, Any], ...] = ()

    def applied(self, entry: Mapping[str, Any], items: int) -> Relay:
        """Apply an entry: a call asks for a handoff, or (`done`) it happens."""
        if not entry.get("done"):
            return replace(self, asked={"agent": entry["agent"], "call_id": entry["call_id"]})
        made = {"giver": entry.get("giver"), "agent": entry["agent"], "first_item": items}
        return Relay(entry["agent"], None, (*self.given, made))

    def pending(self, outcomes: Mapping[str, Outcome]) -> Mapping[str, Any] | None:
        """Return the handoff that is asked for, unless its call came to nothing."""
        if self.asked is None:
            return None
        outcome = outcomes.get(self.asked["call_id"])
        return self.asked if outcome is None or outcome.ok else None

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON data; nothing where nothing was handed over."""
        if self == Relay():
            return {}
        return {"relay": {"agent": self.agent, "asked": self.asked, "given": list(self.given)}}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Relay:
        """Read what `to_dict` wrote out of a state's data."""
        found: Mapping[str, Any] = data.get("relay") or {}
        return cls(found.get("agent"), found.get("asked"), tuple(dict(one) for one in found.get("given", ())))


def told_apart(event: ModelEvent, state: RunState, taken: set[str]) -> ModelEvent:
    """Give a call an id of its own where another has it: a model that this agent's model was not shown has used it, or
    a model repeats its ids. `taken` are those of the same response so far; this one's is added."""
    if isinstance(event, ArgumentsDelta) and event.call_id in state.outcomes:
        return replace(event, call_id=_own(event.call_id, state.outcomes))
    if isinstance(event, ItemAdded) and is_written_call(event.item):
        id = str(event.item.get("call_id") or "")
        if not id or id in state.outcomes or id in taken:
            id = _own(id or "call", {*state.outcomes, *taken})
            event = ItemAdded({**event.item, "call_id": id})
        taken.add(id)
    return event


def _own(id: str, taken: Container[str]) -> str:
    number = 2
    while f"{id}_{number}" in taken:
        number += 1
    return f"{id}_{number}"
