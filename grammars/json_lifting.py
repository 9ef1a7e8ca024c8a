"""Lowered JSON schemas found again in a grammar: their rules put back as one JSON value, so that their texts have a tree.

`json_lowering` writes rules that no person should meet in a tree. What they accept is JSON, and `json_rules` says what a
tree of JSON looks like.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace

from .nodes import (
    Alias,
    Choice,
    Definition,
    Document,
    Embedded,
    Literal,
    Name,
    Node,
    Pattern,
    Repeat,
    Sequence,
    walk,
)

__all__ = ["lifted"]

_RULE = re.compile(r"(.*_)?json_[0-9]+")
_TERMINAL = re.compile(r"(.*_)?JSON_[A-Z]+_[0-9]+")
_TYPES = {"{": "object", "[": "array", "true": "boolean", "false": "boolean", "null": "null"}


def lifted(document: Document) -> Document:
    """The document with `%json` where rules of a lowered schema were used; the same one where there are none."""
    own = {d.name: d for d in document.definitions if _RULE.fullmatch(d.name)}
    if not own or not all(_closed(definition) for definition in own.values()):
        return document
    kept = [d for d in document.definitions if d.name not in own and not _TERMINAL.fullmatch(d.name)]
    definitions = tuple(replace(d, body=_with_values(d.body, own, document)) for d in kept)
    return replace(document, definitions=definitions)


def _closed(definition: Definition) -> bool:
    """Whether a rule uses rules and terminals of lowered schemas only."""
    return all(
        _RULE.fullmatch(node.name) or _TERMINAL.fullmatch(node.name)
        for node in walk(definition.body)
        if isinstance(node, Name)
    )


def _with_values(node: Node, own: dict[str, Definition], document: Document) -> Node:
    match node:
        case Name(name=name, at=at) if name in own:
            types = sorted(_types(own[name].body, own, document, set()))
            return Embedded(
                "json", json.dumps({"type": types, "x-guidance": {"whitespace_flexible": False}}), at
            )
        case Sequence(items=items):
            return replace(node, items=tuple(_with_values(item, own, document) for item in items))
        case Choice(options=options):
            return replace(node, options=tuple(_with_values(option, own, document) for option in options))
        case Repeat(item=item) | Alias(item=item):
            return replace(node, item=_with_values(item, own, document))
        case _:
            return node


def _types(node: Node, own: dict[str, Definition], document: Document, seen: set[str]) -> set[str]:
    """The types that a value may have, by what it begins with."""
    match node:
        case Choice(options=options):
            return {name for option in options for name in _types(option, own, document, seen)}
        case Sequence(items=items) if items:
            return _types(items[0], own, document, seen)
        case Literal(value=value):
            return {_TYPES.get(value, "string" if value.startswith('"') else "number")}
        case Pattern(pattern=pattern):
            return {"string" if pattern.startswith('"') else "number"}
        case Name(name=name) if name in own and name not in seen:
            return _types(own[name].body, own, document, seen | {name})
        case Name(name=name) if _TERMINAL.fullmatch(name):
            return {"number" if "JSON_NUMBER_" in name else "string"}
        case _:
            return set()
