"""The `pattern` of a JSON schema as an expression for the whole text: what `re.search` finds, with ASCII `\\d` and `\\w`.

Anchors and lookaheads are resolved against what follows them, so the result is a plain expression with `&` and `~`.
"""

from __future__ import annotations

import warnings
from functools import lru_cache
from importlib import import_module
from typing import Any

from .derivative import NOTHING, both
from .regular import (
    ANY,
    EMPTY,
    Chars,
    Complement,
    Concat,
    Regular,
    Times,
    Union,
    chars,
    folded,
    inverse,
)

__all__ = ["PatternError", "read_pattern"]

_ALL = Times(ANY, 0, None)
_DIGITS = Chars(((48, 57),))
_WORDS = chars([(48, 57), (65, 90), (95, 95), (97, 122)])
_SPACES = chars([(9, 13), (32, 32), (0x85, 0x85), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A),
                 (0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000)])  # fmt: skip
_CATEGORIES = {"DIGIT": _DIGITS, "WORD": _WORDS, "SPACE": _SPACES}
_LINE = chars([(10, 10)])
_FOLD, _DOTALL, _MULTILINE, _VERBOSE = 2, 16, 8, 64
_MOST_COPIES = 20_000


class PatternError(ValueError):
    """The pattern cannot be part of a grammar; the message says why."""


@lru_cache(maxsize=1024)
def read_pattern(pattern: str) -> Regular:
    """The texts in which the pattern is found. Raises PatternError."""
    sre: Any = import_module("re._parser")  # the one reader of what jsonschema will search with
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", FutureWarning
            )  # about sets that a later Python may read otherwise
            tree = sre.parse(pattern)
    except Exception as error:  # re.error, OverflowError, RecursionError: whatever a hostile pattern brings
        raise PatternError(f"the pattern {pattern!r} cannot be read: {error}") from error
    flags = int(tree.state.flags)
    if flags & (_MULTILINE | _VERBOSE):
        raise PatternError(f"the pattern {pattern!r} has the flag m or x")
    reader = _Reader(flags)
    try:
        return reader.text(list(tree), _ALL, start=True)
    except RecursionError as error:
        raise PatternError("the pattern is nested too deeply") from error


