"""Tool calls put together from Chat Completions deltas, as servers really send them.

Indexes may be missing, repeated or always 0; ids empty, late or repeated; arguments objects instead of text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

__all__ = ["CallMerger", "CallSlot"]

_KNOWN = frozenset({"index", "id", "type", "function", "custom"})


@dataclass(slots=True)
class CallSlot:
    """One call as far as it is known. `private` holds fields that only this provider understands."""

    id: str = ""
    name: str = ""
    custom: bool = False
    text: list[str] = field(default_factory=list[str])
    private: dict[str, Any] = field(default_factory=dict[str, Any])

    def complete(self) -> bool:
        """Tell whether the arguments are one whole JSON value, so that nothing can follow."""
        if self.custom:
            return bool(self.text)
        try:
            orjson.loads("".join(self.text))
        except orjson.JSONDecodeError:
            return False
        return True

    def repeated_by(self, text: str) -> bool:
        """Tell whether a server says here again, at the end, what it has said in pieces."""
        return bool(text) and not self.custom and text == "".join(self.text) and self.complete()


class CallMerger:
    """Assigns every delta to its call. `slots` are the calls in the order in which they began."""

    __slots__ = ("_by_index", "slots")

    def __init__(self) -> None:
        self.slots: list[CallSlot] = []
        self._by_index: dict[int, CallSlot] = {}

    def add(self, delta: Mapping[str, Any]) -> tuple[CallSlot, str]:
        """Merge one delta; return its call and the text that it added."""
        function: Mapping[str, Any] | None = delta.get("function")
        custom: Mapping[str, Any] = delta.get("custom") or {}
        body, key = (custom, "input") if function is None else (function, "arguments")
        slot = self._slot(delta, body, body.get(key))
        if key == "input" and ("custom" in delta or delta.get("type") == "custom"):
            slot.custom = True
        slot.id = slot.id or str(delta.get("id") or "")
        slot.name = slot.name or str(body.get("name") or "")
        text = _text(body.get(key))
        if slot.repeated_by(text):
            text = ""
        if text:
            slot.text.append(text)
        if not delta.keys() <= _KNOWN:
            slot.private.update((k, v) for k, v in delta.items() if k not in _KNOWN and v is not None)
        return slot, text

    def add_whole(self, call: Mapping[str, Any]) -> tuple[CallSlot, str]:
        """Take a call of an answer that was not streamed: it is always one of its own."""
        return self.add({**call, "index": len(self.slots)})

    def _slot(self, delta: Mapping[str, Any], body: Mapping[str, Any], text: Any) -> CallSlot:
        index = delta.get("index")
        given = str(delta.get("id") or "")
        name = str(body.get("name") or "")
        if isinstance(index, int):
            slot = self._by_index.get(index)
            if slot is not None and name and self._is_other(slot, given, name, text):
                slot = self._with_id(given) if given != slot.id else None
            if slot is None:
                slot = self._new()
            self._by_index[index] = slot
            return slot
        same = self._with_id(given)
        if same is not None:
            return self._new() if name and self._is_other(same, given, name, text) else same
        if not self.slots:
            return self._new()
        last = self.slots[-1]
        if given and (last.id or (name and last.name)):
            return self._new()
        return self._new() if name and last.name and last.complete() else last

    def _is_other(self, slot: CallSlot, given: str, name: str, text: Any) -> bool:
        """Tell whether a delta at an occupied index begins another call.

        Servers that send index 0 for every call give each a name of its own; one that merely makes up a new id
        for every delta gives none. One that gives every call the same id begins each with whole arguments.
        """
        if not slot.name:
            return False
        same = bool(given) and given == slot.id
        if given and slot.id and not same:
            return True
        more = _text(text)
        if same and (slot.custom or slot.repeated_by(more)):
            return False
        return slot.complete() and (name != slot.name or bool(more.strip()))

    def _with_id(self, given: str) -> CallSlot | None:
        if not given:
            return None
        return next((slot for slot in reversed(self.slots) if slot.id == given), None)

    def _new(self) -> CallSlot:
        slot = CallSlot()
        self.slots.append(slot)
        return slot


def _text(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return orjson.dumps(value).decode()
