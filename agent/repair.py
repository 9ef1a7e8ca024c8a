"""Repair: a text that its grammar refused is asked for again, alone, under the grammar itself.

On servers that take no grammar tools but can constrain a whole response, the model cannot get it wrong twice: the
answer is nothing but the text, and becomes the call that it should have been.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from jigwork.tools import Tool

from .events import ArgumentsDelta, ItemAdded, ModelEvent, TextDelta
from .items import Item, call_id, call_name, is_call, is_call_output, is_message, output_text, user_message
from .models.base import ModelRequest

if TYPE_CHECKING:
    from .plan import Plan
    from .state import RunState

__all__ = ["Repair", "is_repaired"]

_SUFFIX = "_repaired"


def is_repaired(id: str) -> bool:
    """Tell whether the call of that id was written under the server's own constraint."""
    return id.endswith(_SUFFIX)


@dataclass(frozen=True, slots=True)
class Repair:
    """The failed call, and the tool whose grammar its text shall have."""

    call: Item
    tool: Tool[..., Any]

    @classmethod
    def wanted(cls, plan: Plan, state: RunState) -> Repair | None:
        """Return what is to be repaired after the last calls, if the server can; each call is repaired once."""
        profile = plan.model.profile
        if profile.response_grammar is None or profile.masked:  # masked, it was a text of the grammar already
            return None
        for call in _just_answered(state.items):
            tool = plan.tools.get(call_name(call))
            outcome = state.outcomes.get(call_id(call))
            if tool is None or tool.grammar is None or outcome is None or is_repaired(call_id(call)):
                continue
            if outcome.status == "invalid_arguments" and outcome.enforcement != "native":
                return cls(call, tool)
        return None

    def request(self, request: ModelRequest) -> ModelRequest:
        """Return the request for the text alone; what it asks is not kept in the history."""
        ask = f"Write the corrected text for the call of {self.tool.name}: the text alone, nothing before or after it."
        return replace(
            request,
            items=[*request.items, user_message(ask)],
            tools=(),
            output=None,
            constraint=self.tool.grammar,
            settings=replace(request.settings, tool_choice=None),
            scratch={},
        )

    def event(self, event: ModelEvent) -> ModelEvent:
        """Turn the text that comes back into the call that it is meant to be."""
        if isinstance(event, TextDelta) and not event.refusal:
            return ArgumentsDelta(event.text, event.index, self._id, self.tool.name)
        if isinstance(event, ItemAdded) and is_message(event.item, "assistant"):
            return ItemAdded(self._as_call(output_text(event.item)))
        return event

    @property
    def _id(self) -> str:
        return f"{call_id(self.call)}{_SUFFIX}"

    def _as_call(self, text: str) -> Item:
        kind = self.call["type"]
        item: Item = {"type": kind, "call_id": self._id, "name": self.call["name"]}
        if kind == "custom_tool_call":
            return {**item, "input": text}
        parameter = self.tool.text.parameter if self.tool.text else "text"
        return {**item, "arguments": json.dumps({parameter: text}, ensure_ascii=False)}


def _just_answered(items: Sequence[Item]) -> list[Item]:
    """The calls whose outputs stand at the end of the history, in the model's order."""
    answered: set[str] = set()
    calls: list[Item] = []
    for item in reversed(items):
        if is_call_output(item) and not calls:
            answered.add(call_id(item))
        elif is_call(item) and call_id(item) in answered:
            answered.remove(call_id(item))
            calls.append(item)
        if not answered:
            break
    return calls[::-1]
