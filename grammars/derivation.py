"""Sentences that a grammar derives, built on purpose: a shortest one through every alternative, and random ones.

Rules are unfolded into plain productions; a repetition becomes its smallest counts. What the lexer makes of a
sentence is not known here: that is what `coverage` finds out.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from .lexicon import Lexicon, NotRegularError
from .nodes import (
    Alias,
    Choice,
    Document,
    Embedded,
    Literal,
    Name,
    Node,
    Pattern,
    Repeat,
    Sequence,
    Span,
)
from .regular import Regular, draw, samples, shortest
from .spelling import spellings
from .writer import write_node

__all__ = ["Derivation", "Production", "Terminal", "Token"]

_NEVER = 1 << 40
_LONG = 1 << 16  # a sentence that costs more is not built
_VARIANTS = 8  # different texts of a regular expression
_SPELLINGS = 4096


@dataclass(frozen=True, slots=True)
class Token:
    """One terminal of a sentence and the text that stands for it."""

    key: str
    text: str


@dataclass(frozen=True, slots=True)
class Terminal:
    """A terminal as rules use it: its texts to try, shortest first. `opaque` where only a model's tokens fit."""

    key: str
    node: Regular | None
    texts: tuple[str, ...]
    at: int
    listed: bool = False

    @property
    def opaque(self) -> bool:
        """Whether no text can be made for it."""
        return not self.texts


@dataclass(frozen=True, slots=True)
class Production:
    """One alternative: `head` may be written as `body`. `at` is where it stands in the text.

    `endless` marks two copies of what may come any number of times.
    """

    head: str
    body: tuple[str, ...]
    at: int
    shown: str
    endless: bool = False


