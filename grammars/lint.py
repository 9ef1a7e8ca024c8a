"""The rules that need only the text: what every server refuses, found before anything is compiled or sent.

Constructors raise the first finding; `check` reports all of them beside its own.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator
from itertools import islice

from .common import COMMON
from .diagnostics import Diagnostic, diagnose
from .nodes import (
    Call,
    Definition,
    Document,
    Embedded,
    Name,
    Pattern,
    Reference,
    Source,
    Special,
    walk,
)
from .rust_regex import RegexError, read_regex

__all__ = ["lint", "lint_regex"]

_RULE = re.compile(r"_?[a-z][a-z0-9_\-]*")
_WORD = re.compile(r"\w+")
_TERMINAL = re.compile(r"_?[A-Z][A-Z0-9_\-]*")
_MOST = 100  # findings of one kind: nobody reads more
_DEEPEST = 500
"""Of rules in a chain; llguidance overflows a stack of 8 MB at some 2600."""


def lint(document: Document) -> list[Diagnostic]:
    """All findings of rules E1 to E9, in the order of the text."""
    found = [finding for rule in _RULES for finding in islice(rule(document), _MOST)]
    return sorted(found, key=lambda finding: (finding.line or 1 << 30, finding.column or 0))


def lint_regex(pattern: str) -> list[Diagnostic]:
    """The findings for a pattern that is a grammar by itself."""
    source = Source(pattern)
    if "\n" in pattern:
        return [diagnose(source, pattern.index("\n"), "E8", "a pattern is one line", fix="write \\n")]
    try:
        read_regex(pattern)
    except RegexError as error:
        message, _, fix = str(error).partition("; ")
        return [diagnose(source, error.at, "E1", message, fix=fix)]
    return []


def _patterns(document: Document) -> Iterator[Diagnostic]:
    for node in _nodes(document):
        if not isinstance(node, Pattern):
            continue
        if "l" in node.flags:
            yield diagnose(
                document.source,
                node.at,
                "E1",
                "the l flag of a regular expression is not supported",
                fix="drop it",
            )
        try:
            read_regex(node.pattern, node.flags)
        except RegexError as error:
            message, _, fix = str(error).partition("; ")
            yield diagnose(document.source, node.at + 1 + error.at, "E1", message, fix=fix)


def _priorities(document: Document) -> Iterator[Diagnostic]:
    for definition in document.definitions:
        if definition.priority is not None:
            yield diagnose(
                document.source,
                definition.at,
                "E2",
                f"{definition.name} has a priority, which no server supports",
                fix="drop it and make the terminals exclude each other",
            )


def _templates(document: Document) -> Iterator[Diagnostic]:
    for definition in document.definitions:
        if definition.parameters is not None:
            yield diagnose(
                document.source,
                definition.at,
                "E3",
                f"{definition.name} is a template, which no server supports",
                fix="write one rule for each use",
            )
    for node in _nodes(document):
        if isinstance(node, Call):
            yield diagnose(
                document.source,
                node.at,
                "E3",
                f"{node.name}{{...}} uses a template, which no server supports",
                fix="write the rule out",
            )


def _statements(document: Document) -> Iterator[Diagnostic]:
    for keyword, _rest, at in document.statements:
        rule, fix = (
            ("E4", "define the terminal") if keyword == "%declare" else ("E5", "change the rule itself")
        )
        yield diagnose(document.source, at, rule, f"{keyword} is not supported by any server", fix=fix)


def _imports(document: Document) -> Iterator[Diagnostic]:
    for item in document.imports:
        library, _, name = item.path.rpartition(".")
        if library == "common" and name in COMMON:
            continue
        if library == "common":
            near = difflib.get_close_matches(name, COMMON, 1)
            fix = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(COMMON))}"
            yield diagnose(
                document.source, item.at, "E6", f"common has no terminal {name} that servers know", fix=fix
            )
        else:
            yield diagnose(
                document.source,
                item.at,
                "E6",
                f"{item.path} cannot be imported; servers know the library common only",
                fix="copy the definitions into this grammar",
            )


def _names(document: Document) -> Iterator[Diagnostic]:
    for definition in document.definitions:
        name = definition.name
        if not (_RULE.fullmatch(name) or _TERMINAL.fullmatch(name)):
            lower, upper = name.strip("_").lower(), name.strip("_").upper()
            yield diagnose(
                document.source,
                definition.at,
                "E8",
                f"{name} is neither a rule (lower case) nor a terminal (upper case)",
                fix=f"write {lower} or {upper}",
            )
        elif definition.modifiers and definition.terminal:
            yield diagnose(
                document.source,
                definition.at,
                "E8",
                f"the sign {definition.modifiers} before {name} is for rules, not for terminals",
                fix="drop it",
            )
        elif "?" in definition.modifiers and name.startswith("_"):
            yield diagnose(
                document.source,
                definition.at,
                "E8",
                f"?{name} is inlined twice; the sign ? and the leading _ exclude each other",
                fix=f"write {name} or ?{name[1:]}",
            )


def _definitions(document: Document) -> Iterator[Diagnostic]:
    seen: dict[str, Definition] = {}
    imported = {item.alias for item in document.imports}
    for definition in document.definitions:
        name = definition.name
        if name in seen or name in imported:
            where = f"on line {document.source.position(seen[name].at)[0]}" if name in seen else "by %import"
            yield diagnose(
                document.source,
                definition.at,
                "E7",
                f"{name} is already defined {where}",
                fix="rename one of them, or join them with |",
            )
        seen.setdefault(name, definition)
    if "start" not in seen:
        near = [name for name in seen if difflib.get_close_matches(name.lower(), ["start"], 1, 0.75)]
        used = {n.name for n in _nodes(document) if isinstance(n, Name)}
        roots = [name for name in seen if name not in used and name.islower()]
        fix = f"a text begins with the rule start: write `start: {roots[0] if roots else '...'}`"
        if len(roots) > 1:
            fix += f", or one of {', '.join(roots[1:4])}, which no other rule uses either"
        if near:
            fix = f"a text begins with the rule start: rename {near[0]}"
        yield diagnose(document.source, None, "E7", "there is no rule named start", fix=fix)
    imports: set[str] = set()
    for item in document.imports:
        if item.alias in imported and item.alias in imports:
            yield diagnose(document.source, item.at, "E7", f"{item.alias} is imported twice", fix="drop one")
        imports.add(item.alias)


def _uses(document: Document) -> Iterator[Diagnostic]:
    known = {d.name for d in document.definitions} | {item.alias for item in document.imports}
    stated = set(_WORD.findall(" ".join(rest.partition(":")[0] for _, rest, _ in document.statements)))
    named = known | stated
    for definition in (*document.definitions, None):
        parameters = definition.parameters or () if definition else ()
        bodies = (definition.body,) if definition else document.ignores
        for node in (n for body in bodies for n in walk(body)):
            if isinstance(node, Name) and node.name not in named and node.name not in parameters:
                kind = "terminal" if node.terminal else "rule"
                fix = _meant(node.name, known)
                yield diagnose(
                    document.source, node.at, "E7", f"the {kind} {node.name} is not defined", fix=fix
                )


def _meant(name: str, known: set[str]) -> str:
    """What to do about a name that is not defined."""
    if name in COMMON:
        return f"%import common.{name}"
    near = [n for n in known if n.lower() == name.lower()] or difflib.get_close_matches(name, known, 1, 0.5)
    if near:
        return f"did you mean {near[0]}?"
    library = difflib.get_close_matches(name, COMMON, 1, 0.8)
    return f"did you mean {library[0]}? Then write %import common.{library[0]}" if library else "define it"


def _terminals(document: Document) -> Iterator[Diagnostic]:
    by_name = {d.name: d for d in document.definitions}
    imported = {item.alias for item in document.imports}
    for definition in document.definitions:
        if not definition.terminal:
            continue
        for node in walk(definition.body):
            if isinstance(node, Name) and node.name in by_name and not by_name[node.name].terminal:
                if node.name in imported:
                    continue
                yield diagnose(
                    document.source,
                    node.at,
                    "E7",
                    f"the terminal {definition.name} uses the rule {node.name}; terminals are built of terminals",
                    fix=f"write {definition.name.lower()} in lower case, or {node.name.upper()} in upper case",
                )
            elif isinstance(node, (Embedded, Special, Reference)) and getattr(node, "kind", "") != "regex":
                what = f"%{node.kind}" if isinstance(node, Embedded) else "a special token or grammar"
                yield diagnose(
                    document.source,
                    node.at,
                    "E7",
                    f"the terminal {definition.name} holds {what}, which only a rule can",
                    fix=f"write {definition.name.lower()} in lower case",
                )
    yield from _recursive_terminals(document, by_name)


def _recursive_terminals(document: Document, by_name: dict[str, Definition]) -> Iterator[Diagnostic]:
    uses = {
        d.name: [n for n in walk(d.body) if isinstance(n, Name) and n.name in by_name]
        for d in document.definitions
        if d.terminal
    }
    for definition in document.definitions:
        reached: set[str] = set()
        stack = [definition.name] if definition.terminal else []
        while stack:
            for node in uses.get(stack.pop(), ()):
                if node.name == definition.name:
                    yield diagnose(
                        document.source,
                        definition.at,
                        "E7",
                        f"the terminal {definition.name} refers to itself; only rules can",
                        fix="use * or + instead, or write it in lower case",
                    )
                    stack.clear()
                    break
                if node.name not in reached:
                    reached.add(node.name)
                    stack.append(node.name)


def _depth(document: Document) -> Iterator[Diagnostic]:
    """A chain of names, each used by the one before: compilers follow it on their own stack, and can overflow it."""
    by_name = {d.name: d for d in document.definitions}
    seen: set[str] = set()
    path: list[Iterator[str]] = []
    if "start" in by_name:
        path.append(iter(["start"]))
    while path:
        name = next((n for n in path[-1] if n not in seen), None)
        if name is None:
            path.pop()
            continue
        seen.add(name)
        definition = by_name[name]
        if len(path) > _DEEPEST:
            yield diagnose(
                document.source,
                definition.at,
                "E9",
                f"{name} is the end of a chain of more than {_DEEPEST} rules, each used by the one before",
                why="compilers of grammars follow such a chain on their stack, which can end a server's process",
                fix="use repetition (* or +) instead of one rule for each step",
            )
            return
        path.append(n.name for n in walk(definition.body) if isinstance(n, Name) and n.name in by_name)


def _nodes(document: Document) -> Iterator[object]:
    for definition in document.definitions:
        yield from walk(definition.body)
    for node in document.ignores:
        yield from walk(node)


_RULES: tuple[Callable[[Document], Iterator[Diagnostic]], ...] = (
    _patterns,
    _priorities,
    _templates,
    _statements,
    _imports,
    _names,
    _definitions,
    _uses,
    _terminals,
    _depth,
)
