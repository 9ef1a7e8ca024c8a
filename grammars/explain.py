"""Why a text is not in a language, and what would be: for a person, for a model, for a program."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from .distance import apart, closeness
from .engine import Cursor, Deadline, Engine
from .naming import shown
from .vocabulary import Continuation, Vocabulary

__all__ = ["Explanation", "Next", "explain", "following"]

_NAMED = 12
_REPAIR_SECONDS = 0.5
_LONGEST_REPAIR = 100_000
_CARET_WIDTH = 100


@dataclass(frozen=True, slots=True)
class Next:
    """What may come after a valid prefix.

    `expected` holds literals in quotes and names of terminals, at most a dozen; `forced` is the continuation where
    there is only one; `may_end` says whether the text may stop here.
    """

    expected: tuple[str, ...]
    forced: str
    may_end: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """The verdict on a text.

    `prefix` is the longest valid beginning and `position` its length in characters (`line` and `column` count from
    1); `expected` names what may follow there, likeliest first, at most a dozen; `forced` is the continuation where
    there is only one; `nearest` is a legal text one edit away, where there is one.
    """

    accepted: bool
    text: str
    prefix: str
    position: int
    line: int
    column: int
    expected: tuple[str, ...] = ()
    forced: str = ""
    nearest: str | None = None

    def __bool__(self) -> bool:
        return self.accepted

    @property
    def unfinished(self) -> bool:
        """Whether the text is right as far as it goes, and only ends too early."""
        return not self.accepted and self.position == len(self.text)

    @property
    def found(self) -> str:
        """What stands at the position instead, cut to one word."""
        return _word(self.text, self.position, 24)

    def for_model(self) -> str:
        """Two or three short lines of plain text, made to be read by a language model."""
        if self.accepted:
            return "The text is valid."
        after = f" after {shown(self.prefix[-40:])}" if self.prefix else ""
        what = "the text ends too early" if self.unfinished else f"unexpected {shown(self.found)}"
        lines = [f"Invalid at line {self.line}, column {self.column}: {what}{after}."]
        if self.expected:
            lines.append(f"Expected {'one of ' if len(self.expected) > 1 else ''}{', '.join(self.expected)}.")
        elif not self.unfinished:
            lines.append("Expected the end of the text.")
        if self.nearest is not None and len(self.nearest) <= 2000:
            lines.append(f"Nearest valid text: {self.nearest}")
        elif self.forced:
            lines.append(f"It must go on with {shown(self.forced[:200])}.")
        return "\n".join(lines)

    def render(self, *, color: bool = False) -> str:
        """The line with a caret under the place, and what may follow, for a terminal."""
        red, green, dim, off = ("\x1b[31m", "\x1b[32m", "\x1b[2m", "\x1b[0m") if color else ("", "", "", "")
        if self.accepted:
            return f"{green}valid{off}"
        what = "the text ends too early" if self.unfinished else "not valid"
        lines = [f"{red}line {self.line}, column {self.column}: {what}{off}", *self._caret(red, off)]
        if self.expected:
            lines.append(f"expected {', '.join(self.expected)}")
        elif not self.unfinished:
            lines.append("expected the end of the text")
        if self.forced:
            lines.append(f"{dim}it must go on with {off}{shown(self.forced[:200])}")
        if self.nearest is not None:
            lines.append(f"{dim}did you mean{off} {green}{self.nearest}{off}")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """All fields, for JSON."""
        return asdict(self)

    def _caret(self, red: str, off: str) -> list[str]:
        start = self.position - (self.column - 1)
        end = self.text.find("\n", self.position)
        line = self.text[start : end if end >= 0 else len(self.text)].replace("\t", " ").replace("\r", " ")
        cut = max(0, min(self.column - 1 - _CARET_WIDTH // 2, len(line) - _CARET_WIDTH))
        shown = "".join(
            c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line[cut : cut + _CARET_WIDTH]
        )
        return [f"  {shown}", f"  {' ' * (self.column - 1 - cut)}{red}^{off}"]


def explain(engine: Engine, words: Vocabulary, text: str, seconds: float) -> Explanation:
    """Judge a text. Raises GrammarLimitError where that takes longer than `seconds`."""
    data = text.encode("utf-8", "surrogatepass")
    deadline = Deadline(seconds)
    cursor = engine.cursor()
    valid = cursor.feed(data, deadline)
    if valid == len(data) and cursor.accepting:
        line, column = _place(text, len(text))
        return Explanation(True, text, text, len(text), line, column)
    while (
        valid < len(data) and data[valid] & 0xC0 == 0x80
    ):  # inside a character: it begins to be wrong at its start
        valid -= 1
        cursor.back(1)
    prefix = data[:valid].decode()
    line, column = _place(text, len(prefix))
    ahead = _ranked(words.continuations(data[:valid], deadline), data, valid)
    expected = _names(ahead) or _characters(cursor.allowed())
    nearest = None
    if len(data) <= _LONGEST_REPAIR:
        nearest = _Repair(text, cursor, valid, Deadline(_REPAIR_SECONDS)).nearest(ahead)
    return Explanation(False, text, prefix, len(prefix), line, column, expected, cursor.forced(), nearest)


def following(engine: Engine, words: Vocabulary, prefix: str, seconds: float) -> Next | None:
    """What may follow a prefix; None where it is not a valid one."""
    data = prefix.encode("utf-8", "surrogatepass")
    deadline = Deadline(seconds)
    cursor = engine.cursor()
    if cursor.feed(data, deadline) < len(data):
        return None
    ahead = _ranked(words.continuations(data, deadline), data, len(data))
    return Next(_names(ahead) or _characters(cursor.allowed()), cursor.forced(), cursor.accepting)


def _ranked(found: list[Continuation], data: bytes, valid: int) -> list[Continuation]:
    """Literals close to what was written first, then names, then the other literals."""

    def rank(item: Continuation) -> tuple[int, float, int]:
        if item.text is None:
            return (3 if item.complete else 1, 0.0, item.start)
        written = data[item.start : item.start + 200].decode("utf-8", "ignore")
        score = closeness(item.text, _word(written, 0, len(item.text) + 2) if written else "")
        return (0 if score >= 0.5 else 2, -score, -item.start)

    return sorted(found, key=rank)


def _names(ahead: list[Continuation]) -> tuple[str, ...]:
    return tuple(list(dict.fromkeys(item.name for item in ahead))[:_NAMED])


def _characters(allowed: bytes) -> tuple[str, ...]:
    """Bytes as a person would name them: a few in quotes, many as ranges."""
    plain = [b for b in allowed if 32 <= b < 127]
    if len(plain) <= _NAMED and len(plain) == len(allowed):
        return tuple(shown(chr(b)) for b in plain)
    ranges: list[list[int]] = []
    for byte in plain:
        if ranges and byte == ranges[-1][1] + 1:
            ranges[-1][1] = byte
        else:
            ranges.append([byte, byte])
    if len(ranges) > _NAMED or (ranges and ranges[0] == [32, 126]):
        return ("any character",)
    names = [shown(chr(a)) if a == b else f"{chr(a)} to {chr(b)}" for a, b in ranges]
    if any(b in (9, 10, 13) for b in allowed):
        names.append("white space")
    if any(b >= 128 for b in allowed):
        names.append("a character beyond ASCII")
    return tuple(names[:_NAMED])


class _Repair:
    """Looks for a legal text one edit away from a wrong one: a word replaced, put in, left out or completed."""

    def __init__(self, text: str, cursor: Cursor, valid: int, deadline: Deadline) -> None:
        self.data = text.encode("utf-8", "surrogatepass")
        self.cursor = cursor
        self.valid = valid
        self.deadline = deadline
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

    def offer(self, start: int, word: bytes, end: int) -> None:
        """Keep data[:start] + word + data[end:] if it is legal and nearer than the best so far."""
        if self.deadline.left() < 0:
            return
        old = self.data[start:end]
        cost = apart(old.decode("utf-8", "replace"), word.decode())
        # Nobody means "red" who writes "purple", and most of a text is not one edit.
        if (
            cost == 0
            or cost > max(2, (2 * max(len(old), len(word))) // 3)
            or cost > max(6, len(self.data) // 2)
        ):
            return
        if self.best is not None and cost >= self.best[0]:
            return
        rest = word + self.data[end:]
        walk = self.cursor.copy()
        walk.back(self.valid - start)
        if walk.feed(rest, self.deadline, exact=False) == len(rest) and walk.accepting:
            self.best = (cost, self.data[:start] + rest)


def _word_end(data: bytes, start: int) -> int:
    """The end of the word, or of the one sign, at an offset."""
    text = data[start : start + 200].decode("utf-8", "ignore")
    return start + len(_word(text, 0, 200).encode())


def _word(text: str, start: int, longest: int) -> str:
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


def _place(text: str, position: int) -> tuple[int, int]:
    start = text.rfind("\n", 0, position) + 1
    return text.count("\n", 0, position) + 1, position - start + 1
