"""Safe changes where a text cannot be read as a grammar: slips of the pen that have one meaning only."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator

from jigwork.errors import GrammarError

from .edits import Edit
from .layout import Layout
from .nodes import Source

__all__ = ["text_edits"]

_SINGLE = re.compile(r"'((?:\\.|[^'\\\n])*)'(?!\w)")
_QUOTE = re.compile(r'(?<!\\)(?:\\\\)*"')
_TYPOGRAPHIC = re.compile(r"[“”„]([^“”„\"\n\\]*)[“”]")
_HEAD = re.compile(r"[ \t]*[?!]*_?[A-Za-z]\w*[ \t]*\Z")
_ASSIGN = re.compile(r"::=|:=|=>|->|←|→|=")
_REST = re.compile(r"[ \t]*(?:(?://|#)[^\n]*)?\r?(?:\n|\Z)")
_JOINED = re.compile(r"\\[ \t]*\r?\n[ \t]*")
_BETWEEN = re.compile(r"[ \t]*\r?\n(?:[ \t]*(?:(?://|#)[^\n]*)?\r?\n)+[ \t]*\Z")
_COMMENTS = re.compile(r"(?://|#)[^\r\n]*")
_FAR = 4000  # characters of comments between two options
_TWICE = {"**": "*", "++": "+", "??": "?", "*?": "*", "*+": "*", "+*": "*", "?*": "*"}
"""Two signs that mean one in every reading: repeated, lazy or possessive. `+?` and `?+` have two meanings."""


def text_edits(source: Source, at: int) -> tuple[Edit, ...]:
    """The edits for the place at which reading stopped; none where more than one thing may be meant."""
    return next((edits for fix in _FIXES if (edits := tuple(fix(source, at)))), ())


def _mark(source: Source, at: int) -> Iterator[Edit]:
    """A byte order mark, and characters that look like a space."""
    character = source.text[at : at + 1]
    if character == "\ufeff" or character == "\u200b":
        yield Edit(at, at + 1, "")
    elif character and character not in " \r\n" and unicodedata.category(character) == "Zs":
        yield Edit(at, at + 1, " ")


def _quotes(source: Source, at: int) -> Iterator[Edit]:
    if found := _SINGLE.match(source.text, at):
        inner = re.sub(r'(?<!\\)((?:\\\\)*)"', r'\1\\"', found[1].replace("\\'", "'"))
        yield Edit(at, found.end(), f'"{inner}"')
    elif found := _TYPOGRAPHIC.match(source.text, at):
        yield Edit(at, found.end(), f'"{found[1]}"')


def _control(source: Source, at: int) -> Iterator[Edit]:
    """A raw control character inside of a string."""
    character = source.text[at : at + 1]
    line = source.text[source.text.rfind("\n", 0, at) + 1 : at]
    inside = len(_QUOTE.findall(line)) % 2 == 1
    if character and (character < " " or character == "\x7f") and character not in "\r\n" and inside:
        named = {"\t": "\\t", "\b": "\\b", "\f": "\\f"}
        yield Edit(at, at + 1, named.get(character, f"\\u{ord(character):04x}"))


def _assigned(source: Source, at: int) -> Iterator[Edit]:
    """Another notation's sign between a name and its definition."""
    start = at
    while start > 0 and source.text[start - 1] in ":-":
        start -= 1
    line = source.text.rfind("\n", 0, start) + 1
    found = _ASSIGN.match(source.text, start)
    if found and _HEAD.match(source.text[line:start]):
        yield Edit(line + len(source.text[line:start].rstrip()), found.end(), ":")


def _semicolon(source: Source, at: int) -> Iterator[Edit]:
    """The sign at the end of a rule that other notations want."""
    if source.text.startswith(";", at) and _REST.match(source.text, at + 1):
        start = at
        while start > 0 and source.text[start - 1] in " \t":
            start -= 1
        own = source.text[source.text.rfind("\n", 0, start) + 1 : start].strip() == ""
        before = source.text[:start].rstrip()
        last = before.rpartition("\n")[2]
        yield Edit(len(before) if own and "//" not in last and "#" not in last else start, at + 1, "")


def _backslash(source: Source, at: int) -> Iterator[Edit]:
    if found := _JOINED.match(source.text, at):
        yield Edit(at, found.end(), " ")


def _signs(source: Source, at: int) -> Iterator[Edit]:
    once = _TWICE.get(source.text[at - 1 : at + 1]) if at else None
    if once and source.text[at + 1 : at + 2] not in ("?", "*", "+"):
        yield Edit(at - 1, at + 1, once)


def _continued(source: Source, at: int) -> Iterator[Edit]:
    """A rule that goes on in an indented line, without a |."""
    line = source.text.rfind("\n", 0, at) + 1
    if not (at > line and source.text[line:at].isspace() and source.text[at] in '"/(['):
        return
    before = source.text[:line].rstrip()
    last = before.rpartition("\n")[2]
    if ":" in before and not _COMMENTS.search(last.replace("\\/", "")) and not last.lstrip().startswith("%"):
        yield Edit(len(before), at, " ")


def _commented(source: Source, at: int) -> Iterator[Edit]:
    """Comments or empty lines between two options: behind the first they are in nobody's way."""
    begin = max(0, at - _FAR)
    found = _BETWEEN.search(source.text[begin:at])
    if source.text.startswith("|", at) and found and found.start() > 0:
        comments = "".join("  " + comment.rstrip() for comment in _COMMENTS.findall(found.group()))
        breaks = "\r\n" if "\r\n" in found.group() else "\n"
        yield Edit(begin + found.start(), at, comments + breaks + found.group().rpartition("\n")[2])


def _group(source: Source, at: int) -> Iterator[Edit]:
    """A group that goes on in the next line."""
    if source.text[at : at + 1] not in ("(", "["):
        return
    try:
        layout = Layout(source)
    except GrammarError:
        return
    opening = layout.index(at)
    closing = layout.closing(opening)
    if closing is None or layout.has_comment(at, layout.tokens[closing].at):
        return
    inside = layout.tokens[opening : closing + 1]
    if any(token.text == ":" or token.kind == "keyword" for token in inside):
        return
    for number, token in enumerate(inside):
        if token.kind == "newline" and inside[number + 1].text != "|":
            yield Edit(token.at, inside[number + 1].at, " ")


_FIXES: tuple[Callable[[Source, int], Iterator[Edit]], ...] = (
    _mark,
    _quotes,
    _assigned,
    _control,
    _semicolon,
    _backslash,
    _signs,
    _commented,
    _continued,
    _group,
)
