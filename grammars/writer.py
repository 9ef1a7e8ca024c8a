"""Writes syntax trees back as grammar text, in the language that llguidance reads."""

from __future__ import annotations

import json
from collections.abc import Callable

from .nodes import (
    Alias,
    All,
    Call,
    Choice,
    Definition,
    Document,
    Embedded,
    Literal,
    Name,
    Node,
    Not,
    Pattern,
    Reference,
    Repeat,
    Sequence,
    Span,
    Special,
)

__all__ = ["Rewrite", "quote", "write", "write_definition", "write_node"]

Rewrite = Callable[[Node], "str | None"]
"""Asked for every node: the text to write instead of it, or None to write it as it is."""


def quote(text: str) -> str:
    """A text as a string of the grammar language: JSON's escapes, no raw control characters."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def write(document: Document, rewrite: Rewrite = lambda node: None) -> str:
    """The text of a document."""
    lines = [f"%import {i.path} -> {i.alias}" for i in document.imports]
    lines += [f"%llguidance {option}" for option in document.options]
    lines += [f"%ignore {write_node(node)}" for node in document.ignores]
    lines += [
        write_definition(d) if d.terminal else write_definition(d, rewrite) for d in document.definitions
    ]
    return "\n".join(lines) + "\n"


def write_definition(definition: Definition, rewrite: Rewrite = lambda node: None) -> str:
    """One definition on one line."""
    head = definition.modifiers + definition.name + ("::_" if definition.parametric else "")
    if definition.attributes:
        head += f"[{' '.join(definition.attributes)}]"
    return f"{head}: {write_node(definition.body, rewrite)}"


def write_node(node: Node, rewrite: Rewrite = lambda node: None) -> str:
    """An expression, with the parentheses that it needs at the top of a rule."""
    own = rewrite(node)
    if own is not None:
        return own
    match node:
        case Sequence(items=items):
            return " ".join(_tight(item, rewrite, top=False) for item in items)
        case Choice(options=options):
            return " | ".join(write_node(option, rewrite) for option in options)
        case Alias(item=item, name=name):
            return f"{write_node(item, rewrite)} -> {name}"
        case All(items=items):
            return " & ".join(_tight(item, rewrite, top=False) for item in items)
        case Repeat():
            return _repeat(node, rewrite)
        case Not(item=item):
            return "~" + _tight(item, rewrite)
        case _:
            return _atom(node, rewrite)


def _atom(node: Node, rewrite: Rewrite) -> str:
    match node:
        case Literal(value=value, fold=fold):
            return quote(value) + ("i" if fold else "")
        case Pattern(pattern=pattern, flags=flags):
            return f"/{pattern}/{flags}"
        case Span(first=first, last=last):
            return f"{quote(first)}..{quote(last)}"
        case Name(name=name, argument=argument):
            return f"{name}::{argument}" if argument else name
        case Embedded(kind=kind, text=text):
            return f"%{kind} {text}"
        case Special(text=text):
            return text
        case Reference(name=name):
            return f"@{name}"
        case Call(name=name, arguments=arguments):
            return f"{name}{{{', '.join(write_node(a, rewrite) for a in arguments)}}}"
        case _:
            return write_node(node, rewrite)


def _repeat(node: Repeat, rewrite: Rewrite) -> str:
    if node.sign == "[":
        return f"[{write_node(node.item, rewrite)}]"
    item = _tight(node.item, rewrite)
    if node.sign in ("?", "*", "+"):
        return item + node.sign
    if node.sign == "~" and node.high is not None:
        return f"{item}~{node.low}" + ("" if node.high == node.low else f"..{node.high}")
    counts = str(node.low) if node.high == node.low else f"{node.low},{node.high or ''}"
    return f"{item}{{{counts}}}"


def _tight(node: Node, rewrite: Rewrite, *, top: bool = True) -> str:
    """A node in a place that binds tighter than choice; with `top`, tighter than a sequence and a repetition."""
    own = rewrite(node)
    if own is not None:
        return own
    bracketed = isinstance(node, Repeat) and node.sign == "["
    loose = isinstance(node, (Choice, Alias, All)) or (top and isinstance(node, (Sequence, Repeat, Not)))
    if isinstance(node, Sequence) and not node.items:
        return '""'
    text = write_node(node, rewrite)
    return f"({text})" if loose and not bracketed else text
