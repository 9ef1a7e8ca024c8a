"""Reads answers of Chat Completions, streamed or whole, into the same events and items as Responses gives."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..events import ArgumentsDelta, ItemAdded, ModelEvent, ReasoningDelta, TextDelta
from ..items import PROVIDER_KEY, Item
from .deltas import CallMerger, CallSlot
from .failures import broken, failure_of_body, no_answer
from .jsondata import is_array, is_object
from .reader import CallIds, Ending, message_item, usage_of
from .think import ThinkSplitter

__all__ = ["ChatReader"]

_REASONING_FIELDS = ("reasoning_content", "reasoning")
_KNOWN = frozenset(
    {"role", "content", "refusal", "tool_calls", "function_call", "annotations", "audio", "obfuscation"}
    | {*_REASONING_FIELDS, "reasoning_details"}
)
_USUAL = frozenset({"role", "content", "tool_calls"})
_CUT = {"length": "max_output_tokens", "content_filter": "content_filter"}


class ChatReader:
    """Collects one choice. Items come at the end, in the order reasoning, message, calls.

    Calls wait for the end because several servers go back to an earlier one. Fields that only this provider
    understands go under PROVIDER_KEY: `message` and `call` hold fields of the chat message and of the call,
    `text_field` names the field in which the reasoning's text came.
    """

    def __init__(self, ids: CallIds, *, provider: str, think_tags: bool) -> None:
        self.ending = Ending()
        self.done = False
        self._ids = ids
        self._provider = provider
        self._think = ThinkSplitter() if think_tags else None
        self._choice: Any = None
        self._finish: str | None = None
        self._text: list[str] = []
        self._refusal: list[str] = []
        self._reasoning: list[str] = []
        self._text_field: str | None = None
        self._details: list[dict[str, Any]] = []
        self._annotations: list[dict[str, Any]] = []
        self._private: dict[str, Any] = {}
        self._calls = CallMerger()
        self._call_ids: dict[int, str] = {}
        self._order: dict[object, int] = {}

    @property
    def answered(self) -> bool:
        """Whether the server has said how the answer ended; only its usage may be missing."""
        return self.done or self._finish is not None

    def feed(self, name: bytes, data: dict[str, Any]) -> Iterable[ModelEvent]:
        """Take one chunk."""
        choices = data.get("choices")
        if data.get("error") or name == b"error":
            raise failure_of_body(data)
        if self.ending.model is None or data.get("usage"):
            self._head(data)
        if not is_array(choices):
            if "error" in (data.get("object"), data.get("type")):
                raise failure_of_body(data)
            return ()
        events: list[ModelEvent] = []
        for choice in choices:
            if self._is_ours(choice):
                if finish := choice.get("finish_reason"):
                    self._finished(finish, choice)
                delta: Any = choice.get("delta")
                if delta:
                    self._message(delta, events, whole=False)
        return events

    def whole(self, body: dict[str, Any]) -> Iterable[ModelEvent]:
        """Take a chat completion object."""
        choices: Any = body.get("choices")
        if not choices and (body.get("error") or body.get("object") == "error"):
            raise failure_of_body(body)
        if not is_array(choices) or not choices:
            raise no_answer("the answer has no choices", retry="choices" in body)
        self._head(body)
        choice: Any = choices[0]
        self._finished(choice.get("finish_reason"), choice)
        events: list[ModelEvent] = []
        self._message(choice.get("message") or {}, events, whole=True)
        yield from events
        yield from self.finish(marked=True)

    def finish(self, *, marked: bool) -> Iterable[ModelEvent]:
        """Give out the items; raises when neither a finish reason nor `[DONE]` was seen."""
        if self.done:
            return
        if self._finish is None and not marked:
            raise broken("the stream ended before the answer was complete")
        if self._think is not None:
            events: list[ModelEvent] = []
            self._split(*self._think.flush(), events)
            yield from events
        ending = self.ending
        if self._finish in _CUT:
            ending.status, ending.reason = "incomplete", _CUT[self._finish]
        elif self._finish == "error" and not self._calls.slots:
            raise no_answer("the server ended the answer with finish_reason 'error'", retry=True)
        yield from self._items()
        self.done = True

    def cut(self, text: str) -> Iterable[ModelEvent]:
        """End the message here: only the reasoning and the text up to the stop sequence are kept."""
        self._text, self._refusal = [text], []
        self._calls = CallMerger()
        yield from self._items(empty=True)

    # --- what comes

    def _head(self, data: Mapping[str, Any]) -> None:
        ending = self.ending
        ending.id = data.get("id") or ending.id
        ending.model = data.get("model") or ending.model
        ending.service_tier = data.get("service_tier") or ending.service_tier
        if data.get("usage"):
            usage = usage_of(data["usage"])
            if not usage.unreported:
                ending.usage = usage

    def _finished(self, reason: str | None, choice: Mapping[str, Any]) -> None:
        self._finish = self._finish or reason
        if choice.get("error"):
            raise failure_of_body(choice)

    def _is_ours(self, choice: Any) -> bool:
        """The first choice that is seen counts, whatever number the server gives it."""
        if not is_object(choice):
            return False
        index = choice.get("index") or 0
        if self._choice is None:
            self._choice = index
        return bool(self._choice == index)

    def _message(self, message: Mapping[str, Any], events: list[ModelEvent], *, whole: bool) -> None:
        """Take a delta, or a whole message, and add its events."""
        usual = message.keys() <= _USUAL
        if not usual:
            self._take_reasoning(message, events)
        if content := message.get("content"):
            self._content(content, events)
        if not usual:
            self._take_rest(message, events)
        for call in message.get("tool_calls") or ():
            slot, text = self._calls.add_whole(call) if whole else self._calls.add(call)
            self._call_delta(slot, text, events)

    def _take_reasoning(self, message: Mapping[str, Any], events: list[ModelEvent]) -> None:
        for field in _REASONING_FIELDS:
            text = message.get(field)
            if text and isinstance(text, str):
                self._text_field = self._text_field or field
                self._reasoning.append(text)
                events.append(ReasoningDelta(text, self._index("reasoning")))
                break
        for detail in message.get("reasoning_details") or ():
            _add_detail(self._details, detail)

    def _content(self, content: Any, events: list[ModelEvent]) -> None:
        text = content if isinstance(content, str) else _joined(content)
        reasoning = ""
        if self._think is not None and self._text_field is None:
            reasoning, text = self._think.feed(text)
        self._split(reasoning, text, events)

    def _split(self, reasoning: str, text: str, events: list[ModelEvent]) -> None:
        if reasoning:
            self._reasoning.append(reasoning)
            events.append(ReasoningDelta(reasoning, self._index("reasoning")))
        if text:
            self._text.append(text)
            events.append(TextDelta(text, self._index("message")))

    def _take_rest(self, message: Mapping[str, Any], events: list[ModelEvent]) -> None:
        if refusal := message.get("refusal"):
            self._refusal.append(str(refusal))
            events.append(TextDelta(str(refusal), self._index("message"), refusal=True))
        for note in message.get("annotations") or ():
            self._annotations.append(_flat_annotation(note))
        if legacy := message.get("function_call"):
            slot, text = self._calls.add({"index": 0, "function": legacy})
            self._call_delta(slot, text, events)
        for key, value in message.items():
            if key not in _KNOWN and value is not None:
                self._private[key] = value

    def _call_delta(self, slot: CallSlot, text: str, events: list[ModelEvent]) -> None:
        key = id(slot)
        call_id = self._call_ids.get(key, "")
        if not call_id and slot.id:
            call_id = self._call_ids[key] = self._ids.take(slot.id)
        index = self._index(key)
        if text:
            events.append(ArgumentsDelta(text, index, call_id, slot.name))

    def _index(self, kind: object) -> int:
        return self._order.setdefault(kind, len(self._order))

    # --- what it makes

    def _items(self, *, empty: bool = False) -> Iterator[ModelEvent]:
        private = {"message": self._private} if self._private else {}
        if self._reasoning or self._details:
            yield ItemAdded(self._reasoning_item())
        message = self._message_item(empty=empty)
        if message is not None:
            yield ItemAdded(self._with_private(message, private))
            private = {}
        slots = [slot for slot in self._calls.slots if slot.name or slot.text]
        for slot in slots:
            item = self._call_item(slot, cut=self._finish == "length" and slot is slots[-1])
            if slot.private:
                private = {**private, "call": slot.private}
            yield ItemAdded(self._with_private(item, private))
            private = {}

    def _reasoning_item(self) -> Item:
        text = "".join(self._reasoning)
        content = [{"type": "reasoning_text", "text": text}] if text else []
        private: dict[str, Any] = {}
        if self._text_field:
            private["text_field"] = self._text_field
        if self._details:
            private["message"] = {"reasoning_details": self._details}
        return {
            "type": "reasoning",
            "summary": [],
            "content": content,
            PROVIDER_KEY: {self._provider: private},
        }

    def _message_item(self, *, empty: bool) -> Item | None:
        parts: list[dict[str, Any]] = []
        text = "".join(self._text)
        if text or empty:
            parts.append({"type": "output_text", "text": text, "annotations": self._annotations})
        if self._refusal:
            parts.append({"type": "refusal", "refusal": "".join(self._refusal)})
        return message_item(parts) if parts else None

    def _call_item(self, slot: CallSlot, *, cut: bool) -> Item:
        call_id = self._call_ids.get(id(slot)) or self._ids.take(slot.id)
        kind, key = ("custom_tool_call", "input") if slot.custom else ("function_call", "arguments")
        item: Item = {"type": kind, "call_id": call_id, "name": slot.name, key: "".join(slot.text)}
        if cut:
            item["status"] = "incomplete"
        return item

    def _with_private(self, item: Item, private: Mapping[str, Any]) -> Item:
        return {**item, PROVIDER_KEY: {self._provider: dict(private)}} if private else item


def _joined(content: Any) -> str:
    if not is_array(content):
        return ""
    parts: list[Any] = content
    return "".join(str(p.get("text") or "") for p in parts if is_object(p) and p.get("type") == "text")


def _flat_annotation(note: Mapping[str, Any]) -> dict[str, Any]:
    """Chat nests an annotation under its own type, Responses does not."""
    kind = note.get("type")
    inner: Any = note.get(str(kind))
    return {"type": kind, **inner} if is_object(inner) else dict(note)


def _add_detail(details: list[dict[str, Any]], more: Mapping[str, Any]) -> None:
    """Join the pieces of one reasoning detail, which a stream gives under one type and index."""
    last = details[-1] if details else None
    same = last is not None and all(last.get(k) == more.get(k) for k in ("type", "index"))
    if last is None or not same or more.get("index") is None:
        details.append(dict(more))
        return
    for key, value in more.items():
        if key in ("text", "summary", "data") and isinstance(value, str) and isinstance(last.get(key), str):
            last[key] += value
        elif value is not None:
            last[key] = value
