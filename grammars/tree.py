"""Texts to trees: Lark builds the parsers, LALR where it can, Earley for the rest."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

from jigwork.errors import GrammarError, GrammarLimitError

from .engine import SECONDS, Deadline
from .json_lifting import lifted
from .json_rules import json_kinds, json_lines, json_value
from .nodes import (
    All,
    Definition,
    Document,
    Embedded,
    Name,
    Node,
    Not,
    Pattern,
    Reference,
    Repeat,
    Special,
    walk,
)
from .reader import read
from .writer import write_definition, write_node

if TYPE_CHECKING:
    import lark

__all__ = ["lark_text", "parse"]

_LONGEST_EARLEY = 20_000  # characters; Earley's time grows with the square of the length, and worse


def parse(syntax: str, definition: str, text: str) -> lark.Tree[lark.Token]:
    """The tree of a text that the grammar accepts. Raises GrammarError where Lark cannot build a parser."""
    import lark

    if syntax == "regex":
        return lark.Tree("start", [lark.Token("TEXT", text)])
    return _parsers(definition).parse(text)


class _Parser(Protocol):
    def parse(self, text: str) -> lark.Tree[lark.Token]: ...

    def parse_interactive(self, text: str) -> Any: ...


def _in_time(parser: _Parser, text: str) -> lark.Tree[lark.Token]:
    """The tree by LALR, which is fast unless the lexer has thousands of words to try at every place."""
    if len(text) <= _LONGEST_EARLEY:
        return parser.parse(text)
    deadline = Deadline(SECONDS)
    steps = parser.parse_interactive(text)
    token = None
    for token in steps.iter_parse():
        if deadline.left() < 0:
            raise GrammarLimitError(
                f"a tree for {len(text)} characters takes more than {SECONDS:g} s (character {token.start_pos} was "
                "reached): Lark tries the words of a terminal one by one; ask for shorter texts"
            )
    return cast("lark.Tree[lark.Token]", steps.feed_eof(token))


@dataclass(slots=True)
class _Parsers:
    """The parsers of one grammar, built when first needed. `lalr` is False where it cannot be built."""

    text: str
    lalr: _Parser | Literal[False] | None = None
    earley: _Parser | None = None
    failures: list[str] = field(default_factory=list[str])

    def parse(self, text: str) -> lark.Tree[lark.Token]:
        import lark

        if self.lalr is None:
            self.lalr = self._build(parser="lalr") or False
        if self.lalr:
            try:
                return _in_time(self.lalr, text)
            except lark.exceptions.UnexpectedInput:
                pass  # LALR sees less than the grammar says: Earley decides
            except re.error:
                self.lalr = (
                    False  # its lexer joins all patterns into one, and flags inside of one do not go there
                )
        if len(text) > _LONGEST_EARLEY:
            raise GrammarLimitError(
                f"a tree for {len(text)} characters would take too long: LALR does not parse this text, and Earley is "
                f"for texts of up to {_LONGEST_EARLEY}; rewrite the grammar so that Lark's LALR parser takes it"
            )
        return self._earley(text)

    def _earley(self, text: str) -> lark.Tree[lark.Token]:
        import lark

        if self.earley is None:
            self.earley = self._build(parser="earley", lexer="dynamic_complete")
        if self.earley is None:
            raise GrammarError(f"Lark cannot parse with this grammar: {self.failures[-1]}", rule="W7")
        try:
            return self.earley.parse(text)
        except lark.exceptions.UnexpectedInput as error:
            raise GrammarError(
                "llguidance accepts the text and Lark does not: a regular expression of the grammar means something "
                "else in Python (check() says which)",
                rule="W4",
            ) from error

    def _build(self, **options: Any) -> _Parser | None:
        import lark

        try:
            return cast(
                "_Parser", lark.Lark(self.text, maybe_placeholders=False, propagate_positions=True, **options)
            )
        except (lark.exceptions.LarkError, ImportError, re.error) as error:  # \p{...} wants the package regex
            self.failures.append(str(error).strip().split("\n")[0])
            return None


@lru_cache(maxsize=64)
def _parsers(definition: str) -> _Parsers:
    return _Parsers(lark_text(lifted(read(definition)), schemas=True))


def lark_text(document: Document, *, group: bool = True, schemas: bool = False) -> str:
    """The grammar in Lark's own words: `{m,n}` as `~m..n`, no - in names, no llguidance options.

    With `schemas`, JSON schemas become rules for JSON. With `group`, alternatives at the top of a pattern are put into
    a group: Lark joins patterns as they are.

    Raises GrammarError (rule W7) where something has no counterpart.
    """
    for definition in document.definitions:
        _refuse_foreign(document, definition, schemas)
    names = {d.name: d.name.replace("-", "_") for d in document.definitions}
    low = {i.alias: i.alias.upper() for i in document.imports}
    prefix = _free_prefix({*names, *low})

    def rewrite(node: Node) -> str | None:
        if isinstance(node, Name):
            return low.get(node.name) or names.get(node.name, node.name)
        if isinstance(node, Repeat) and node.sign == "{":
            return _counted(node, rewrite)
        if isinstance(node, Embedded):
            return json_value(json_kinds(node.text) or frozenset(), prefix)
        if group and isinstance(node, Pattern) and "|" in node.pattern and not node.flags:
            return f"/(?:{node.pattern})/"
        return None

    lines = [f"%import {i.path} -> {low[i.alias]}" for i in document.imports]
    lines += [f"%ignore {write_node(node, rewrite)}" for node in document.ignores]
    for definition in document.definitions:
        renamed = Definition(names[definition.name], definition.body, definition.at, definition.modifiers)
        lines.append(write_definition(renamed, rewrite))
    if any(isinstance(node, Embedded) for d in document.definitions for node in walk(d.body)):
        lines += json_lines(prefix)
    return "\n".join(lines) + "\n"


def _free_prefix(names: set[str]) -> str:
    """What no name of the grammar begins with."""
    prefix = "json_"
    while any(name.lower().lstrip("_").startswith(prefix) for name in names):
        prefix = "x" + prefix
    return prefix


def _counted(node: Repeat, rewrite: Callable[[Node], str | None]) -> str:
    item = f"({write_node(node.item, rewrite)})"
    if node.high is not None:
        return f"{item}~{node.low}..{node.high}"
    return f"({item}~{node.low} {item}*)" if node.low else f"{item}*"


def _refuse_foreign(document: Document, definition: Definition, schemas: bool) -> None:
    if definition.attributes or definition.parametric:
        line = document.source.position(definition.at)[0]
        raise GrammarError(
            f"no tree: {definition.name} (line {line}) has attributes or a parameter, which only llguidance knows",
            line=line,
            rule="W7",
        )
    for node in walk(definition.body):
        if schemas and isinstance(node, Embedded) and node.kind == "json" and json_kinds(node.text):
            continue
        if isinstance(node, (All, Not, Embedded, Special, Reference)):
            line, column = document.source.position(node.at)
            raise GrammarError(
                f"no tree: {write_node(node)[:60]} (line {line}, column {column}) is known to llguidance only",
                line=line,
                column=column,
                rule="W7",
            )
