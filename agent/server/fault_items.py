"""Faults in the answer itself, before it is written for an endpoint: cut arguments, wrong ids, unknown items."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson

from ..items import Item, is_written_call
from .answers import Answer, new_id
from .faults import Faults

__all__ = ["edit_items"]

_UNKNOWN: Item = {"type": "weird_call", "status": "completed", "weird": {"x": 1}}


def edit_items(answer: Answer, faults: Faults) -> Answer:
    """Return the answer with its items changed as the script asks."""
    items = [dict(item) for item in answer.items]
    for name, edit in _EDITS.items():
        if name in faults:
            edit(items, faults.get(name))
    return replace(answer, items=items)


def _truncate(items: list[Item], keep: Any) -> None:
    for item in filter(is_written_call, items):
        key = "input" if item["type"] == "custom_tool_call" else "arguments"
        item[key] = item[key][: int(keep)]


def _objects(items: list[Item], _: Any) -> None:
    for item in items:
        if item.get("type") == "function_call":
            item["arguments"] = orjson.loads(item["arguments"] or "{}")


def _call_ids(items: list[Item], how: Any) -> None:
    calls = [item for item in items if is_written_call(item)]
    for item in calls:
        if how == "missing":
            del item["call_id"]
        else:
            item["call_id"] = "" if how == "empty" else calls[0]["call_id"]


def _item_ids(items: list[Item], how: Any) -> None:
    for item in items:
        item["id"] = "" if how == "empty" else items[0]["id"]


def _unknown(items: list[Item], given: Any) -> None:
    items.insert(0, dict(given) if isinstance(given, dict) else {"id": new_id("weird"), **_UNKNOWN})  # pyright: ignore


_EDITS: dict[str, Callable[[list[Item], Any], None]] = {
    "truncate_arguments": _truncate,
    "dict_arguments": _objects,
    "call_ids": _call_ids,
    "item_ids": _item_ids,
    "unknown_item": _unknown,
}
