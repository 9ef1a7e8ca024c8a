"""Reads answers of the Responses API, streamed or whole, into events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..events import ArgumentsDelta, ItemAdded, ModelEvent, ReasoningDelta, TextDelta
from ..items import Item, is_written_call
from .failures import broken, failure_of_body, no_answer
from .jsondata import is_array, is_object
from .reader import CallIds, Ending, json_text, message_item, usage_of

__all__ = ["ResponsesReader"]

_TERMINAL = {
    "response.completed": "completed",
    "response.incomplete": "incomplete",
    "response.failed": "failed",
}
_NO_REASON = {"code": "server_error", "message": "the response failed, and nothing says why"}


@dataclass(slots=True)
class _Open:
    """An output item that is being written, with its deltas."""

    index: int
    item: Item
    call_id: str = ""
    name: str = ""
    part: Any = None
    text: list[str] = field(default_factory=list[str])
    refusal: list[str] = field(default_factory=list[str])

    @property
    def said(self) -> str:
        """What its deltas said: text, reasoning or arguments, as the item is."""
        return "".join(self.text)


class ResponsesReader:
    """Collects by `output_index`; items come out in that order, each after its deltas.

    The item of `output_item.done` counts (its encrypted content is the final one), else that of the whole
    response at the end, else what the deltas gave.
    """

    def __init__(self, ids: CallIds) -> None:
        self.ending = Ending()
        self.done = False
        self._ids = ids
        self._open: dict[int, _Open] = {}
        self._finished: dict[int, Item] = {}
        self._added = 0
        self._by_id: dict[str, int] = {}
        self._moved: dict[int, int] = {}
        self._latest = 0
        self._handlers: dict[str, Callable[[dict[str, Any]], Iterable[ModelEvent]]] = {
            "response.output_text.delta": self._text,
            "response.refusal.delta": self._refusal,
            "response.reasoning_summary_text.delta": self._reasoning,
            "response.reasoning_text.delta": self._reasoning,
            "response.function_call_arguments.delta": self._arguments,
            "response.custom_tool_call_input.delta": self._arguments,
            "response.function_call_arguments.done": self._arguments_done,
            "response.custom_tool_call_input.done": self._arguments_done,
            "response.output_item.added": self._item_added,
            "response.output_item.done": self._item_done,
            "response.created": self._created,
            "error": self._error,
        }

    @property
    def answered(self) -> bool:
        """Whether the server has said how the response ended."""
        return self.done

    def feed(self, name: bytes, data: dict[str, Any]) -> Iterable[ModelEvent]:
        """Take one event of the stream; unknown ones are passed over."""
        kind = data.get("type") or name.decode(errors="replace")
        handler = self._handlers.get(kind)
        if handler is not None:
            return handler(data)
        if kind in _TERMINAL:
            return self._end(data.get("response") or {}, _TERMINAL[kind])
        return self._error(data) if data.get("error") else ()

    def whole(self, body: dict[str, Any]) -> Iterable[ModelEvent]:
        """Take the response object."""
        status = body.get("status")
        if body.get("error") and status in (None, "failed"):
            raise failure_of_body(body)
        if not is_array(body.get("output")) and status != "failed":
            raise no_answer("the answer has no `output`: is this a Responses endpoint?", retry=False)
        return self._end(body, str(status or "completed"))

    def finish(self, *, marked: bool) -> Iterable[ModelEvent]:
        """Raise unless the server said how the response ended; `[DONE]` alone does not say it."""
        if not self.done:
            raise broken("the stream ended before the response was complete")
        return ()

    def cut(self, text: str) -> Iterable[ModelEvent]:
        """End the message that is being written."""
        yield from self._flush(everything=True)
        yield ItemAdded(message_item([{"type": "output_text", "text": text, "annotations": []}]))

    # --- deltas

    def _at(self, data: Mapping[str, Any]) -> _Open:
        index = data.get("output_index")
        if not isinstance(index, int):
            index = self._by_id.get(str(data.get("item_id") or ""), self._latest)
        elif self._moved:
            index = self._place(index, str(data.get("item_id") or ""))
        self._latest = index
        return self._opened(index)

    def _place(self, index: int, item_id: str) -> int:
        """Return where an item lies whose index the server has given to several items."""
        return self._by_id.get(item_id, self._moved.get(index, index))

    def _fresh(self) -> int:
        return max([*self._open, *self._finished, -1]) + 1

    def _opened(self, index: int) -> _Open:
        known = self._open.get(index)
        if known is None:
            known = self._open[index] = _Open(index, {})
        return known

    def _text(self, data: dict[str, Any]) -> Iterable[ModelEvent]:
        delta = data.get("delta")
        if not delta or not isinstance(delta, str):
            return ()
        known = self._at(data)
        known.text.append(delta)
        return (TextDelta(delta, known.index),)

    def _refusal(self, data: dict[str, Any]) -> Iterable[ModelEvent]:
        delta = data.get("delta")
        if not delta or not isinstance(delta, str):
            return ()
        known = self._at(data)
        known.refusal.append(delta)
        return (TextDelta(delta, known.index, True),)

    def _reasoning(self, data: dict[str, Any]) -> Iterable[ModelEvent]:
        delta = data.get("delta")
        if not delta or not isinstance(delta, str):
            return ()
        known = self._at(data)
        part = (data.get("summary_index"), data.get("content_index"))
        if known.part not in (None, part):
            delta = "\n\n" + delta
        known.part = part
        known.text.append(delta)
        return (ReasoningDelta(delta, known.index),)

    def _arguments(self, data: dict[str, Any]) -> Iterable[ModelEvent]:
        delta = data.get("delta")
        if not delta:
            return ()
        known = self._at(data)
        text = delta if isinstance(delta, str) else json_text(delta)
        known.text.append(text)
        return (ArgumentsDelta(text, known.index, known.call_id, known.name),)

    def _arguments_done(self, data: dict[str, Any]) -> Iterable[ModelEvent]:
        text = json_text(data.get("arguments") if "arguments" in data else data.get("input"))
        known = self._at(data)
        if text and not known.item.get("arguments") and not known.item.get("input"):
            known.item["input" if known.item.get("type") == "custom_tool_call" else "arguments"] = text
        return ()

    # --- items

    def _created(self, data: dict[str, Any]) -> Iterable[ModelEvent]:
        response: Any = data.get("response") or {}
        self.ending.id = response.get("id")
        self.ending.model = response.get("model")
        return ()

    def _item_added(self, data: dict[str, Any]) -> Iterable[ModelEvent]:
        item: Any = data.get("item") or {}
        index = data.get("output_index")
        if not isinstance(index, int):
            index = self._fresh()
        elif _is_another(item, self._finished.get(index) or self._opened(index).item):
            index = self._moved[index] = self._fresh()
        self._latest = index
        if item.get("id"):
            self._by_id.setdefault(str(item["id"]), index)
        known = self._open[index] = _Open(index, item)
        if is_written_call(item):
            known.name = str(item.get("name") or "")
            given = str(item.get("call_id") or "")
            known.call_id = self._ids.take(given) if given else ""
        return ()

    def _item_done(self, data: dict[str, Any]) -> Iterable[ModelEvent]:
        item: Any = data.get("item")
        if not is_object(item):
            return ()
        index = data.get("output_index")
        if not isinstance(index, int):
            unfinished = [i for i in self._open if i not in self._finished]
            index = self._by_id.get(str(item.get("id") or ""), unfinished[0] if unfinished else self._fresh())
        elif self._moved:
            index = self._place(index, str(item.get("id") or ""))
        if index in self._finished and _is_another(item, self._finished[index]):
            index = self._fresh()
        return self._finish_item(index, item)

    def _finish_item(self, index: int, item: Item) -> Iterator[ModelEvent]:
        if index in self._finished:
            return
        known = self._opened(index)
        if is_written_call(item):
            self._settle_call(known, item)
        yield from _missing_deltas(index, known, item)
        self._finished[index] = item
        yield from self._flush()

    def _settle_call(self, known: _Open, item: Item) -> None:
        """Make sure that a call has its text as text and a call id that is unique."""
        key = "input" if item.get("type") == "custom_tool_call" else "arguments"
        text = json_text(item.get(key)) or known.said or json_text(known.item.get(key))
        if text != item.get(key):
            item[key] = text
        if not known.call_id:
            known.call_id = self._ids.take(str(item.get("call_id") or ""))
        if item.get("call_id") != known.call_id:
            item["call_id"] = known.call_id
        if not item.get("name"):
            item["name"] = known.name
        known.name = str(item["name"])

    def _flush(self, *, everything: bool = False) -> Iterator[ModelEvent]:
        """Give out the finished items that are next; at the end all, whatever numbers the server left out."""
        if everything:
            for index in sorted(i for i in self._finished if i >= self._added):
                yield ItemAdded(self._finished[index])
                self._added = index + 1
            return
        while (item := self._finished.get(self._added)) is not None:
            self._added += 1
            yield ItemAdded(item)

    # --- the end

    def _end(self, response: dict[str, Any], status: str) -> Iterator[ModelEvent]:
        ending = self.ending
        ending.id = response.get("id") or ending.id
        ending.model = response.get("model") or ending.model
        ending.service_tier = response.get("service_tier")
        ending.usage = usage_of(response.get("usage"))
        if status == "failed":
            raise failure_of_body({"error": response.get("error") or _NO_REASON})
        if status not in ("completed", "incomplete"):
            raise no_answer(f"the response has the status {status!r}, which is no answer", retry=False)
        ending.status = status
        if status == "incomplete":
            details: Any = response.get("incomplete_details")
            ending.reason = str((details.get("reason") if details else None) or "unknown")
        yield from self._leftovers(response.get("output"))
        yield from self._flush(everything=True)
        self.done = True

    def _leftovers(self, output: Any) -> Iterator[ModelEvent]:
        """Finish what had no `output_item.done`: from the whole response, else from the deltas."""
        items: list[Item] = [item for item in output if is_object(item)] if is_array(output) else []
        if len(items) > len(self._finished):
            seen = {str(item["id"]) for item in self._finished.values() if item.get("id")}
            for index, item in enumerate(items):
                if str(item.get("id") or "") not in seen:
                    yield from self._finish_item(index, item)
        for index in sorted(self._open):
            if index not in self._finished:
                rebuilt = _rebuilt(self._open[index])
                if rebuilt is not None:
                    yield from self._finish_item(index, rebuilt)

    def _error(self, data: dict[str, Any]) -> Iterable[ModelEvent]:
        raise failure_of_body(data)


def _is_another(item: Item, known: Item) -> bool:
    """Tell whether an item at an index that is taken is another one, and not the same one again."""
    if not known:
        return False
    if item.get("id") or known.get("id"):
        return item.get("id") != known.get("id")
    return item != known


def _missing_deltas(index: int, known: _Open, item: Item) -> Iterator[ModelEvent]:
    """Give the deltas that the server left out, so that they always join to what the item says."""
    kind = item.get("type", "message" if "role" in item else None)
    if is_written_call(item):
        text = item["input"] if kind == "custom_tool_call" else item["arguments"]
        if rest := _rest(text, known.said):
            yield ArgumentsDelta(rest, index, known.call_id, known.name)
    elif kind == "message":
        parts: Any = item.get("content")
        if rest := _rest(_joined(parts, "output_text", "text"), known.said):
            yield TextDelta(rest, index)
        if rest := _rest(_joined(parts, "refusal", "refusal"), "".join(known.refusal)):
            yield TextDelta(rest, index, True)
    elif kind == "reasoning":
        shown = (
            _joined(item.get("summary"), "summary_text", "text", "\n\n"),
            _joined(item.get("content"), "reasoning_text", "text", "\n\n"),
        )
        if rest := _rest("\n\n".join(filter(None, shown)), known.said):
            yield ReasoningDelta(rest, index)


def _rest(whole: Any, said: str) -> str:
    return whole[len(said) :] if isinstance(whole, str) and whole.startswith(said) else ""


def _joined(parts: Any, kind: str, key: str, separator: str = "") -> str:
    if isinstance(parts, str):
        return parts if kind == "output_text" else ""
    if not is_array(parts):
        return ""
    found: list[Any] = [p for p in parts if is_object(p) and p.get("type") == kind]
    return separator.join(str(p.get(key) or "") for p in found)


def _rebuilt(known: _Open) -> Item | None:
    """Make an item of its deltas alone; None when there is nothing that could be kept."""
    item = dict(known.item)
    if is_written_call(item):
        return item
    text, refusal = known.said, "".join(known.refusal)
    if not text and not refusal:
        return None
    parts: list[dict[str, Any]] = []
    if text:
        parts.append({"type": "output_text", "text": text, "annotations": []})
    if refusal:
        parts.append({"type": "refusal", "refusal": refusal})
    return {**message_item(parts), **item, "content": parts}
