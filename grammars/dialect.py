"""Where Lark reads a grammar differently from llguidance: each finding comes with a text that shows it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

from jigwork.errors import GrammarError

from .common import DIFFERENT
from .coverage import Coverage
from .derivation import Production, Terminal, Token
from .derivative import matches
from .diagnostics import Diagnostic, diagnose
from .engine import Deadline
from .lexicon import Lexicon, NotRegularError
from .nodes import Literal, Name, Node, Pattern, walk
from .regular import Union, finite, literal, nullable, samples, shortest
from .rust_regex import Note, RegexError, read_regex
from .tree import lark_text
from .writer import write_node

if TYPE_CHECKING:
    import lark

__all__ = ["Dialect"]

_PATTERN_SECONDS = 0.8  # for the search of one witness
_JSON_ESCAPE = re.compile(r'"(?:[^"\\\n]|\\[^/b\n])*\\([/b])')
_COMBINING, _SEPARATOR = "\u0301", "\x1c"
_MEANINGS = {
    "lazy": "a lazy quantifier is read as a greedy one",
    "nested-repeat": "a second + after a quantifier repeats it; it is not possessive",
    "anchor": "^ and $ at the ends of a pattern mean nothing inside of a grammar",
    "set-operator": "&&, --, ~~ and [ inside of brackets are operations on sets",
    "posix-class": "[:name:] inside of brackets is a class of characters",
    "unicode-class": "\\w and \\s cover other characters than in Python",
    "branches": "the longest alternative wins, not the first",
}
_FIXES = {
    "lazy": "drop the ? and leave the closing character out of the class: [^x]*x for .*?x",
    "nested-repeat": "drop the second sign",
    "anchor": "drop the anchor",
    "set-operator": "escape the signs, or write the set out",
    "posix-class": "write the class out, as in [0-9]",
    "unicode-class": "write the characters out: [A-Za-z0-9_] for \\w, [ \\t\\n] for \\s",
    "branches": "write the longer alternative first, or make one of them optional: ab?",
}


class _Parser(Protocol):
    def parse(self, text: str) -> lark.Tree[lark.Token]: ...


class _Python:
    """A pattern that is a grammar by itself, as Python reads it."""

    def __init__(self, pattern: str) -> None:
        self._compiled = re.compile(pattern)

    def parse(self, text: str) -> lark.Tree[lark.Token]:
        import lark

        if self._compiled.fullmatch(text) is None:
            raise lark.exceptions.UnexpectedInput
        return lark.Tree("start", [])


class Dialect:
    """The comparison of one document; uses the sentences that its coverage has found.

    With `pattern`, the document is that regular expression and nothing else.
    """

    def __init__(self, coverage: Coverage, pattern: str | None = None) -> None:
        self.coverage = coverage
        self.pattern = pattern
        self.document = coverage.document
        self.derivation = coverage.derivation
        self.deadline = coverage.deadline

    def findings(self, *, lalr: bool = False) -> Iterator[Diagnostic]:
        """All findings; with `lalr` also those of Lark's LALR parser and of ignored text at the ends."""
        if self.pattern is not None:
            yield from self._patterns(_python(self.pattern))
            return
        yield from self._nullable()
        try:
            text = lark_text(self.document, group=False)
        except GrammarError:
            text = ""
        earley = _build(text, lalr=False) if text else None
        if isinstance(earley, str):
            yield from self._unloadable(earley)
            earley = None
        yield from self._patterns(earley)
        yield from self._strings()
        if earley is not None:
            yield from self._common(earley)
        if lalr and text:
            yield from self._lalr(_build(text, lalr=True), earley)

    def _nullable(self) -> Iterator[Diagnostic]:
        for terminal in self.derivation.terminals.values():
            if terminal.node is not None and nullable(terminal.node):
                definition = self.document.definition(terminal.key)
                yield diagnose(
                    self.document.source,
                    definition.at if definition else terminal.at,
                    "W8",
                    f"the terminal {terminal.key[:40]} may be empty, which Lark refuses",
                    why="servers accept it; Lark cannot load the grammar, so there are no trees",
                    fix="drop it"
                    if terminal.key == '""'
                    else "make it match at least one character, and its use optional: TERMINAL?",
                    witness="",
                )

    def _unloadable(self, reason: str) -> Iterator[Diagnostic]:
        if any(t.node is not None and nullable(t.node) for t in self.derivation.terminals.values()):
            return  # said already
        node = next((n for n in self._pattern_nodes() if _foreign(n)), None)
        yield diagnose(
            self.document.source,
            node.at if node else None,
            "W7",
            f"Lark cannot load this grammar: {reason[:160]}",
            why="servers accept it; there are no trees, and other tools cannot read it",
            fix="write the pattern in the words that Python and Rust share",
        )

    # patterns

    def _pattern_nodes(self) -> Iterator[Pattern]:
        for body in (*(d.body for d in self.document.definitions), *self.document.ignores):
            for node in walk(body):
                if isinstance(node, Pattern):
                    yield node

    def _patterns(self, earley: _Parser | None) -> Iterator[Diagnostic]:
        for node in self._pattern_nodes():
            try:
                notes = read_regex(node.pattern, node.flags).notes
            except RegexError:
                continue
            kinds = {note.kind: note for note in reversed(notes) if _suspicious(note)}
            if any(found is node for ignored in self.document.ignores for found in walk(ignored)):
                kinds.pop("unicode-class", None)  # which odd spaces are skipped is nobody's trap
            if isinstance(read_regex(node.pattern, node.flags).node, Union) or "|" in node.pattern:
                kinds.setdefault("branches", Note("branches", 0, node.pattern))
            if not kinds:
                continue
            witness = self._witness(node, earley, [*kinds] == ["branches"]) if earley is not None else None
            if "lazy" in kinds:
                yield self._pattern_finding("W1", node, kinds["lazy"], witness)
            elif witness is not None:
                kind = next(k for k in _MEANINGS if k in kinds)
                yield self._pattern_finding("W4", node, kinds[kind], witness)

    def _pattern_finding(self, rule: str, node: Pattern, note: Note, witness: str | None) -> Diagnostic:
        why = "servers with llguidance and Lark (Python) read this differently"
        if rule == "W1":
            why = "llguidance ignores it without a word, and OpenAI lists lazy quantifiers as unsupported"
        return diagnose(
            self.document.source,
            node.at + 1 + note.at,
            rule,
            f"{note.text[:40]}: {_MEANINGS[note.kind]}",
            why=why,
            fix=_FIXES[note.kind],
            witness=witness,
        )

    def _witness(self, node: Pattern, earley: _Parser, branches: bool) -> str | None:
        """A complete text on which llguidance and Lark differ, with a text of this pattern in it."""
        end = Deadline(min(_PATTERN_SECONDS, self.deadline.left()))
        if any(found is node for ignored in self.document.ignores for found in walk(ignored)):
            return self._between(node, earley, end)
        early = _cut_early(node) if branches else []
        for terminal in list(self.derivation.terminals.values()):
            if terminal.node is None or not self._contains(terminal, node):
                continue
            production = self._user(terminal)
            if production is None:
                continue
            alone = terminal.node == read_regex(node.pattern, node.flags).node
            candidates = (
                _candidates(terminal, node) if not branches else early[:8] if alone else terminal.texts[:12]
            )
            for text in candidates:
                if end.left() < 0:
                    return None
                whole = self._whole(production, terminal, text)
                if self.coverage.accepts(whole) != _parses(earley, whole):
                    return whole
        return None

    def _between(self, node: Pattern, earley: _Parser, end: Deadline) -> str | None:
        """The same for a pattern that is ignored: a text of it between the first tokens of a sentence."""
        tokens = next((found for found in self.coverage.accepted.values() if len(found) > 1), None)
        if tokens is None:
            return None
        regular = read_regex(node.pattern, node.flags).node
        rest = "".join(token.text for token in tokens[1:])
        for text in _candidates(Terminal("", regular, (), node.at), node):
            for whole in (tokens[0].text + text + rest, tokens[0].text + text + text + rest):
                if end.left() < 0:
                    return None
                if self.coverage.accepts(whole) != _parses(earley, whole):
                    return whole
        return None

    def _contains(self, terminal: Terminal, node: Node) -> bool:
        if terminal.key == write_node(node):
            return True
        by_name = {d.name: d for d in self.document.definitions if d.terminal}
        reached: set[str] = set()
        stack = [terminal.key]
        while stack:
            definition = by_name.get(stack.pop())
            if definition is None or definition.name in reached:
                continue
            reached.add(definition.name)
            for found in walk(definition.body):
                if found is node:
                    return True
                if isinstance(found, Name):
                    stack.append(found.name)
        return False

    def _user(self, terminal: Terminal) -> Production | None:
        return next(self._users(terminal), None)

    def _users(self, terminal: Terminal) -> Iterator[Production]:
        for options in self.derivation.productions.values():
            for production in options:
                if terminal.key in production.body and self.derivation.usable(production):
                    yield production

    def _whole(self, production: Production, terminal: Terminal, text: str) -> str:
        before, after = self.derivation.context(production.head)
        index = production.body.index(terminal.key)
        expand = self.derivation.expand
        tokens = [
            *expand(before + production.body[:index]),
            Token(terminal.key, text),
            *expand(production.body[index + 1 :] + after),
        ]
        return "".join(token.text for token in tokens)

    # strings

    def _strings(self) -> Iterator[Diagnostic]:
        """Escapes of JSON that Lark, whose strings are Python's, reads as a backslash and a letter."""
        for body in (d.body for d in self.document.definitions):
            for node in walk(body):
                found = (
                    _JSON_ESCAPE.match(self.document.source.text, node.at)
                    if isinstance(node, Literal)
                    else None
                )
                if found is None:
                    continue
                written = "/" if found[1] == "/" else "\\u0008"
                yield diagnose(
                    self.document.source,
                    found.start(1) - 1,
                    "W4",
                    f"\\{found[1]} in a string is {'a slash' if found[1] == '/' else 'a backspace'} for servers, and a "
                    f"backslash and {found[1]} for Lark",
                    why="servers with llguidance and Lark (Python) read this differently",
                    fix=f"write {written}",
                    witness=next(self._sentences_with(node), None),
                )

    def _sentences_with(self, node: Node) -> Iterator[str]:
        for terminal in self.derivation.terminals.values():
            production = self._user(terminal) if self._contains(terminal, node) else None
            if production is not None:
                yield from (self._whole(production, terminal, text) for text in terminal.texts[:1])

    # imports

    def _common(self, earley: _Parser) -> Iterator[Diagnostic]:
        for item in self.document.imports:
            witness = DIFFERENT.get(item.path.removeprefix("common."))
            if witness is None:
                continue
            whole = next(self._texts_with(item.alias, witness), "")
            if whole and self.coverage.accepts(whole) and not _parses(earley, whole):
                yield diagnose(
                    self.document.source,
                    item.at,
                    "W12",
                    f"{item.path} lets a raw line end into the string on servers; Lark's own does not",
                    why="a model may write a text that Lark, JSON and most languages refuse",
                    fix=f'define {item.alias} yourself: /"([^"\\\\\\x00-\\x1f]|\\\\.)*"/',
                    witness=whole,
                )

    def _texts_with(self, name: str, text: str) -> Iterator[str]:
        """Sentences in which an imported terminal, or one that is built of it, has a certain text."""
        for terminal in self.derivation.terminals.values():
            production = self._user(terminal)
            try:
                made = shortest(Lexicon(self.document, {name: literal(text)}).terminal(terminal.key))
            except NotRegularError:
                continue
            if made is not None and text in made and production is not None:
                yield self._whole(production, terminal, made)

    # Lark as the target

    def _keywords_as_names(self) -> Iterator[str]:
        """Texts in which a word of the grammar stands where an identifier may: LALR takes it for the word."""
        terminals = list(self.derivation.terminals.values())
        words = {text for t in terminals if t.listed for text in t.texts if text.isalpha()}
        for terminal in terminals:
            if terminal.listed or terminal.node is None:
                continue
            taken = [word for word in sorted(words) if matches(terminal.node, word)]
            for production in self._users(terminal):
                texts = [self._whole(production, terminal, word) for word in taken]
                yield from (text for text in texts if self.coverage.accepts(text))

    def _lalr(self, parser: _Parser | str, earley: _Parser | None) -> Iterator[Diagnostic]:
        if isinstance(parser, str):
            yield diagnose(
                self.document.source,
                None,
                "W9",
                f"Lark's LALR parser cannot take this grammar: {parser[:120]}",
                why="trees come from Earley, which is slower",
                fix="remove the conflict that Lark names",
            )
            return
        for text in (*self.coverage.accepted, *self._keywords_as_names()):
            if self.deadline.left() < 0:
                return
            if not _parses(parser, text):
                yield diagnose(
                    self.document.source,
                    None,
                    "W9",
                    "Lark's LALR parser refuses a text that servers accept: its lexer takes one terminal for another",
                    why="trees of such texts come from Earley, which is slower",
                    fix="make the terminals that may stand at one place exclude each other",
                    witness=text,
                )
                break
        separator = self.coverage.separator
        witness = next((separator + text for text in self.coverage.accepted), "")
        if separator and earley is not None and witness and _parses(earley, witness):
            yield diagnose(
                self.document.source,
                self.document.ignores[0].at,
                "W2",
                "Lark skips ignored text before and after the text, servers do not",
                why="a text that Lark reads cannot come from a server, and is not accepted here",
                fix="strip the text before you check it",
                witness=witness,
            )


