"""Free questions read by rules: every word is accounted for, or there is no reading.

Used by `English.suggest`, which offers what is read here as questions in controlled English.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial

from jigwork.grammars.linking import COMMON

from ..choices import Choices, Trouble, explore
from ..engine import Expr, Node, TooMany, load_rules, parse
from ..joins import Joins
from ..query import Query
from .resolve import Resolved, Resolver
from .rules import RULES
from .spans import Names, Spans, Word, without_fillers, words_of

__all__ = ["FreeReader", "Meaning", "free_rules"]

_MOST_WORDS = 60
_MOST_NODES = 80


@dataclass(frozen=True, slots=True)
class Meaning:
    """A query that a free question may mean, and how far its words had to be stretched for it (0: not at all).

    `asked` is how many of its first columns were asked for (None: all of them); the others are what it is sorted by.
    `taken` are the words of the question with what they were taken for.
    """

    query: Query
    cost: int
    asked: int | None = None
    taken: tuple[tuple[str, str], ...] = ()


class FreeReader:
    """Reads free questions over one schema."""

    def __init__(self, names: Names, joins: Joins) -> None:
        self._names = names
        self._joins = joins

    def read(self, question: str) -> list[Meaning]:
        """Return what the question may mean, the likeliest first; nothing where some word is not accounted for."""
        words, left = without_fillers(words_of(question))
        if not words or len(words) > _MOST_WORDS:
            return []
        spans = Spans(self._names, words)
        try:
            nodes, _ = parse(free_rules(), spans.said, spans)
        except TooMany:
            return []
        nodes = sorted(nodes, key=_leaf_count)
        found: dict[Query, tuple[int, Resolved]] = {}
        for node in nodes[:_MOST_NODES]:
            try:
                results, _ = explore(partial(self._resolve, node, spans))
            except Trouble:
                continue
            for cost, resolved in results:
                known = found.get(resolved.query)
                if known is None or cost < known[0]:
                    found[resolved.query] = cost, resolved
        ordered = sorted(found.values(), key=lambda each: each[0])
        return [Meaning(each.query, cost, each.asked, _taken(each, words, left)) for cost, each in ordered]

    def _resolve(self, node: Node, spans: Spans, choices: Choices) -> Resolved:
        return Resolver(self._names, self._joins, spans, choices).resolve(node)


def _leaf_count(node: Node) -> int:
    """Derivations in which names are longer come first."""
    return sum(_leaf_count(child) if isinstance(child, Node) else 1 for child in node.children)


def _taken(resolved: Resolved, words: Sequence[Word], left: Sequence[Word]) -> tuple[tuple[str, str], ...]:
    """The words of the question in their order, with what each was taken for."""
    said = [
        (words[start].start, " ".join(word.text for word in words[start:end]), meaning)
        for start, end, meaning in resolved.notes
    ]
    said += [(word.start, word.text, "ignored") for word in left if word.said not in COMMON]
    return tuple((text, meaning) for _, text, meaning in sorted(said))


@cache
def free_rules() -> Mapping[str, Expr]:
    """Return the rules of free questions, loaded once."""
    return load_rules(RULES)
