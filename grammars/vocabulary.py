"""What may come next, by name: the terminals and literals that can begin at a place in a text.

llguidance says only which bytes may follow. To learn which terminals those bytes belong to, the grammar is
compiled once more with a mark beside every terminal: a token that occurs in no text. Wherever a terminal may
begin, its mark is allowed, so one mask gives the exact set.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from .derivative import residual
from .engine import BYTES, Cursor, Deadline, marked_engine
from .lexicon import Lexicon, NotRegularError
from .naming import shown
from .nodes import (
    Document,
    Embedded,
    Literal,
    Name,
    Node,
    Pattern,
    Span,
    walk,
)
from .reader import read
from .regular import EMPTY, Regular, nullable
from .rust_regex import read_regex
from .spelling import spellings
from .writer import write, write_definition, write_node

if TYPE_CHECKING:
    from .engine import Engine

__all__ = ["Continuation", "Vocabulary", "Word", "vocabulary"]

_LISTED = 50_000  # a terminal with more texts is named, not listed
_MOST_MARKS = 10_000  # the time for compiling them grows with the square of their number
_LOOK_BACK = 160  # bytes: how far a word that is being written may have begun before


@dataclass(frozen=True, slots=True)
class Word:
    """A terminal of the grammar, as a person would name it. `texts` are all its texts, where they can be listed."""

    name: str
    node: Regular | None = None
    texts: tuple[str, ...] = ()
    fold: bool = False

    def unfinished(self, written: str) -> Iterator[str]:
        """The texts that begin with what is written, and go on."""
        begun = written.casefold() if self.fold else written
        for text in self.texts:
            if len(text) > len(written) and (text.casefold() if self.fold else text).startswith(begun):
                yield text


@dataclass(frozen=True, slots=True)
class Continuation:
    """A word that may stand at `start` (a byte offset); `written` of it is there already.

    `text` is set for a literal. `complete` is true where what is written could also be the whole word.
    """

    name: str
    start: int
    written: str
    text: str | None = None
    complete: bool = False


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words of a grammar and the engine whose masks hold their marks."""

    words: tuple[Word, ...]
    engine: Engine | None

    def continuations(self, data: bytes, deadline: Deadline) -> list[Continuation]:
        """What may follow after `data`, a valid prefix: words that begin there, and words that are being written."""
        if self.engine is None:
            return []
        cursor = self.engine.cursor()
        if cursor.feed(data, deadline) < len(data):
            return []
        found: list[Continuation] = []
        for back in range(min(len(data), _LOOK_BACK) + 1):
            if back:
                cursor.back(1)
            if deadline.left() < 0:
                break
            start = len(data) - back
            if back and data[start] & 0xC0 == 0x80:
                continue
            found.extend(self._at(cursor, start, data[start:].decode("utf-8", "ignore")))
        return found

    def beginnings(self, data: bytes) -> list[Word]:
        """The terminals that may begin after `data`; none where it is no valid prefix."""
        if self.engine is None:
            return []
        cursor = self.engine.cursor()
        if cursor.feed(data, Deadline(1.0)) < len(data):
            return []
        return [self.words[number] for number in cursor.marks()]

    def _at(self, cursor: Cursor, start: int, written: str) -> Iterator[Continuation]:
        for number in cursor.marks():
            word = self.words[number]
            if word.texts:
                for text in word.unfinished(written):
                    yield Continuation(shown(text), start, written, text)
            elif word.node is None:
                if not written:
                    yield Continuation(word.name, start, "")
            elif not written:
                yield Continuation(word.name, start, "")
            elif (rest := residual(word.node, written)) is not None and rest != EMPTY:
                yield Continuation(word.name, start, written, complete=nullable(rest))


@lru_cache(maxsize=128)
def vocabulary(syntax: str, definition: str) -> Vocabulary:
    """The vocabulary of a grammar that compiles."""
    if syntax == "regex":
        word = Word(f"/{definition}/", read_regex(definition).node)
        slashed = definition.replace("/", "\\/") if "\\/" not in definition else definition
        text = f"start: /{slashed}/ | {_mark(0)}\n"
        return Vocabulary((word,), marked_engine(text, 1))
    return _of_document(read(definition))


def _of_document(document: Document) -> Vocabulary:
    lexicon = Lexicon(document)
    attributed = {d.name for d in document.definitions if d.attributes}
    numbers: dict[str, int] = {}
    words: list[Word] = []

    def number(name: str, word: Word) -> int:
        if name not in numbers:
            numbers[name] = len(words)
            words.append(word)
        return numbers[name]

    def rewrite(node: Node) -> str | None:
        if isinstance(node, Name) and not lexicon.is_terminal(node.name):
            if node.name not in attributed:
                return None
            return f"({node.name} | {_mark(number(node.name, Word(node.name)))})"
        if not isinstance(node, (Literal, Pattern, Span, Name, Embedded)) or node == Literal(
            "", False, node.at
        ):
            return None
        if isinstance(node, Embedded) and node.kind in ("if", "lark"):
            return None
        text = write_node(node)
        return f"({text} | {_mark(number(text, _word(node, text, lexicon)))})"

    kept = tuple(d for d in document.definitions if not d.attributes)
    plain = "\n".join(_source(document, d.name) for d in document.definitions if d.attributes)
    marked = Document(document.source, kept, document.ignores, document.imports, (), document.options)
    text = write(marked, rewrite) + plain + "\n"
    engine = marked_engine(text, len(words)) if len(words) <= _MOST_MARKS else None
    return Vocabulary(tuple(words), engine)


def _source(document: Document, name: str) -> str:
    definition = document.definition(name)
    return write_definition(definition) if definition else ""


def _mark(number: int) -> str:
    return f"<[{BYTES + number}]>"


def _word(node: Node, text: str, lexicon: Lexicon) -> Word:
    if isinstance(node, Embedded):
        return Word(_embedded_name(node))
    try:
        regular = lexicon.regular(node)
    except NotRegularError:
        return Word(text)
    texts = spellings(node, lexicon, _LISTED)
    return Word(
        shown(texts[0]) if isinstance(node, Literal) and texts else text, regular, *_listing(texts, node)
    )


def _listing(texts: list[str] | None, node: Node) -> tuple[tuple[str, ...], bool]:
    fold = any(isinstance(n, Literal) and n.fold for n in walk(node))
    return tuple(text for text in texts or () if text), fold


def _embedded_name(node: Embedded) -> str:
    if node.kind != "json":
        return "%regex"
    try:
        schema: Any = json.loads(node.text)
    except ValueError:
        return "JSON"
    if isinstance(schema, dict):
        title: object = cast("dict[str, Any]", schema).get("title")
        if isinstance(title, str):
            return f"JSON ({title})"
    return "JSON"
