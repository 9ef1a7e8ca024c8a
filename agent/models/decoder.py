"""Bytes of an answer into events: splitting, JSON, reading, and the cut at stop sequences, without any I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ..events import ModelEvent
from .failures import no_answer
from .jsondata import decode, is_object
from .reader import Reader
from .sse import SSESplitter
from .stops import StopCutter

__all__ = ["Decoder"]


_UNEXPECTED = (AttributeError, KeyError, TypeError, ValueError)
"""What a reader raises where the JSON is no object, no list or no text although the format says so."""


class Decoder:
    """Decodes one answer, streamed (`feed` and `end`) or whole. `finished` says that nothing more is needed."""

    def __init__(self, reader: Reader, stops: Iterable[str] = ()) -> None:
        self.reader = reader
        self.finished = False
        stops = tuple(stops)
        self._cutter = StopCutter(stops) if stops else None
        self._splitter = SSESplitter()
        self._begun = False

    def feed(self, chunk: bytes) -> Iterator[ModelEvent]:
        """Take bytes of a stream."""
        reader, cutter = self.reader, self._cutter
        try:
            for name, data in self._splitter.feed(chunk):
                if self.finished:
                    return
                try:
                    event: Any = decode(data)
                except ValueError:
                    yield from self._not_an_event(data)
                    continue
                if is_object(event):
                    self._begun = True
                    events = reader.feed(name, event)
                    yield from events if cutter is None else self._cut(events, cutter)
                    self.finished = self.finished or reader.done
        except _UNEXPECTED as error:
            raise _no_such_shape() from error

    def end(self) -> Iterator[ModelEvent]:
        """End a stream whose connection was closed in order."""
        if self.finished:
            return
        rest = self._splitter.rest()
        # A last frame without its empty line counts if it is whole; half of one is a stream that broke.
        if rest is not None and (rest[1].strip() == b"[DONE]" or _is_json(rest[1])):
            yield from self.feed(b"\n\n")
        if not self.finished and not self._begun and (text := self._splitter.leftover).lstrip()[:1] in b"{<":
            # An error, or an answer, that only says to be a stream.
            yield from self.whole(text)
        if not self.finished:
            yield from self._read(self.reader.finish(marked=False))
            self.finished = True

    def whole(self, content: bytes) -> Iterator[ModelEvent]:
        """Take the body of an answer that was not streamed."""
        try:
            body: Any = decode(content)
        except ValueError:
            raise _not_json(content) from None
        if not is_object(body):
            raise no_answer(f"the server answered {_short(content)} instead of an object", retry=False)
        yield from self._read(self.reader.whole(body))
        self.finished = True

    def _read(self, events: Iterable[ModelEvent]) -> Iterable[ModelEvent]:
        try:
            yield from events if self._cutter is None else self._cut(events, self._cutter)
        except _UNEXPECTED as error:
            raise _no_such_shape() from error

    def _not_an_event(self, data: bytes) -> Iterator[ModelEvent]:
        text = data.strip()
        if text == b"[DONE]":
            yield from self._read(self.reader.finish(marked=True))
            self.finished = True
        elif text:
            raise no_answer(f"the server sent an event that is no JSON: {_short(data)}", retry=True)

    def _cut(self, events: Iterable[ModelEvent], cutter: StopCutter) -> Iterator[ModelEvent]:
        yield from cutter.cut(events)
        if cutter.hit:
            self.finished = True
            yield from self.reader.cut(cutter.text)
            self.reader.ending.status, self.reader.ending.reason = "completed", "stop_sequence"


def _no_such_shape() -> Exception:
    return no_answer("the server's answer has a shape that no server was known to send", retry=True)


def _is_json(data: bytes) -> bool:
    try:
        decode(data)
    except ValueError:
        return False
    return True


def _not_json(content: bytes) -> Exception:
    head = content[:500].lstrip().lower()
    if head.startswith((b"<!doctype", b"<html")):
        return no_answer("the server answered with an HTML page: is the base URL right?", retry=False)
    if not content.strip():
        return no_answer("the server answered with an empty body", retry=True)
    return no_answer(f"the server's answer is no JSON: {_short(content)}", retry=True)


def _short(content: bytes) -> str:
    text = content[:200].decode(errors="replace")
    return repr(text if len(content) <= 200 else text + "...")