@dataclass(slots=True)
class Derivation:
    """The productions of a document, and the sentences they give."""

    document: Document
    embedded: Callable[[str], tuple[str, ...]] = lambda text: ()
    terminals: dict[str, Terminal] = field(default_factory=dict[str, Terminal])
    productions: dict[str, list[Production]] = field(default_factory=dict[str, list[Production]])
    opaque: set[str] = field(default_factory=set[str])
    _best: dict[str, tuple[int, Production | None]] = field(
        default_factory=dict[str, tuple[int, Production | None]]
    )
    _contexts: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = field(
        default_factory=dict[str, tuple[tuple[str, ...], tuple[str, ...]]]
    )

    def __post_init__(self) -> None:
        lexicon = Lexicon(self.document)
        unfold = _Unfold(self, lexicon)
        for definition in self.document.definitions:
            if definition.terminal:
                continue
            if definition.attributes or definition.parametric:
                self.opaque.add(definition.name)
                self.terminals[definition.name] = Terminal(definition.name, None, (), definition.at)
            else:
                unfold.rule(definition.name, definition.body, definition.at)
        self._find_shortest()
        self._find_contexts()

    def reachable(self, name: str) -> bool:
        """Whether a sentence can hold the rule."""
        return name in self._contexts

    def productive(self, name: str) -> bool:
        """Whether the rule has a sentence at all."""
        return self._cost(name) < _NEVER

    def usable(self, production: Production) -> bool:
        """Whether a sentence through this alternative can be built of known texts."""
        if not self.reachable(production.head):
            return False
        before, after = self._contexts[production.head]
        return sum(self._cost(symbol) for symbol in (*before, *production.body, *after)) < _LONG

    def expand(
        self, symbols: tuple[str, ...], rng: random.Random | None = None, room: int = 30
    ) -> list[Token]:
        """The tokens of some symbols: the shortest, or with `rng` random ones of about `room` steps at most."""
        tokens: list[Token] = []
        stack = list(reversed(symbols))
        steps = 0
        while stack:
            symbol = stack.pop()
            if symbol in self.terminals:
                tokens.append(
                    Token(symbol, self._text(self.terminals[symbol], rng if steps < room else None))
                )
                continue
            steps += 1
            stack.extend(reversed(self._choose(symbol, rng if steps < room else None).body))
        return tokens

    def _text(self, terminal: Terminal, rng: random.Random | None) -> str:
        if rng is None:
            return terminal.texts[0]
        fresh = (
            draw(terminal.node, rng) if terminal.node and not terminal.listed and rng.random() < 0.5 else None
        )
        return rng.choice(terminal.texts) if fresh is None else fresh

    def context(self, head: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The symbols before and after a rule in a shortest sentence that holds it."""
        return self._contexts[head]

    def only_terminal(self, symbol: str) -> Terminal | None:
        """The terminal that a symbol always stands for; None where it stands for more."""
        while symbol not in self.terminals:
            options = self.productions[symbol]
            if len(options) != 1 or len(options[0].body) != 1:
                return None
            symbol = options[0].body[0]
        return self.terminals[symbol]

    def _choose(self, symbol: str, rng: random.Random | None) -> Production:
        best = self._best[symbol][1]
        if rng is None and best is not None:
            return best
        options = [p for p in self.productions[symbol] if all(self.productive(s) for s in p.body)]
        return (rng or random).choice(options)

    def _cost(self, symbol: str) -> int:
        if symbol in self.terminals:
            texts = self.terminals[symbol].texts
            return min(len(texts[0]) + 1, _LONG) if texts else _NEVER
        return self._best[symbol][0] if symbol in self._best else _NEVER

    def _find_shortest(self) -> None:
        users: dict[str, set[str]] = {}
        for head, options in self.productions.items():
            self._best[head] = (_NEVER, None)
            for production in options:
                for symbol in production.body:
                    users.setdefault(symbol, set()).add(head)
        pending = dict.fromkeys(self.productions)
        while pending:
            head = next(iter(pending))
            del pending[head]
            for production in self.productions[head]:
                costs = [self._cost(symbol) for symbol in production.body]
                cost = _NEVER if _NEVER in costs else min(1 + sum(costs), _LONG)
                if cost < self._best[head][0]:
                    self._best[head] = (cost, production)
                    pending.update(dict.fromkeys(users.get(head, ())))

    def _find_contexts(self) -> None:
        if "start" not in self.productions:
            return
        self._contexts["start"] = ((), ())
        distance = {"start": 0}
        heap = [(0, "start")]
        while heap:
            cost, head = heapq.heappop(heap)
            if cost > distance[head]:
                continue
            before, after = self._contexts[head]
            for production in self.productions[head]:
                total = cost + sum(self._cost(symbol) for symbol in production.body)
                for index, symbol in enumerate(production.body):
                    if symbol in self.terminals:
                        continue
                    # a part without a sentence still shows that what stands beside it is used
                    new = total - self._cost(symbol)
                    if new < distance.get(symbol, _NEVER * 64):
                        distance[symbol] = new
                        self._contexts[symbol] = (
                            before + production.body[:index],
                            production.body[index + 1 :] + after,
                        )
                        heapq.heappush(heap, (new, symbol))


class _Unfold:
    """Turns the expressions of rules into productions."""

    def __init__(self, derivation: Derivation, lexicon: Lexicon) -> None:
        self.derivation = derivation
        self.lexicon = lexicon
        self.count = 0
        self.known: dict[int, tuple[str, ...]] = {}

    def rule(self, name: str, body: Node, at: int) -> None:
        options = body.options if isinstance(body, Choice) else (body,)
        made = self.derivation.productions.setdefault(name, [])
        for option in options:
            made.append(
                Production(name, tuple(self.symbols(option)), getattr(option, "at", at), _cut(option))
            )

    def symbols(self, node: Node) -> tuple[str, ...]:
        """The symbols of an expression; a node that comes twice is unfolded once."""
        if id(node) not in self.known:
            self.known[id(node)] = tuple(self.unfolded(node))
        return self.known[id(node)]

    def unfolded(self, node: Node) -> Iterator[str]:
        match node:
            case Sequence(items=items):
                for item in items:
                    yield from self.symbols(item)
            case Alias(item=item):
                yield from self.symbols(item)
            case Choice():
                yield self.helper(node, [[option] for option in node.options])
            case Repeat(item=item, low=low, high=high):
                counts = {low} | {c for c in (low + 1, 2) if c > low and (high is None or c <= high)}
                yield self.helper(node, [[item] * count for count in sorted(counts)], endless=high is None)
            case Embedded(kind="if"):
                return
            case Name(name=name) if not self.lexicon.is_terminal(name):
                yield name
            case _:
                yield self.terminal(node)

    def helper(self, node: Node, options: list[list[Node]], *, endless: bool = False) -> str:
        self.count += 1
        name = f".{self.count}"
        made = self.derivation.productions.setdefault(name, [])
        for option in options:
            body = [symbol for item in option for symbol in self.symbols(item)]
            at = option[0].at if isinstance(node, Choice) else node.at
            again = endless and len(option) > 1
            made.append(Production(name, tuple(body), at, _cut(option[0]) if option else _cut(node), again))
        return name

    def terminal(self, node: Node) -> str:
        key = write_node(node)
        known = self.derivation.terminals
        if key not in known:
            known[key] = self.made(node, key)
        return key

    def made(self, node: Node, key: str) -> Terminal:
        if isinstance(node, Embedded):
            return Terminal(key, None, self.derivation.embedded(f"%{node.kind} {node.text}"), node.at)
        if not isinstance(node, (Literal, Pattern, Span, Name)):
            return Terminal(key, None, (), node.at)
        try:
            regular = self.lexicon.regular(node)
        except NotRegularError:
            return Terminal(key, None, (), node.at)
        listed = spellings(node, self.lexicon, _SPELLINGS)
        if listed is not None:
            return Terminal(key, regular, tuple(sorted(listed, key=len)), node.at, listed=True)
        least = shortest(regular)
        texts = dict.fromkeys([least] if least is not None else [])
        texts.update(dict.fromkeys(samples(regular, _VARIANTS)))
        return Terminal(key, regular, tuple(texts), node.at)


def _cut(node: Node) -> str:
    text = write_node(node)
    return text if len(text) <= 60 else text[:57] + "..."
