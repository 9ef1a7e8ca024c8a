"""Testing agents: a model that says what a script says, and the events of a run as a list.

These are what Jigwork's own tests use.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator, Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeAlias

from jigwork.errors import ConfigurationError

from .events import (
    ArgumentsDelta,
    Event,
    ItemAdded,
    ModelEvent,
    ReasoningDelta,
    ResponseEnded,
    TextDelta,
)
from .items import Item, call_id, is_call, is_written_call
from .models.base import ModelRequest
from .models.profiles import Profile
from .observe import observe
from .replies import Reply, ReplyLike, ScriptedCall
from .usage import Usage

__all__ = ["Reply", "Script", "ScriptedCall", "ScriptedModel", "capture_events"]

Script: TypeAlias = "Iterable[ReplyLike] | Callable[[ModelRequest], ReplyLike]"

_PROFILE = Profile(custom_tools=True, allowed_tools=True, endpoints=("responses",))


class ScriptedModel:
    """A model that answers from a script: replies one after the other, or a function of the request.

    `requests` keeps what it was asked, with the history as it was then. A script that has run out is an error that
    says so. `profile` lets a test pretend to be another server.
    """

    def __init__(self, script: Script, *, profile: Profile = _PROFILE, name: str = "scripted") -> None:
        self.name = name
        self.profile = profile
        self.requests: list[ModelRequest] = []
        self._next: Callable[[ModelRequest], ReplyLike]
        self._next = script if callable(script) else _in_order(script)

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        """Yield the next reply as events; in deltas of `reply.chunk` characters when streaming."""
        import anyio

        kept = replace(request, items=tuple(request.items), scratch={})
        self.requests.append(kept)
        reply = Reply.of(self._next(kept))
        if reply.fault is not None:
            raise ConfigurationError("a fault needs a wire to fail on: play this reply on the local server")
        ids = _free_ids(request.items)
        for index, item in enumerate(reply_items(reply, ids)):
            for delta in _deltas(item, index, reply.chunk if request.stream else 0):
                if reply.delay:
                    await anyio.sleep(reply.delay)
                yield delta
            yield ItemAdded(item)
        status = "incomplete" if reply.incomplete else "completed"
        usage = reply.usage or Usage(requests=1)
        yield ResponseEnded(usage, status, reply.incomplete, id=f"resp_{len(self.requests)}", model=self.name)

    async def aclose(self) -> None:
        """Nothing is open."""


def _in_order(replies: Iterable[ReplyLike]) -> Callable[[ModelRequest], ReplyLike]:
    remaining = iter(replies)
    count = itertools.count()

    def next_reply(request: ModelRequest) -> ReplyLike:
        number = next(count)
        try:
            return next(remaining)
        except StopIteration:
            raise ConfigurationError(
                f"the script has {number} replies and the agent asked for one more; its last item was "
                f"{json.dumps(request.items[-1] if request.items else None, ensure_ascii=False)[:200]}"
            ) from None

    return next_reply


def _free_ids(items: Sequence[Item]) -> Iterator[str]:
    used = {call_id(item) for item in items if is_call(item)}
    return (id for n in itertools.count(1) if (id := f"call_{n}") not in used)


def reply_items(reply: Reply, ids: Iterator[str]) -> list[Item]:
    """Return the output items of a reply, as the Responses API would write them."""
    items: list[Item] = [dict(item) for item in reply.items]
    if reply.reasoning is not None:
        summary = [{"type": "summary_text", "text": reply.reasoning}]
        items.append({"type": "reasoning", "id": f"rs_{len(items)}", "summary": summary})
    if reply.text is not None:
        items.append(_message(items, {"type": "output_text", "text": reply.text, "annotations": []}))
    if reply.refusal is not None:
        items.append(_message(items, {"type": "refusal", "refusal": reply.refusal}))
    items.extend(
        _call_item(call, next(ids) if call.call_id is None else call.call_id) for call in reply.calls
    )
    return items


def _message(items: Sequence[Item], part: dict[str, Any]) -> Item:
    return {
        "type": "message",
        "id": f"msg_{len(items)}",
        "role": "assistant",
        "status": "completed",
        "content": [part],
    }


def _call_item(call: ScriptedCall, id: str) -> Item:
    if call.input is not None:
        return {"type": "custom_tool_call", "call_id": id, "name": call.name, "input": call.input}
    arguments: Any = call.arguments if call.arguments is not None else {}
    text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return {"type": "function_call", "call_id": id, "name": call.name, "arguments": text}


def _deltas(item: Item, index: int, chunk: int) -> Iterator[ModelEvent]:
    def cut(text: str) -> Iterator[str]:
        size = chunk or max(len(text), 1)
        return (text[i : i + size] for i in range(0, len(text), size))

    if is_written_call(item):
        text = str(item.get("input", item.get("arguments", "")))
        yield from (ArgumentsDelta(part, index, call_id(item), str(item["name"])) for part in cut(text))
    elif item.get("type") == "reasoning":
        for summary in item.get("summary", ()):
            yield from (ReasoningDelta(part, index) for part in cut(str(summary["text"])))
    elif item.get("type") == "message":
        for part in item["content"]:
            refusal = part.get("type") == "refusal"
            text = str(part.get("refusal" if refusal else "text", ""))
            yield from (TextDelta(piece, index, refusal) for piece in cut(text))


@contextmanager
def capture_events() -> Generator[list[Event]]:
    """Collect the events of every run that is started inside: `with capture_events() as events: agent.run_sync(x)`."""
    events: list[Event] = []
    with observe(events.append):
        yield events
