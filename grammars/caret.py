"""A line of text and a caret under one of its characters, measured in the columns of a terminal.

Where places in texts are shown: `diagnostics` for grammars, `explain` for texts. East Asian characters and emoji take
two columns, combining marks none; a tab is shown as one space and what cannot be shown as one sign.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

__all__ = ["columns", "narrowed", "pointed", "visible"]

_JOINER, _AS_EMOJI = "\u200d", "\ufe0f"
_SKINS = range(0x1F3FB, 0x1F400)
_MARKS = ("Mn", "Me", "Mc", "Cf")


def visible(line: str) -> str:
    """The line with one sign for every character that cannot be shown, and a space for a tab.

    Marks and joiners stay where there is a character before them that they belong to.
    """
    shown: list[str] = []
    for character in line:
        if character == "\t":
            shown.append(" ")
        elif character.isprintable() or (character == _JOINER and shown):
            shown.append(character)
        else:
            shown.append("\N{REPLACEMENT CHARACTER}")
    return "".join(shown)


def columns(text: str) -> int:
    """How many columns a terminal needs for a text on one line."""
    return sum(_widths(text))


def pointed(line: str, at: int, *, width: int = 100) -> tuple[str, str]:
    """The line as it can be shown, cut to `width` columns around the character `at`, and spaces with a caret.

    `at` may be the length of the line: the caret then stands behind it.
    """
    begin = max(0, at - 8 * width)  # a long line is not measured from its beginning
    shown = visible(line[begin : at + 8 * width])
    widths = list(_widths(shown))
    at = min(at - begin, len(shown))
    while 0 < at < len(widths) and widths[at] == 0:  # a mark is seen on the character before it
        at -= 1
    first, room = at, width // 2
    while first > 0 and room >= widths[first - 1]:
        first -= 1
        room -= widths[first]
    last, room = first, width
    while last < len(widths) and room >= widths[last]:
        room -= widths[last]
        last += 1
    while first > 0 and room >= widths[first - 1]:  # the line ends soon: show more of what is before
        first -= 1
        room -= widths[first]
    while first < at and widths[first] == 0:
        first += 1
    return shown[first:last], " " * sum(widths[first:at]) + "^"


def narrowed(excerpt: str, width: int) -> tuple[str, str]:
    """A line with its caret below, as `pointed` gives them joined, for a terminal of fewer columns."""
    line, _, caret = excerpt.partition("\n")
    column = len(caret) - 1
    at, passed = 0, 0
    for at, taken in enumerate(_widths(line)):  # noqa: B007
        if passed >= column and taken:
            break
        passed += taken
    else:
        at = len(line)
    shown, below = pointed(line, at, width=width)
    return shown, " " * max(0, column - passed) + below


def _widths(text: str) -> Iterator[int]:
    """The columns of each character, given the ones before it."""
    before = ""
    for character in text:
        code = ord(character)
        if character == _AS_EMOJI:  # the sign before it is drawn as an emoji
            yield (
                1
                if before and unicodedata.east_asian_width(before) not in "WF" and before.isprintable()
                else 0
            )
        elif before == _JOINER or (code in _SKINS and before) or unicodedata.category(character) in _MARKS:
            yield 0
        else:
            yield 2 if unicodedata.east_asian_width(character) in "WF" else 1
        before = character
