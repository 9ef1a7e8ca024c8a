"""What a grammar text alone says about servers: its size, and words that only llguidance knows."""

from __future__ import annotations

from collections.abc import Iterator

from .diagnostics import Diagnostic, diagnose
from .nodes import All, Choice, Document, Embedded, Not, Reference, Repeat, Special, walk
from .writer import write_node

__all__ = ["foreign", "size"]

_MANY = 1500
_LARGE = 64_000
_READABLE = ("the count {m,n} after an item", "a - in a name", "the line %llguidance")
"""What is foreign to Lark itself, and is put into its words when a tree is made."""


def size(document: Document, target: str) -> Iterator[Diagnostic]:
    """E14 and W10: too many alternatives, too much text."""
    text = document.source.text
    for definition in document.definitions:
        if definition.terminal:
            continue
        for node in walk(definition.body):
            if isinstance(node, Choice) and len(node.options) > _MANY:
                whole = node is definition.body
                terminal = definition.name.strip("_").upper() if whole else "WORDS"
                yield diagnose(
                    document.source,
                    definition.at if whole else node.at,
                    "E14",
                    f"{definition.name if whole else 'this group'} has {len(node.options)} alternatives; llguidance "
                    "stops at 2000 in one row",
                    why="the request fails when the model gets here, not before (every server with llguidance)",
                    fix=f"put them into one terminal: {terminal}: ...",
                )
    if len(text) > _LARGE and target == "openai":
        yield diagnose(
            document.source,
            None,
            "W10",
            f"the grammar has {len(text) // 1000} KB",
            why="OpenAI names no limit and may refuse a grammar as too complex; every request sends and pays for it",
            fix="leave out what the question does not need",
        )


def foreign(document: Document, target: str) -> Iterator[Diagnostic]:
    """W7: what llguidance knows and Lark does not, once for each kind."""
    if target == "llguidance":
        return
    seen: set[str] = set()
    for what, at, fix in _foreign_places(document):
        if what not in seen:
            seen.add(what)
            yield diagnose(
                document.source,
                at,
                "W7",
                f"{what} is known to llguidance only",
                why="OpenAI does not document it, Lark cannot load it, and there are no trees of such texts"
                if what not in _READABLE
                else "OpenAI does not document it, and Lark cannot load it",
                fix=fix,
            )


def _foreign_places(document: Document) -> Iterator[tuple[str, int, str]]:
    if document.options:
        at = document.source.text.find("%llguidance")
        yield (
            "the line %llguidance",
            max(at, 0),
            "leave it out; Grammar.to_llguidance() adds it where it is wanted",
        )
    for definition in document.definitions:
        if "-" in definition.name:
            yield "a - in a name", definition.at, f"write {definition.name.replace('-', '_')}"
        if definition.attributes:
            yield "[attributes] of a rule", definition.at, "say in the pattern where the text ends"
        if definition.parametric:
            yield "a parametric rule", definition.at, "write the alternatives out"
        for node in walk(definition.body):
            match node:
                case Repeat(sign="{", low=low, high=high):
                    fix = f"write ~{low}..{high}" if high else f"write ~{low} and then *"
                    yield "the count {m,n} after an item", node.at, fix
                case All() | Not():
                    yield "& and ~ in terminals", node.at, "write a pattern that says both"
                case Embedded(kind=kind) if kind != "if":
                    yield f"%{kind}", node.at, "write rules for it"
                case Special() | Reference():
                    yield write_node(node), node.at, "use it with servers of your own only"
                case _:
                    pass
