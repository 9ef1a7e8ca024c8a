"""Places in texts, for people: a line and a caret that stands under the right character."""

from __future__ import annotations

from .escape import clean

__all__ = ["caret_lines", "in_quotes", "visible"]


def visible(line: str) -> str:
    """Return a line in which every character that cannot be shown is replaced by one that can."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line)


def caret_lines(excerpt: str, width: int) -> list[str]:
    """Return a line and the line with its caret, both safe to show, and the caret under its character.

    The caret is moved where characters before it are two columns wide, or none. Of a line that is longer than `width`
    the part around the caret is left.
    """
    from rich.cells import cell_len

    line, _, caret = excerpt.partition("\n")
    line = visible(line)
    if not caret.endswith("^"):
        return [line[:width]] if line else []
    at = len(caret) - 1
    start = max(0, min(at - width // 2, len(line) - width))
    before = line[start:at].ljust(at - start)
    return [line[start : start + width], " " * cell_len(before) + "^"]


def in_quotes(text: str) -> str:
    """Return a text on one line, in JSON's quotes, with nothing in it that a terminal obeys."""
    from .documents import json_text

    return clean(json_text(text))
