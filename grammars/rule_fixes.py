"""Safe changes for the findings of a grammar that can be read: each leaves the texts of the grammar as they are."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from .common import COMMON
from .derivative import first
from .diagnostics import Diagnostic
from .edits import Edit
from .layout import Layout
from .lexicon import Lexicon, NotRegularError
from .nodes import (
    Call,
    Choice,
    Definition,
    Document,
    Literal,
    Name,
    Node,
    Pattern,
    Repeat,
    Sequence,
    Span,
    walk,
)
from .pattern_fixes import pattern_edits
from .regular import nullable, overlap
from .templates import expansion
from .writer import write_definition, write_node

__all__ = ["RuleFixes"]


class RuleFixes:
    """The edits for findings of one document, by rule."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.layout = Layout(document.source)

    def edits(self, finding: Diagnostic) -> tuple[Edit, ...]:
        """What makes the fix; empty where no change is safe."""
        fix = _BY_RULE.get(finding.rule)
        if fix is None:
            return ()
        at = None
        if finding.line and finding.column:
            at = self.document.source.offset(finding.line, finding.column)
        return tuple(sorted(set(fix(self, at))))

    # patterns

    def pattern(self, at: int | None, rule: str) -> Iterator[Edit]:
        """A change inside of the regular expression that an offset is in."""
        for node in self._nodes():
            if not isinstance(node, Pattern) or at is None:
                continue
            end = node.at + len(node.pattern) + 2 + len(node.flags)
            if node.at == at and rule == "E1" and "l" in node.flags:
                yield Edit(end - len(node.flags), end, node.flags.replace("l", ""))
            elif node.at < at <= end or (node.at == at and rule == "W7"):
                for edit in pattern_edits(node.pattern, node.flags, at - node.at - 1, rule):
                    yield Edit(edit.start + node.at + 1, edit.end + node.at + 1, edit.text)

    def _nodes(self) -> Iterator[Node]:
        for definition in self.document.definitions:
            yield from walk(definition.body)
        for node in self.document.ignores:
            yield from walk(node)

    # definitions

    def _defined(self, at: int | None) -> Definition | None:
        return next((d for d in self.document.definitions if d.at == at), None)

    def priority(self, at: int | None) -> Iterator[Edit]:
        """E2: a priority that only chooses between trees, or has nothing to choose from."""
        definition = self._defined(at)
        if definition is None or (definition.terminal and not self._alone(definition)):
            return
        number = self._name_token(definition)
        tokens = self.layout.tokens
        if tokens[number + 1].text == "." and tokens[number + 2].kind == "number":
            yield Edit(tokens[number + 1].at, self.layout.end(number + 2), "")

    def _name_token(self, definition: Definition) -> int:
        number = self.layout.index(definition.at)
        while self.layout.tokens[number].kind != "name":
            number += 1
        return number

    def _alone(self, definition: Definition) -> bool:
        """Whether no other terminal can begin as this one does: then no priority decides anything."""
        lexicon = Lexicon(self.document)
        try:
            own = lexicon.terminal(definition.name)
            if nullable(own):
                return False
            for other in self._terminals(definition):
                if overlap(first(own), first(lexicon.regular(other))).ranges:
                    return False
        except NotRegularError:
            return False
        return True

    def _terminals(self, but: Definition) -> Iterator[Node]:
        for definition in self.document.definitions:
            if definition.terminal and definition is not but:
                yield definition.body
            elif not definition.terminal:
                yield from (n for n in walk(definition.body) if isinstance(n, (Literal, Pattern, Span)))
        yield from self.document.ignores
        yield from (Name(item.alias, item.at) for item in self.document.imports)

    def templates(self, at: int | None) -> Iterator[Edit]:
        """E3: a use is written out; a template that is not used any more goes."""
        definition = self._defined(at)
        calls = [n for d in self.document.definitions for n in walk(d.body) if isinstance(n, Call)]
        if definition is not None and definition.parameters is not None:
            if not any(call.name == definition.name for call in calls):
                yield self.layout.without(definition.at)
            return
        call = next((c for c in calls if c.at == at), None)
        text = expansion(self.document, call) if call else None
        if text is not None and at is not None:
            closing = self.layout.closing(self.layout.index(at) + 1)
            if closing is not None:
                yield Edit(at, self.layout.end(closing), text)

    def statements(self, at: int | None) -> Iterator[Edit]:
        """E5: what is changed is defined in the same text, and is changed there."""
        keyword, rest, _ = next(s for s in self.document.statements if s[2] == at)
        number = self.layout.index(at or 0)
        name = next((t for t in self.layout.tokens[number:] if t.kind == "name"), None)
        _, _, body = rest.partition(":")
        old = self.document.definition(name.text) if name else None
        if name is None or at is None or not body.strip():
            return
        if keyword == "%extend" and old is not None:
            _, last = self.layout.statement(old.at)
            yield Edit(self.layout.end(last), self.layout.end(last), f" | {body.strip()}")
            yield self.layout.without(at)
        elif keyword == "%override" and (old is not None or self._imported_alone(name.text)):
            imported = next((i.at for i in self.document.imports if i.alias == name.text), None)
            yield self.layout.without(old.at if old is not None else imported or 0)
            yield Edit(at, self.layout.tokens[number + 1].at, "")

    def _imported_alone(self, name: str) -> bool:
        found = [i for i in self.document.imports if i.alias == name]
        return len(found) == 1 and sum(i.at == found[0].at for i in self.document.imports) == 1

    def names(self, at: int | None) -> Iterator[Edit]:
        """E7: no start, a terminal of the library without its import, the same thing twice."""
        if at is None:
            yield from self._start()
            return
        definition = self._defined(at)
        token = self.layout.tokens[self.layout.index(at)]
        if definition is not None:
            twins = [d for d in self.document.definitions if d.name == definition.name]
            if len({write_definition(d) for d in twins}) == 1 and definition is not twins[0]:
                yield self.layout.without(at)
        elif token.kind == "name" and token.text in COMMON and not self._knows(token.text):
            yield self._first_line(f"%import common.{token.text}")
        elif twins_at := [i.at for i in self.document.imports if i.at == at]:
            same = [i for i in self.document.imports if i.at == at]
            again = [i for i in self.document.imports if i.alias == same[0].alias and i.path == same[0].path]
            if len(twins_at) == 1 and len(again) == 2:
                yield self.layout.without(at)

    def _knows(self, name: str) -> bool:
        return any(d.name == name for d in self.document.definitions) or any(
            i.alias == name for i in self.document.imports
        )

    def _start(self) -> Iterator[Edit]:
        """The one rule that no other uses is where a text begins."""
        used = {n.name for n in self._nodes() if isinstance(n, Name)}
        roots = [d for d in self.document.definitions if d.name not in used]
        plain = roots and not roots[0].parametric and roots[0].parameters is None
        if len({d.name for d in roots}) != 1 or not plain:
            return
        if roots[0].name.lower() == "start":
            number = self._name_token(roots[0])
            yield Edit(roots[0].at, self.layout.end(number), "start")
        else:
            at = min(definition.at for definition in self.document.definitions)
            yield Edit(at, at, f"start: {roots[0].name}{self.layout.newline}")

    def _first_line(self, line: str) -> Edit:
        at = next(t.at for t in self.layout.tokens if t.kind != "newline")
        return Edit(at, at, line + self.layout.newline)

    def heads(self, at: int | None) -> Iterator[Edit]:
        """E8: signs that a definition cannot have, and names in two cases."""
        definition = self._defined(at)
        if definition is None or at is None:
            return
        if definition.modifiers and (definition.terminal or definition.name.startswith("_")):
            kept = "" if definition.terminal else definition.modifiers.replace("?", "")
            yield Edit(at, at + len(definition.modifiers), kept)
        elif re.match(r"_?[a-z]", definition.name):
            new = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", definition.name).lower()
            if not self._knows(new):
                yield from self.layout.renamed(definition.name, new)

    def alternatives(self, at: int | None) -> Iterator[Edit]:
        """E14: words become the words of one terminal."""
        definition = self._defined(at)
        if definition is None or not isinstance(definition.body, Choice) or definition.attributes:
            return
        new = definition.name.strip("_").upper()
        if self._knows(new) or not all(isinstance(o, Literal) and o.value for o in definition.body.options):
            return
        number = self._name_token(definition)
        colon = next(t for t in self.layout.tokens[number:] if t.text == ":")
        yield Edit(colon.at, colon.at, f": {new}{self.layout.newline}{new}")

    def recursion(self, at: int | None) -> Iterator[Edit]:
        """W6: a list that recurses on its right end becomes a repetition."""
        if at is None:
            return
        begin, last = self.layout.statement(at)
        definition = self._defined(self.layout.tokens[begin].at)
        if definition is None or self.layout.has_comment(definition.at, self.layout.end(last)):
            return
        text = _repeated(definition)
        if text:
            colon = next(t for t in self.layout.tokens[begin:] if t.text == ":")
            yield Edit(colon.at + 1, self.layout.end(last), " " + text)

    def foreign(self, at: int | None) -> Iterator[Edit]:
        """W7: counts in braces, dashes in names, and escapes that Rust alone knows."""
        tokens = self.layout.tokens
        here = (
            tokens[self.layout.index(at)] if at is not None and self.layout.index(at) < len(tokens) else None
        )
        if at is None or here is None:
            return
        definition = self._defined(at)
        if definition is not None and "-" in definition.name:
            new = definition.name.replace("-", "_")
            if not self._knows(new):
                yield from self.layout.renamed(definition.name, new)
            return
        if any(isinstance(n, Repeat) and n.sign == "{" and n.at == at for n in self._nodes()):
            for number, token in enumerate(tokens):
                if token.text == "{" and tokens[number + 1].kind in ("number", "sign"):
                    yield from self._count(number)
            return
        yield from self.pattern(at, "W7")

    def _count(self, number: int) -> Iterator[Edit]:
        """`{m,n}` as `~m..n`."""
        closing = self.layout.closing(number)
        atom = self.layout.atom(number)
        if closing is None or atom is None:
            return
        start, end = self.layout.tokens[number].at, self.layout.end(closing)
        low, comma, high = self.layout.text[start + 1 : end - 1].replace(" ", "").partition(",")
        if high or not comma:
            least = low or "0"
            yield Edit(start, end, f"~{least}" + (f"..{high}" if comma and int(high) != int(least) else ""))
            return
        begin = self.layout.tokens[atom].at
        item = self.layout.text[begin:start].rstrip()
        inside = any(begin < t.at < start and t.text == "{" for t in self.layout.tokens)
        if not inside:  # else the inner one first
            counted = f"({item}~{low} {item}*)" if int(low) > 1 else item + ("+" if int(low) else "*")
            yield Edit(begin, end, counted)


