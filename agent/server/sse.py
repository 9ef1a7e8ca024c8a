"""Write events as server-sent events: the bytes of a stream, grouped by the waits between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from .json_data import array_of, object_of
from .requests import Endpoint

__all__ = ["DONE", "Framing", "frames", "is_delta"]

DONE = b"data: [DONE]\n\n"
"""The end of a Chat Completions stream. The Responses API has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Framing:
    """How events become lines. `names` writes `event:` lines, `numbers` adds `sequence_number`, `done` ends with
    `[DONE]`, `keep_alive` puts a comment before every event, `crlf` ends lines with CR LF."""

    names: bool
    numbers: bool
    done: bool
    keep_alive: str | None = None
    crlf: bool = False

    @classmethod
    def of(cls, endpoint: Endpoint) -> Framing:
        """Return what the real API does."""
        responses = endpoint == "responses"
        return cls(names=responses, numbers=responses, done=not responses)


def is_delta(event: Any) -> bool:
    """Tell whether this event brings text, so that a reply's `delay` comes before it."""
    data = object_of(event)
    if str(data.get("type")).endswith(".delta"):
        return True
    return any(choice.get("delta") for choice in array_of(data.get("choices")))


def frames(events: Iterable[Any], framing: Framing) -> Iterator[tuple[Any, bytes]]:
    """Yield each event with its bytes. A text or bytes among the events is sent as it stands."""
    number = 0
    for event in events:
        if isinstance(event, (str, bytes)):
            frame = event.encode("utf-8", "surrogatepass") if isinstance(event, str) else event
        else:
            if framing.numbers and isinstance(event, dict):
                event = {"type": None, "sequence_number": number, **object_of(event)}
                number += 1
            frame = _frame(event, framing)
        yield event, _dress(frame, framing)
    if framing.done:
        yield None, _dress(DONE, framing)


def _frame(event: Any, framing: Framing) -> bytes:
    data = orjson.dumps(event)
    kind = object_of(event).get("type") if framing.names else None
    if kind is not None:
        return b"event: %b\ndata: %b\n\n" % (str(kind).encode(), data)
    return b"data: %b\n\n" % data


def _dress(frame: bytes, framing: Framing) -> bytes:
    if framing.keep_alive is not None:
        frame = b": %b\n\n" % framing.keep_alive.encode() + frame
    return frame.replace(b"\n", b"\r\n") if framing.crlf else frame
