"""What is wrong with a grammar as a whole, beside its lexer: what llguidance refuses, and rules without a text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from jigwork.errors import GrammarError

from .derivation import Derivation
from .diagnostics import Diagnostic, diagnose
from .engine import compile_error
from .nodes import Document, Name, Node, Source, walk

__all__ = ["for_gbnf", "refusal", "structure"]

_PLACE = re.compile(r"(?:at )?(\d+)\((\d+)\): (.*)", re.DOTALL)


def refusal(document: Document) -> Diagnostic | None:
    """E10: what llguidance says about a grammar that it does not compile."""
    said = compile_error("lark", document.source.text)
    return _refusal(document.source, said) if said else None


def _refusal(source: Source, said: str) -> Diagnostic:
    place = _PLACE.match(said)
    if place and int(place[1]) <= source.text.count("\n") + 1:
        above = source.text.split("\n")[: int(place[1]) - 1]
        offset = sum(len(line) + 1 for line in above) + int(place[2]) - 1
        return diagnose(
            source, min(offset, len(source.text)), "E10", f"llguidance refuses this: {place[3].strip()}"
        )
    named = re.match(r"unknown grammar @(\S+)", said)
    at = source.text.find(f"@{named[1]}") if named else -1
    fix = (
        ""
        if at < 0
        else "write its rules into this grammar, or compose them: Grammar.from_lark(text, rules={...})"
    )
    return diagnose(
        source, at if at >= 0 else None, "E10", f"llguidance refuses the grammar: {said}", fix=fix
    )


def structure(derivation: Derivation) -> Iterator[Diagnostic]:
    """E12: rules without a sentence, and definitions that nothing uses."""
    document = derivation.document
    used = {"start"}
    by_name = {d.name: d for d in document.definitions}
    stack: list[Node] = [by_name["start"].body, *document.ignores]
    while stack:
        for node in walk(stack.pop()):
            if isinstance(node, Name) and node.name in by_name and node.name not in used:
                used.add(node.name)
                stack.append(by_name[node.name].body)
    for terminal in derivation.terminals.values():
        if terminal.opaque and terminal.node is not None:
            place = document.definition(terminal.key)
            yield diagnose(
                document.source,
                place.at if place else terminal.at,
                "E12",
                f"{terminal.key[:40]} matches no text at all",
                why="nothing that needs it can ever be written (every server)",
                fix="widen it: something in it excludes everything, such as a class like [a&&b]",
            )
    unknown = any(t.opaque for t in derivation.terminals.values())
    for definition in document.definitions:
        if definition.name not in used:
            finding = diagnose(
                document.source,
                definition.at,
                "E12",
                f"{definition.name} is never used",
                why="no text can hold it; it only makes the grammar longer (any server)",
                fix="drop it, or use it",
            )
            yield replace(finding, severity="warning")
        elif definition.name in derivation.productions and not derivation.productive(definition.name):
            if unknown:
                continue
            yield diagnose(
                document.source,
                definition.at,
                "E12",
                f"{definition.name} has no finite text: every alternative needs another {definition.name}",
                why="a model that gets here can never come to an end (any server)",
                fix="add an alternative that does not recurse",
            )


def for_gbnf(document: Document) -> Iterator[Diagnostic]:
    """What GBNF cannot say (E10), and where it says more (W9)."""
    from .export import gbnf

    try:
        made = gbnf("lark", document.source.text)
    except GrammarError as error:
        at = None
        if error.line and error.column:
            at = (
                sum(len(line) + 1 for line in document.source.text.split("\n")[: error.line - 1])
                + error.column
                - 1
            )
        yield diagnose(
            document.source,
            at,
            "E10",
            f"GBNF cannot say this: {str(error).partition(': ')[2] or error}",
            why="llama.cpp without llguidance reads GBNF only",
            fix="write it with plain rules, or send to_llguidance()",
        )
        return
    for difference in made.differences:
        yield diagnose(
            document.source,
            None,
            "W9",
            f"GBNF accepts more than the grammar: {difference}",
            why="GBNF has no lexer; what a llama.cpp server writes is checked again here",
            fix="make the terminals that may stand at one place exclude each other",
        )