def _repeated(definition: Definition) -> str:
    """`x: a x | a` as `a+`, `x: a "," x | a` as `a ("," a)*`; empty where it is not of that form."""
    body = definition.body
    if not isinstance(body, Choice) or len(body.options) != 2 or definition.parametric:
        return ""
    ends = [[isinstance(n, Name) and n.name == definition.name for n in walk(o)] for o in body.options]
    if sorted(map(sum, ends)) != [0, 1]:
        return ""
    again, once = body.options if any(ends[0]) else body.options[::-1]
    items, base = _texts(again), _texts(once)
    if items is None or base is None or len(items) < 2 or items[-1] != definition.name:
        return ""
    rest = items[:-1]
    if not base or rest == base:
        one = rest[0] if len(rest) == 1 and not rest[0][-1] in "*+?]" else f"({' '.join(rest)})"
        return one + ("+" if base else "*")
    if rest[: len(base)] == base:
        return f"{' '.join(base)} ({' '.join([*rest[len(base) :], *base])})*"
    return ""


def _texts(option: Node) -> list[str] | None:
    """The items of an option, written out; None where it is more than a sequence of items."""
    items = option.items if isinstance(option, Sequence) else (option,)
    if any(not isinstance(i, (Literal, Pattern, Span, Name, Repeat, Choice)) for i in items):
        return None
    return [f"({write_node(i)})" if isinstance(i, Choice) else write_node(i) for i in items]


def _w4(fixes: RuleFixes, at: int | None) -> Iterator[Edit]:
    """Inside of a pattern, or the escapes of a string that Lark reads otherwise."""
    text = fixes.document.source.text
    if at is not None and text[at : at + 2] in ("\\/", "\\b"):
        token = fixes.layout.tokens[fixes.layout.index(at + 1) - 1]
        if token.kind == "string":
            yield Edit(at, at + 2, "/" if text[at + 1] == "/" else "\\u0008")
            return
    yield from fixes.pattern(at, "W4")


def _by_pattern(rule: str) -> Callable[[RuleFixes, int | None], Iterator[Edit]]:
    return lambda fixes, at: fixes.pattern(at, rule)


_BY_RULE: dict[str, Callable[[RuleFixes, int | None], Iterator[Edit]]] = {
    "E1": _by_pattern("E1"),
    "E2": RuleFixes.priority,
    "E3": RuleFixes.templates,
    "E5": RuleFixes.statements,
    "E7": RuleFixes.names,
    "E8": RuleFixes.heads,
    "E14": RuleFixes.alternatives,
    "W1": _by_pattern("W1"),
    "W4": _w4,
    "W6": RuleFixes.recursion,
    "W7": RuleFixes.foreign,
}
