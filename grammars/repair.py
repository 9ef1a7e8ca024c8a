"""The legal text that was probably meant: what is one edit away from a wrong one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .distance import apart
from .engine import Cursor, Deadline, Engine

if TYPE_CHECKING:
    from .vocabulary import Continuation

__all__ = ["Repair", "word_at"]

_SECONDS = 0.5
_BEFORE = 60  # bytes: how far before the place a sign may be missing
_QUOTED = 0.8  # less than one other sign: who forgets quotes forgets both
_LONGEST_SLIPS = 4000
_MISSING = 12  # characters that may be missing at the end
_SIGNS = b",;:()[]{}\"'"


class Repair:
    """Looks for a legal text one edit away from a wrong one: a word replaced, put in, left out or completed, a sign put
    in or left out, quotes put around; or one slip made all over the text: letters in the other case, needless space."""

    def __init__(self, engine: Engine, text: str, cursor: Cursor, valid: int) -> None:
        self.engine = engine
        self.text = text
        self.data = text.encode("utf-8", "surrogatepass")
        self.cursor = cursor
        self.valid = valid
        self.deadline = Deadline(_SECONDS)
        self.best: tuple[float, bytes] | None = None

    def nearest(self, ahead: list[Continuation]) -> str | None:
        """The legal text with the fewest changed characters; None where one edit does not do it."""
        if self.cursor.accepting:
            self.offer(self.valid, b"", len(self.data))
        for item in ahead[:40]:
            if item.text is not None:
                self.replace(item.start, item.text.encode())
        forced = self.cursor.forced()
        if forced:
            self.offer(self.valid, forced.encode(), self.valid)
            self.offer(self.valid, forced.encode(), len(self.data))
        self.characters()
        self.quotes()
        self.signs()
        self.slips()
        return self.best[1].decode() if self.best else None

    def replace(self, start: int, word: bytes) -> None:
        """Put a word in at `start`, instead of as much as could be meant by it."""
        ends = {start, self.valid, min(len(self.data), start + len(word)), _word_end(self.data, start)}
        ends.add(_word_end(self.data, self.valid))
        for end in sorted(end for end in ends if end >= start):
            self.offer(start, word, end)

    def characters(self) -> None:
        """Leave one character out, or put in or change one."""
        step = len(self.data[self.valid :].decode("utf-8", "ignore")[:1].encode())
        if step:
            self.offer(self.valid, b"", self.valid + step)
            self.offer(self.valid, b"", _word_end(self.data, self.valid))
        for byte in self.cursor.allowed():
            if 32 <= byte < 127 and self.deadline.left() > 0:
                self.offer(self.valid, bytes([byte]), self.valid)
                self.offer(self.valid, bytes([byte]), self.valid + step)

    def quotes(self) -> None:
        """Put quotes around the word at the place, or exchange those that it has."""
        quotes = [chr(byte).encode() for byte in self.cursor.allowed() if byte in b"\"'"]
        end = _word_end(self.data, self.valid)
        if not quotes:
            return
        if self.data[self.valid : self.valid + 1] in (b"'", b'"'):
            closing = self.data.find(self.data[self.valid : self.valid + 1], self.valid + 1)
            word, end = self.data[self.valid + 1 : closing], closing + 1
            if closing < 0 or b"\n" in word:
                return
        else:
            word = self.data[self.valid : end]
        for quote in quotes:
            if quote not in word:
                self.offer(self.valid, quote + word + quote, end, most=_QUOTED)

    def signs(self) -> None:
        """Put in a sign that is missing before the place, or leave one out: a comma, a bracket, a quote."""
        walk = self.cursor.copy()
        first = max(0, self.valid - _BEFORE)
        for start in range(self.valid - 1, first - 1, -1):
            if self.deadline.left() < 0:
                return
            walk.back(1)
            if self.data[start] in _SIGNS:
                self.offer(start, b"", start + 1)
            for byte in walk.allowed():
                # a quote or bracket closes behind a word, not in it
                if byte in _SIGNS and not (_letter(self.data, start - 1) and _letter(self.data, start)):
                    self.offer(start, bytes([byte]), start)

    def slips(self) -> None:
        """Take letters in the other case where only that fits, and leave out white space that does not fit."""
        if len(self.text) > _LONGEST_SLIPS or self.deadline.left() < 0:
            return
        walk = self.engine.cursor()
        found: list[str] = []
        changed = 0
        for at, character in enumerate(self.text):
            fitting = next((c for c in dict.fromkeys((character, character.swapcase()))
                            if walk.fits(c.encode("utf-8", "surrogatepass")) == len(c.encode("utf-8", "surrogatepass"))), "")  # fmt: skip
            if not fitting and not (character.isspace() and self.needless(at)):
                return
            changed += fitting != character
            found.append(fitting)
            walk.feed(fitting.encode(), self.deadline, exact=False)
        if changed and walk.accepting and (self.best is None or 0.1 * changed < self.best[0]):
            self.best = (0.1 * changed, "".join(found).encode())

    def needless(self, at: int) -> bool:
        """Whether no two words become one without the white space at an offset."""
        before, after = self.text[at - 1 : at] if at else "", self.text[at + 1 : at + 2]
        return not ((before.isalnum() or before == "_") and (after.isalnum() or after == "_"))

    def offer(self, start: int, word: bytes, end: int, *, most: float = 1e9) -> None:
        """Keep data[:start] + word + data[end:] if it is legal and nearer than the best so far; it counts as `most` at
        most."""
        if self.deadline.left() < 0:
            return
        old = self.data[start:end]
        cost = apart(old.decode("utf-8", "replace"), word.decode("utf-8", "replace"))
        # Nobody means "red" who writes "purple", and most of a text is not one edit.
        limit = min(max(2, (2 * max(len(old), len(word))) // 3), max(6, len(self.data) // 2))
        if start == self.valid == len(self.data) > 2:
            limit = max(limit, min(_MISSING, len(self.data) + 2))  # the end alone is missing
        if cost == 0 or cost > limit:
            return
        cost = min(cost, most)
        if self.best is not None and cost >= self.best[0]:
            return
        rest = word + self.data[end:]
        walk = self.cursor.copy()
        walk.back(self.valid - start)
        if walk.feed(rest, self.deadline, exact=False) == len(rest) and walk.accepting:
            self.best = (cost, self.data[:start] + rest)


def _letter(data: bytes, at: int) -> bool:
    """Whether a letter, a digit or a part of a character beyond ASCII stands at an offset."""
    return 0 <= at < len(data) and (data[at] >= 128 or chr(data[at]).isalnum() or data[at] == 0x5F)


def _word_end(data: bytes, start: int) -> int:
    """The end of the word, or of the one sign, at an offset."""
    text = data[start : start + 200].decode("utf-8", "ignore")
    return start + len(word_at(text, 0, 200).encode())


def word_at(text: str, start: int, longest: int) -> str:
    """The word or the single sign at a place, white space before it included."""
    end = start
    while end < len(text) and text[end].isspace() and end - start < longest:
        end += 1
    first = end
    while end < len(text) and (text[end].isalnum() or text[end] == "_") and end - start < longest:
        end += 1
    if end == first:
        end += 1
    return text[start:end]
