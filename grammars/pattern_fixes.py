"""Safe changes inside of a regular expression: what they leave is what servers read already, or what was meant."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .derivative import first
from .edits import Edit
from .regular import Chars, Times, nullable, overlap
from .rust_regex import Note, RegexError, read_regex

__all__ = ["pattern_edits"]

_POSIX = {
    "digit": "0-9",
    "alpha": "A-Za-z",
    "alnum": "0-9A-Za-z",
    "lower": "a-z",
    "upper": "A-Z",
    "xdigit": "0-9A-Fa-f",
    "word": "0-9A-Za-z_",
    "blank": r" \t",
    "space": r" \t-\r",
}
_COMMENT = re.compile(r"\(\?#[^)]*\)")
_NO_LOW = re.compile(r"\{\s*,\s*([1-9][0-9]*)\}")
_ZERO = re.compile(r"\\0(?![0-9])")
_BRACE = re.compile(r"\{(?![0-9,\s])")
_CODE = re.compile(r"\\x\{([0-9a-fA-F]{1,8})\}")
_LISTED = re.compile(r"\w+(?:\|\w+)+", re.ASCII)


def pattern_edits(pattern: str, flags: str, at: int, rule: str) -> tuple[Edit, ...]:
    """The edits for the finding of a rule at offset `at` of a pattern; none where no change is safe."""
    if rule == "E1":
        return tuple(_refused(pattern, at))
    try:
        notes = read_regex(pattern, flags).notes
    except RegexError:
        return ()
    if rule == "W1":
        return tuple(edit for note in notes if note.kind == "lazy" for edit in _lazy(pattern, flags, note))
    if rule == "W4":
        return tuple(_foreign(pattern, notes))
    if rule == "W7":
        return tuple(edit for note in notes if note.kind == "rust-only" for edit in _rust(pattern, note))
    return ()


def _refused(pattern: str, at: int) -> Iterator[Edit]:
    if pattern[at:] == "\\Z" and at > 0:
        yield Edit(at, at + 2, "")  # a terminal matches whole anyway
    elif found := _COMMENT.match(pattern, at):
        yield Edit(at, found.end(), "")
    elif found := _NO_LOW.match(pattern, at):
        yield Edit(at, found.end(), f"{{0,{found[1]}}}")
    elif found := _ZERO.match(pattern, at):
        yield Edit(at, found.end(), "\\x00")
    elif _BRACE.match(pattern, at):
        yield Edit(at, at, "\\")


def _foreign(pattern: str, notes: tuple[Note, ...]) -> Iterator[Edit]:
    anchors = [note for note in notes if note.kind == "anchor"]
    if anchors and sum(len(note.text) for note in anchors) < len(pattern):
        yield from (Edit(note.at, note.at + len(note.text), "") for note in anchors)
    for note in notes:
        if note.kind == "posix-class" and (plain := _POSIX.get(note.text[2:-2])):
            yield Edit(note.at, note.at + len(note.text), plain)
        elif note.kind == "nested-repeat" and note.text.endswith(("*+", "++")):
            end = note.at + len(note.text)
            yield Edit(end - 1, end, "")
    if not notes and _LISTED.fullmatch(pattern):
        words = pattern.split("|")
        longest_first = sorted(words, key=len, reverse=True)
        if longest_first != words:
            yield Edit(0, len(pattern), "|".join(longest_first))


def _lazy(pattern: str, flags: str, note: Note) -> Iterator[Edit]:
    """Laziness that changes nothing: what is repeated cannot match what comes after it."""
    end = note.at + len(note.text)
    if "|" in pattern or not note.text.endswith("?"):
        return
    try:
        item = read_regex(note.text[:-1], flags).node
        rest = read_regex(pattern[end:], flags).node
        read_regex(pattern[: note.at], flags)
    except RegexError:
        return  # it stands in a group, of which this is a part only
    if not isinstance(item, Times) or not isinstance(item.item, Chars) or nullable(rest):
        return
    if not item.item.approximate and not overlap(item.item, first(rest)).ranges:
        yield Edit(end - 1, end, "")


def _rust(pattern: str, note: Note) -> Iterator[Edit]:
    if note.text == "\\z" and note.at + 2 == len(pattern) > 2:
        yield Edit(note.at, note.at + 2, "")
    elif pattern.startswith("(?<", note.at):
        yield Edit(note.at + 2, note.at + 2, "P")
    elif found := _CODE.fullmatch(note.text):
        code = int(found[1], 16)
        yield Edit(
            note.at, note.at + len(note.text), f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
        )
