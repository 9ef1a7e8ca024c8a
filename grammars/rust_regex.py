"""Reads regular expressions as llguidance does: the dialect of Rust's regex crate, matched greedily and whole.

Gives the tree, what an engine would refuse, and the places where Python's `re` reads the same text differently.
Grammar of the dialect: https://docs.rs/regex/latest/regex/#syntax.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from .regular import ANY, EMPTY, Chars, Concat, Regular, Times, Union, chars, folded, inverse, overlap

__all__ = ["Note", "RegexError", "RegexReading", "read_regex"]

_DEEPEST = 60
_CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "a": "\a"}
_NEWLINE = Chars(((10, 10),))
_SPACE = chars([(9, 13), (32, 32), (0x85, 0x85), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A),
                (0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000)])  # fmt: skip
_DIGIT = Chars(((48, 57),), approximate=True)
_WORD = chars([(48, 57), (65, 90), (95, 95), (97, 122), (0xAA, 0xAA), (0xB5, 0xB5), (0xBA, 0xBA), (0xC0, 0xD6),
               (0xD8, 0xF6), (0xF8, 0x2C1)], approximate=True)  # fmt: skip
_POSIX = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "ascii": "\x00-\x7f", "blank": "\t ", "cntrl": "\x00-\x1f\x7f",
    "digit": "0-9", "graph": "!-~", "lower": "a-z", "print": " -~", "punct": "!-/:-@[-`{-~",
    "space": "\t-\r ", "upper": "A-Z", "word": "0-9A-Za-z_", "xdigit": "0-9A-Fa-f",
}  # fmt: skip


class RegexError(ValueError):
    """The pattern is refused. `at` is the offset in the pattern."""

    def __init__(self, message: str, at: int) -> None:
        super().__init__(message)
        self.at = at


@dataclass(frozen=True, slots=True)
class Note:
    """Something legal that another engine reads differently. Kinds: lazy, nested-repeat, anchor, set-operator,
    posix-class, late-flags, unicode-class, unicode-property, rust-only."""

    kind: str
    at: int
    text: str


@dataclass(frozen=True, slots=True)
class RegexReading:
    """A pattern that was understood."""

    node: Regular
    notes: tuple[Note, ...]


@lru_cache(maxsize=4096)
def read_regex(pattern: str, flags: str = "") -> RegexReading:
    """Read a pattern. Raises RegexError with a sentence that says what is wrong and what to write instead."""
    reader = _Reader(pattern, frozenset(flags))
    node = reader.alternatives()
    if reader.position < len(pattern):
        raise RegexError("this ) closes nothing", reader.position)
    return RegexReading(node, tuple(reader.notes))


class _Reader:
    def __init__(self, pattern: str, flags: frozenset[str]) -> None:
        self.pattern = pattern
        self.flags = flags
        self.position = 0
        self.depth = 0
        self.notes: list[Note] = []

    def note(self, kind: str, at: int) -> None:
        self.notes.append(Note(kind, at, self.pattern[at : self.position]))

    def ahead(self, text: str) -> bool:
        return self.pattern.startswith(text, self.position)

    def skip(self, text: str) -> bool:
        if self.ahead(text):
            self.position += len(text)
            return True
        return False

    def blank(self) -> None:
        """Skip what the x flag makes meaningless."""
        while "x" in self.flags and self.position < len(self.pattern):
            if self.pattern[self.position].isspace():
                self.position += 1
            elif self.ahead("#"):
                end = self.pattern.find("\n", self.position)
                self.position = len(self.pattern) if end < 0 else end
            else:
                return

    def alternatives(self) -> Regular:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise RegexError("groups are nested too deeply", self.position)
        outer = self.flags
        options = [self.concat()]
        while self.skip("|"):
            options.append(self.concat())
        self.flags = outer
        self.depth -= 1
        return options[0] if len(options) == 1 else Union(tuple(options))

    def concat(self) -> Regular:
        items: list[Regular] = []
        anchors: list[tuple[int, int]] = []
        while True:
            self.blank()
            if self.position >= len(self.pattern) or self.pattern[self.position] in "|)":
                break
            start = self.position
            item = self.repeated()
            if item is None:
                anchors.append((start, len(items)))
            else:
                items.append(item)
        for at, index in anchors:
            opening = self.pattern[at] == "^" or self.pattern.startswith("\\A", at)
            if index != (0 if opening else len(items)):
                sign = self.pattern[at : at + (2 if self.pattern[at] == "\\" else 1)]
                raise RegexError(f"{sign} in the middle of a pattern is a lookaround; drop it", at)
        return items[0] if len(items) == 1 else Concat(tuple(items)) if items else EMPTY

    def repeated(self) -> Regular | None:
        start = self.position
        node = self.atom()
        if node is None:
            return None
        signs = 0
        while True:
            self.blank()
            counts = self.counts(start)
            if counts is None:
                return node
            signs += 1
            if signs > 1:
                self.note("nested-repeat", start)
            if self.skip("?"):
                self.note("lazy", start)
            node = Times(node, *counts)

    def counts(self, start: int) -> tuple[int, int | None] | None:
        for sign, bounds in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self.skip(sign):
                return bounds
        if not self.ahead("{"):
            return None
        at = self.position
        end = self.pattern.find("}", at)
        low, comma, high = self.pattern[at + 1 : end].partition(",")
        if end < 0 or not low.strip().isdigit() or (high.strip() and not high.strip().isdigit()):
            hint = "write {0,n}" if end > 0 and not low.strip() and high else "write \\{ for a plain brace"
            raise RegexError(f"{self.pattern[at : end + 1 if end > 0 else None]} is no count; {hint}", at)
        self.position = end + 1
        least = int(low)
        most = least if not comma else int(high) if high.strip() else None
        if most is not None and most < least:
            raise RegexError(f"{self.pattern[start : end + 1]}: the smaller count comes first", at)
        return least, most

    def atom(self) -> Regular | None:
        at = self.position
        character = self.pattern[at]
        self.position += 1
        match character:
            case "(":
                return self.group(at)
            case "[":
                return self.folded(self.bracket(at))
            case ".":
                return ANY if "s" in self.flags else inverse(_NEWLINE)
            case "^" | "$":
                if "m" in self.flags:
                    raise RegexError(f"{character} with the m flag is a lookaround; write \\n instead", at)
                self.note("anchor", at)
                return None
            case "*" | "+" | "?" | "{":
                raise RegexError(f"{character} has nothing before it to repeat; write \\{character}", at)
            case "\\":
                return self.escape(at)
            case _:
                return self.folded(Chars(((ord(character), ord(character)),)))

    def folded(self, given: Chars) -> Chars:
        return folded(given) if "i" in self.flags else given

    def group(self, at: int) -> Regular:
        outer = self.flags
        if self.skip("?"):
            rest = self.pattern[self.position :]
            if rest.startswith(("=", "!", "<=", "<!")):
                raise RegexError(
                    "lookaround is not supported by any server; say what may be there instead of what may not",
                    at,
                )
            if rest.startswith(">"):
                raise RegexError(
                    "atomic groups are not supported; write (?:...), matching never backtracks", at
                )
            if rest.startswith("#"):
                raise RegexError("comments in patterns are not supported", at)
            if rest.startswith(("P=", "(")):
                raise RegexError(
                    "references to groups are not supported by any server; repeat the pattern", at
                )
            if rest.startswith(("P<", "<", "P'")):
                end = self.pattern.find(">", self.position)
                if rest.startswith("<"):
                    self.note("rust-only", at)
                self.position = end + 1 if end > 0 else len(self.pattern)
            elif not self.skip(":") and self.set_flags(at):
                return EMPTY
        node = self.alternatives()
        if not self.skip(")"):
            raise RegexError("this group is never closed", at)
        self.flags = outer
        return node

    def set_flags(self, at: int) -> bool:
        """Read `(?flags)` or `(?flags:`; True where the flags stay on to the end of the enclosing group."""
        flags, on = set(self.flags), True
        while self.position < len(self.pattern):
            character = self.pattern[self.position]
            self.position += 1
            if character in ":)":
                self.flags = frozenset(flags)
                if character == ")" and at > 0:
                    self.note("late-flags", at)
                return character == ")"
            if character == "-":
                on = False
            elif character in "imsUuxR":
                if on:
                    flags.add(character)
                else:
                    flags.discard(character)
                if character in "UR" or not on:
                    self.note("rust-only", at)
            else:
                raise RegexError(f"(?{character} is not a flag", at)
        raise RegexError("this group is never closed", at)

    def escape(self, at: int) -> Regular | None:
        if self.position >= len(self.pattern):
            raise RegexError("a backslash at the end escapes nothing", at)
        character = self.pattern[self.position]
        if character in "Az":
            self.position += 1
            self.note("anchor" if character == "A" else "rust-only", at)
            return None
        return self.folded(self.escaped_class(at))

    def escaped_class(self, at: int) -> Chars:
        """What stands after a backslash, as a class; the same inside and outside of brackets."""
        character = self.pattern[self.position]
        self.position += 1
        if character in "dDsSwW":
            self.note("unicode-class", at)
            given = {"d": _DIGIT, "s": _SPACE, "w": _WORD}[character.lower()]
            return given if character.islower() else inverse(given)
        if character in "pP":
            self.note("unicode-property", at)
            given = _property(self.property_name(at))
            return given if character == "p" else inverse(given)
        if character in "xuU":
            return self.code(character, at)
        if character in _CONTROLS:
            return Chars(((ord(_CONTROLS[character]), ord(_CONTROLS[character])),))
        if character.isascii() and not character.isalnum() and character not in "<>":
            return Chars(((ord(character), ord(character)),))
        raise RegexError(*_no_escape(character, at))

    def property_name(self, at: int) -> str:
        if not self.skip("{"):
            self.position += 1
            return self.pattern[self.position - 1 : self.position]
        end = self.pattern.find("}", self.position)
        if end < 0:
            raise RegexError("this { is never closed", at)
        name = self.pattern[self.position : end]
        self.position = end + 1
        return name

    def code(self, kind: str, at: int) -> Chars:
        if self.skip("{"):
            end = self.pattern.find("}", self.position)
            digits, self.position = self.pattern[self.position : max(end, 0)], end + 1
            self.note("rust-only", at)
        else:
            width = {"x": 2, "u": 4, "U": 8}[kind]
            digits = self.pattern[self.position : self.position + width]
            self.position += width
            if len(digits) < width:
                digits = ""
        try:
            code = int(digits, 16)
            chr(code)
        except ValueError as error:
            raise RegexError(f"\\{kind} wants hexadecimal digits of a character", at) from error
        return Chars(((code, code),))

    def bracket(self, at: int) -> Chars:
        negated = self.skip("^")
        left: Chars | None = None
        operator = ""
        items: list[tuple[int, int]] = []
        approximate = False
        first = True
        while True:
            if "x" in self.flags:
                self.blank()
            if self.position >= len(self.pattern):
                raise RegexError("this [ is never closed; write \\[ for a plain bracket", at)
            if self.ahead("]") and not first:
                self.position += 1
                break
            if not first and (sign := next((s for s in ("&&", "--", "~~") if self.ahead(s)), "")):
                start = self.position
                self.position += 2
                self.note("set-operator", start)
                left = _combine(left, operator, chars(items, approximate=approximate))
                items, operator = [], sign
                continue
            first = False
            given = self.class_item()
            approximate |= given.approximate
            items.extend(given.ranges)
        result = _combine(left, operator, chars(items, approximate=approximate))
        return inverse(result) if negated else result

    def class_item(self) -> Chars:
        at = self.position
        if self.ahead("[:") and (end := self.pattern.find(":]", at)) > 0:
            name = self.pattern[at + 2 : end]
            if name.lstrip("^") in _POSIX:
                self.position = end + 2
                self.note("posix-class", at)
                given = _posix(name.lstrip("^"))
                return inverse(given) if name.startswith("^") else given
        if self.skip("["):
            given = self.bracket(at)
            self.note("set-operator", at)
            return given
        low = self.class_character()
        if not self.ahead("-") or self.ahead("--") or self.ahead("-]"):
            return low
        self.position += 1
        high = self.class_character()
        if not (_single(low) and _single(high)):
            raise RegexError("a range goes from one character to another; escape the - as \\-", at)
        if high.ranges[0][0] < low.ranges[0][0]:
            raise RegexError("the range is empty; the smaller character comes first", at)
        return Chars(((low.ranges[0][0], high.ranges[0][0]),))

    def class_character(self) -> Chars:
        at = self.position
        if at >= len(self.pattern):
            raise RegexError("this [ is never closed; write \\[ for a plain bracket", at - 1)
        character = self.pattern[at]
        self.position += 1
        if character != "\\":
            return Chars(((ord(character), ord(character)),))
        if self.position >= len(self.pattern):
            raise RegexError("a backslash at the end escapes nothing", at)
        return self.escaped_class(at)


def _single(given: Chars) -> bool:
    return len(given.ranges) == 1 and given.ranges[0][0] == given.ranges[0][1]


def _combine(left: Chars | None, operator: str, right: Chars) -> Chars:
    if left is None:
        return right
    if operator == "&&":
        return overlap(left, right)
    if operator == "--":
        return overlap(left, inverse(right))
    both = overlap(left, right)
    return overlap(chars([*left.ranges, *right.ranges]), inverse(both))


def _posix(name: str) -> Chars:
    text = _POSIX[name]
    ranges: list[tuple[int, int]] = []
    index = 0
    while index < len(text):
        if text[index + 1 : index + 2] == "-":
            ranges.append((ord(text[index]), ord(text[index + 2])))
            index += 3
        else:
            ranges.append((ord(text[index]), ord(text[index])))
            index += 1
    return chars(ranges)


def _property(name: str) -> Chars:
    """A Unicode general category, as far as Latin goes; other properties as letters."""
    known = {"Letter": "L", "Uppercase_Letter": "Lu", "Lowercase_Letter": "Ll", "Number": "N", "Punctuation": "P",
             "Symbol": "S", "Separator": "Z", "Mark": "M", "Decimal_Number": "Nd", "Alphabetic": "L"}  # fmt: skip
    category = known.get(name, name)
    codes = [code for code in range(0x250) if unicodedata.category(chr(code)).startswith(category)]
    found = codes or [code for code in range(0x250) if chr(code).isalpha()]
    return chars([(code, code) for code in found], approximate=True)


def _no_escape(character: str, at: int) -> tuple[str, int]:
    if character.isdigit():
        return (
            "references to groups (and octal escapes) are not supported by any server; write \\x00 codes",
            at,
        )
    if character in "bB<>":
        return f"\\{character} (a word boundary) is a lookaround, which no server supports; drop it", at
    if character == "Z":
        return "\\Z does not exist here; a terminal always matches whole, drop it", at
    if character == "G":
        return "\\G does not exist here; drop it", at
    return f"\\{character} is not an escape; write the character itself", at