class _Reader:
    """Reads from the right: what follows an item is known when the item is read."""

    def __init__(self, flags: int) -> None:
        self.flags = flags

    def text(self, items: list[Any], after: Regular, *, start: bool) -> Regular:
        """The texts that begin with the items and go on with `after`; with `start`, anywhere in the text."""
        if not start:
            return self.chain(items, after)
        if len(items) == 1 and str(items[0][0]) == "BRANCH":
            return _either(self.text(list(option), after, start=True) for option in items[0][1][1])
        if len(items) == 1 and str(items[0][0]) == "SUBPATTERN":
            return self.text(list(self.group(items[0][1])), after, start=True)
        if items and str(items[0][0]) == "AT" and str(items[0][1]) in ("AT_BEGINNING", "AT_BEGINNING_STRING"):
            return self.chain(items[1:], after)
        anchored = self.begins(items)
        if anchored is None:
            return _joined(_ALL, self.chain(items, after))
        found: Regular = anchored(after)
        return found

    def begins(self, items: list[Any]) -> Any:
        """How to read items whose first group holds the beginning of the text; None where none does."""
        if not items or not _has_start(items[0]):
            return None
        head, rest = items[0], items[1:]

        def read(after: Regular) -> Regular:
            return self.text([head], self.chain(rest, after), start=True)

        return read if str(head[0]) in ("BRANCH", "SUBPATTERN") else None

    def chain(self, items: list[Any], after: Regular) -> Regular:
        for item in reversed(items):
            after = self.item(str(item[0]), item[1], after)
        return after

    def group(self, value: Any) -> Any:
        _, added, removed, body = value
        if added & _FOLD or removed:
            raise PatternError("the pattern changes its flags on the way")
        return body

    def item(self, kind: str, value: Any, after: Regular) -> Regular:
        match kind:
            case "AT":
                return self.anchor(str(value), after)
            case "ASSERT" | "ASSERT_NOT":
                if value[0] != 1:
                    raise PatternError("the pattern looks behind")
                ahead = self.chain(list(value[1]), _ALL)
                return _both(ahead if kind == "ASSERT" else Complement(ahead), after)
            case "BRANCH":
                if any(_looks(option) for option in value[1]):
                    return _either(self.chain(list(option), after) for option in value[1])
                return _joined(_either(self.chain(list(option), EMPTY) for option in value[1]), after)
            case "SUBPATTERN":
                return self.chain(list(self.group(value)), after)
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                return self.repeated(kind, value, after)
            case _:
                return _joined(self.character(kind, value), after)

    def anchor(self, name: str, after: Regular) -> Regular:
        if name in ("AT_END", "AT_END_STRING"):
            return _both(EMPTY, after) if after != _ALL else EMPTY
        if name in ("AT_BEGINNING", "AT_BEGINNING_STRING"):
            raise PatternError("the pattern has ^ in its middle")
        raise PatternError("the pattern has a word boundary \\b, which no grammar has")

    def repeated(self, kind: str, value: Any, after: Regular) -> Regular:
        low, high, body = int(value[0]), int(value[1]), list(value[2])
        if kind == "POSSESSIVE_REPEAT":
            raise PatternError("the pattern has a possessive repetition")
        if _looks(body):
            if (low, high) == (0, 1):
                return _either((self.chain(body, after), after))
            raise PatternError("the pattern repeats an anchor or a lookahead")
        if low > _MOST_COPIES:
            raise PatternError(f"the pattern repeats {low} times")
        most = None if high > _MOST_COPIES * 10 else high
        return _joined(Times(self.chain(body, EMPTY), low, most), after)

    def character(self, kind: str, value: Any) -> Chars:
        match kind:
            case "LITERAL":
                return self.cased(Chars(((value, value),)))
            case "NOT_LITERAL":
                return inverse(self.cased(Chars(((value, value),))))
            case "ANY":
                return ANY if self.flags & _DOTALL else inverse(_LINE)
            case "IN":
                return self.bracket(list(value))
            case _:
                raise PatternError(f"the pattern has {kind.lower().replace('_', ' ')}, which no grammar has")

    def bracket(self, items: list[Any]) -> Chars:
        negative = bool(items) and str(items[0][0]) == "NEGATE"
        ranges: list[tuple[int, int]] = []
        for kind, value in items[1:] if negative else items:
            match str(kind):
                case "LITERAL":
                    ranges.append((value, value))
                case "RANGE":
                    ranges.append((value[0], value[1]))
                case _:
                    name = str(value).removeprefix("CATEGORY_")
                    found = _CATEGORIES[name.removeprefix("NOT_")]
                    ranges.extend(inverse(found).ranges if name.startswith("NOT_") else found.ranges)
        made = self.cased(chars(_without_surrogates(ranges)))
        return inverse(made) if negative else made

    def cased(self, given: Chars) -> Chars:
        return folded(given) if self.flags & _FOLD else given


def _without_surrogates(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for low, high in ranges:
        if low < 0xD800:
            found.append((low, min(high, 0xD7FF)))
        if high > 0xDFFF:
            found.append((max(low, 0xE000), high))
    return found


def _looks(items: Any) -> bool:
    """Whether an anchor or a lookaround is inside."""
    for kind, value in items:
        name = str(kind)
        if name in ("AT", "ASSERT", "ASSERT_NOT"):
            return True
        if name == "BRANCH" and any(_looks(option) for option in value[1]):
            return True
        if name == "SUBPATTERN" and _looks(value[3]):
            return True
        if name.endswith("REPEAT") and _looks(value[2]):
            return True
    return False


def _has_start(item: Any) -> bool:
    """Whether `^` stands at the beginning of this item, or of an alternative in it."""
    name = str(item[0])
    if name == "AT":
        return str(item[1]).startswith("AT_BEGINNING")
    if name == "BRANCH":
        return any(bool(len(option)) and _has_start(option[0]) for option in item[1][1])
    if name == "SUBPATTERN":
        body = item[1][3]
        return bool(len(body)) and _has_start(body[0])
    return False


def _joined(one: Regular, other: Regular) -> Regular:
    if one == NOTHING or other == NOTHING:
        return NOTHING
    if isinstance(one, Times) and one == other == _ALL:
        return _ALL
    left = one.items if isinstance(one, Concat) else (one,)
    right = other.items if isinstance(other, Concat) else (other,)
    items = (*left, *right)
    return items[0] if len(items) == 1 else Concat(items)


def _either(options: Any) -> Regular:
    found = tuple(dict.fromkeys(option for option in options if option != NOTHING))
    if _ALL in found:
        return _ALL
    return NOTHING if not found else found[0] if len(found) == 1 else Union(found)


def _both(one: Regular, other: Regular) -> Regular:
    if EMPTY in (one, other):
        from .regular import nullable

        return EMPTY if nullable(one) and nullable(other) else NOTHING
    return both((one, other))
