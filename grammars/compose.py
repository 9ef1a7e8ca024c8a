"""Grammars built of grammars: their texts are joined, every name with a prefix of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jigwork.errors import GrammarError

from .nodes import Definition, Name, Node
from .reader import read
from .writer import write_definition, write_node

if TYPE_CHECKING:
    from .grammar import Grammar

__all__ = ["choice_text", "embedded_text", "sequence_text"]


@dataclass(frozen=True, slots=True)
class _Part:
    """One grammar with its names made unique: the name of its start rule, its lines, what it ignores."""

    start: str
    lines: tuple[str, ...]
    ignores: tuple[str, ...]


def choice_text(grammars: Sequence[Grammar]) -> str:
    """The text of a grammar that accepts what any one of them does."""
    parts = _parts(grammars, "choice")
    return _joined(f"start: {' | '.join(part.start for part in parts)}", parts)


def sequence_text(grammars: Sequence[Grammar]) -> str:
    """The text of a grammar for one after the other."""
    parts = _parts(grammars, "sequence")
    return _joined(f"start: {' '.join(part.start for part in parts)}", parts)


def embedded_text(text: str, rules: Mapping[str, Grammar]) -> str:
    """A grammar text with other grammars added as rules of the given names."""
    own = {definition.name for definition in read(text).definitions}
    parts: list[_Part] = []
    for name, grammar in rules.items():
        if not re.fullmatch(r"_?[a-z][a-z0-9_]*", name):
            raise GrammarError(f"{name!r} cannot be a rule; rule names are lower case", rule="E8")
        if name in own:
            raise GrammarError(
                f"the rule {name} is defined in the text and embedded as well; rename one", rule="E7"
            )
        part = _part(grammar, name + "_")
        parts.append(_Part(part.start, (f"{name}: {part.start}", *part.lines), part.ignores))
    ignores = tuple(write_node(node) for node in read(text).ignores)
    _same_ignores([_Part("the text", (), ignores), *parts])
    lines = [line for part in parts for line in part.lines]
    return text.rstrip("\n") + "\n" + "".join(line + "\n" for line in lines)


def _parts(grammars: Sequence[Grammar], what: str) -> list[_Part]:
    if not grammars:
        raise GrammarError(f"a {what} of no grammars has no texts; give at least one", rule="E7")
    return [_part(grammar, f"{_slug(grammar.name)}{number}_") for number, grammar in enumerate(grammars, 1)]


def _slug(name: str | None) -> str:
    slug = re.sub(r"[^a-z0-9]+", "_", (name or "").lower()).strip("_")
    return slug if slug[:1].isalpha() else "part"


def _joined(start: str, parts: list[_Part]) -> str:
    ignores = _same_ignores(parts)
    lines = [start, *(f"%ignore {text}" for text in ignores)]
    lines += [line for part in parts for line in part.lines]
    return "\n".join(lines) + "\n"


def _same_ignores(parts: list[_Part]) -> tuple[str, ...]:
    first = parts[0].ignores
    for part in parts:
        if part.ignores != first:
            raise GrammarError(
                "these grammars ignore different texts, and %ignore holds for a whole grammar: write the spaces into "
                "the rules instead",
                rule="W2",
            )
    return first


def _part(grammar: Grammar, prefix: str) -> _Part:
    if grammar.syntax == "regex":
        slashed = (
            grammar.definition if "\\/" in grammar.definition else grammar.definition.replace("/", "\\/")
        )
        return _Part(f"{prefix}start", (f"{prefix}start: /{slashed}/",), ())
    document = read(grammar.definition)
    names = {d.name: _renamed(d.name, prefix) for d in document.definitions}
    names |= {i.alias: _renamed(i.alias, prefix) for i in document.imports}

    def rewrite(node: Node) -> str | None:
        if not isinstance(node, Name):
            return None
        return names[node.name] + (f"::{node.argument}" if node.argument else "")

    lines = [f"%import {i.path} -> {names[i.alias]}" for i in document.imports]
    lines += [f"%llguidance {option}" for option in document.options]
    for definition in document.definitions:
        attributes = tuple(names.get(word, word) for word in definition.attributes)
        renamed = Definition(
            names[definition.name],
            definition.body,
            definition.at,
            definition.modifiers,
            attributes=attributes,
            parametric=definition.parametric,
        )
        lines.append(write_definition(renamed, rewrite))
    ignores = tuple(write_node(node) for node in document.ignores)
    if any(isinstance(node, Name) for node in document.ignores):
        ignores = tuple(_resolved(document.ignores[i], grammar) for i in range(len(document.ignores)))
    return _Part(names["start"], tuple(lines), ignores)


def _resolved(node: Node, grammar: Grammar) -> str:
    """What is ignored, without the name of a terminal that every part calls otherwise."""
    document = read(grammar.definition)
    if isinstance(node, Name):
        definition = document.definition(node.name)
        if definition is not None:
            return _resolved(definition.body, grammar)
        from .common import COMMON

        path = next((i.path for i in document.imports if i.alias == node.name), "")
        pattern = COMMON.get(path.removeprefix("common."))
        if pattern is not None:
            return "/" + pattern.replace("/", "\\/") + "/"
    return write_node(node)


def _renamed(name: str, prefix: str) -> str:
    hidden = "_" if name.startswith("_") else ""
    bare = name.lstrip("_")
    return hidden + (prefix.upper() if bare[:1].isupper() else prefix) + bare
