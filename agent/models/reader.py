"""What both readers of answers share: how an answer ended, and the shape of a reader."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import uuid4

import orjson

from ..events import ModelEvent
from ..items import Item
from ..usage import Usage
from .jsondata import is_object

__all__ = ["CallIds", "Ending", "Reader", "json_text", "message_item", "number", "usage_of"]


@dataclass(slots=True)
class Ending:
    """How an answer ended, filled in as the server says it."""

    status: str = "completed"
    reason: str | None = None
    id: str | None = None
    model: str | None = None
    service_tier: str | None = None
    usage: Usage = field(default_factory=lambda: Usage(requests=1, unreported=1))


class Reader(Protocol):
    """Turns what one server sends into events. Errors that the server reports are raised as `Failure`."""

    ending: Ending
    done: bool
    """Whether the server has said that the answer is complete."""

    @property
    def answered(self) -> bool:
        """Whether all of the answer is there, although the server may say more about it."""
        ...

    def feed(self, name: bytes, data: dict[str, Any]) -> Iterable[ModelEvent]:
        """Take one event of a stream."""
        ...

    def whole(self, body: dict[str, Any]) -> Iterable[ModelEvent]:
        """Take an answer that was not streamed."""
        ...

    def finish(self, *, marked: bool) -> Iterable[ModelEvent]:
        """End a stream, `marked` by `[DONE]` or closed in order; raises `Failure` if the answer is not complete."""
        ...

    def cut(self, text: str) -> Iterable[ModelEvent]:
        """End the current message here, with this text: a stop sequence was found."""
        ...


class CallIds:
    """The call ids of a history: what a server sends empty or twice gets an id of ours."""

    __slots__ = ("_used",)

    def __init__(self, used: Iterable[str]) -> None:
        self._used = set(used)

    def take(self, given: str) -> str:
        """Return `given` if it is free, else a new id, and remember it."""
        call_id = given if given and given not in self._used else f"call_{uuid4().hex}"
        self._used.add(call_id)
        return call_id


def message_item(parts: list[dict[str, Any]]) -> Item:
    """Make an assistant message of content parts. No id: servers look up the ids that they are sent."""
    return {"type": "message", "role": "assistant", "content": parts}


def json_text(value: Any) -> str:
    """Return arguments as text: some servers send the object itself."""
    return value if isinstance(value, str) else "" if value is None else orjson.dumps(value).decode()


def number(value: Any) -> int:
    """Return a token count; anything that is none counts as 0."""
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0


def _details(usage: dict[str, Any], name: str) -> dict[str, Any]:
    found: Any = usage.get(name)
    return found if is_object(found) else {}


def usage_of(data: Any) -> Usage:
    """Read a `usage` object of either endpoint. Without one the request counts as unreported."""
    if not is_object(data) or not any(isinstance(value, int | float) for value in data.values()):
        return Usage(requests=1, unreported=1)
    chat = "prompt_tokens" in data or "completion_tokens" in data
    first, second = ("prompt", "completion") if chat else ("input", "output")
    input_details, output_details = (_details(data, f"{name}_tokens_details") for name in (first, second))
    input_tokens = number(data.get(f"{first}_tokens"))
    output_tokens = number(data.get(f"{second}_tokens"))
    return Usage(
        requests=1,
        input_tokens=input_tokens,
        cached_tokens=number(input_details.get("cached_tokens")),
        cache_write_tokens=number(input_details.get("cache_write_tokens")),
        output_tokens=output_tokens,
        reasoning_tokens=number(output_details.get("reasoning_tokens")),
        total_tokens=number(data.get("total_tokens")) or input_tokens + output_tokens,
    )
