"""A reader of Lark-like rules over tokens that gives every derivation, and says how far it came.

Names of several words are one terminal here (the lexicon matches them), so that a name never has to be told from
a keyword by guessing: all readings come out, and the resolver decides which of them mean something.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeAlias

__all__ = [
    "Alt",
    "Expr",
    "Leaf",
    "Matcher",
    "Node",
    "Opt",
    "Phrase",
    "Reach",
    "Rule",
    "Seq",
    "Star",
    "Term",
    "TooMany",
    "fragments",
    "load_rules",
    "parse",
]


@dataclass(frozen=True, slots=True)
class Phrase:
    """Literal words."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Term:
    """A terminal that the lexicon matches."""

    name: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A reference to a rule."""

    name: str


@dataclass(frozen=True, slots=True)
class Seq:
    """One after the other."""

    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Alt:
    """One of them."""

    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Opt:
    """Once or not at all."""

    item: Expr


@dataclass(frozen=True, slots=True)
class Star:
    """Any number of times; at least `least`."""

    item: Expr
    least: int = 0


Expr: TypeAlias = Phrase | Term | Rule | Seq | Alt | Opt | Star

_TOKEN = re.compile(r'"[^"]*"|[A-Za-z_]\w*|[|()\[\]*+?:]')


@lru_cache(maxsize=4)
def load_rules(text: str) -> Mapping[str, Expr]:
    """Read rules of the form `name: alternatives`; a line that begins with `|` continues the one before."""
    joined = re.sub(r"\n[ \t]+", " ", text)
    rules: dict[str, Expr] = {}
    for line in joined.strip().splitlines():
        if line.strip():
            name, _, body = line.partition(":")
            rules[name.strip()] = _Loader(_TOKEN.findall(body)).alternatives()
    return rules


class _Loader:
    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._i = 0

    def _peek(self) -> str:
        return self._tokens[self._i] if self._i < len(self._tokens) else ""

    def alternatives(self) -> Expr:
        """Read alternatives up to the end or a closing bracket."""
        items = [self._sequence()]
        while self._peek() == "|":
            self._i += 1
            items.append(self._sequence())
        return items[0] if len(items) == 1 else Alt(tuple(items))

    def _sequence(self) -> Expr:
        items: list[Expr] = []
        while self._peek() not in ("", "|", ")", "]"):
            items.append(self._repeated())
        return items[0] if len(items) == 1 else Seq(tuple(items))

    def _repeated(self) -> Expr:
        token = self._peek()
        self._i += 1
        if token in ("(", "["):
            inner = self.alternatives()
            self._i += 1
            item: Expr = Opt(inner) if token == "[" else inner
        elif token.startswith('"'):
            item = Phrase(tuple(token[1:-1].split()))
        else:
            item = Term(token) if token.isupper() else Rule(token)
        mark = self._peek()
        if mark in ("*", "+", "?"):
            self._i += 1
            return Opt(item) if mark == "?" else Star(item, 1 if mark == "+" else 0)
        return item


@dataclass(frozen=True, slots=True)
class Leaf:
    """A matched terminal. `value` is what the matcher gave; tokens `start` to `end`."""

    name: str
    value: Any
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Node:
    """A matched rule; literal words leave nothing."""

    name: str
    children: tuple[Node | Leaf, ...]
    start: int
    end: int


Children: TypeAlias = "tuple[Node | Leaf, ...]"
Found: TypeAlias = "list[tuple[int, Children]]"
Matcher: TypeAlias = Callable[[str, int], "tuple[list[tuple[int, Any]], int]"]
"""(terminal, position) -> ([(end, value)], how many words went along with some name that is not complete)."""


class TooMany(Exception):
    """The sentence has more derivations than is reasonable."""


@dataclass(slots=True)
class Reach:
    """How far the reader came: at the furthest position, what could have followed.

    `phrases` are the words of the language that were left, `terms` the terminals, each with the number of words of
    a name that already stand before the position.
    """

    position: int = 0
    phrases: dict[tuple[str, ...], None] = field(default_factory=dict[tuple[str, ...], None])
    terms: dict[tuple[str, int], None] = field(default_factory=dict[tuple[str, int], None])

    def missed(self, position: int, phrase: tuple[str, ...] = (), term: str = "", partial: int = 0) -> None:
        """Note something that could have stood at a position; `partial` words of a name stand before it."""
        if position < self.position:
            return
        if position > self.position:
            self.position = position
            self.phrases.clear()
            self.terms.clear()
        if phrase:
            self.phrases[phrase] = None
        if term:
            self.terms[term, partial] = None


@dataclass(frozen=True, slots=True)
class _First:
    """What an expression can begin with; `empty` where it may be nothing."""

    words: frozenset[str] = frozenset()
    terms: frozenset[str] = frozenset()
    empty: bool = False

    def __or__(self, other: _First) -> _First:
        return _First(self.words | other.words, self.terms | other.terms, self.empty or other.empty)


class _Firsts:
    """What each rule, and each alternative within it, can begin with."""

    def __init__(self, rules: Mapping[str, Expr]) -> None:
        self._rules = rules
        self.rules: dict[str, _First] = dict.fromkeys(rules, _First())
        while (found := {name: self._of(body) for name, body in rules.items()}) != self.rules:
            self.rules = found
        self.alternatives: dict[int, _First] = {}
        for body in rules.values():
            self._add(body)

    def _add(self, expr: Expr) -> None:
        match expr:
            case Alt(items):
                for item in items:
                    self.alternatives[id(item)] = self._of(item)
                    self._add(item)
            case Seq(items):
                for item in items:
                    self._add(item)
            case Opt(item) | Star(item):
                self.alternatives[id(item)] = self._of(item)
                self._add(item)
            case _:
                return

    def _of(self, expr: Expr) -> _First:
        match expr:
            case Phrase(words):
                return _First(words=frozenset(words[:1]))
            case Term(name):
                return _First(terms=frozenset((name,)))
            case Rule(name):
                return self.rules[name]
            case Alt(items):
                found = _First()
                for item in items:
                    found = found | self._of(item)
                return found
            case Opt(item):
                return self._of(item) | _First(empty=True)
            case Star(item, least):
                return self._of(item) | _First(empty=not least)
            case Seq(items):
                return self._seq(items)

    def _seq(self, items: tuple[Expr, ...]) -> _First:
        found = _First()
        for item in items:
            first = self._of(item)
            found = _First(found.words | first.words, found.terms | first.terms)
            if not first.empty:
                return found
        return found | _First(empty=True)


_MOST = 300
_MOST_ENDS = 4


def parse(rules: Mapping[str, Expr], words: Sequence[str], match: Matcher) -> tuple[list[Node], Reach]:
    """Return every derivation of `question` over the whole of `words`, and how far the reader came."""
    reader = _Reader(rules, words, match)
    nodes = [children[0] for end, children in reader.rule("question", 0) if end == len(words)]
    return [node for node in nodes if isinstance(node, Node)], reader.reach


def fragments(
    rules: Mapping[str, Expr], words: Sequence[str], match: Matcher, names: Sequence[str]
) -> list[Node]:
    """Return the stretches of `words` that the named rules derive: from the left, at each word the longest first."""
    reader = _Reader(rules, words, match)
    found: list[Node] = []
    for start in range(len(words)):
        made = [children[0] for name in names for _, children in reader.rule(name, start)]
        nodes = {(node.end, node.name): node for node in made if isinstance(node, Node) and node.end > start}
        found.extend(sorted(nodes.values(), key=lambda node: -node.end)[:_MOST_ENDS])
    return found


_MOST_KEPT = 4
_known_firsts: dict[int, tuple[Mapping[str, Expr], _Firsts]] = {}


def _firsts(rules: Mapping[str, Expr]) -> _Firsts:
    """Return the first words of rules; those of the last few are kept: free questions have rules of their own."""
    known = _known_firsts.get(id(rules))
    if known is None or known[0] is not rules:
        if len(_known_firsts) >= _MOST_KEPT:
            _known_firsts.clear()
        known = _known_firsts[id(rules)] = rules, _Firsts(rules)
    return known[1]


class _Reader:
    def __init__(self, rules: Mapping[str, Expr], words: Sequence[str], match: Matcher) -> None:
        self._rules = rules
        self._words = words
        self._match = match
        self._memo: dict[tuple[str, int], Found] = {}
        self._terms: dict[tuple[str, int], Found] = {}
        self._firsts = _firsts(rules)
        self.reach = Reach()

    def rule(self, name: str, start: int) -> Found:
        """Return every derivation of a rule from a position."""
        key = (name, start)
        found = self._memo.get(key)
        if found is None:
            if not self._can(self._firsts.rules[name], start):
                return []
            bodies = self._expr(self._rules[name], start)
            if not name.startswith("_"):
                bodies = [(end, (Node(name, children, start, end),)) for end, children in bodies]
            found = self._memo[key] = list(dict.fromkeys(bodies))
            if len(found) > _MOST:
                raise TooMany
        return found

    def _expr(self, expr: Expr, start: int) -> Found:
        match expr:
            case Phrase():
                return self._phrase(expr, start)
            case Term():
                return self._term(expr.name, start)
            case Rule():
                return self.rule(expr.name, start)
            case Alt():
                firsts = self._firsts.alternatives
                items = [item for item in expr.items if self._can(firsts[id(item)], start)]
                return [found for item in items for found in self._expr(item, start)]
            case Opt():
                if not self._can(self._firsts.alternatives[id(expr.item)], start):
                    return [(start, ())]
                return [(start, ()), *self._expr(expr.item, start)]
            case Seq():
                found: Found = [(start, ())]
                for item in expr.items:
                    found = self._then(found, item)
                return found
            case Star():
                return self._star(expr, start)

    def _can(self, first: _First, start: int) -> bool:
        """Tell whether something may begin here. At the furthest position all is tried, to say what may follow."""
        if first.empty or start >= self.reach.position:
            return True
        word = self._words[start]
        return word == "the" or word in first.words or any(self._term(term, start) for term in first.terms)

    def _then(self, before: Found, item: Expr) -> Found:
        found: Found = []
        for middle, left in before:
            for end, right in self._expr(item, middle):
                found.append((end, left + right))
        if len(found) > 2 * _MOST:
            raise TooMany
        return found

    def _star(self, expr: Star, start: int) -> Found:
        level: Found = [(start, ())]
        found: Found = list(level) if expr.least == 0 else []
        while level:
            level = [each for each in self._then(level, expr.item) if each[0] > start]
            known = set(found)
            level = [each for each in dict.fromkeys(level) if each not in known]
            found.extend(level)
            if len(found) > 2 * _MOST:
                raise TooMany
        return found

    def _starts(self, start: int) -> tuple[int, ...]:
        """Where a terminal may begin: `the` may stand before anything."""
        skip = start < len(self._words) and self._words[start] == "the"
        return (start, start + 1) if skip else (start,)

    def _phrase(self, phrase: Phrase, start: int) -> Found:
        words = self._words
        for begin in self._starts(start):
            i = 0
            while i < len(phrase.words) and begin + i < len(words) and words[begin + i] == phrase.words[i]:
                i += 1
            if i == len(phrase.words):
                return [(begin + i, ())]
            self.reach.missed(begin + i, phrase=phrase.words[i:])
        return []

    def _term(self, name: str, start: int) -> Found:
        found = self._terms.get((name, start))
        if found is None:
            made: Found = []
            for begin in self._starts(start):
                ends, partial = self._match(name, begin)
                for end, value in ends:
                    made.append((end, (Leaf(name, value, begin, end),)))
                self.reach.missed(begin + partial, term=name, partial=partial)
            found = self._terms[name, start] = made
        return found
