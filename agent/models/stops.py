"""Stop sequences cut on our side, where the server refuses `stop`.

Sits between a reader and the loop: events go in, events come out. Text that could be the beginning of a stop
sequence is held back until it is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ..events import ModelEvent, TextDelta

__all__ = ["StopCutter"]


class StopCutter:
    """Passes events on until the text holds a stop sequence; then `hit` is true and nothing more comes out.

    `text` is the text of the message as it was let through: what the cut message shall say.
    """

    __slots__ = ("_held", "_index", "_parts", "_stops", "hit")

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(stop for stop in stops if stop)
        self._held = ""
        self._index = 0
        self._parts: list[str] = []
        self.hit = False

    @property
    def text(self) -> str:
        """The text of the current message so far, without what is held back."""
        return "".join(self._parts)

    def cut(self, events: Iterable[ModelEvent]) -> Iterator[ModelEvent]:
        """Pass events on up to the first stop sequence, which is taken out."""
        for event in events:
            if isinstance(event, TextDelta) and not event.refusal:
                if event.index != self._index:
                    yield from self._release()
                    self._index, self._parts = event.index, []
                yield from self._text(event.text)
                if self.hit:
                    return
            else:
                yield from self._release()
                yield event

    def _text(self, more: str) -> Iterator[ModelEvent]:
        text = self._held + more
        at = min((at for stop in self._stops if (at := text.find(stop)) >= 0), default=-1)
        if at >= 0:
            self.hit = True
            text, self._held = text[:at], ""
        else:
            keep = max((_overlap(text, stop) for stop in self._stops), default=0)
            text, self._held = text[: len(text) - keep], text[len(text) - keep :]
        yield from self._let_through(text)

    def _release(self) -> Iterator[ModelEvent]:
        held, self._held = self._held, ""
        yield from self._let_through(held)

    def _let_through(self, text: str) -> Iterator[ModelEvent]:
        if text:
            self._parts.append(text)
            yield TextDelta(text, self._index)


def _overlap(text: str, stop: str) -> int:
    """Return how many characters at the end of `text` may be the beginning of `stop`."""
    for size in range(min(len(text), len(stop) - 1), 0, -1):
        if text.endswith(stop[:size]):
            return size
    return 0