def _build(text: str, *, lalr: bool) -> _Parser | str:
    """A parser, or the reason why there is none."""
    import lark

    try:
        if lalr:
            return lark.Lark(text, parser="lalr")
        return lark.Lark(text, parser="earley", lexer="dynamic_complete")
    except (
        lark.exceptions.LarkError,
        ImportError,
        re.error,
    ) as error:  # ImportError: \p{...} wants the package regex
        return str(error).strip().split("\n")[0]


def _python(pattern: str) -> _Parser | None:
    try:
        return _Python(pattern)
    except re.error:
        return None


def _parses(parser: _Parser, text: str) -> bool:
    import lark

    try:
        parser.parse(text)
    except (
        lark.exceptions.UnexpectedInput,
        re.error,
    ):  # re.error: patterns that cannot be joined into one lexer
        return False
    return True


def _suspicious(note: Note) -> bool:
    return note.kind in _MEANINGS and not (note.kind == "unicode-class" and note.text.lower() == "\\d")


def _foreign(node: Node) -> bool:
    notes = read_regex(node.pattern, node.flags).notes if isinstance(node, Pattern) else ()
    return any(
        note.kind in ("rust-only", "late-flags", "unicode-property", "nested-repeat") for note in notes
    )


def _cut_early(node: Pattern) -> list[str]:
    """Texts of the pattern of which Python, which takes the first alternative that fits, matches a part only."""
    flags = sum(
        {"i": re.IGNORECASE, "s": re.DOTALL, "m": re.MULTILINE, "x": re.VERBOSE}.get(flag, 0)
        for flag in node.flags
    )
    try:
        python = re.compile(node.pattern, flags)
    except re.error:
        return []
    tree = read_regex(node.pattern, node.flags).node
    texts = finite(tree, 300) or samples(tree, 60, seed=3)
    return [text for text in texts if (found := python.match(text)) is None or found.end() < len(text)]


def _candidates(terminal: Terminal, node: Pattern) -> Iterator[str]:
    """Texts on which readings of the pattern might differ: its own, and small changes to them."""
    texts = dict.fromkeys(terminal.texts[:12])
    if terminal.node is not None:
        texts.update(dict.fromkeys(finite(terminal.node, 12) or samples(terminal.node, 12, seed=3)))
    yield from texts
    odd = dict.fromkeys(c for c in node.pattern if not unicodedata.category(c).startswith("C"))
    extra = [*odd, _COMBINING, _SEPARATOR, "\n"]
    yield from extra
    for text in list(texts)[:6]:
        for character in extra:
            yield text + character
            if text:
                yield text[:-1] + character
                yield character + text[1:]
