"""What was already converted of a history, kept in `request.scratch`, so that a turn costs what is new."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import orjson

from ..items import Item
from .jsondata import encode, is_object

__all__ = ["WHOLE", "History", "Writer", "as_object", "written"]

_NO_OBJECT = "not_json"
"""Name under which a server that decodes arguments gets back those that are no JSON object."""


@dataclass(frozen=True, slots=True)
class History:
    """How a history is to be sent.

    `chained` sends only what follows `request.previous`; `foreign` leaves out reasoning and ids, which another
    server made; `without` names fields of items that this server sends and does not take back.
    """

    chained: bool = False
    foreign: bool = False
    without: frozenset[str] = frozenset()


WHOLE = History()
"""The whole history, as it is."""


def as_object(arguments: str) -> str:
    """Return arguments that are a JSON object: those given, or, where they are none, one that holds them."""
    try:
        value = orjson.loads(arguments or "{}")
    except orjson.JSONDecodeError:
        value = None
    return (arguments or "{}") if is_object(value) else encode({_NO_OBJECT: arguments}).decode()


class Writer(Protocol):
    """Converts a history item by item."""

    def add(self, item: Item) -> None:
        """Take the next item."""
        ...


W = TypeVar("W", bound=Writer)


def written(scratch: dict[str, Any], key: str, items: Sequence[Item], new: Callable[[], W]) -> W:
    """Return the writer that has taken exactly these items: the one in `scratch`, continued, or a new one.

    A history that is no continuation (compacted, edited, another run) is written from the start. Items are
    compared by identity, which costs 10 microseconds for 400 of them.
    """
    entry: tuple[W, list[Item]] | None = scratch.get(key)
    if entry is not None:
        writer, taken = entry
        if len(taken) <= len(items) and all(map(operator.is_, taken, items)):
            _take(writer, taken, items)
            return writer
    writer = new()
    fresh: list[Item] = []
    scratch[key] = (writer, fresh)
    _take(writer, fresh, items)
    return writer


def _take(writer: Writer, taken: list[Item], items: Sequence[Item]) -> None:
    for item in items[len(taken) :] if taken else items:
        writer.add(item)
        taken.append(item)
