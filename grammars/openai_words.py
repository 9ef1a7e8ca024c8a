"""A grammar in the words that OpenAI documents: JSON schemas as rules, `&` and `~` as plain patterns where that is short.

What is left of llguidance's own language is named as a difference: the server may refuse it.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any, cast

from jigwork.errors import GrammarError

from .automata import plain
from .export import SPELLINGS, Export, regex_text
from .lexicon import Lexicon, NotRegularError
from .nodes import All, Definition, Document, Embedded, Name, Node, Not, Reference, Repeat, Special, walk
from .reader import read
from .regular import Regular
from .writer import Rewrite, write_definition, write_node

__all__ = ["openai_words"]

_LONGEST = 4000  # characters of a pattern that replaces & and ~


@lru_cache(maxsize=64)
def openai_words(syntax: str, definition: str) -> Export:
    """The definition for a custom tool. Raises GrammarError, with the place, for a `%json` that has no rules."""
    if syntax == "regex" or not any(
        sign in definition for sign in ("%json", "&", "~", "%", "{", "<", "@", "-", "[")
    ):
        return Export(definition)
    document = read(definition)
    if not any(_own(node) for d in document.definitions for node in walk(d.body)):
        return _judged(definition, document)
    text = _Plain(document).text()
    made = _judged(text, read(text))
    if "%json" not in definition:
        return made
    return Export(text, exact=False, differences=(SPELLINGS, *made.differences))


def _own(node: Node) -> bool:
    return isinstance(node, (All, Not)) or (isinstance(node, Embedded) and node.kind == "json")


class _Plain:
    """Writes a document again, with rules for its schemas."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.lexicon = Lexicon(document)
        self.names = {d.name for d in document.definitions} | {i.alias for i in document.imports}
        self.rules: list[str] = []
        self.known: dict[str, str] = {}

    def text(self) -> str:
        lines = [f"%import {i.path} -> {i.alias}" for i in self.document.imports]
        lines += [f"%llguidance {option}" for option in self.document.options]
        lines += [f"%ignore {write_node(node)}" for node in self.document.ignores]
        lines += [self.definition(d) for d in self.document.definitions]
        return "\n".join([*lines, *self.rules]) + "\n"

    def definition(self, given: Definition) -> str:
        if given.terminal and any(isinstance(node, (All, Not)) for node in walk(given.body)):
            short = self.pattern(given)
            if short is not None:
                return f"{given.modifiers}{given.name}: /{short}/"
        rewrite: Rewrite = self.rewritten if not given.terminal else lambda _: None
        return write_definition(given, rewrite)

    def pattern(self, given: Definition) -> str | None:
        """A terminal without & and ~, where that is short."""
        if given.attributes:
            return None
        try:
            found: Regular | None = plain(self.lexicon.regular(given.body))
        except NotRegularError:
            return None
        text = None if found is None else regex_text(found)
        return text if text is not None and len(text) <= _LONGEST else None

    def rewritten(self, node: Node) -> str | None:
        if not isinstance(node, Embedded) or node.kind != "json":
            return None
        if node.text not in self.known:
            prefix = self.prefix()
            self.rules += self.lowered(node, prefix)
            self.known[node.text] = prefix + "json_0"
        return self.known[node.text]

    def prefix(self) -> str:
        """What makes the names of one more schema new."""
        number = len(self.known)
        prefix = f"s{number}_" if number else ""
        while any(name.lower().startswith(prefix + "json_") for name in self.names):
            prefix = "x" + prefix
        return prefix

    def lowered(self, node: Embedded, prefix: str) -> list[str]:
        from .json_document import SchemaWordsError
        from .json_lowering import lowered

        line, column = self.document.source.position(node.at)

        def refused(reason: str) -> GrammarError:
            return GrammarError(
                f"line {line}, column {column}: the schema cannot be written as plain rules, and %json is known to "
                f"llguidance only: {reason}",
                line=line,
                column=column,
                rule="W7",
            )

        schema: Any = json.loads(node.text)
        if isinstance(schema, bool):
            schema = {} if schema else {"not": {}}
        options = cast("dict[str, Any]", schema.pop("x-guidance", {}))
        if options != {"whitespace_flexible": False}:
            raise refused(
                'it allows spaces between the parts; give it "x-guidance": {"whitespace_flexible": false}, or make it '
                "with Grammar.from_json_schema"
            )
        try:
            return self.shortened(lowered(schema, prefix=prefix))
        except SchemaWordsError as error:
            raise refused(str(error)) from error

    def shortened(self, lines: list[str]) -> list[str]:
        """The rules with plain patterns."""
        made = _Plain(read("start: \n" + "\n".join(lines) + "\n"))
        return [made.definition(d) for d in made.document.definitions if d.name != "start"]


def _judged(text: str, document: Document) -> Export:
    """The text, with what is left of llguidance's own words."""
    found: dict[str, None] = {}
    for definition in document.definitions:
        if definition.attributes or definition.parametric:
            found.setdefault("[attributes] and parameters of rules")
        if "-" in definition.name:
            found.setdefault("- in names")
        for node in walk(definition.body):
            match node:
                case All() | Not():
                    found.setdefault("& and ~ in terminals")
                case Repeat(sign="{"):
                    found.setdefault("counts {m,n} outside of patterns")
                case Embedded(kind=kind):
                    found.setdefault(f"%{kind}")
                case Special() | Reference():
                    found.setdefault("special tokens and references")
                case Name(argument=argument) if argument:
                    found.setdefault("parameters")
                case _:
                    pass
    if document.options:
        found.setdefault("the line %llguidance")
    notes = tuple(
        f"OpenAI does not document {words}, which llguidance knows: it may refuse the grammar"
        for words in found
    )
    return Export(text, not notes, notes)
