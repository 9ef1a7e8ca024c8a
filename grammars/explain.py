"""Why a text is not in a language, and what would be: for a person, for a model, for a program."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from .caret import pointed
from .distance import closeness
from .engine import Deadline, Engine
from .naming import shown
from .repair import Repair, word_at
from .vocabulary import Continuation, Vocabulary

__all__ = ["Explanation", "Next", "explain", "following"]

_NAMED = 12
_LONGEST_NAME = 200
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
    there is only one; `nearest` is a legal text one edit away, where there is one; `may_end` says whether the prefix is
    a whole text by itself.
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
    may_end: bool = False

    def __bool__(self) -> bool:
        return self.accepted

    @property
    def unfinished(self) -> bool:
        """Whether the text is right as far as it goes, and only ends too early."""
        return not self.accepted and self.position == len(self.text)

    @property
    def found(self) -> str:
        """What stands at the position instead, cut to one word."""
        return word_at(self.text, self.position, 24)

    def for_model(self) -> str:
        """Two or three short lines of plain text, made to be read by a language model."""
        if self.accepted:
            return "The text is valid."
        after = f" after {shown(self.prefix[-40:])}" if self.prefix else ""
        what = "the text ends too early" if self.unfinished else f"unexpected {shown(self.found)}"
        lines = [f"Invalid at line {self.line}, column {self.column}: {what}{after}."]
        lines.append(f"E{self._wanted()[1:]}.")
        if self.nearest is not None and len(self.nearest) <= 2000:
            lines.append(f"Nearest valid text: {self.nearest}")
        elif self.forced.strip():
            lines.append(f"It must go on with {shown(self.forced[:200])}.")
        return "\n".join(lines)

    def render(self, *, color: bool = False, width: int = _CARET_WIDTH) -> str:
        """The line with a caret under the place, in `width` columns, and what may follow, for a terminal."""
        red, green, dim, off = ("\x1b[31m", "\x1b[32m", "\x1b[2m", "\x1b[0m") if color else ("", "", "", "")
        if self.accepted:
            return f"{green}valid{off}"
        what = "the text ends too early" if self.unfinished else "not valid"
        lines = [f"{red}line {self.line}, column {self.column}: {what}{off}", *self._caret(red, off, width)]
        lines.append(self._wanted())
        if self.forced.strip():
            lines.append(f"{dim}it must go on with {off}{shown(self.forced[:200])}")
        if self.nearest is not None:
            lines.append(f"{dim}did you mean{off} {green}{self.nearest}{off}")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """All fields, for JSON."""
        return asdict(self)

    def _wanted(self) -> str:
        """What may stand at the place, as the end of a sentence."""
        named = ", ".join(self.expected)
        if self.may_end:
            return f"expected {named} or the end of the text" if named else "expected the end of the text"
        return f"expected {'one of ' if len(self.expected) > 1 else ''}{named or 'something else'}"

    def _caret(self, red: str, off: str, width: int) -> list[str]:
        start = self.position - (self.column - 1)
        end = self.text.find("\n", self.position)
        line = self.text[start : end if end >= 0 else len(self.text)].removesuffix("\r")
        shown, below = pointed(line, self.column - 1, width=width)
        return [f"  {shown}", f"  {below[:-1]}{red}^{off}"]


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
        nearest = Repair(engine, text, cursor, valid).nearest(ahead)
    forced, may_end = cursor.forced(), cursor.accepting
    return Explanation(
        False, text, prefix, len(prefix), line, column, expected, forced, nearest, may_end=may_end
    )


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
        score = closeness(item.text, word_at(written, 0, len(item.text) + 2) if written else "")
        return (0 if score >= 0.5 else 2, -score, -item.start)

    return sorted(found, key=rank)


def _names(ahead: list[Continuation]) -> tuple[str, ...]:
    named = list(dict.fromkeys(item.name for item in ahead))[:_NAMED]
    return tuple(
        name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…{name[0]}" for name in named
    )


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


def _place(text: str, position: int) -> tuple[int, int]:
    start = text.rfind("\n", 0, position) + 1
    return text.count("\n", 0, position) + 1, position - start + 1
